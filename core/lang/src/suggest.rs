//! "Did you mean": the name that is closest to a mistyped one.

/// The closest candidate, when it is close enough to be a slip of the finger.
pub fn closest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (given.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|c| *c != given)
        .map(|c| (strsim::damerau_levenshtein(given, c), c))
        .filter(|(distance, _)| *distance <= allowed && *distance * 2 <= given.chars().count())
        .min()
        .map(|(_, c)| c)
}

/// ` Did you mean "x"?` with the space before, or nothing.
pub fn did_you_mean<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(given, candidates).map(|c| format!(" Did you mean {c:?}?")).unwrap_or_default()
}

/// `"a", "b" and "c"`.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|n| format!("{n:?}")).collect();
    match quoted.split_last() {
        None => "none".into(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slips_are_suggested() {
        let names = ["security_group_ids", "subnet_ids", "name"];
        assert_eq!(closest("subnet_idss", names), Some("subnet_ids"));
        assert_eq!(closest("nmae", names), Some("name"));
        assert_eq!(closest("region", names), None);
        assert_eq!(closest("y", ["x"]), None);
        assert_eq!(closest("name", ["name"]), None);
        assert_eq!(list(["a", "b", "c"]), r#""a", "b" and "c""#);
    }
}
