//! Comma-separated values as RFC 4180 has them: a quote stands only around a whole field.

/// The records with the number of the line that each begins on; empty lines are none.
pub(super) fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut records = Vec::new();
    while !reader.rest.is_empty() {
        let line = reader.line;
        if reader.take_break() {
            continue;
        }
        records.push((line, reader.record()?));
    }
    Ok(records)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn take_break(&mut self) -> bool {
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
        if let Some(rest) = rest {
            self.rest = rest;
            self.line += 1;
        }
        rest.is_some()
    }

    fn failed(&self, reason: &str) -> String {
        format!("CSV parse error on line {}: {reason}", self.line)
    }

    fn record(&mut self) -> Result<Vec<String>, String> {
        let mut fields = Vec::new();
        loop {
            fields.push(if self.rest.starts_with('"') { self.quoted()? } else { self.bare()? });
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if self.rest.is_empty() || self.take_break() {
                return Ok(fields);
            } else {
                return Err(self.failed("extraneous or missing \" in quoted-field"));
            }
        }
    }

    fn bare(&mut self) -> Result<String, String> {
        let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
        let crlf = self.rest[end..].starts_with('\n') && self.rest[..end].ends_with('\r');
        let (field, rest) = self.rest.split_at(if crlf { end - 1 } else { end });
        if field.contains('"') {
            return Err(self.failed("bare \" in non-quoted-field"));
        }
        self.rest = rest;
        Ok(field.to_owned())
    }

    /// Two quotes inside are one.
    fn quoted(&mut self) -> Result<String, String> {
        let mut field = String::new();
        let mut rest = &self.rest[1..];
        loop {
            let Some(quote) = rest.find('"') else {
                return Err(self.failed("extraneous or missing \" in quoted-field"));
            };
            field.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            let Some(after) = rest.strip_prefix('"') else {
                self.rest = rest;
                self.line += field.matches('\n').count();
                return Ok(field.replace("\r\n", "\n"));
            };
            field.push('"');
            rest = after;
        }
    }
}
