//! The syntax tree: bodies of blocks and expressions, each with its place in the source.

use std::sync::Arc;

use sgp_model::{PathStep, Span, Value};

use super::json::Property;

/// The content of a file or block: arguments and nested blocks, each in source order.
#[derive(Clone, Debug)]
pub struct Body {
    /// `name = expression`.
    pub attrs: Vec<Attr>,
    /// `type "label" { ... }`.
    pub blocks: Vec<Block>,
    /// From the first to the last character; for a block the braces.
    pub span: Span,
    /// Whether everything in it could be read. A block that is not whole is left out of its file.
    pub whole: bool,
    /// Properties of a body in JSON that are arguments or blocks as the schema of its type says; empty once that is decided,
    /// and for the native syntax.
    pub json: Vec<Arc<Property>>,
}

impl Body {
    /// A body without anything in it.
    pub(crate) fn empty(span: Span) -> Self {
        Self { attrs: Vec::new(), blocks: Vec::new(), span, whole: true, json: Vec::new() }
    }

    /// The argument of a name.
    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.attrs.iter().find(|a| &*a.name == name)
    }

    /// The nested blocks of a type.
    pub fn blocks_of<'a>(&'a self, ty: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |b| &*b.ty == ty)
    }
}

/// One argument.
#[derive(Clone, Debug)]
pub struct Attr {
    /// Its name.
    pub name: Arc<str>,
    /// The name's place.
    pub name_span: Span,
    /// Its value.
    pub expr: Expr,
}

/// One block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The word before the labels.
    pub ty: Arc<str>,
    /// That word's place.
    pub ty_span: Span,
    /// The labels.
    pub labels: Vec<Label>,
    /// What is between the braces.
    pub body: Body,
}

impl Block {
    /// From the type to the last label: what messages about the whole block underline.
    pub fn header(&self) -> Span {
        let end = self.labels.last().map_or(self.ty_span.range.end, |l| l.span.range.end);
        Span::new(self.ty_span.file.clone(), self.ty_span.range.start..end)
    }
}

/// One label of a block.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its text.
    pub text: Arc<str>,
    /// Its place, quotes included.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is; shared, because configuration is kept in parts of what was read.
    pub kind: Arc<ExprKind>,
    /// Where it is.
    pub span: Span,
    /// How many expressions there are from here to the innermost, this one included.
    height: usize,
}

/// The forms of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A number, bool, null or a string without sequences.
    Literal(Value),
    /// A string with sequences, at least one part.
    Template(Vec<Part>),
    /// `"${x}"` and `(x)`: the value as it is.
    Paren(Expr),
    /// A name on its own or at the start of a reference.
    Name(Arc<str>),
    /// `base.name`.
    Attr(Expr, Arc<str>),
    /// `base[key]` and the older `base.0`.
    Index(Expr, Expr),
    /// `source[*].each` and `source.*.each`; `each` refers to the element as [`ExprKind::Item`].
    Splat(Expr, Expr),
    /// The element that the innermost splat is at.
    Item,
    /// `name(args...)`.
    Call {
        /// The function's name, with its namespace: `core::upper`.
        name: Arc<str>,
        /// The name's place.
        name_span: Span,
        /// The arguments.
        args: Vec<Expr>,
        /// Whether the last argument is expanded (`...`).
        expand: bool,
    },
    /// `[a, b]`.
    Tuple(Vec<Expr>),
    /// `{ a = b }`.
    Object(Vec<(Expr, Expr)>),
    /// `[for ...]` and `{for ...}`; in a box, because it is much larger than the others.
    For(Box<For>),
    /// `condition ? then : otherwise`.
    Conditional(Expr, Expr, Expr),
    /// `-a`, `!a`.
    Unary(UnaryOp, Expr),
    /// `a + b`.
    Binary(BinaryOp, Expr, Expr),
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text as it is.
    Text(Arc<str>),
    /// `${...}`.
    Interpolation(Expr),
    /// `%{if}`.
    If {
        /// The condition.
        condition: Expr,
        /// Between `if` and `else`.
        then: Vec<Part>,
        /// Between `else` and `endif`.
        otherwise: Vec<Part>,
    },
    /// `%{for}`.
    For {
        /// The name before the comma.
        key: Option<Arc<str>>,
        /// The other name.
        value: Arc<str>,
        /// What is iterated.
        collection: Expr,
        /// Between `for` and `endfor`.
        body: Vec<Part>,
    },
}

/// A `for` expression.
#[derive(Clone, Debug)]
pub struct For {
    /// The name before the comma.
    pub key_name: Option<Arc<str>>,
    /// The other name.
    pub value_name: Arc<str>,
    /// What is iterated.
    pub collection: Expr,
    /// Before `=>`; makes the result an object.
    pub key: Option<Expr>,
    /// The result for each element.
    pub value: Expr,
    /// After `if`.
    pub condition: Option<Expr>,
    /// Whether values of one key are grouped (`...`).
    pub group: bool,
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Self {
        let mut below = 0;
        kind.each_child(&mut |child| below = below.max(child.height));
        Self { kind: Arc::new(kind), span, height: below + 1 }
    }

    /// How many expressions there are from here to the innermost, this one included: what it costs of the stack to walk or
    /// to drop it.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// The part of a literal tuple or object that a path leads to, as far as the expression is written out.
    pub fn part(&self, path: &[PathStep]) -> &Expr {
        let Some((step, rest)) = path.split_first() else { return self };
        let inner = match (&*self.kind, step) {
            (ExprKind::Paren(inner), _) => return inner.part(path),
            (ExprKind::Tuple(elements), PathStep::Index(n)) => elements.get(*n),
            (ExprKind::Object(items), PathStep::Attr(name) | PathStep::Key(name)) => {
                items.iter().rev().find(|(key, _)| key.as_literal_str() == Some(&**name)).map(|(_, value)| value)
            }
            _ => None,
        };
        inner.map_or(self, |inner| inner.part(rest))
    }

    /// The text of a string literal.
    pub fn as_literal_str(&self) -> Option<&str> {
        match &*self.kind {
            ExprKind::Literal(v) => v.as_str(),
            _ => None,
        }
    }

    /// The name when the expression is nothing else.
    pub fn as_name(&self) -> Option<&Arc<str>> {
        match &*self.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// Calls `visit` for this expression and everything in it, parents first. `visit` says whether to go on inside.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr) -> bool) {
        if visit(self) {
            self.kind.each_child(&mut |child| child.walk(visit));
        }
    }
}

impl ExprKind {
    /// Calls `each` for the expressions directly within.
    fn each_child<'a>(&'a self, each: &mut dyn FnMut(&'a Expr)) {
        match self {
            ExprKind::Literal(_) | ExprKind::Name(_) | ExprKind::Item => {}
            ExprKind::Template(parts) => each_of_parts(parts, each),
            ExprKind::Paren(e) | ExprKind::Attr(e, _) | ExprKind::Unary(_, e) => each(e),
            ExprKind::Index(a, b) | ExprKind::Splat(a, b) | ExprKind::Binary(_, a, b) => {
                each(a);
                each(b);
            }
            ExprKind::Call { args, .. } | ExprKind::Tuple(args) => args.iter().for_each(each),
            ExprKind::Object(items) => items.iter().for_each(|(k, v)| {
                each(k);
                each(v);
            }),
            ExprKind::For(f) => {
                each(&f.collection);
                f.key.iter().chain([&f.value]).chain(&f.condition).for_each(each);
            }
            ExprKind::Conditional(a, b, c) => [a, b, c].into_iter().for_each(each),
        }
    }
}

fn each_of_parts<'a>(parts: &'a [Part], each: &mut dyn FnMut(&'a Expr)) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Interpolation(e) => each(e),
            Part::If { condition, then, otherwise } => {
                each(condition);
                each_of_parts(then, each);
                each_of_parts(otherwise, each);
            }
            Part::For { collection, body, .. } => {
                each(collection);
                each_of_parts(body, each);
            }
        }
    }
}
