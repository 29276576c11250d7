//! Arguments as people of Terraform write them, made into what the parser reads.
//!
//! Long flags may have one dash or two (`-auto-approve`), and `TF_CLI_ARGS`, `TF_CLI_ARGS_plan` and their `SGP_` twins add
//! arguments after the command.

use std::ffi::OsString;

use clap::Command;

/// Gives long flags two dashes, and puts arguments from the environment after the command.
/// `env` looks up a variable.
///
/// # Errors
/// A sentence, when a variable with arguments has an unclosed quote.
pub fn normalise(
    args: impl IntoIterator<Item = OsString>,
    command: &Command,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<OsString>, String> {
    let mut args = args.into_iter();
    let mut out: Vec<OsString> = args.next().into_iter().collect();
    let mut rest: Vec<OsString> = args.collect();
    let mut at = command;
    let mut path = String::new();
    let mut i = 0;
    // Whether everything from here on is a value.
    let mut only_values = false;
    while i < rest.len() {
        let arg = rest[i].clone();
        i += 1;
        if only_values {
            out.push(arg);
            continue;
        }
        match arg.to_str() {
            Some("--") => {
                only_values = true;
                out.push(arg);
            }
            Some(text) if is_long(text) => {
                out.push(format!("--{}", text.trim_start_matches('-')).into());
                if takes_next(at, text)
                    && let Some(value) = rest.get(i)
                {
                    out.push(value.clone());
                    i += 1;
                }
            }
            Some(text) => {
                out.push(text.into());
                if let Some(sub) = at.find_subcommand(text) {
                    at = sub;
                    path.push('_');
                    path.push_str(sub.get_name());
                    let more = from_environment(&path, at.has_subcommands(), env)?;
                    rest.splice(i..i, more.into_iter().map(OsString::from));
                }
            }
            None => out.push(arg),
        }
    }
    Ok(out)
}

/// `-name`, `--name`, `-name=value`; not `-n`, not `-1.5`, not `-`.
fn is_long(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.strip_prefix('-').unwrap_or(name);
    let end = name.find('=').unwrap_or(name.len());
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_well && end >= 2 && name[..end].chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Whether a flag takes its value from the next argument, which then must not be touched.
fn takes_next(command: &Command, text: &str) -> bool {
    let name = text.trim_start_matches('-');
    let takes =
        |a: &clap::Arg| a.get_long() == Some(name) && a.get_action().takes_values() && !a.is_require_equals_set();
    !name.contains('=') && command.get_arguments().any(takes)
}

/// Arguments from `TF_CLI_ARGS` (once, after the first command word) and `TF_CLI_ARGS_<command>` (after the last).
fn from_environment(path: &str, has_more: bool, env: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    if has_more {
        return Ok(all);
    }
    for name in [
        "TF_CLI_ARGS".to_owned(),
        "SGP_CLI_ARGS".to_owned(),
        format!("TF_CLI_ARGS{path}"),
        format!("SGP_CLI_ARGS{path}"),
    ] {
        if let Some(text) = env(&name) {
            let words =
                split(&text).ok_or_else(|| format!("The quotes in the environment variable {name} are not closed."))?;
            all.extend(words);
        }
    }
    Ok(all)
}

/// Splits as a shell does: spaces part words, quotes and backslashes hold them together.
fn split(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', Some('"') | None) => word.get_or_insert_default().push(chars.next()?),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(q)) if c == q => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::args;

    fn check(args: &str, env: &[(&str, &str)], expected: &str) {
        let lookup = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        let words = std::iter::once("sgp").chain(args.split('|').filter(|w| !w.is_empty())).map(OsString::from);
        let got = normalise(words, &args::command(), &lookup).unwrap();
        let got: Vec<_> = got.iter().skip(1).map(|a| a.to_str().unwrap()).collect();
        assert_eq!(got.join("|"), expected, "{args}");
    }

    #[test]
    fn one_dash_or_two() {
        for (args, expected) in [
            ("apply|-auto-approve", "apply|--auto-approve"),
            ("apply|--auto-approve|p.plan", "apply|--auto-approve|p.plan"),
            ("plan|-var|a=-b", "plan|--var|a=-b"),
            ("plan|-var|-x=1", "plan|--var|-x=1"),
            ("plan|-var=a=1|-refresh=false", "plan|--var=a=1|--refresh=false"),
            ("plan|-target=module.m[\"a-b\"].x.y", "plan|--target=module.m[\"a-b\"].x.y"),
            ("plan|-out|-dash.plan", "plan|--out|-dash.plan"),
            ("-chdir=x y|plan|-json", "--chdir=x y|plan|--json"),
            ("fmt|-|-check", "fmt|-|--check"),
            ("console|-h|-1|-1.5", "console|-h|-1|-1.5"),
            ("state|rm|--|-dry-run", "state|rm|--|-dry-run"),
            ("plan|-refresh|false", "plan|--refresh|false"),
        ] {
            check(args, &[], expected);
        }
    }

    #[test]
    fn the_environment_adds_arguments_after_the_command() {
        let env = [
            ("TF_CLI_ARGS", "-no-color"),
            ("TF_CLI_ARGS_plan", "-var 'a=b c' -parallelism=3"),
            ("SGP_CLI_ARGS_state_list", "-id=\"x\\\"y\" a\\ b"),
        ];
        check("plan|-out=x", &env, "plan|--no-color|--var|a=b c|--parallelism=3|--out=x");
        check("state|list|-state=x", &env, "state|list|--no-color|--id=x\"y|a b|--state=x");
        let open = |name: &str| (name == "TF_CLI_ARGS").then(|| "'a".to_owned());
        let words = ["sgp", "plan"].map(OsString::from);
        assert!(normalise(words, &args::command(), &open).unwrap_err().contains("TF_CLI_ARGS"));
    }
}
