//! Patterns of policies: `*`, `?` and `${variables}`.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags" and "IAM JSON policy elements: Resource".

use super::context::Context;

/// A pattern with its variables put in. What a variable stands for is literal, also when it has a `*` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`; in an ARN not a colon.
    One,
    /// `*`; with `false` it stops at a colon.
    Many(bool),
}

impl Pattern {
    /// Reads a pattern. `None` when it names a variable that has no value, or several: then it fits nothing.
    pub fn new(text: &str, context: Option<&Context>) -> Option<Self> {
        let letters: Vec<char> = text.chars().collect();
        let (mut tokens, mut at) = (Vec::new(), 0);
        while at < letters.len() {
            match (letters[at], context) {
                ('$', Some(context)) if letters.get(at + 1) == Some(&'{') => {
                    let end = at + letters[at..].iter().position(|letter| *letter == '}')?;
                    let name: String = letters[at + 2..end].iter().collect();
                    tokens.extend(variable(&name, context)?.chars().map(Token::Letter));
                    at = end;
                }
                ('*', _) => tokens.push(Token::Many(true)),
                ('?', _) => tokens.push(Token::One),
                (letter, _) => tokens.push(Token::Letter(letter)),
            }
            at += 1;
        }
        Some(Self(tokens))
    }

    /// The same for ARNs: before the resource part, a `*` within a segment does not reach over a colon; one that ends its segment
    /// does.
    #[must_use]
    pub fn of_arn(mut self) -> Self {
        let mut colons = 0;
        for at in 0..self.0.len() {
            let ends = matches!(self.0.get(at + 1), None | Some(Token::Letter(':')));
            match &mut self.0[at] {
                Token::Letter(':') => colons += 1,
                Token::Many(reaches) => *reaches = ends || colons >= 5,
                _ => {}
            }
        }
        self
    }

    /// Whether it fits the text.
    pub fn fits(&self, text: &str) -> bool {
        self.fit(&text.chars().collect::<Vec<_>>(), |a, b| a == b)
    }

    /// Whether it fits the text, whatever the case of its letters.
    pub fn fits_in_any_case(&self, text: &str) -> bool {
        self.fit(&text.chars().collect::<Vec<_>>(), |a, b| a == b || a.to_lowercase().eq(b.to_lowercase()))
    }

    fn fit(&self, text: &[char], same: impl Fn(char, char) -> bool) -> bool {
        // The set of places in the pattern that the text read so far leads to.
        let mut places = vec![false; self.0.len() + 1];
        places[0] = true;
        self.skip_stars(&mut places);
        for letter in text {
            let mut next = vec![false; self.0.len() + 1];
            for (place, token) in self.0.iter().enumerate().filter(|(place, _)| places[*place]) {
                match token {
                    Token::Many(reaches) => next[place] |= *reaches || *letter != ':',
                    Token::One => next[place + 1] = true,
                    Token::Letter(wanted) => next[place + 1] |= same(*wanted, *letter),
                }
            }
            places = next;
            self.skip_stars(&mut places);
        }
        places[self.0.len()]
    }

    fn skip_stars(&self, places: &mut [bool]) {
        for (place, token) in self.0.iter().enumerate() {
            places[place + 1] |= places[place] && matches!(token, Token::Many(_));
        }
    }
}

/// What `${name}` or `${name, 'default'}` stands for.
pub(super) fn variable(name: &str, context: &Context) -> Option<String> {
    if matches!(name, "*" | "?" | "$") {
        return Some(name.to_owned());
    }
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => (key.trim(), default.trim().strip_prefix('\'').and_then(|it| it.strip_suffix('\''))),
        None => (name.trim(), None),
    };
    match context.values(key) {
        [one] => Some(one.clone()),
        [] => default.map(str::to_owned),
        // A key with several values cannot be a variable.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit() {
        let mut context = Context::default();
        context.set("aws:username", "al*ce");
        context.add("aws:TagKeys", "a");
        context.add("aws:TagKeys", "b");
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("${aws:username}", "al*ce", true),
            ("${AWS:UserName}/*", "al*ce/x", true),
            ("${aws:username}", "alice", false),
            ("${aws:missing}", "", false),
            ("${aws:missing, 'team'}-x", "team-x", true),
            ("${aws:TagKeys}", "a", false),
            ("a${*}c", "a*c", true),
            ("a${*}c", "abc", false),
            ("${$}{x}", "${x}", true),
        ] {
            let fits = Pattern::new(pattern, Some(&context)).is_some_and(|pattern| pattern.fits(text));
            assert_eq!(fits, expected, "{pattern} {text}");
        }
        assert!(Pattern::new("${aws:username}", None).unwrap().fits("${aws:username}"));
    }

    #[test]
    fn stars_of_arns_keep_to_their_segments() {
        for (pattern, text, expected) in [
            ("*", "arn:aws:eks:us-east-1:1:cluster/a", true),
            ("arn:aws:eks:*:1:cluster/*", "arn:aws:eks:us-east-1:1:cluster/a", true),
            ("arn:aws:eks:us-*:1:cluster/a", "arn:aws:eks:us-east-1:1:cluster/a", true),
            ("arn:aws:e*s:us-east-1:1:cluster/a", "arn:aws:e:s:us-east-1:1:cluster/a", false),
            ("arn:aws:eks:*", "arn:aws:eks:us-east-1:1:cluster/a", true),
            ("arn:aws:eks:us-east-1:1:*r/a", "arn:aws:eks:us-east-1:1:x:r/a", true),
            ("arn:aws:eks:us-east-1:1:cluster", "arn:aws:eks:us-east-1:1:cluster/a", false),
        ] {
            assert_eq!(Pattern::new(pattern, None).unwrap().of_arn().fits(text), expected, "{pattern} {text}");
        }
    }
}
