//! Diagnostics for people, with the source underlined, and for programs, in Terraform's JSON form.

use std::fmt::Write as _;

use sgp_model::{Diagnostic, Diagnostics, Severity, SourceMap, Span};
use unicode_width::UnicodeWidthChar as _;

use super::{json::Json, paint::Paint};

/// How many lines of source one diagnostic shows at most.
const SNIPPET_LINES: usize = 8;

/// All diagnostics, one box each, warnings first so that errors are what is read last.
pub fn render_all(diagnostics: &Diagnostics, sources: &SourceMap, paint: Paint) -> String {
    let warnings = diagnostics.iter().filter(|d| !d.is_error());
    let errors = diagnostics.iter().filter(|d| d.is_error());
    warnings.chain(errors).map(|d| render(d, sources, paint)).collect()
}

/// Like [`render_all`], with all warnings of one summary in one line.
pub fn render_compact(diagnostics: &Diagnostics, sources: &SourceMap, paint: Paint) -> String {
    let mut out = String::new();
    let warnings: Vec<_> = diagnostics.iter().filter(|d| !d.is_error()).collect();
    if !warnings.is_empty() {
        let _ = writeln!(out, "\n{}\n", paint.yellow("Warnings:"));
        let mut seen: Vec<&str> = Vec::new();
        for warning in &warnings {
            if seen.contains(&warning.summary.as_str()) {
                continue;
            }
            seen.push(&warning.summary);
            let count = warnings.iter().filter(|w| w.summary == warning.summary).count();
            let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
            let place = warning.span.as_ref().and_then(|s| Some((s, sources.line_column(&s.file, s.range.start)?)));
            let place = place.map_or_else(String::new, |(s, at)| format!("\n  on {} line {}{more}", s.file, at.line));
            let _ = writeln!(out, "- {}{place}", warning.summary);
        }
    }
    out.extend(diagnostics.iter().filter(|d| d.is_error()).map(|d| render(d, sources, paint)));
    out
}

/// One diagnostic in a box, with an empty line at the end.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, paint: Paint) -> String {
    let edge = |s: &str| match diagnostic.severity {
        Severity::Error => paint.red(s),
        Severity::Warning => paint.yellow(s),
    };
    let mut lines = vec![headline(diagnostic, paint), String::new()];
    lines.extend(place(diagnostic, sources, paint));
    lines.extend(paint.wrap(&diagnostic.detail, 2));
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let mut out = format!("{}\n", edge("╷"));
    for line in lines {
        let gap = if line.is_empty() { "" } else { " " };
        let _ = writeln!(out, "{}{gap}{line}", edge("│"));
    }
    let _ = writeln!(out, "{}", edge("╵"));
    out
}

fn headline(diagnostic: &Diagnostic, paint: Paint) -> String {
    let label = match diagnostic.severity {
        Severity::Error => paint.red("Error: "),
        Severity::Warning => paint.yellow("Warning: "),
    };
    format!("{label}{}", paint.bold(&diagnostic.summary))
}

/// Address, file and line, snippet and the values it refers to; ends with an empty line unless there is nothing to say.
fn place(diagnostic: &Diagnostic, sources: &SourceMap, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let located = diagnostic.span.as_ref();
    if let Some(address) = &diagnostic.address {
        let attribute = match &diagnostic.attribute {
            Some(path) if located.is_none() && !path.0.is_empty() => format!(", attribute {path}"),
            _ => String::new(),
        };
        let comma = if located.is_some() { "," } else { "" };
        lines.push(format!("  with {address}{attribute}{comma}"));
    }
    match located.map(|span| (span, Snippet::find(span, sources))) {
        Some((_, Some(snippet))) => lines.extend(snippet.lines(&diagnostic.values, paint)),
        Some((span, None)) => lines.push(format!("  on {}", span.file)),
        None => {}
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// The lines of a source file that a span touches.
struct Snippet<'a> {
    file: &'a str,
    /// The number of the first line, from 1.
    first_line: usize,
    /// The header of the block around it: `resource "aws_vpc" "a"`.
    context: Option<String>,
    /// Whole lines without their ends.
    code: Vec<&'a str>,
    /// The span, in bytes from the start of the first line.
    start: usize,
    end: usize,
}

impl<'a> Snippet<'a> {
    fn find(span: &'a Span, sources: &'a SourceMap) -> Option<Self> {
        let text = sources.text(&span.file)?;
        let start = floor_boundary(text, span.range.start);
        let end = floor_boundary(text, span.range.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        // A span that ends with a line break must not pull in the line after it.
        let last = if end > start && text[..end].ends_with('\n') { end - 1 } else { end };
        let line_end = text[last..].find('\n').map_or(text.len(), |i| last + i);
        Some(Self {
            file: &span.file,
            first_line: text[..line_start].matches('\n').count() + 1,
            context: enclosing_block(&text[..line_end], line_start),
            code: text[line_start..line_end].split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l)).collect(),
            start: start - line_start,
            end: end - line_start,
        })
    }

    fn lines(&self, values: &[(String, String)], paint: Paint) -> Vec<String> {
        let context = self.context.as_ref().map_or_else(String::new, |c| format!(", in {c}"));
        let mut lines = vec![format!("  on {} line {}{context}:", self.file, self.first_line)];
        let shown = self.code.len().min(SNIPPET_LINES);
        let digits = (self.first_line + shown).to_string().len().max(4);
        let mut offset = 0;
        for (i, code) in self.code.iter().take(shown).enumerate() {
            let gutter = format!("{:>digits$}: ", self.first_line + i);
            lines.push(format!("{gutter}{}", self.emphasised(code, offset, paint)).trim_end().to_owned());
            let marks = self.underline(code, offset);
            if !marks.trim().is_empty() {
                let indent = " ".repeat(gutter.len() + leading_width(&marks));
                lines.push(format!("{indent}{}", paint.bold(&paint.red(marks.trim()))));
            }
            offset += code.len() + 1;
        }
        if self.code.len() > shown {
            lines.push(format!("{:>digits$}  ({} more)", "", super::paint::plural(self.code.len() - shown, "line")));
        }
        if !values.is_empty() {
            lines.push("    ├────────────────".to_owned());
            lines.extend(values.iter().map(|(name, what)| format!("    │ {} {what}", paint.bold(name))));
        }
        lines
    }

    /// The part of a line that the span covers, as byte offsets into the line.
    fn covered(&self, code: &str, offset: usize) -> (usize, usize) {
        let from = self.start.saturating_sub(offset).min(code.len());
        let to = self.end.saturating_sub(offset).min(code.len());
        // The indentation of a continuation line is not part of what is meant.
        let indent = code.len() - code.trim_start().len();
        (if offset > self.start { from.max(indent) } else { from }, to.max(from))
    }

    fn emphasised(&self, code: &str, offset: usize, paint: Paint) -> String {
        let (from, to) = self.covered(code, offset);
        if from >= to || !paint.colour {
            return code.replace('\t', "    ");
        }
        let middle = paint.styled_underline(&code[from..to].replace('\t', "    "));
        format!("{}{middle}{}", code[..from].replace('\t', "    "), code[to..].replace('\t', "    "))
    }

    /// Carets under the covered characters; one caret where the span is empty.
    fn underline(&self, code: &str, offset: usize) -> String {
        let (from, to) = self.covered(code, offset);
        let carets = width(&code[from..to.max(from)]);
        let on_this_line = self.start >= offset && self.start <= offset + code.len();
        let carets = if carets == 0 && on_this_line && self.start == self.end { 1 } else { carets };
        format!("{}{}", " ".repeat(width(&code[..from])), "^".repeat(carets))
    }
}

fn leading_width(marks: &str) -> usize {
    marks.len() - marks.trim_start().len()
}

/// Columns of a text in a terminal, a tab counted as the four spaces it is shown as.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c == '\t' { 4 } else { c.width().unwrap_or(0) }).sum()
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// The header of the top-level block that holds the line: the last line at or above it that begins in the first column and
/// opens a brace. Good enough for formatted files, and silent for others.
fn enclosing_block(text: &str, line_start: usize) -> Option<String> {
    let at_or_above = text[..line_start].lines().chain(text[line_start..].lines().take(1));
    let header = at_or_above.filter(|l| l.starts_with(|c: char| !c.is_whitespace())).last()?;
    let (before, _) = header.split_once('{')?;
    let before = before.trim();
    let is_header = before.starts_with(|c: char| c.is_ascii_alphabetic()) && !before.contains('=');
    is_header.then(|| before.to_owned())
}

impl Paint {
    fn styled_underline(self, text: &str) -> String {
        let style = anstyle::Style::new().underline();
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// A diagnostic in the form of `validate -json` and of the machine-readable output.
pub fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut json = Json::object([
        ("severity", Json::from(severity)),
        ("summary", diagnostic.summary.as_str().into()),
        ("detail", diagnostic.detail.as_str().into()),
    ]);
    if let Some(address) = &diagnostic.address {
        json.push("address", address.as_str());
    }
    if let Some(span) = &diagnostic.span {
        json.push("range", range_json(span, sources));
        if let Some(snippet) = Snippet::find(span, sources) {
            json.push("snippet", snippet_json(&snippet, &diagnostic.values));
        }
    }
    json
}

fn range_json(span: &Span, sources: &SourceMap) -> Json {
    let position = |byte: usize| {
        let at = sources.line_column(&span.file, byte);
        Json::object([
            ("line", Json::from(at.map_or(1, |p| p.line))),
            ("column", at.map_or(1, |p| p.column).into()),
            ("byte", byte.into()),
        ])
    };
    Json::object([
        ("filename", Json::from(&*span.file)),
        ("start", position(span.range.start)),
        ("end", position(span.range.end)),
    ])
}

fn snippet_json(snippet: &Snippet<'_>, values: &[(String, String)]) -> Json {
    let values = values.iter().map(|(name, what)| {
        Json::object([("traversal", Json::from(name.as_str())), ("statement", what.as_str().into())])
    });
    Json::object([
        ("context", Json::from(snippet.context.clone())),
        ("code", snippet.code.join("\n").into()),
        ("start_line", snippet.first_line.into()),
        ("highlight_start_offset", snippet.start.into()),
        ("highlight_end_offset", snippet.end.into()),
        ("values", Json::array(values)),
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sgp_model::AttrPath;

    use super::*;

    const MAIN: &str = "resource \"aws_vpc\" \"a\" {\n\tcidr  = \"10.0.0.0/16\"\n  naïve = var.größe[5] + 1\n}\n\nlocals {\n  x = [\n    1,\n    oops,\n  ]\n}\n";

    fn sources() -> SourceMap {
        let mut sources = SourceMap::default();
        sources.insert("main.tf", MAIN);
        sources
    }

    fn span_of(part: &str) -> Span {
        let at = MAIN.find(part).unwrap();
        Span::new("main.tf", at..at + part.len())
    }

    #[test]
    fn underlines_the_exact_characters() {
        let d = Diagnostic {
            values: vec![("var.größe".into(), "is list of number with 3 elements".into())],
            ..Diagnostic::error(
                "Invalid index",
                "The list has 3 elements, so its last index is 2.\nUse an index between 0 and 2.",
            )
        }
        .on("aws_vpc.a")
        .at(span_of("var.größe[5]"));
        insta::assert_snapshot!(render(&d, &sources(), Paint::plain()), @r#"
        ╷
        │ Error: Invalid index
        │
        │   with aws_vpc.a,
        │   on main.tf line 3, in resource "aws_vpc" "a":
        │    3:   naïve = var.größe[5] + 1
        │                 ^^^^^^^^^^^^
        │     ├────────────────
        │     │ var.größe is list of number with 3 elements
        │
        │ The list has 3 elements, so its last index is 2.
        │ Use an index between 0 and 2.
        ╵
        "#);
    }

    #[test]
    fn spans_over_several_lines_and_tabs() {
        let d = Diagnostic::warning("Odd list", "").at(span_of("[\n    1,\n    oops,\n  ]"));
        insta::assert_snapshot!(render(&d, &sources(), Paint::plain()), @r"
        ╷
        │ Warning: Odd list
        │
        │   on main.tf line 7, in locals:
        │    7:   x = [
        │             ^
        │    8:     1,
        │           ^^
        │    9:     oops,
        │           ^^^^^
        │   10:   ]
        │         ^
        ╵
        ");
        let d = Diagnostic::error("Bad CIDR", "No.").at(span_of("\"10.0.0.0/16\""));
        insta::assert_snapshot!(render(&d, &sources(), Paint::plain()), @r#"
        ╷
        │ Error: Bad CIDR
        │
        │   on main.tf line 2, in resource "aws_vpc" "a":
        │    2:     cidr  = "10.0.0.0/16"
        │                   ^^^^^^^^^^^^^
        │
        │ No.
        ╵
        "#);
    }

    #[test]
    fn without_a_span_the_object_is_named() {
        let d = Diagnostic::error("Access denied", "EC2 refused.").on("aws_vpc.a").attribute(AttrPath::attr("cidr"));
        insta::assert_snapshot!(render(&d, &sources(), Paint { width: Some(30), ..Paint::plain() }), @r"
        ╷
        │ Error: Access denied
        │
        │   with aws_vpc.a, attribute cidr
        │
        │ EC2 refused.
        ╵
        ");
    }

    #[test]
    fn spans_outside_the_text_do_not_panic() {
        for (start, end) in [(5, 2), (10_000, 20_000), (31, 32), (0, 0)] {
            let range = std::ops::Range { start, end };
            let d = Diagnostic::error("x", "y").at(Span::new("main.tf", range));
            assert!(
                render(&d, &sources(), Paint { colour: true, width: Some(5), ..Paint::plain() }).contains("main.tf")
            );
            assert!(to_json(&d, &sources()).to_string().contains("main.tf"));
        }
        let elsewhere = Diagnostic::error("x", "y").at(Span::new("other.tf", 0..1));
        assert!(render(&elsewhere, &sources(), Paint::plain()).contains("on other.tf"));
    }

    #[test]
    fn json_has_range_and_snippet() {
        let d = Diagnostic::error("Bad", "Why.").at(span_of("oops"));
        insta::assert_snapshot!(to_json(&d, &sources()).pretty(), @r#"
        {
          "severity": "error",
          "summary": "Bad",
          "detail": "Why.",
          "range": {
            "filename": "main.tf",
            "start": {
              "line": 9,
              "column": 5,
              "byte": 109
            },
            "end": {
              "line": 9,
              "column": 9,
              "byte": 113
            }
          },
          "snippet": {
            "context": "locals",
            "code": "    oops,",
            "start_line": 9,
            "highlight_start_offset": 4,
            "highlight_end_offset": 8,
            "values": []
          }
        }
        "#);
    }

    #[test]
    fn compact_warnings_are_counted() {
        let warning = |part: &str| Diagnostic::warning("Deprecated", "Do not.").at(span_of(part));
        let all = Diagnostics(vec![warning("cidr"), warning("oops"), Diagnostic::error("Broken", "It is.")]);
        insta::assert_snapshot!(render_compact(&all, &sources(), Paint::plain()), @r"

        Warnings:

        - Deprecated
          on main.tf line 2 (and 1 more)
        ╷
        │ Error: Broken
        │
        │ It is.
        ╵
        ");
    }
}
