//! HCL text to syntax tree, with the place of everything.
//!
//! A recursive descent over the text: newlines end arguments except inside brackets, templates are parsed where they stand,
//! heredocs lose their indentation and strip markers take effect here, so that evaluation sees final text only.

pub mod ast;
mod body;
mod cursor;
mod expr;
pub mod json;
mod template;

use std::sync::Arc;

use sgp_model::{Diagnostic, Diagnostics};

pub use self::ast::{Attr, BinaryOp, Block, Body, Expr, ExprKind, For, Label, Part, UnaryOp};
use self::cursor::Cursor;

/// Parses a file. With errors the body holds what could be read around them.
pub fn parse_body(file: &Arc<str>, text: &str) -> (Body, Diagnostics) {
    let mut cursor = Cursor::new(file.clone(), text);
    let body = cursor.file();
    (body, cursor.diagnostics)
}

/// Parses one expression; line breaks are allowed anywhere in it.
///
/// # Errors
/// The first mistake.
pub fn parse_expression(file: &Arc<str>, text: &str) -> Result<Expr, Diagnostic> {
    let mut cursor = Cursor::new(file.clone(), text);
    cursor.newlines_end = false;
    let found = cursor.expression();
    cursor.skip();
    if let Some(unclosed) = cursor.unclosed_comment() {
        return Err(unclosed);
    }
    let expr = found?;
    if cursor.peek().is_some() {
        let detail = format!("An expression was read, but more text follows.{}", cursor.slip());
        return Err(cursor.error_here("Extra characters after expression", detail));
    }
    Ok(expr)
}

/// Parses a template as a file holds it: no quotes around it, no escapes but `$${` and `%%{`.
///
/// # Errors
/// The first mistake.
pub fn parse_template(file: &Arc<str>, text: &str) -> Result<Expr, Diagnostic> {
    let mut cursor = Cursor::new(file.clone(), text);
    cursor.bare_template()
}

/// Whether the text is an identifier.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(cursor::is_name_start) && chars.all(cursor::is_name_continue)
}

#[cfg(test)]
mod tests;
