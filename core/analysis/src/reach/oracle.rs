//! Cases: what is not known may be one way or the other, and each is walked.

/// Answers each question of a walk in one way; walked again and again until every combination of answers has been given.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    /// The answers that this walk gives, in the order of the questions: the answer, and how many there are.
    script: Vec<(usize, usize)>,
    /// What was asked in this walk, so that one question has one answer.
    asked: Vec<(String, usize)>,
    at: usize,
}

/// Where it stops: beyond that many cases the rest is taken to be like those seen, and nothing is certain.
const MOST_CASES: usize = 4096;

impl Oracle {
    /// One of `count` answers to a question.
    pub(super) fn choose(&mut self, question: &str, count: usize) -> usize {
        if let Some((_, answer)) = self.asked.iter().find(|(known, _)| known == question) {
            return *answer;
        }
        if count <= 1 {
            return 0;
        }
        if self.at == self.script.len() {
            self.script.push((0, count));
        }
        let (answer, _) = self.script[self.at];
        self.at += 1;
        self.asked.push((question.to_owned(), answer));
        answer
    }

    /// A question of yes or no.
    pub(super) fn decide(&mut self, question: &str) -> bool {
        self.choose(question, 2) == 0
    }

    /// Begins the next case; false when all were walked.
    pub(super) fn next(&mut self) -> bool {
        self.at = 0;
        self.asked.clear();
        while let Some((answer, count)) = self.script.pop() {
            if answer + 1 < count {
                self.script.push((answer + 1, count));
                return true;
            }
        }
        false
    }

    /// How many cases are walked at most.
    pub(super) fn limit() -> usize {
        MOST_CASES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_walked_once() {
        let mut oracle = Oracle::default();
        let mut seen = Vec::new();
        loop {
            let first = oracle.choose("first", 3);
            // The second question is asked in some of the cases only, and twice.
            let second = (first > 0).then(|| (oracle.decide("second"), oracle.decide("second")));
            seen.push((first, second));
            if !oracle.next() {
                break;
            }
        }
        let yes = Some((true, true));
        let no = Some((false, false));
        assert_eq!(seen, [(0, None), (1, yes), (1, no), (2, yes), (2, no)]);
    }
}
