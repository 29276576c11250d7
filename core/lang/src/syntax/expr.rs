//! Expressions.

use std::str::FromStr;

use sgp_model::{Diagnostic, Number, Span, Value};

use super::{
    ast::{BinaryOp, Expr, ExprKind, For, UnaryOp},
    cursor::{Cursor, MAX_CHAIN, MAX_HEIGHT, Parsed, is_name_start, too_deep},
};

/// A binary operator at the start of the text: how loosely it binds (0 is the loosest), how long it is, what it is.
fn operator(text: &str) -> Option<(usize, usize, BinaryOp)> {
    let bytes = text.as_bytes();
    Some(match (bytes.first()?, bytes.get(1)) {
        (b'|', Some(b'|')) => (0, 2, BinaryOp::Or),
        (b'&', Some(b'&')) => (1, 2, BinaryOp::And),
        (b'=', Some(b'=')) => (2, 2, BinaryOp::Equal),
        (b'!', Some(b'=')) => (2, 2, BinaryOp::NotEqual),
        (b'<', Some(b'=')) => (3, 2, BinaryOp::LessOrEqual),
        (b'>', Some(b'=')) => (3, 2, BinaryOp::GreaterOrEqual),
        (b'<', _) => (3, 1, BinaryOp::Less),
        (b'>', _) => (3, 1, BinaryOp::Greater),
        (b'+', _) => (4, 1, BinaryOp::Add),
        (b'-', _) => (4, 1, BinaryOp::Subtract),
        (b'*', _) => (5, 1, BinaryOp::Multiply),
        (b'/', _) => (5, 1, BinaryOp::Divide),
        (b'%', _) => (5, 1, BinaryOp::Modulo),
        _ => return None,
    })
}

fn join(a: &Span, b: &Span) -> Span {
    Span::new(a.file.clone(), a.range.start..b.range.end)
}

impl Cursor<'_> {
    /// An expression, from here; leading trivia is skipped.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        let expr = self.nested(self.newlines_end, Self::ternary)?;
        // Chains within chains: `((a + b + ...) + c + ...) + d + ...`.
        if expr.height() > MAX_HEIGHT { Err(too_deep(MAX_HEIGHT, expr.span)) } else { Ok(expr) }
    }

    fn ternary(&mut self) -> Parsed<Expr> {
        let condition = self.binary(0)?;
        self.skip();
        if !self.eat("?") {
            return Ok(condition);
        }
        let then = self.expression()?;
        self.skip();
        if !self.eat(":") {
            return Err(self.error_here(
                "Missing false expression in conditional",
                "A conditional has the form: condition ? value if true : value if false.",
            ));
        }
        let otherwise = self.expression()?;
        let span = join(&condition.span, &otherwise.span);
        Ok(Expr::new(ExprKind::Conditional(condition, then, otherwise), span))
    }

    /// Operands with operators of this level and of tighter ones between them.
    fn binary(&mut self, loosest: usize) -> Parsed<Expr> {
        let mut left = self.operand()?;
        for _ in 0..MAX_CHAIN {
            self.skip();
            let found = operator(self.rest()).filter(|(level, ..)| *level >= loosest);
            let Some((level, length, op)) = found else { return Ok(left) };
            self.at += length;
            let right = self.binary(level + 1)?;
            let span = join(&left.span, &right.span);
            left = Expr::new(ExprKind::Binary(op, left, right), span);
        }
        Err(self.too_deep(MAX_CHAIN))
    }

    fn operand(&mut self) -> Parsed<Expr> {
        self.skip();
        let start = self.at;
        let op = match self.peek() {
            Some('-') => UnaryOp::Negate,
            Some('!') => UnaryOp::Not,
            _ => {
                let term = self.term()?;
                return self.traversals(term, false);
            }
        };
        self.at += 1;
        let operand = self.nested(self.newlines_end, Self::operand)?;
        let span = self.span(start..operand.span.range.end);
        Ok(Expr::new(ExprKind::Unary(op, operand), span))
    }

    fn term(&mut self) -> Parsed<Expr> {
        let start = self.at;
        match self.peek() {
            Some('"') => Ok(self.quoted()?.0),
            Some('<') if self.looking_at("<<") => self.heredoc(),
            Some('(') => {
                self.at += 1;
                let inner = self.nested(false, |c| {
                    let inner = c.expression()?;
                    c.close(")", start, "Unbalanced parentheses", "parenthesis")?;
                    Ok(inner)
                })?;
                Ok(Expr::new(ExprKind::Paren(inner), self.span_from(start)))
            }
            Some('[') => self.nested(false, Self::bracketed),
            Some('{') => self.braced(),
            Some('0'..='9') => self.number(),
            Some(c) if is_name_start(c) => self.name_or_call(),
            _ => Err(self.error_here(
                "Invalid expression",
                format!(
                    "An expression is expected here: a value, a reference or a function call; found {}.{}",
                    self.found(),
                    self.slip()
                ),
            )),
        }
    }

    fn close(&mut self, bracket: &str, start: usize, summary: &str, what: &str) -> Parsed<()> {
        self.skip();
        if self.eat(bracket) {
            return Ok(());
        }
        if self.peek().is_none() {
            return Err(Diagnostic::error(
                summary,
                format!("There is no closing {what} for this one before the end of the text."),
            )
            .at(self.span(start..start + 1)));
        }
        let detail = format!("A closing {what} is expected here, found {}.{}", self.found(), self.slip());
        Err(self.error_here(summary, detail))
    }

    fn number(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let text = self.number_text();
        let number = Number::from_str(text).map_err(|_| {
            Diagnostic::error("Invalid number", "This number cannot be represented.").at(self.span_from(start))
        })?;
        // In `[for x in y : 1if x]` the word begins something else.
        if self.peek().is_some_and(is_name_start) && !self.at_word("if") {
            return Err(Diagnostic::error(
                "Invalid number",
                "A number is followed directly by letters. Put text between quotes.",
            )
            .at(self.span_here()));
        }
        Ok(Expr::new(ExprKind::Literal(number.into()), self.span_from(start)))
    }

    fn name_or_call(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let (mut name, mut span) = self.name().expect("the caller saw the start of a name");
        while let Some(part) = self.namespaced()? {
            name = format!("{name}::{part}").into();
            span = self.span_from(start);
        }
        let before = self.at;
        self.skip();
        if self.looking_at("(") {
            return self.call(name, span);
        }
        self.at = before;
        let kind = match &*name {
            "true" => ExprKind::Literal(true.into()),
            "false" => ExprKind::Literal(false.into()),
            "null" => ExprKind::Literal(Value::dynamic_null()),
            _ if name.contains("::") => {
                return Err(Diagnostic::error(
                    "Missing open parenthesis",
                    "A name with a double colon is a function and needs its arguments in parentheses.",
                )
                .at(span));
            }
            _ => ExprKind::Name(name),
        };
        Ok(Expr::new(kind, span))
    }

    /// The name after a double colon, if one is next.
    fn namespaced(&mut self) -> Parsed<Option<std::sync::Arc<str>>> {
        let before = self.at;
        self.skip();
        if !self.eat("::") {
            self.at = before;
            return Ok(None);
        }
        self.skip();
        match self.name() {
            Some((name, _)) => Ok(Some(name)),
            None => {
                Err(self.error_here("Missing function name", "A function name is expected after the double colon."))
            }
        }
    }

    fn call(&mut self, name: std::sync::Arc<str>, name_span: Span) -> Parsed<Expr> {
        let open = self.at;
        self.at += 1;
        let (args, expand) = self.nested(false, |c| {
            let (mut args, mut expand) = (Vec::new(), false);
            loop {
                c.skip();
                if c.eat(")") {
                    return Ok((args, expand));
                }
                args.push(c.expression()?);
                c.skip();
                if c.eat("...") {
                    expand = true;
                    c.close(")", open, "Missing closing parenthesis", "parenthesis")?;
                    return Ok((args, expand));
                }
                if !c.eat(",") {
                    c.close(")", open, "Missing argument separator", "parenthesis (or a comma)")?;
                    return Ok((args, expand));
                }
            }
        })?;
        let span = self.span(name_span.range.start..self.at);
        Ok(Expr::new(ExprKind::Call { name, name_span, args, expand }, span))
    }

    /// `[` and what follows: a tuple or a `for` expression.
    fn bracketed(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 1;
        self.skip();
        if self.at_for() {
            return self.for_expression(start, "]");
        }
        let mut elements = Vec::new();
        loop {
            self.skip();
            if self.eat("]") {
                break;
            }
            elements.push(self.expression()?);
            self.skip();
            if !self.eat(",") {
                self.close("]", start, "Missing item separator", "bracket (or a comma)")?;
                break;
            }
        }
        Ok(Expr::new(ExprKind::Tuple(elements), self.span_from(start)))
    }

    /// `{` and what follows: an object or a `for` expression.
    fn braced(&mut self) -> Parsed<Expr> {
        let start = self.at;
        self.at += 1;
        self.skip_lines();
        if self.at_for() {
            return self.nested(false, |c| c.for_expression(start, "}"));
        }
        self.nested(true, |c| c.object(start))
    }

    /// Whether a `for` expression starts here. The word at the start always means one: a key of that name needs quotes.
    fn at_for(&self) -> bool {
        self.at_word("for")
    }

    fn object(&mut self, start: usize) -> Parsed<Expr> {
        let mut items = Vec::new();
        loop {
            self.skip_lines();
            if self.eat("}") {
                break;
            }
            if self.peek().is_none() {
                return Err(Diagnostic::error(
                    "Unclosed object",
                    "There is no closing brace for this object before the end of the text.",
                )
                .at(self.span(start..start + 1)));
            }
            let key = self.object_key()?;
            self.skip();
            if !(self.eat(":") || (!self.looking_at("==") && self.eat("="))) {
                return Err(self.error_here(
                    "Missing attribute value",
                    format!("An equals sign and a value are expected after the key, found {}.", self.found()),
                ));
            }
            self.skip();
            if self.at_line_end() {
                return Err(
                    self.error_here("Missing attribute value", "The value must start on the same line as its key.")
                );
            }
            let value = self.expression()?;
            items.push((key, value));
            self.skip();
            if self.eat(",") || self.at_line_end() || self.looking_at("}") {
                continue;
            }
            return Err(self.error_here(
                "Missing attribute separator",
                format!("Attributes of an object are separated by line breaks or commas, found {}.", self.found()),
            ));
        }
        Ok(Expr::new(ExprKind::Object(items), self.span_from(start)))
    }

    /// A bare name is text; everything else is an expression.
    fn object_key(&mut self) -> Parsed<Expr> {
        let key = self.expression()?;
        Ok(match &*key.kind {
            ExprKind::Name(name) => Expr::new(ExprKind::Literal(Value::string(name.clone())), key.span),
            ExprKind::Literal(v) if v.as_bool().is_some() || v.is_null() => {
                let text = self.text[key.span.range.clone()].to_owned();
                Expr::new(ExprKind::Literal(Value::string(text)), key.span)
            }
            _ => key,
        })
    }

    fn for_expression(&mut self, start: usize, close: &str) -> Parsed<Expr> {
        let is_object = close == "}";
        self.at += "for".len();
        self.skip();
        if is_object && ["=", ":"].iter().any(|sign| self.looking_at(sign)) {
            return Err(self.error_here(
                "Invalid 'for' expression",
                "The word for at the start of an object begins a 'for' expression. Write a key of that name in quotes: \"for\".",
            ));
        }
        let first = self.for_name()?;
        self.skip();
        let (key_name, value_name) = if self.eat(",") { (Some(first), self.for_name()?) } else { (None, first) };
        self.skip();
        if !self.eat_word("in") {
            return Err(self.error_here(
                "Invalid 'for' expression",
                "The keyword 'in' and a collection are expected after the names.",
            ));
        }
        let collection = self.expression()?;
        self.skip();
        if !self.eat(":") {
            return Err(self.error_here("Invalid 'for' expression", "A colon is expected after the collection."));
        }
        let mut value = self.expression()?;
        self.skip();
        let mut key = None;
        if self.eat("=>") {
            if !is_object {
                return Err(self.error_here(
                    "Invalid 'for' expression",
                    "A result with key and value (=>) makes an object: use braces instead of brackets.",
                ));
            }
            key = Some(std::mem::replace(&mut value, self.expression()?));
            self.skip();
        } else if is_object {
            return Err(self.error_here(
                "Invalid 'for' expression",
                "An object needs a key and a value for each element: key => value. For a list use brackets.",
            ));
        }
        let group = key.is_some() && self.eat("...");
        self.skip();
        let condition = if self.eat_word("if") { Some(self.expression()?) } else { None };
        self.close(close, start, "Invalid 'for' expression", if is_object { "brace" } else { "bracket" })?;
        let parsed = For { key_name, value_name, collection, key, value, condition, group };
        Ok(Expr::new(ExprKind::For(Box::new(parsed)), self.span_from(start)))
    }

    fn for_name(&mut self) -> Parsed<std::sync::Arc<str>> {
        self.skip();
        match self.name() {
            Some((name, _)) => Ok(name),
            None => Err(self.error_here("Invalid 'for' expression", "A name for the element is expected here.")),
        }
    }

    /// What follows a term: `.name`, `[key]`, splats. Inside `a.*` only attributes belong to the splat.
    fn traversals(&mut self, mut base: Expr, attributes_only: bool) -> Parsed<Expr> {
        for _ in 0..MAX_CHAIN {
            let before = self.at;
            self.skip();
            if self.looking_at(".") && !self.looking_at("...") {
                self.at += 1;
                self.skip();
                base = self.dotted(base, attributes_only)?;
            } else if self.looking_at("[") && !attributes_only {
                base = self.indexed(base)?;
            } else {
                self.at = before;
                return Ok(base);
            }
        }
        Err(self.too_deep(MAX_CHAIN))
    }

    fn dotted(&mut self, base: Expr, attributes_only: bool) -> Parsed<Expr> {
        let start = base.span.range.start;
        if let Some((name, _)) = self.name() {
            return Ok(Expr::new(ExprKind::Attr(base, name), self.span_from(start)));
        }
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            let from = self.at;
            let digits = self.number_text();
            if digits.contains('.') {
                return Err(Diagnostic::error(
                    "Invalid legacy index syntax",
                    "Two indexes with dots in a row are ambiguous with a fraction. Write them in brackets: [0][1].",
                )
                .at(self.span_from(from)));
            }
            let index = Number::from_str(digits).map_err(|_| {
                Diagnostic::error("Invalid number", "This number cannot be represented.").at(self.span_from(from))
            })?;
            let key = Expr::new(ExprKind::Literal(index.into()), self.span_from(from));
            return Ok(Expr::new(ExprKind::Index(base, key), self.span_from(start)));
        }
        if self.looking_at("*") && !attributes_only {
            let marker = self.at - 1;
            self.at += 1;
            let item = Expr::new(ExprKind::Item, self.span_from(marker));
            let each = self.nested(self.newlines_end, |c| c.traversals(item, true))?;
            return Ok(Expr::new(ExprKind::Splat(base, each), self.span_from(start)));
        }
        Err(self.error_here(
            "Invalid attribute name",
            format!("An attribute name is expected after a dot, found {}.{}", self.found(), self.slip()),
        ))
    }

    fn indexed(&mut self, base: Expr) -> Parsed<Expr> {
        let (start, open) = (base.span.range.start, self.at);
        self.at += 1;
        self.skip();
        if self.eat("*") {
            self.skip();
            if !self.eat("]") {
                return Err(self.error_here(
                    "Missing close bracket on splat index",
                    format!("A closing bracket is expected after the star, found {}.", self.found()),
                ));
            }
            let item = Expr::new(ExprKind::Item, self.span_from(open));
            let each = self.nested(self.newlines_end, |c| c.traversals(item, false))?;
            return Ok(Expr::new(ExprKind::Splat(base, each), self.span_from(start)));
        }
        let key = self.nested(false, |c| {
            let key = c.expression()?;
            c.close("]", open, "Missing close bracket on index", "bracket")?;
            Ok(key)
        })?;
        Ok(Expr::new(ExprKind::Index(base, key), self.span_from(start)))
    }
}
