//! Our evaluator, for the same requests.

use std::{collections::BTreeMap, sync::Arc};

use sgp_lang::{
    Answer, Configured, DepsView, Evaluator, Given, Inputs, Names, Schemas, VariableInput, World,
    config::constraint,
    constant, load,
    source::{DirEntry, FileError, Files, MemoryFiles},
    syntax,
};
use sgp_model::{Diagnostics, Mode, ModulePath, Schema, Value};

use crate::{program::HOME, text};

/// No resources, no providers.
struct Nothing;

impl World for Nothing {
    fn object(&mut self, _: Configured<'_>, _: &DepsView<'_>) -> Answer {
        Answer::Blocked
    }
}

impl Schemas for Nothing {
    fn resource(&self, _: Mode, _: &str) -> Option<&'static Schema> {
        None
    }
    fn provider_for(&self, _: &str) -> Option<&'static str> {
        None
    }
    fn provider_config(&self, _: &str) -> Option<&'static Schema> {
        None
    }
    fn resource_names(&self, _: Mode) -> Vec<&'static str> {
        Vec::new()
    }
    fn provider_names(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// Files as if they were in the folder where the other side has them.
struct Folder {
    files: MemoryFiles,
    path: String,
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }
    fn list(&self, dir: &str) -> Result<Vec<DirEntry>, FileError> {
        self.files.list(dir)
    }
    fn is_file(&self, path: &str) -> bool {
        self.files.is_file(path)
    }
    fn home(&self) -> Option<String> {
        Some(HOME.into())
    }
    fn cwd(&self) -> String {
        self.path.clone()
    }
}

/// The evaluator with names that stand for values.
pub struct Ours {
    files: Arc<Folder>,
    evaluator: Evaluator<Nothing>,
    names: Names,
}

impl Ours {
    pub fn new(files: &[(&str, Vec<u8>)], folder: &str) -> Self {
        let files = Arc::new(Folder { files: MemoryFiles::new(files.iter().cloned()), path: folder.into() });
        Self { evaluator: evaluator("", Inputs::default(), &files), files, names: Names::new() }
    }

    /// The answer to a request in the program's form.
    pub fn answer(&mut self, request: &str) -> String {
        let mut parts = request[1..].split('\u{1}');
        let first = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        let value = match &request[..1] {
            "e" => self.value(first),
            "t" => self.typed(first, rest),
            "n" => self.value(rest).inspect(|value| self.name(first, value)),
            "u" => unknown(rest, Value::unknown).inspect(|value| self.name(first, value)),
            "p" => unknown(rest, Value::unknown_not_null).inspect(|value| self.name(first, value)),
            other => panic!("no such kind of request: {other}"),
        };
        value.map_or_else(|error| format!("error: {error}"), |value| text::text(&value))
    }

    fn name(&mut self, name: &str, value: &Value) {
        self.names.insert(name.into(), value.clone());
    }

    fn value(&mut self, text: &str) -> Result<Value, String> {
        let expression = syntax::parse_expression(&"expression".into(), text).map_err(|e| shown(&e.into()))?;
        self.evaluator.eval_with(&ModulePath::root(), &expression, &self.names).map_err(|e| shown(&e))
    }

    /// The value of a variable of this type that is given the value of the expression.
    fn typed(&mut self, ty: &str, text: &str) -> Result<Value, String> {
        let value = self.value(text)?;
        let given = VariableInput { given: Given::Value(value), from: "a test".into(), span: None };
        let inputs = Inputs { variables: BTreeMap::from([("given".into(), given)]), ..Inputs::default() };
        let main = format!("variable \"given\" {{\n  type = {ty}\n}}\n");
        let loaded = load(".", &MemoryFiles::new([("main.tf", main.as_str())]));
        if loaded.diagnostics.iter().any(sgp_model::Diagnostic::is_error) {
            return Err(shown(&loaded.diagnostics));
        }
        evaluator(&main, inputs, &self.files).eval_text(&ModulePath::root(), "var.given").map_err(|e| shown(&e))
    }
}

fn evaluator(main: &str, inputs: Inputs, files: &Arc<Folder>) -> Evaluator<Nothing> {
    let loaded = load(".", &MemoryFiles::new([("main.tf", main)]));
    Evaluator::new(loaded.config, inputs, Arc::new(Nothing), files.clone(), Nothing)
}

fn unknown(ty: &str, of: impl FnOnce(sgp_model::Type) -> Value) -> Result<Value, String> {
    let expression = syntax::parse_expression(&"type".into(), ty).map_err(|e| shown(&e.into()))?;
    constraint::parse(&expression, &constant).map(|found| of(found.ty)).map_err(|e| shown(&e.into()))
}

fn shown(errors: &Diagnostics) -> String {
    errors.iter().map(|d| format!("{}: {}", d.summary, d.detail)).collect::<Vec<_>>().join("\n")
}
