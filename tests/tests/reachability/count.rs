//! What was found.

use std::{collections::BTreeMap, fmt};

/// What both may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// There and back.
    Reachable,
    /// Not.
    Blocked,
    /// Nobody can say.
    Unknown,
}

/// What was found in one topology.
#[derive(Debug, Default)]
pub struct Judged {
    words: BTreeMap<Word, usize>,
    of_services: usize,
    open: usize,
    disagreements: Vec<String>,
}

/// How two answers to one question stand.
#[derive(Debug)]
pub enum Stand {
    /// They are the same.
    Agreed,
    /// The analysis cannot say, for what nobody told it; told, it says the same.
    Open,
    /// They are not; the way of both.
    Disagreed(String),
}

impl Judged {
    /// One question more, with the probe's answer.
    pub fn note(&mut self, is_of_service: bool, word: Word, stand: Stand) {
        *self.words.entry(word).or_default() += 1;
        self.of_services += usize::from(is_of_service);
        match stand {
            Stand::Agreed => {}
            Stand::Open => self.open += 1,
            Stand::Disagreed(text) => self.disagreements.push(text),
        }
    }
}

/// What was found in all.
#[derive(Debug, Default)]
pub struct Count {
    topologies: usize,
    words: BTreeMap<Word, usize>,
    of_services: usize,
    open: usize,
    /// Each with the way to make it again.
    pub disagreements: Vec<String>,
}

impl Count {
    /// One topology more.
    pub fn add(&mut self, judged: Judged, at: &str) {
        let Judged { words, of_services, open, disagreements } = judged;
        let disagreements = disagreements.into_iter().map(|text| format!("{at}: {text}")).collect();
        self.join(Self { topologies: 1, words, of_services, open, disagreements });
    }

    /// Both together.
    pub fn join(&mut self, other: Self) {
        self.topologies += other.topologies;
        for (word, number) in other.words {
            *self.words.entry(word).or_default() += number;
        }
        self.of_services += other.of_services;
        self.open += other.open;
        self.disagreements.extend(other.disagreements);
    }

    fn questions(&self) -> usize {
        self.words.values().sum()
    }

    /// How many of a thousand questions the probe cannot answer, and to how many more the analysis says so.
    pub fn unknown(&self) -> [usize; 2] {
        let unknown = self.words.get(&Word::Unknown).copied().unwrap_or_default();
        [unknown, self.open].map(|number| number * 1000 / self.questions().max(1))
    }

    /// The disagreements, the first ones in full.
    pub fn told(&self) -> String {
        let heads = self.disagreements.iter().skip(3).take(60).filter_map(|text| text.lines().next());
        let whole = self.disagreements.iter().take(3).map(String::as_str);
        whole.chain(heads).collect::<Vec<_>>().join("\n")
    }
}

/// `10000 topologies, 105000 questions, 20000 of Services (Reachable 20000, ...), 300 open, 0 disagreements`.
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.words.iter().map(|(word, number)| format!("{word:?} {number}")).collect();
        let Self { topologies, of_services, open, .. } = self;
        let (questions, words, wrong) = (self.questions(), words.join(", "), self.disagreements.len());
        write!(f, "{topologies} topologies, {questions} questions, {of_services} of Services ({words}), ")?;
        write!(f, "{open} open, {wrong} disagreements")
    }
}
