//! Where our answer is another one on purpose. Where Terraform and OpenTofu differ, Terraform is followed.

use crate::{rows, same};

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

fn hides_more(ours: &str, theirs: &str) -> bool {
    let secrets = |text: &str| text.matches("sensitive(").count();
    secrets(ours) > secrets(theirs) && same::differ_in_secrets(ours, theirs)
}

/// Whether the value is given a type.
fn is_typed(expression: &str) -> bool {
    expression.contains('\u{1}')
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
        is: |_, ours, theirs| is_error(ours) && (theirs.contains("Inf") || ours.contains("not a finite number")),
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
        is: |_, ours, theirs| {
            hides_more(ours, theirs) && ["unknown(", "null("].iter().any(|what| theirs.contains(what))
        },
        why: "what is not known yet or null and may be a secret is one",
    },
    Difference {
        is: |expression, ours, theirs| hides_more(ours, theirs) && expression.contains("[sensitive("),
        why: "what a secret key finds is a secret",
    },
    Difference {
        is: |expression, ours, theirs| {
            expression.contains('?') && ours.starts_with("unknown(") && same::differ_in_secrets(ours, theirs)
        },
        why: "a branch with a mistake in it has no secrets",
    },
    Difference {
        is: |expression, ours, theirs| {
            expression.contains('?')
                && (theirs.contains("Inconsistent conditional result types") || same::types_are_in(ours, theirs))
        },
        why: "a branch that may not be taken and has a mistake in it has only the type that its form tells",
    },
    Difference {
        is: |expression, _, _| expression.contains("sensitive(null)"),
        why: "a null takes the type of the other result even if it is a secret",
    },
    Difference {
        is: |_, ours, _| {
            let mistakes = ["cannot be included in a string", "division by zero", "must be lists or tuples"];
            mistakes.iter().any(|mistake| ours.contains(mistake))
        },
        why: "a mistake is told though the result is not needed or would be infinite",
    },
    Difference {
        is: |expression, ours, theirs| {
            !is_error(ours) && theirs.contains("not enough remaining address space") && expression.contains("/0\"")
        },
        why: "all addresses together can be divided, too",
    },
    Difference {
        is: |_, ours, theirs| ours.contains("unknown(") && theirs.contains("first argument must be a string"),
        why: "what is not known yet is not looked at",
    },
    Difference {
        is: |_, ours, theirs| ours.contains("Inconsistent conditional result types") && !is_error(theirs),
        why: "what is taken more easily within a branch gives it a type, which has to fit the other one's",
    },
    Difference {
        is: |expression, ours, _| calls(expression, "length") && ours.starts_with("unknown(bool"),
        why: "there is no largest length",
    },
    Difference {
        is: |expression, ours, theirs| calls(expression, "can") && ours.starts_with("unknown(") && theirs == "false",
        why: "what is not known yet may still fit",
    },
    Difference {
        is: |expression, _, theirs| {
            calls(expression, "textdecodebase64") && theirs.contains("symbols that are not defined")
        },
        why: "control characters are characters",
    },
    Difference {
        is: |_, ours, theirs| ours.contains("unknown(set(") && theirs.contains("unknown("),
        why: "a set with several unknown elements that look the same is unknown itself",
    },
    Difference { is: |_, ours, _| ours.contains("time is out of range"), why: "years have four digits" },
    Difference {
        is: |_, ours, theirs| !is_error(ours) && theirs.contains("failed to stat"),
        why: "a file of a name that no file can have does not exist",
    },
    Difference {
        is: |expression, ours, theirs| {
            is_typed(expression) && expression.contains("optional(") && !is_error(ours) && theirs.contains("required")
        },
        why: "a default stands beside what a map holds, whatever that is",
    },
    Difference {
        is: |_, ours, theirs| ours.contains("unknown(") && theirs.contains("must have the same type"),
        why: "what is not known yet may still fit",
    },
    Difference {
        is: |expression, ours, theirs| is_typed(expression) && ours.contains("unknown(") && theirs.contains("unknown("),
        why: "a value that is not known yet has the type that it is given",
    },
    Difference {
        is: |expression, ours, theirs| {
            is_typed(expression) && expression.contains("any") && !is_error(ours) && !same::same(ours, theirs)
        },
        why: "what any stands for may be different types that convert to one",
    },
    Difference {
        is: |_, ours, theirs| !is_error(ours) && theirs.contains("of any single type"),
        why: "a null without a type takes the type of what stands beside it",
    },
    Difference {
        is: |_, ours, theirs| is_error(ours) && theirs.contains("unknown("),
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
