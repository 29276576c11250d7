//! An expression as it was parsed, macros expanded.

use std::sync::Arc;

/// An expression and where it stands: the offset in characters at which messages point.
#[derive(Debug)]
pub struct Expression {
    pub at: usize,
    /// How deep expressions are nested in it.
    pub depth: usize,
    pub form: Form,
}

/// What an expression is.
#[derive(Debug)]
pub enum Form {
    Literal(Literal),
    Name(Arc<str>),
    /// `operand.field`, `has(operand.field)` or `operand.?field`.
    Select {
        operand: Box<Expression>,
        field: Arc<str>,
        kind: Select,
    },
    /// Operators are functions, too (`_+_`, `_[_]`, `_?_:_`).
    Call {
        function: Arc<str>,
        target: Option<Box<Expression>>,
        arguments: Vec<Expression>,
    },
    /// `a && b && c` (with `is_and`) or `a || b || c`.
    Logic {
        is_and: bool,
        terms: Vec<Expression>,
    },
    List(Vec<Item>),
    Map(Vec<Entry>),
    Comprehension(Box<Comprehension>),
}

impl Expression {
    /// The expressions right within it.
    pub fn parts(&self) -> Vec<&Self> {
        match &self.form {
            Form::Literal(_) | Form::Name(_) => Vec::new(),
            Form::Select { operand, .. } => vec![operand],
            Form::Call { target, arguments, .. } => target.iter().map(|it| &**it).chain(arguments).collect(),
            Form::Logic { terms, .. } => terms.iter().collect(),
            Form::List(items) => items.iter().map(|item| &item.value).collect(),
            Form::Map(entries) => entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect(),
            Form::Comprehension(walk) => [&walk.range, &walk.result].into_iter().chain(&walk.filter).collect(),
        }
    }
}

/// How a field is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    Value,
    Presence,
    Optional,
}

/// An item of a list; an optional one (`[?a]`) is left out when it is none.
#[derive(Debug)]
pub struct Item {
    pub is_optional: bool,
    pub value: Expression,
}

/// An entry of a map.
#[derive(Debug)]
pub struct Entry {
    pub is_optional: bool,
    pub key: Expression,
    pub value: Expression,
}

/// A literal.
#[derive(Clone, Debug)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
}

/// A macro over the items of a range, or over what an optional holds.
#[derive(Debug)]
pub struct Comprehension {
    pub kind: Walk,
    pub range: Expression,
    /// The item; with two variables the index or key, and the value.
    pub variables: Vec<Arc<str>>,
    /// What is asked of each item before it is taken.
    pub filter: Option<Expression>,
    /// What is made of each item; for `TransformEntry` a map with one entry.
    pub result: Expression,
}

/// What a macro does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    All,
    Exists,
    ExistsOne,
    /// `map`, `filter` and `transformList`: a list.
    List,
    TransformMap,
    TransformEntry,
    SortBy,
    OptionalMap,
    OptionalFlatMap,
}

/// Something that is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub at: usize,
    pub message: String,
}

/// The issues as cel-go writes them: each with its line and a mark below it.
pub fn written(source: &str, issues: &[Issue]) -> String {
    let one = |issue: &Issue| {
        let (mut line, mut column, mut text) = (1, 0, String::new());
        let mut before = 0;
        for (number, content) in source.split('\n').enumerate() {
            let length = content.chars().count();
            if issue.at <= before + length {
                (line, column, text) = (number + 1, issue.at - before, content.replace('\t', " "));
                break;
            }
            before += length + 1;
        }
        let dots = ".".repeat(column);
        format!("ERROR: <input>:{line}:{}: {}\n | {text}\n | {dots}^", column + 1, issue.message)
    };
    issues.iter().map(one).collect::<Vec<_>>().join("\n")
}
