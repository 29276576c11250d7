//! Values for the variables of the root module: environment, files and flags, the later ones winning.

use std::collections::BTreeMap;

use sgp_lang::{Config, Files, Given, VariableInput};
use sgp_model::{Diagnostic, Diagnostics};

use crate::args::VarArg;

pub mod ask;
mod file;

/// Files of values that are read when they are there, the later ones winning; then `*.auto.tfvars` and
/// `*.auto.tfvars.json` by name.
const DEFAULT_FILES: [&str; 4] = ["terraform.tfvars", "terraform.tfvars.json", "sgp.tfvars", "sgp.tfvars.json"];
/// Prefixes of environment variables, the later one winning.
const PREFIXES: [&str; 2] = ["TF_VAR_", "SGP_VAR_"];

/// What was gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    /// By name.
    pub variables: BTreeMap<String, VariableInput>,
    /// Names that `-var` or `-var-file` gave.
    pub from_flags: Vec<String>,
    /// Files that were read, with their texts.
    pub sources: Vec<(String, String)>,
    /// What is wrong with files and flags.
    pub diagnostics: Diagnostics,
}

/// Gathers the values from the environment, from files beside the configuration and from flags.
pub fn gather(
    config: &Config,
    args: &[VarArg],
    files: &dyn Files,
    environment: impl Iterator<Item = (String, String)>,
) -> Gathered {
    let mut gathered = Gathered::default();
    let environment: BTreeMap<String, String> = environment.collect();
    for prefix in PREFIXES {
        for (key, text) in &environment {
            if let Some(name) = key.strip_prefix(prefix)
                // Other configurations' variables may be in the environment, too.
                && config.root.variables.contains_key(name)
            {
                gathered.set(name, Given::Text(text.clone()), format!("the environment variable {key}"), None);
            }
        }
    }
    for file in default_files(files) {
        gathered.file(config, &file, files);
    }
    for arg in args {
        match arg {
            VarArg::Value(text) => gathered.flag(config, text),
            VarArg::File(path) => {
                let names = gathered.file(config, path, files);
                gathered.from_flags.extend(names);
            }
        }
    }
    gathered.from_flags.sort();
    gathered.from_flags.dedup();
    gathered
}

fn default_files(files: &dyn Files) -> Vec<String> {
    let names: Vec<String> =
        files.list(".").unwrap_or_default().into_iter().filter(|e| !e.is_dir).map(|e| e.name).collect();
    let fixed = DEFAULT_FILES.iter().filter(|f| names.iter().any(|n| n == *f)).map(|f| (*f).to_owned());
    let automatic = names.iter().filter(|n| n.ends_with(".auto.tfvars") || n.ends_with(".auto.tfvars.json"));
    fixed.chain(automatic.cloned()).collect()
}

impl Gathered {
    fn set(&mut self, name: &str, given: Given, from: String, span: Option<sgp_model::Span>) {
        self.variables.insert(name.to_owned(), VariableInput { given, from, span });
    }

    fn flag(&mut self, config: &Config, text: &str) {
        let Some((name, value)) = text.split_once('=') else {
            let detail = format!("{text:?} is not of the form name=value. Write -var 'name=value'.");
            self.diagnostics.push(Diagnostic::error("Invalid -var", detail));
            return;
        };
        let name = name.trim();
        if !config.root.variables.contains_key(name) {
            let detail = format!("The root module has no variable {name:?}, which -var sets.{}", known(config));
            self.diagnostics.push(Diagnostic::error("Value for undeclared variable", detail));
            return;
        }
        self.set(name, Given::Text(value.to_owned()), "-var".to_owned(), None);
        self.from_flags.push(name.to_owned());
    }

    /// Reads a file of values; answers the names that it set.
    fn file(&mut self, config: &Config, path: &str, files: &dyn Files) -> Vec<String> {
        let text = match files.read(path).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                let detail = format!("The file {path} is not UTF-8 text.");
                self.diagnostics.push(Diagnostic::error("Unreadable variables file", detail));
                return Vec::new();
            }
            Err(e) => {
                let detail = format!("The file {path} cannot be read: {e}.");
                self.diagnostics.push(Diagnostic::error("Unreadable variables file", detail));
                return Vec::new();
            }
        };
        self.sources.push((path.to_owned(), text.clone()));
        let (values, diagnostics) = file::values(path, &text);
        self.diagnostics.extend(diagnostics);
        let mut names = Vec::new();
        for (name, (value, span)) in values {
            if config.root.variables.contains_key(name.as_str()) {
                self.set(&name, Given::Value(value), path.to_owned(), span);
                names.push(name);
                continue;
            }
            let detail = format!(
                "The root module has no variable {name:?}, which {path} sets; the value is not used.{}",
                known(config)
            );
            let warning = Diagnostic::warning("Value for undeclared variable", detail);
            self.diagnostics.push(match span {
                Some(span) => warning.at(span),
                None => warning,
            });
        }
        names
    }
}

fn known(config: &Config) -> String {
    let names: Vec<&str> = config.root.variables.keys().map(|n| &**n).collect();
    if names.is_empty() { String::new() } else { format!(" Its variables are {}.", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use sgp_lang::{load::load, source::MemoryFiles};

    use super::*;

    const CONFIG: &str =
        "variable \"a\" {}\nvariable \"b\" {}\nvariable \"c\" {}\nvariable \"d\" {}\nvariable \"e\" {}\n";

    fn check(files: &[(&str, &str)], args: &[VarArg], env: &[(&str, &str)]) -> Gathered {
        let all = std::iter::once(("main.tf", CONFIG)).chain(files.iter().copied());
        let files = MemoryFiles::new(all);
        let config = load(".", &files).config;
        gather(&config, args, &files, env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn later_sources_win() {
        let files = [
            ("terraform.tfvars", "a = \"file\"\nb = \"file\"\nc = \"file\"\nd = \"file\"\n"),
            ("z.auto.tfvars", "b = \"z\"\n"),
            ("x.auto.tfvars.json", "{\"b\": \"x\", \"c\": \"x\"}"),
            ("flag.tfvars", "d = \"flag file\"\n"),
        ];
        let args = [VarArg::File("flag.tfvars".into()), VarArg::Value("d=flag=1".into())];
        let env = [("TF_VAR_a", "env"), ("TF_VAR_e", "tf"), ("SGP_VAR_e", "sgp"), ("TF_VAR_other", "x")];
        let gathered = check(&files, &args, &env);
        let shown: Vec<String> = gathered
            .variables
            .iter()
            .map(|(name, input)| match &input.given {
                Given::Text(text) => format!("{name}={text} ({})", input.from),
                Given::Value(value) => format!("{name}={} ({})", value.as_str().unwrap_or_default(), input.from),
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        a=file (terraform.tfvars)
        b=z (z.auto.tfvars)
        c=x (x.auto.tfvars.json)
        d=flag=1 (-var)
        e=sgp (the environment variable SGP_VAR_e)
        ");
        assert_eq!(gathered.from_flags, ["d"]);
        assert!(gathered.diagnostics.is_empty(), "{:?}", gathered.diagnostics);
    }

    #[test]
    fn mistakes_are_named() {
        let args = [VarArg::Value("zz=1".into()), VarArg::Value("a".into()), VarArg::File("none.tfvars".into())];
        let gathered = check(&[("terraform.tfvars", "yy = 1\n")], &args, &[]);
        let shown: Vec<String> =
            gathered.diagnostics.iter().map(|d| format!("{:?} {}: {}", d.severity, d.summary, d.detail)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Warning Value for undeclared variable: The root module has no variable "yy", which terraform.tfvars sets; the value is not used. Its variables are a, b, c, d, e.
        Error Value for undeclared variable: The root module has no variable "zz", which -var sets. Its variables are a, b, c, d, e.
        Error Invalid -var: "a" is not of the form name=value. Write -var 'name=value'.
        Error Unreadable variables file: The file none.tfvars cannot be read: no such file or directory.
        "#);
    }
}
