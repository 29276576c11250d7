//! Making what a person saw the same in every run.

use regex::{Captures, Regex};
use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::LazyLock};

/// What is new in each run and stands for nothing else, with what takes its place.
static FIXED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let patterns = [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})", "<time>"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
        (r"\bafter (\d+h)?(\d+m)?\d+s\b", "after <time>"),
        (r"\b[0-9A-F]{32}\b", "<issuer>"),
        (r"\b[0-9a-f]{40}\b", "<thumbprint>"),
        (r"LS0tLS1[A-Za-z0-9+/=]+", "<certificate>"),
        (r"\bA[RN][OP]A[A-Z0-9]{8,}\b", "<unique id>"),
        (r#"(resource_version"? += |"resource_version": )"\d+""#, "${1}<version>"),
        (r"\(deposed object [0-9a-f]{8}\)", "(deposed object <key>)"),
        (r"\(process \d+", "(process <pid>"),
        (r"(?m)^(│? *)\S+@\S+ runs `", "${1}<who> runs `"),
        (r"(?m)^(│? *)\S+@\S+ \(process", "${1}<who> (process"),
        (r" by \S+@\S+ at ", " by <who> at "),
        (r",[\w.-]+@[\w.-]+,", ",<who>,"),
        (r"\bsgp v?\d+\.\d+\.\d+", "sgp <version>"),
        (r"version \d+\.\d+\.\d+\)", "version <version>)"),
        (r"(\barn:aws:eks:[^\s/]*:(?:addon|nodegroup)/[^\s/]+/[^\s/]+/)[0-9a-f]{8}\b", "${1}<eks id>"),
        (r#""eks-(\S+)-[0-9a-f]{8}""#, "\"eks-${1}-<eks id>\""),
    ];
    patterns.map(|(pattern, name)| (regex(pattern), name)).into()
});
static ID: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(sgr|sg|lt|subnet|vpc|eni|i|ami)-([0-9a-f]{8,17})\b"));
/// A node has the address that it got, in whichever subnet.
static NODE: LazyLock<Regex> = LazyLock::new(|| regex(r"\bip(-\d+){4}\.ec2\.internal\b"));
static DIGEST: LazyLock<Regex> = LazyLock::new(|| regex(r"\b[0-9a-f]{64}\b"));
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^\S.*: (Creating|Creation|Modifying|Modifications|Destroying|Destruction|Reading|Read|Refreshing|Recording|Forgetting|Still)\b",
    )
});
/// An element of a list of ids, or the note that others did not change.
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"^\s+([+~-] )?("<[a-z]+-\d+>"|<[a-z]+-\d+>)?,?( -> null)?(# \(\d+ unchanged elements? hidden\))?$"#)
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is fixed and right")
}

/// Gives ids that are new in each run names that are not.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Makes text comparable; ids keep the name that they got first.
    pub fn settle(&mut self, text: &str, folder: &Path) -> String {
        let mut text = text.replace(&*folder.to_string_lossy(), "<folder>");
        for (pattern, name) in &*FIXED {
            text = pattern.replace_all(&text, *name).into_owned();
        }
        let text = sorted_progress(&text);
        let text = ID.replace_all(&text, |found: &Captures<'_>| self.name(&found[0], &found[1]));
        let text = NODE.replace_all(&text, |found: &Captures<'_>| self.name(&found[0], "node"));
        let text = DIGEST.replace_all(&text, |found: &Captures<'_>| self.name(&found[0], "digest"));
        sorted_elements(&text)
    }

    fn name(&mut self, id: &str, kind: &str) -> String {
        if let Some(name) = self.0.get(id) {
            return name.clone();
        }
        let count = self.0.values().filter(|n| n.starts_with(&format!("<{kind}-"))).count() + 1;
        let name = format!("<{kind}-{count}>");
        self.0.insert(id.to_owned(), name.clone());
        name
    }
}

/// Steps that run at the same time report in any order: blocks of reports are put in the order of their addresses, what one object
/// reports stays in its order, and repeated waits are left out.
fn sorted_progress(text: &str) -> String {
    let is_report = |line: &str| PROGRESS.is_match(line).then(|| line.contains(": Still "));
    sorted_blocks(text, is_report, |line| line.split(": ").next().unwrap_or(line))
}

/// Sets of ids are in the order of the ids, which are new in each run: their elements are put in the order of the names.
fn sorted_elements(text: &str) -> String {
    sorted_blocks(text, |line| (ELEMENT.is_match(line) && !line.trim().is_empty()).then_some(false), |line| line)
}

/// Sorts neighbouring lines by a key. `belongs` answers none for other lines, and whether a line is left out.
fn sorted_blocks<'a>(
    text: &'a str,
    belongs: impl Fn(&str) -> Option<bool>,
    key: impl Fn(&'a str) -> &'a str,
) -> String {
    let mut out = String::new();
    let mut block: Vec<&str> = Vec::new();
    let flush = |block: &mut Vec<&'a str>, out: &mut String| {
        block.sort_by_key(|line| key(line));
        block.drain(..).for_each(|line| out.push_str(&format!("{line}\n")));
    };
    for line in text.lines().map(str::trim_end) {
        match belongs(line) {
            Some(true) => {}
            Some(false) => block.push(line),
            None => {
                flush(&mut block, &mut out);
                let _ = writeln!(out, "{line}");
            }
        }
    }
    flush(&mut block, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(text: &str) -> String {
        Names::default().settle(text, Path::new("/nowhere"))
    }

    #[test]
    fn ids_get_names_in_order_of_appearance() {
        let text = "sg-0123456789abcdef0 sgr-0aaaaaaaaaaaaaaaa sg-0bbbbbbbbbbbbbbbb sg-0123456789abcdef0";
        assert_eq!(settled(text), "<sg-1> <sgr-1> <sg-2> <sg-1>\n");
    }

    #[test]
    fn nodes_are_told_apart_by_more_than_their_subnet() {
        let text = "ip-10-0-0-5.ec2.internal ip-10-0-32-5.ec2.internal ip-10-0-0-5.ec2.internal";
        assert_eq!(settled(text), "<node-1> <node-2> <node-1>\n");
    }

    #[test]
    fn progress_is_sorted_and_waits_are_left_out() {
        let text = "b.x: Creating...\na.x: Creating...\nb.x: Still creating... [10s elapsed]\n\nApply complete!\n";
        assert_eq!(settled(text), "a.x: Creating...\nb.x: Creating...\n\nApply complete!\n");
    }

    #[test]
    fn one_object_reports_in_its_order() {
        let text = "b.x: Destroying...\nb.x: Destruction complete after 1s\na.x: Creating...\nb.x: Creating...\n";
        let expected =
            "a.x: Creating...\nb.x: Destroying...\nb.x: Destruction complete after <time>\nb.x: Creating...\n";
        assert_eq!(settled(text), expected);
    }

    #[test]
    fn elements_are_sorted_by_name() {
        let text = "a = sg-00000002\nb = sg-00000001\n  c = [\n      + \"sg-00000001\",\n        # (1 unchanged element hidden)\n    ]\n";
        assert_eq!(
            settled(text),
            "a = <sg-1>\nb = <sg-2>\n  c = [\n        # (1 unchanged element hidden)\n      + \"<sg-2>\",\n    ]\n"
        );
    }

    #[test]
    fn what_is_new_in_each_run_gets_a_name() {
        for (text, expected) in [
            ("complete after 1m3s [id=x]", "complete after <time> [id=x]\n"),
            (
                "root@box runs `sgp apply` (process 12, version 0.1.0) since 2026-01-02T03:04:05Z",
                "<who> runs `sgp apply` (process <pid>, version <version>) since <time>\n",
            ),
            ("    resource_version = \"123\"", "    resource_version = <version>\n"),
            ("arn:aws:eks:r:1:addon/a/vpc-cni/04279a54", "arn:aws:eks:r:1:addon/a/vpc-cni/<eks id>\n"),
            ("arn:aws:eks:r:1:nodegroup/a/b/04279a54", "arn:aws:eks:r:1:nodegroup/a/b/<eks id>\n"),
            ("name = \"eks-default-42ff2030\"", "name = \"eks-default-<eks id>\"\n"),
        ] {
            assert_eq!(settled(text), expected);
        }
    }
}
