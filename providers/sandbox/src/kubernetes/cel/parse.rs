//! Reads an expression (`cel-spec/doc/langdef.md`, "Syntax").
//!
//! The parser is our own because what a rule says comes from whoever may write a definition: the parsers on crates.io end the
//! process on expressions that are nested deeply enough, and none of them can be stopped.

use std::sync::Arc;

use super::macros;
use super::syntax::{Entry, Expression, Form, Issue, Item, Literal, Select};
use super::tokens::{RESERVED, Token, Word, read};

/// How deep expressions may be nested (cel-go's limit).
const MAX_DEPTH: usize = 250;
/// How many characters an expression may have (cel-go's limit).
const MAX_LENGTH: usize = 100_000;

/// Parses an expression.
pub fn parse(source: &str) -> Result<Expression, Vec<Issue>> {
    let size = source.chars().count();
    if size > MAX_LENGTH {
        let message = format!("expression code point size exceeds limit: size: {size}, limit {MAX_LENGTH}");
        return Err(vec![Issue { at: 0, message }]);
    }
    let tokens = read(source).map_err(|issue| vec![issue])?;
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let parsed = parser.expression().and_then(|it| parser.expect_end().map(|()| it));
    parsed.map_err(|issue| vec![issue])
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

type Parsed = Result<Expression, Issue>;

/// Operators between two operands, weakest first.
const LEVELS: &[&[&str]] = &[&["==", "!=", "<", "<=", ">", ">=", "in"], &["+", "-"], &["*", "/", "%"]];

fn too_deep(at: usize) -> Issue {
    Issue { at, message: format!("Syntax error: expression recursion limit exceeded: {MAX_DEPTH}") }
}

/// An expression around others.
fn around(at: usize, deepest: usize, form: Form) -> Parsed {
    if deepest >= MAX_DEPTH {
        return Err(too_deep(at));
    }
    Ok(Expression { at, depth: deepest + 1, form })
}

fn deepest<'a>(expressions: impl IntoIterator<Item = &'a Expression>) -> usize {
    expressions.into_iter().map(|it| it.depth).max().unwrap_or(0)
}

/// A call of a function or operator.
pub(super) fn call(at: usize, function: &str, target: Option<Expression>, arguments: Vec<Expression>) -> Parsed {
    let depth = deepest(arguments.iter().chain(&target));
    around(at, depth, Form::Call { function: function.into(), target: target.map(Box::new), arguments })
}

impl Parser {
    fn word(&self) -> &Word {
        &self.tokens[self.next].word
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    /// Takes a sign if it is the next word, and answers where it stood.
    fn take(&mut self, sign: &str) -> Option<usize> {
        let at = self.at();
        let is_next = matches!(self.word(), Word::Sign(next) if *next == sign);
        is_next.then(|| {
            self.advance();
            at
        })
    }

    fn take_any(&mut self, signs: &[&'static str]) -> Option<(usize, &'static str)> {
        signs.iter().find_map(|sign| self.take(sign).map(|at| (at, *sign)))
    }

    fn unexpected(&self, expected: &str) -> Issue {
        let found = self.word().shown();
        let message = match self.word() {
            Word::End => format!("Syntax error: mismatched input '{found}' expecting {expected}"),
            _ => format!("Syntax error: extraneous input '{found}' expecting {expected}"),
        };
        Issue { at: self.at(), message }
    }

    fn expect(&mut self, sign: &'static str) -> Result<usize, Issue> {
        self.take(sign).ok_or_else(|| Issue {
            at: self.at(),
            message: format!("Syntax error: missing '{sign}' at '{}'", self.word().shown()),
        })
    }

    fn expect_close(&mut self, sign: &'static str, expected: &str) -> Result<(), Issue> {
        self.take(sign).map(drop).ok_or_else(|| self.unexpected(expected))
    }

    fn expect_end(&self) -> Result<(), Issue> {
        if matches!(self.word(), Word::End) { Ok(()) } else { Err(self.unexpected("<EOF>")) }
    }

    fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.at()));
        }
        let parsed = super::deeper(|| self.conditional());
        self.depth -= 1;
        parsed
    }

    fn conditional(&mut self) -> Parsed {
        let condition = self.logic("||")?;
        match self.take("?") {
            None => Ok(condition),
            Some(at) => {
                let holds = self.logic("||")?;
                self.expect(":")?;
                let otherwise = self.expression()?;
                call(at, "_?_:_", None, vec![condition, holds, otherwise])
            }
        }
    }

    fn logic(&mut self, sign: &'static str) -> Parsed {
        let is_and = sign == "&&";
        let operand = |parser: &mut Self| if is_and { parser.binary(0) } else { parser.logic("&&") };
        let first = operand(self)?;
        let mut terms = vec![first];
        let mut at = 0;
        while let Some(found) = self.take(sign) {
            if terms.len() == 1 {
                at = found;
            }
            terms.push(operand(self)?);
        }
        if terms.len() == 1 {
            return Ok(terms.remove(0));
        }
        let depth = deepest(&terms);
        around(at, depth, Form::Logic { is_and, terms })
    }

    fn binary(&mut self, level: usize) -> Parsed {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some((at, sign)) = self.take_any(signs) {
            let right = self.binary(level + 1)?;
            left = call(at, &operator(sign), None, vec![left, right])?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed {
        let Some((at, sign)) = self.take_any(&["!", "-"]) else { return self.member() };
        let mut count = 1;
        while self.take(sign).is_some() {
            count += 1;
        }
        if sign == "-"
            && count == 1
            && let Word::Literal(literal @ (Literal::Int(_) | Literal::Double(_))) = self.word()
        {
            let negative = match literal {
                Literal::Int(value) => Literal::Int(value.wrapping_neg()),
                Literal::Double(value) => Literal::Double(-value),
                other => other.clone(),
            };
            self.advance();
            let literal = Expression { at, depth: 1, form: Form::Literal(negative) };
            return self.suffixes(literal);
        }
        let operand = if matches!(self.word(), Word::Sign("!" | "-")) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(too_deep(at));
            }
            let operand = super::deeper(|| self.unary())?;
            self.depth -= 1;
            operand
        } else {
            self.member()?
        };
        if count % 2 == 0 {
            return Ok(operand);
        }
        call(at, if sign == "!" { "!_" } else { "-_" }, None, vec![operand])
    }

    fn member(&mut self) -> Parsed {
        let first = self.primary()?;
        self.suffixes(first)
    }

    fn suffixes(&mut self, mut operand: Expression) -> Parsed {
        loop {
            if let Some(at) = self.take(".") {
                let is_optional = self.take("?").is_some();
                operand = self.selected(at, operand, is_optional)?;
            } else if let Some(at) = self.take("[") {
                let function = if self.take("?").is_some() { "_[?_]" } else { "_[_]" };
                let index = self.expression()?;
                self.expect("]")?;
                operand = call(at, function, None, vec![operand, index])?;
            } else {
                return Ok(operand);
            }
        }
    }

    fn selected(&mut self, at: usize, operand: Expression, is_optional: bool) -> Parsed {
        let name = self.name()?;
        if !is_optional && let Some(open) = self.take("(") {
            let arguments = self.arguments()?;
            return macros::member(open, operand, &name, arguments);
        }
        let kind = if is_optional { Select::Optional } else { Select::Value };
        let depth = operand.depth;
        around(at, depth, Form::Select { operand: Box::new(operand), field: name, kind })
    }

    fn name(&mut self) -> Result<Arc<str>, Issue> {
        let Word::Name(name) = self.word().clone() else { return Err(self.unexpected("IDENTIFIER")) };
        self.advance();
        Ok(name)
    }

    /// Arguments up to the closing parenthesis.
    fn arguments(&mut self) -> Result<Vec<Expression>, Issue> {
        let mut arguments = Vec::new();
        if self.take(")").is_some() {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if self.take(",").is_none() {
                self.expect(")")?;
                return Ok(arguments);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        match self.word().clone() {
            Word::Literal(literal) => {
                self.advance();
                Ok(Expression { at, depth: 1, form: Form::Literal(literal) })
            }
            Word::Name(name) => {
                self.advance();
                self.named(at, &name)
            }
            Word::Sign("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Word::Sign("[") => {
                self.advance();
                self.list(at)
            }
            Word::Sign("{") => {
                self.advance();
                self.map(at)
            }
            Word::Sign(".") => {
                self.advance();
                let name = self.name()?;
                self.named(at, &name)
            }
            _ => Err(self.unexpected(
                "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
            )),
        }
    }

    fn named(&mut self, at: usize, name: &Arc<str>) -> Parsed {
        if RESERVED.contains(&&**name) {
            return Err(Issue { at, message: format!("reserved identifier: {name}") });
        }
        if let Some(open) = self.take("(") {
            let arguments = self.arguments()?;
            return macros::global(open, name, arguments);
        }
        if self.take("{").is_some() {
            return Err(Issue { at, message: format!("undeclared reference to '{name}' (in container '')") });
        }
        Ok(Expression { at, depth: 1, form: Form::Name(Arc::clone(name)) })
    }

    fn list(&mut self, at: usize) -> Parsed {
        let mut items = Vec::new();
        while self.take("]").is_none() {
            let is_optional = self.take("?").is_some();
            items.push(Item { is_optional, value: self.expression()? });
            if self.take(",").is_none() {
                self.expect_close("]", "{']', ','}")?;
                break;
            }
        }
        let depth = deepest(items.iter().map(|item| &item.value));
        around(at, depth, Form::List(items))
    }

    fn map(&mut self, at: usize) -> Parsed {
        let mut entries = Vec::new();
        while self.take("}").is_none() {
            let is_optional = self.take("?").is_some();
            let key = self.expression()?;
            self.expect(":")?;
            entries.push(Entry { is_optional, key, value: self.expression()? });
            if self.take(",").is_none() {
                self.expect_close("}", "{'}', ','}")?;
                break;
            }
        }
        let depth = deepest(entries.iter().flat_map(|entry| [&entry.key, &entry.value]));
        around(at, depth, Form::Map(entries))
    }
}

fn operator(sign: &str) -> String {
    if sign == "in" { "@in".to_owned() } else { format!("_{sign}_") }
}
