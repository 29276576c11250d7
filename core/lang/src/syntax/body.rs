//! Bodies of files and blocks.

use std::sync::Arc;

use sgp_model::Diagnostic;
use unicode_normalization::UnicodeNormalization;

use super::{
    ast::{Attr, Block, Body, Label},
    cursor::{Cursor, Parsed, is_name_start},
};

enum Item {
    Attr(Attr),
    Block(Block),
}

impl Cursor<'_> {
    /// A whole file: goes on after a mistake at the next top-level item.
    pub(super) fn file(&mut self) -> Body {
        let start = self.at;
        let mut body = Body { attrs: Vec::new(), blocks: Vec::new(), span: self.span(start..start) };
        loop {
            self.skip_lines();
            if self.peek().is_none() {
                break;
            }
            let before = self.at;
            if let Err(diagnostic) = self.item_into(&mut body) {
                self.diagnostics.push(diagnostic);
                self.recover(before);
            }
        }
        body.span = self.span_from(start);
        body
    }

    /// Moves to the next line that starts, unindented, with a name: the next top-level item in any formatted file.
    fn recover(&mut self, item_start: usize) {
        let from = self.at.max(item_start + 1).min(self.text.len());
        let next = self
            .text
            .match_indices('\n')
            .map(|(i, _)| i + 1)
            .find(|line| *line > from && self.text[*line..].starts_with(is_name_start));
        self.at = next.unwrap_or(self.text.len());
        self.newlines_end = true;
    }

    fn item_into(&mut self, body: &mut Body) -> Parsed<()> {
        match self.item()? {
            Item::Block(block) => body.blocks.push(block),
            Item::Attr(attr) => {
                match body.attr(&attr.name) {
                    None => body.attrs.push(attr),
                    Some(first) => {
                        let line = self.text[..first.name_span.range.start].matches('\n').count() + 1;
                        self.diagnostics.push(
                        Diagnostic::error(
                            "Attribute redefined",
                            format!("The argument {:?} was already set on line {line}. Each argument may be set only once.", &*attr.name),
                        )
                        .at(attr.name_span),
                    );
                    }
                }
            }
        }
        Ok(())
    }

    fn item(&mut self) -> Parsed<Item> {
        let Some((name, name_span)) = self.name() else {
            return Err(self.error_here(
                "Argument or block definition required",
                format!("An argument (name = value) or a block is expected here, found {}.", self.found()),
            ));
        };
        self.skip();
        if self.looking_at("=") && !self.looking_at("==") {
            self.at += 1;
            let attr = self.attribute(name, name_span)?;
            self.end_of_item("argument")?;
            return Ok(Item::Attr(attr));
        }
        let block = self.block(name, name_span)?;
        self.end_of_item("block")?;
        Ok(Item::Block(block))
    }

    fn attribute(&mut self, name: Arc<str>, name_span: sgp_model::Span) -> Parsed<Attr> {
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
        if self.at_line_end() || self.looking_at("}") {
            return Ok(());
        }
        Err(self.error_here(
            "Missing newline",
            format!("Each {what} ends with a line break, but {} follows on the same line.", self.found()),
        ))
    }

    fn block(&mut self, ty: Arc<str>, ty_span: sgp_model::Span) -> Parsed<Block> {
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
        let body = self.nested(true, Self::block_body)?;
        Ok(Block { ty, ty_span, labels, body })
    }

    fn label(&mut self) -> Parsed<Arc<str>> {
        let start = self.at;
        let (template, _) = self.quoted()?;
        match template.as_literal_str() {
            Some(text) => Ok(text.nfc().collect::<String>().into()),
            None => Err(Diagnostic::error(
                "Invalid block label",
                "Labels are fixed text: template sequences are not allowed here.",
            )
            .at(self.span_from(start))),
        }
    }

    /// From the opening to the closing brace. In a block on one line there may be one argument.
    fn block_body(&mut self) -> Parsed<Body> {
        let start = self.at;
        self.at += 1;
        let mut body = Body { attrs: Vec::new(), blocks: Vec::new(), span: self.span(start..start) };
        loop {
            self.skip_lines();
            if self.eat("}") {
                break;
            }
            if self.peek().is_none() {
                return Err(Diagnostic::error(
                    "Unclosed block",
                    "There is no closing brace for this block before the end of the file.",
                )
                .at(self.span(start..start + 1)));
            }
            self.item_into(&mut body)?;
        }
        body.span = self.span_from(start);
        Ok(body)
    }
}
