//! Where our answer is another one on purpose. Where Terraform and OpenTofu differ, Terraform is followed.

use crate::rows;

/// A rule for answers that may differ, and why they do.
pub struct Difference {
    /// Whether the expression, our answer and OpenTofu's are of this kind.
    pub is: fn(&str, &str, &str) -> bool,
    /// The reason.
    pub why: &'static str,
}

fn is_error(answer: &str) -> bool {
    answer.starts_with("error: ")
}

/// Whether an expression calls a function.
fn calls(expression: &str, name: &str) -> bool {
    rows::calls(expression, name)
}

/// The names that the other release does not have yet.
fn is_newer(answer: &str) -> bool {
    ["assume", "convert"].iter().any(|name| answer.contains(&format!("There is no function named \"{name}")))
}

/// All of them, the reason beside each.
pub const ALL: &[Difference] = &[
    Difference { is: |_, _, theirs| is_newer(theirs), why: "functions of a later release of OpenTofu, or of ours" },
    Difference {
        is: |_, ours, theirs| is_error(ours) && theirs.contains("Inf"),
        why: "a result that is not finite is an error, which language.md says",
    },
    Difference {
        is: |expression, ours, _| expression.contains("% 0") && is_error(ours),
        why: "there is no remainder of a division by zero, which language.md says",
    },
    Difference {
        is: |_, ours, _| ours.contains("An operand of this operator is null"),
        why: "Terraform has an error for a null operand of && and ||, too",
    },
    Difference {
        is: |expression, _, _| expression.contains("&&") || expression.contains("||"),
        why: "a side that decides is enough, and the marks of the other one, which is not looked at, do not count",
    },
    Difference {
        is: |_, ours, theirs| is_error(ours) && theirs.starts_with("unknown("),
        why: "an error that is certain whatever the unknown values become is told before they are known",
    },
    Difference {
        is: |expression, ours, _| calls(expression, "matchkeys") && ours.contains("unknown("),
        why: "a value that is not known yet may be one of those searched for",
    },
    Difference {
        is: |expression, _, _| calls(expression, "base64gzip"),
        why: "compressed bytes are the implementation's own, which language.md says",
    },
    Difference { is: |_, _, theirs| theirs.contains("\"-0\""), why: "zero has no sign" },
    Difference {
        is: |expression, _, _| expression.contains("::ffff:"),
        why: "OpenTofu and Terraform take the embedded address's bytes from the wrong end",
    },
    Difference {
        is: |_, ours, theirs| is_error(ours) && theirs.contains("<nil>"),
        why: "a prefix has no less than zero bits",
    },
    Difference {
        is: |expression, ours, _| calls(expression, "cidrsubnet") && ours.contains("does not accommodate"),
        why: "a network with a negative number lies outside of the one that it should be part of",
    },
    Difference {
        is: |expression, _, _| calls(expression, "fileset") && expression.contains(",}"),
        why: "Terraform's patterns have alternatives that are empty",
    },
    Difference {
        is: |_, ours, _| ours.contains("capture group"),
        why: "groups of a pattern have different names, which begin with a letter",
    },
    Difference {
        is: |_, _, theirs| theirs.contains("property in JSON object"),
        why: "Terraform takes the last of several values for a name",
    },
    Difference {
        is: |_, _, theirs| theirs.contains("is not a supported IANA encoding name"),
        why: "more names of character sets are understood",
    },
    Difference {
        is: |_, _, theirs| theirs.contains("found character that cannot start any token"),
        why: "YAML 1.2 lets blanks be tabs",
    },
    Difference {
        is: |_, ours, theirs| theirs.contains('\u{fffd}') && ours.contains("is not valid UTF-8"),
        why: "strings are UTF-8",
    },
    Difference {
        is: |_, _, theirs| theirs.contains("incompatible YAML document"),
        why: "the directive says the version that everybody writes",
    },
];

/// Why these answers may differ, if they may.
pub fn reason(expression: &str, ours: &str, theirs: &str) -> Option<&'static str> {
    ALL.iter().find(|difference| (difference.is)(expression, ours, theirs)).map(|difference| difference.why)
}
