//! Bodies of files and blocks.

use std::{collections::HashMap, sync::Arc};

use sgp_model::{Diagnostic, Span, json::nfc};

use super::{
    ast::{Attr, Block, Body, Label},
    cursor::{Cursor, MAX_STRUCTURE, Parsed, is_name_start},
};

enum Item {
    Attr(Attr),
    Block(Block),
}

/// What the start of an item says that it is.
enum Head {
    Argument(Arc<str>, Span),
    Block(Arc<str>, Span),
}

/// A body as it is read; knows where each argument was set first, so that a long body costs no more than its length.
struct Reading {
    body: Body,
    set: HashMap<Arc<str>, Span>,
}

impl Reading {
    fn new(span: Span) -> Self {
        Self { body: Body::empty(span), set: HashMap::new() }
    }
}

impl Cursor<'_> {
    /// A whole file: goes on after a mistake at the next top-level item.
    pub(super) fn file(&mut self) -> Body {
        let start = self.at;
        let mut reading = Reading::new(self.span(start..start));
        loop {
            self.skip_lines();
            if self.peek().is_none() {
                break;
            }
            let before = self.at;
            if let Err(diagnostic) = self.item_into(&mut reading) {
                // A comment that swallowed the rest is why something is missing.
                let diagnostic = self.unclosed_comment().unwrap_or(diagnostic);
                self.diagnostics.push(diagnostic);
                self.recover(before);
            }
        }
        let unclosed = self.unclosed_comment();
        self.diagnostics.extend(unclosed);
        reading.body.blocks.retain(|b| b.body.whole);
        reading.body.span = self.span_from(start);
        reading.body
    }

    /// Moves to the next line that starts, unindented, with a name: the next top-level item in any formatted file.
    fn recover(&mut self, item_start: usize) {
        self.newlines_end = true;
        if !self.may_go_on() {
            self.at = self.text.len();
            return;
        }
        let from = self.at.max(item_start + 1).min(self.text.len());
        let breaks = self.text.as_bytes()[from..].iter().enumerate().filter(|(_, b)| **b == b'\n');
        let next = breaks.map(|(i, _)| from + i + 1).find(|line| self.text[*line..].starts_with(is_name_start));
        self.at = next.unwrap_or(self.text.len());
    }

    /// Moves on inside of a block after the item that starts at `item_start` could not be read, as far as the indentation
    /// tells where the next one is: in any formatted file the items of a body stand under each other. Says whether that
    /// was possible.
    fn recover_inside(&mut self, item_start: usize) -> bool {
        let line_start = self.text[..item_start].rfind('\n').map_or(0, |i| i + 1);
        let own = &self.text[line_start..item_start];
        if own.is_empty() || !own.chars().all(|c| matches!(c, ' ' | '\t')) || !self.may_go_on() {
            return false;
        }
        let Some(end) = self.text[item_start..].find('\n') else { return false };
        let mut at = item_start + end + 1;
        for line in self.text[at..].split_inclusive('\n') {
            let rest = line.trim_start_matches([' ', '\t']);
            let indent = line.len() - rest.len();
            if !rest.trim().is_empty() && indent <= own.len() {
                let next_item = indent == own.len() && rest.starts_with(is_name_start);
                let end_of_block = indent < own.len() && rest.starts_with('}');
                if next_item || end_of_block {
                    self.at = at + indent;
                    self.newlines_end = true;
                    return true;
                }
                // A bracket that closes the item itself may stand under its start.
                if indent < own.len() || !rest.starts_with(['}', ']', ')', '#', '/']) {
                    return false;
                }
            }
            at += line.len();
        }
        false
    }

    fn item_into(&mut self, reading: &mut Reading) -> Parsed<()> {
        let attr = match self.item()? {
            Item::Block(block) => {
                reading.body.whole &= block.body.whole;
                reading.body.blocks.push(block);
                return Ok(());
            }
            Item::Attr(attr) => attr,
        };
        if let Some(first) = reading.set.get(&attr.name) {
            let line = self.line(first.range.start);
            let detail = format!(
                "The argument {:?} was already set on line {line}. Each argument may be set only once.",
                &*attr.name
            );
            if self.may_go_on() {
                self.diagnostics.push(Diagnostic::error("Attribute redefined", detail).at(attr.name_span));
            }
            return Ok(());
        }
        reading.set.insert(attr.name.clone(), attr.name_span.clone());
        reading.body.attrs.push(attr);
        Ok(())
    }

    fn item(&mut self) -> Parsed<Item> {
        match self.head()? {
            Head::Argument(name, name_span) => {
                let attr = self.attribute(name, name_span)?;
                self.end_of_item("argument")?;
                Ok(Item::Attr(attr))
            }
            Head::Block(name, name_span) => {
                let block = self.block(name, name_span)?;
                self.end_of_item("block")?;
                Ok(Item::Block(block))
            }
        }
    }

    /// The name that an item starts with, and the equals sign of an argument.
    fn head(&mut self) -> Parsed<Head> {
        let Some((name, name_span)) = self.name() else {
            return Err(self.error_here(
                "Argument or block definition required",
                format!(
                    "An argument (name = value) or a block is expected here, found {}.{}",
                    self.found(),
                    self.slip()
                ),
            ));
        };
        self.skip();
        if self.looking_at("=") && !self.looking_at("==") {
            self.at += 1;
            return Ok(Head::Argument(name, name_span));
        }
        Ok(Head::Block(name, name_span))
    }

    fn attribute(&mut self, name: Arc<str>, name_span: Span) -> Parsed<Attr> {
        self.skip();
        if self.at_line_end() {
            return Err(Diagnostic::error(
                "Missing value",
                format!("The argument {:?} has no value: an expression is expected after the equals sign.", &*name),
            )
            .at(name_span));
        }
        let expr = self.expression()?;
        Ok(Attr { name, name_span, expr })
    }

    fn end_of_item(&mut self, what: &str) -> Parsed<()> {
        self.skip();
        if self.at_line_end() {
            return Ok(());
        }
        let advice = match self.peek() {
            Some('}') => " Put the closing brace on a line of its own.",
            Some(',') => " Leave the comma out: arguments and blocks stand on lines of their own.",
            _ => "",
        };
        Err(self.error_here(
            "Missing newline",
            format!(
                "Each {what} ends with a line break, but {} follows on the same line.{advice}{}",
                self.found(),
                self.slip()
            ),
        ))
    }

    fn block(&mut self, ty: Arc<str>, ty_span: Span) -> Parsed<Block> {
        let mut labels = Vec::new();
        loop {
            self.skip();
            let start = self.at;
            if let Some((text, span)) = self.name() {
                labels.push(Label { text, span });
            } else if self.looking_at("\"") {
                let text = self.label()?;
                labels.push(Label { text, span: self.span_from(start) });
            } else if self.looking_at("{") {
                break;
            } else {
                return Err(self.error_here(
                    "Invalid block definition",
                    format!(
                        "After {:?} an equals sign (for an argument), labels or an opening brace (for a block) is expected, found {}.",
                        &*ty,
                        self.found()
                    ),
                ));
            }
        }
        if self.in_too_many_blocks() {
            return Err(self.too_deep(MAX_STRUCTURE));
        }
        let body = self.nested(true, Self::block_body)?;
        Ok(Block { ty, ty_span, labels, body })
    }

    fn label(&mut self) -> Parsed<Arc<str>> {
        let start = self.at;
        let (template, _) = self.quoted()?;
        match template.as_literal_str() {
            Some(text) => Ok(nfc(text)),
            None => Err(Diagnostic::error(
                "Invalid block label",
                "Labels are fixed text: template sequences are not allowed here.",
            )
            .at(self.span_from(start))),
        }
    }

    /// From the opening to the closing brace. What follows the opening brace on its line is the only argument of a block on
    /// one line; else each argument and each block has a line of its own.
    fn block_body(&mut self) -> Parsed<Body> {
        let start = self.at;
        self.at += 1;
        let mut reading = Reading::new(self.span(start..start));
        self.skip();
        if self.at_line_end() || self.looking_at("}") {
            self.lines_of_block(start, &mut reading)?;
        } else {
            let attr = self.only_argument(start)?;
            reading.body.attrs.push(attr);
        }
        reading.body.span = self.span_from(start);
        Ok(reading.body)
    }

    fn lines_of_block(&mut self, start: usize, reading: &mut Reading) -> Parsed<()> {
        loop {
            self.skip_lines();
            if self.eat("}") {
                return Ok(());
            }
            if self.peek().is_none() {
                return Err(self.unclosed_block(start));
            }
            let before = self.at;
            if let Err(diagnostic) = self.item_into(reading) {
                if self.unclosed_comment.is_some() || !self.recover_inside(before) {
                    return Err(diagnostic);
                }
                self.diagnostics.push(diagnostic);
                reading.body.whole = false;
            }
        }
    }

    /// The argument of a block on one line, and the brace after it.
    fn only_argument(&mut self, start: usize) -> Parsed<Attr> {
        let attr = match self.head()? {
            Head::Argument(name, span) => self.attribute(name, span)?,
            Head::Block(name, span) => {
                return Err(Diagnostic::error(
                    "Invalid single-line block",
                    format!(
                        "A block on one line holds one argument and no other block. To set an argument {:?}, write an equals \
                         sign after it; for a nested block put what is between the braces on lines of its own.",
                        &*name
                    ),
                )
                .at(span));
            }
        };
        self.skip();
        if self.eat("}") {
            return Ok(attr);
        }
        if self.peek().is_none() {
            return Err(self.unclosed_block(start));
        }
        Err(self.error_here(
            "Invalid single-line block",
            format!(
                "A block on one line holds one argument, and its closing brace follows directly; found {}. Put what is between \
                 the braces on lines of its own, one argument on each.{}",
                self.found(),
                self.slip()
            ),
        ))
    }

    fn unclosed_block(&self, start: usize) -> Diagnostic {
        Diagnostic::error("Unclosed block", "There is no closing brace for this block before the end of the file.")
            .at(self.span(start..start + 1))
    }
}
