//! EC2's filters: several filters must all hold, one of a filter's values is enough, `*` and `?` are wildcards.

use super::{ApiError, Params};

/// The filters of a Describe call.
#[derive(Clone, Debug)]
pub struct Filters(Vec<Filter>);

/// Values of all filters of a call.
const VALUES: usize = 200;

#[derive(Clone, Debug)]
struct Filter {
    name: String,
    values: Vec<String>,
}

impl Filters {
    /// Reads `Filter.N.Name` and `Filter.N.Value.M`. `known` has the names that the operation's reference lists; `tag:KEY` and
    /// `tag-key` are known to all.
    ///
    /// # Errors
    /// `InvalidParameterValue` for any other name, and for a filter without values; `FilterLimitExceeded` beyond 200 values.
    pub fn read(params: &Params, known: &[&str]) -> Result<Self, ApiError> {
        let mut filters = Vec::new();
        for filter in params.structures("Filter") {
            let name = filter.required("Name")?;
            let values = filter.texts("Value");
            if !known.contains(&name.as_str()) && !name.starts_with("tag:") && name != "tag-key" {
                return Err(ApiError::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            }
            if values.is_empty() {
                return Err(ApiError::new("InvalidParameterValue", format!("The filter '{name}' needs a value")));
            }
            filters.push(Filter { name, values });
        }
        if filters.iter().map(|filter| filter.values.len()).sum::<usize>() > VALUES {
            let message = format!("The maximum number of filter values specified on a single call is {VALUES}");
            return Err(ApiError::new("FilterLimitExceeded", message));
        }
        Ok(Self(filters))
    }

    /// Whether an object passes. `values_of` answers what it has under a filter's name (several for `group-id`, none when it has
    /// nothing there), and its tags.
    pub fn accept(&self, tags: &crate::ec2::tags::Tags, values_of: impl Fn(&str) -> Vec<String>) -> bool {
        self.0.iter().all(|filter| {
            let has = match (filter.name.as_str(), filter.name.strip_prefix("tag:")) {
                ("tag-key", _) => tags.keys().cloned().collect(),
                (_, Some(key)) => tags.get(key).cloned().into_iter().collect(),
                (name, None) => values_of(name),
            };
            has.iter().any(|value| filter.values.iter().any(|pattern| matches(pattern, value)))
        })
    }

    /// The names of the filters that were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|filter| filter.name.as_str())
    }

    /// The values of a filter without wildcards, for a look-up in an index; `None` when it was not given or has a wildcard.
    pub fn exact(&self, name: &str) -> Option<&[String]> {
        let filter = self.0.iter().find(|filter| filter.name == name)?;
        (!filter.values.iter().any(|value| value.contains(['*', '?', '\\']))).then_some(filter.values.as_slice())
    }
}

/// Whether text fits a pattern with `*` and `?`; a backslash takes the next character literally.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        let literal = match pattern.get(p) {
            Some('\\') => pattern.get(p + 1).map(|letter| (*letter, 2)),
            Some('*' | '?') | None => None,
            Some(letter) => Some((*letter, 1)),
        };
        if let Some((letter, width)) = literal
            && letter == text[t]
        {
            p += width;
            t += 1;
        } else if pattern.get(p) == Some(&'?') {
            p += 1;
            t += 1;
        } else if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some((at, from)) = star {
            (p, t) = (at + 1, from + 1);
            star = Some((at, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*d*", "abcde", true),
            ("*", "", true),
            ("?", "", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
