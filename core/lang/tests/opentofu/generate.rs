//! Expressions put together at random: calls of every function with arguments that are right or nearly so, operators,
//! conditionals, `for`, splats, indexes, templates, and values for type constraints.

use std::collections::BTreeMap;

use super::{signatures::SIGNATURES, support::Random};

/// What expressions are made of, by kind: a line for the kind, and indented ones below.
const FORMS: &str = include_str!("forms.txt");

const ATTRIBUTES: &[&str] = &["a", "b", "c", "x", "names", "who"];

/// Makes expressions; the same ones for the same seed.
pub struct Generator {
    random: Random,
    forms: BTreeMap<&'static str, Vec<&'static str>>,
    /// Names that stand for elements where the expression comes to stand.
    bound: Vec<&'static str>,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        let mut forms = BTreeMap::<_, Vec<&str>>::new();
        let mut kind = "";
        for line in FORMS.lines() {
            match line.strip_prefix("    ") {
                Some(form) => forms.entry(kind).or_default().push(form),
                None => kind = line,
            }
        }
        Self { random: Random::new(seed), forms, bound: Vec::new() }
    }

    /// A request: an expression, or a value for a type.
    pub fn request(&mut self) -> String {
        self.bound.clear();
        match self.random.below(10) {
            0 => {
                let ty = self.ty(3, true);
                format!("t{ty}\u{1}{}", self.value_of(&ty))
            }
            1..=4 => format!("e{}", self.call(2)),
            _ => format!("e{}", self.expression("any", 3)),
        }
    }

    fn one(&mut self, all: &[&str]) -> String {
        (*self.random.of(all)).to_owned()
    }

    fn form(&mut self, kind: &str) -> String {
        (*self.random.of(&self.forms[kind])).to_owned()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.random.below(of) == 0
    }

    /// An expression that mostly gives what the word says.
    fn expression(&mut self, kind: &str, depth: u32) -> String {
        if self.chance(24) {
            return self.one(&[
                "null",
                "sensitive(null)",
                "[]",
                "{}",
                "\"\"",
                "0",
                "tolist([])",
                "tomap({})",
                "toset([])",
            ]);
        }
        let kind = if self.chance(16) { "any" } else { kind };
        if self.forms.contains_key(kind) {
            return if self.chance(10) { self.expression("string", 1) } else { self.form(kind) };
        }
        if self.chance(14) {
            let unknown = format!("unknown {kind}");
            return self.form(if self.forms.contains_key(&*unknown) { &unknown } else { "unknown any" });
        }
        if !self.bound.is_empty() && self.chance(3) {
            let name = *self.random.of(&self.bound);
            return name.to_owned();
        }
        if depth == 0 {
            return self.leaf(kind);
        }
        if self.chance(18) {
            return format!("sensitive({})", self.expression(kind, depth - 1));
        }
        match self.random.below(12) {
            0..=1 => self.conditional(kind, depth - 1),
            2 => self.index(kind, depth - 1),
            3..=4 => self.call(depth - 1),
            _ => self.plain(kind, depth),
        }
    }

    fn any_of(&mut self, kinds: &[&str], depth: u32) -> String {
        let kind = self.one(kinds);
        self.expression(&kind, depth)
    }

    fn leaf(&mut self, kind: &str) -> String {
        match kind {
            "string" => self.form("plain string"),
            "number" => self.form("plain number"),
            "bool" => self.one(&["true", "false"]),
            "bools" => self.one(&["[]", "[true]", "[true, false]", "[\"true\"]", "[null]"]),
            "numbers" => self.one(&["[]", "[1]", "[1, 2.5]", "[\"1\", 2]", "[null]", "toset([1, 2])"]),
            "strings" => {
                self.one(&["[]", "[\"a\"]", "[\"b\", \"a\"]", "[\"a\", 1]", "toset([\"b\", \"a\"])", "tolist([\"a\"])"])
            }
            "list" => self.one(&[
                "[]",
                "[1]",
                "[\"a\", 1]",
                "tolist([])",
                "toset([1, 2])",
                "[[]]",
                "[null]",
                "[{ a = 1 }]",
                "tolist([\"a\", \"b\"])",
            ]),
            "map" => self.one(&[
                "{}",
                "{ a = 1 }",
                "tomap({ a = 1 })",
                "{ a = 1, b = \"x\" }",
                "{ x = null }",
                "tomap({})",
                "{ a = [\"x\"] }",
            ]),
            _ => match self.random.below(5) {
                0 => self.form("plain string"),
                1 => self.form("plain number"),
                2 => self.leaf("list"),
                3 => self.leaf("map"),
                _ => self.one(&["true", "false", "null"]),
            },
        }
    }

    /// Made of parts of the same kind, with this kind's operators.
    fn plain(&mut self, kind: &str, depth: u32) -> String {
        match kind {
            "string" => self.text(depth),
            "number" => self.number(depth),
            "bool" => self.truth(depth),
            "bools" => self.elements("bool", depth),
            "numbers" => self.elements("number", depth),
            "strings" => self.elements("string", depth),
            "list" => self.list(depth),
            "map" => self.map(depth),
            _ => {
                let kind = self.one(&["string", "number", "bool", "list", "list", "map", "map"]);
                self.plain(&kind, depth)
            }
        }
    }

    fn text(&mut self, depth: u32) -> String {
        match self.random.below(6) {
            0 => format!("\"{}\"", self.template(depth - 1)),
            1 => {
                let indented = if self.chance(2) { "-" } else { "" };
                let body = self.template(depth - 1);
                format!("<<{indented}EOT\n  {body}\n    x ${{1}}\n  EOT\n")
            }
            _ => self.form("plain string"),
        }
    }

    fn template(&mut self, depth: u32) -> String {
        let mut text = String::new();
        for _ in 0..=self.random.below(3) {
            let (open, close) = (self.one(&["", "", "~"]), self.one(&["", "", "~"]));
            text += &match self.random.below(6) {
                0 => format!(
                    " %{{{open} if {} {close}}} y %{{ else }} n %{{ endif {close}}}",
                    self.expression("bool", depth)
                ),
                1 => {
                    let over = self.expression("list", depth);
                    self.bound.push("t");
                    let part = self.expression("string", depth.saturating_sub(1));
                    self.bound.pop();
                    format!("%{{ for t in {over} {close}}} ${{{part}}} %{{{open} endfor }}")
                }
                2 => self.one(&["a", " ", "é", "\u{301}", "-", "$${", "%%{", "$", "%"]),
                _ => format!("${{{open}{}{close}}} ", self.expression("string", depth)),
            };
        }
        text
    }

    fn number(&mut self, depth: u32) -> String {
        if self.chance(2) {
            return self.form("plain number");
        }
        let (a, b) = (self.expression("number", depth - 1), self.expression("number", depth - 1));
        match self.random.below(6) {
            0 => format!("-{a}"),
            _ => format!("({a} {} {b})", self.one(&["+", "-", "*", "/", "%"])),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        match self.random.below(6) {
            0 => self.one(&["true", "false"]),
            1 => format!("!{}", self.expression("bool", depth - 1)),
            2 => {
                let (a, b) = (self.expression("number", depth - 1), self.expression("number", depth - 1));
                format!("({a} {} {b})", self.one(&["<", "<=", ">", ">="]))
            }
            3 => {
                let (a, b) = (self.expression("bool", depth - 1), self.expression("bool", depth - 1));
                format!("({a} {} {b})", self.one(&["&&", "||"]))
            }
            _ => {
                let kind = self.one(&["string", "number", "any", "list", "map"]);
                let a = self.expression(&kind, depth - 1);
                let b = if self.chance(3) { a.clone() } else { self.expression(&kind, depth - 1) };
                format!("({a} {} {b})", self.one(&["==", "!="]))
            }
        }
    }

    fn elements(&mut self, kind: &str, depth: u32) -> String {
        let elements: Vec<_> = (0..self.random.below(4)).map(|_| self.expression(kind, depth - 1)).collect();
        self.around(&["", "", "", "tolist", "toset"], &format!("[{}]", elements.join(", ")))
    }

    fn around(&mut self, functions: &[&str], text: &str) -> String {
        match self.one(functions).as_str() {
            "" => text.to_owned(),
            function => format!("{function}({text})"),
        }
    }

    fn list(&mut self, depth: u32) -> String {
        let kind = self.one(&["string", "number", "any", "any", "map", "list", "bool"]);
        match self.random.below(8) {
            0 => {
                let over = self.any_of(&["list", "map"], depth - 1);
                let (names, bound) = if self.chance(2) { ("v", vec!["v"]) } else { ("k, v", vec!["k", "v"]) };
                self.bound.extend(&bound);
                let body = self.expression(&kind, depth - 1);
                let filter =
                    if self.chance(3) { format!(" if {}", self.expression("bool", depth - 1)) } else { String::new() };
                self.bound.truncate(self.bound.len() - bound.len());
                format!("[for {names} in {over} : {body}{filter}]")
            }
            1 => {
                let of = self.any_of(&["list", "any"], depth - 1);
                let rest = self.one(&["[*]", "[*].a", ".*.a", "[*][0]", "[*][\"a\"]", ".*", "[*].a.b", "[*].a[0]"]);
                format!("{of}{rest}")
            }
            _ => self.elements(&kind, depth),
        }
    }

    fn map(&mut self, depth: u32) -> String {
        if self.chance(6) {
            let over = self.any_of(&["list", "map"], depth - 1);
            self.bound.extend(["k", "v"]);
            let (key, value) = (self.expression("string", depth - 1), self.expression("any", depth - 1));
            let filter =
                if self.chance(4) { format!(" if {}", self.expression("bool", depth - 1)) } else { String::new() };
            self.bound.truncate(self.bound.len() - 2);
            let group = if self.chance(2) { "..." } else { "" };
            return format!("{{for k, v in {over} : {key} => {value}{group}{filter}}}");
        }
        let kind = self.one(&["string", "number", "any", "any", "list", "map"]);
        let mut entries = Vec::new();
        let first = self.random.below(ATTRIBUTES.len());
        for place in 0..self.random.below(4) {
            let name = ATTRIBUTES[(first + place) % ATTRIBUTES.len()];
            let key = match self.random.below(12) {
                0 => format!("({})", self.expression("string", depth - 1)),
                _ => name.to_owned(),
            };
            entries.push(format!("{key} = {}", self.expression(&kind, depth - 1)));
        }
        self.around(&["", "", "tomap"], &format!("{{{}}}", entries.join(", ")))
    }

    fn conditional(&mut self, kind: &str, depth: u32) -> String {
        let condition = if self.chance(3) { "pick".to_owned() } else { self.expression("bool", depth) };
        let (then, otherwise) = (self.expression(kind, depth), self.expression(kind, depth));
        format!("({condition} ? {then} : {otherwise})")
    }

    fn index(&mut self, kind: &str, depth: u32) -> String {
        if self.chance(2) {
            let elements: Vec<_> = (0..=self.random.below(2)).map(|_| self.expression(kind, depth)).collect();
            let list = self.around(&["", "tolist"], &format!("[{}]", elements.join(", ")));
            let index = self.one(&[
                "[0]",
                "[1]",
                "[-1]",
                "[\"0\"]",
                "[0.5]",
                "[null]",
                ".0",
                "[number]",
                "[true]",
                "[\"a\"]",
                "[any]",
                "[sensitive(0)]",
            ]);
            format!("{list}{index}")
        } else {
            let map = self.expression("map", depth);
            let index = self.one(&[
                ".a",
                "[\"a\"]",
                ".b",
                "[string]",
                "[0]",
                "[null]",
                "[any]",
                ".x",
                "[sensitive(\"a\")]",
                "[\"nope\"]",
            ]);
            format!("{map}{index}")
        }
    }

    fn call(&mut self, depth: u32) -> String {
        let (name, words) = *self.random.of(SIGNATURES);
        let mut arguments = Vec::new();
        for word in words {
            let count = if word.ends_with('*') { self.random.below(4) } else { 1 };
            for _ in 0..count {
                arguments.push(self.expression(word.trim_end_matches('*'), depth));
            }
        }
        if self.chance(40) {
            arguments.pop();
        }
        let core = if self.chance(30) { "core::" } else { "" };
        let spread = if words.last().is_some_and(|w| w.ends_with('*')) && !arguments.is_empty() && self.chance(8) {
            let last = arguments.pop().unwrap_or_default();
            arguments.push(if self.chance(3) { self.expression("list", depth) } else { format!("[{last}]") });
            "..."
        } else {
            ""
        };
        format!("{core}{name}({}{spread})", arguments.join(", "))
    }

    /// A type constraint; defaults only where `optional` may stand.
    fn ty(&mut self, depth: u32, open: bool) -> String {
        let choices = if depth == 0 { 5 } else { 12 };
        match self.random.below(choices) {
            0 | 1 => "string".into(),
            2 => "number".into(),
            3 => "bool".into(),
            4 => {
                if open {
                    "any".into()
                } else {
                    "string".into()
                }
            }
            5 => format!("list({})", self.ty(depth - 1, open)),
            6 => format!("set({})", self.ty(depth - 1, open)),
            7 => format!("map({})", self.ty(depth - 1, open)),
            8 => {
                let elements: Vec<_> = (0..self.random.below(3)).map(|_| self.ty(depth - 1, open)).collect();
                format!("tuple([{}])", elements.join(", "))
            }
            _ => {
                let mut attributes = Vec::new();
                for name in ["a", "b", "c"] {
                    if self.chance(4) {
                        continue;
                    }
                    let ty = self.ty(depth - 1, open);
                    let ty = match self.random.below(4) {
                        0 => format!("optional({ty})"),
                        1 => {
                            let default = self.value_of(&ty);
                            let default = if is_constant(&default) { default } else { "null".into() };
                            format!("optional({ty}, {default})")
                        }
                        _ => ty,
                    };
                    attributes.push(format!("{name} = {ty}"));
                }
                format!("object({{{}}})", attributes.join(", "))
            }
        }
    }

    /// An expression whose value mostly has this type, or can be given it.
    fn value_of(&mut self, ty: &str) -> String {
        if self.chance(12) {
            return self.expression("any", 2);
        }
        if self.chance(12) {
            return "null".into();
        }
        let Some((kind, inner)) = ty.strip_suffix(')').and_then(|ty| ty.split_once('(')) else {
            let word = self.one(&["string", "number", "bool"]);
            let kind = if ty == "any" {
                "any"
            } else if self.chance(6) {
                &word
            } else {
                ty
            };
            return self.expression(kind, u32::from(ty == "any"));
        };
        match kind {
            "list" | "set" => {
                let elements: Vec<_> = (0..self.random.below(4)).map(|_| self.value_of(inner)).collect();
                self.around(&["", "", "", "tolist", "toset"], &format!("[{}]", elements.join(", ")))
            }
            "map" => {
                let count = self.random.below(4);
                let entries: Vec<_> =
                    ATTRIBUTES[..count].iter().map(|k| format!("{k} = {}", self.value_of(inner))).collect();
                self.around(&["", "", "tomap"], &format!("{{{}}}", entries.join(", ")))
            }
            "optional" => {
                let parts = split(inner);
                self.value_of(parts[0])
            }
            "tuple" => {
                let mut elements: Vec<_> =
                    split(inner.trim_matches(['[', ']'])).into_iter().map(|t| self.value_of(t)).collect();
                if self.chance(10) {
                    elements.push("1".into());
                }
                format!("[{}]", elements.join(", "))
            }
            _ => {
                let inner = inner.strip_prefix('{').and_then(|i| i.strip_suffix('}')).unwrap_or(inner);
                let mut entries = Vec::new();
                for (name, ty) in split(inner).into_iter().filter_map(|field| field.split_once(" = ")) {
                    let optional = ty.starts_with("optional");
                    if !self.chance(if optional { 2 } else { 12 }) {
                        entries.push(format!("{name} = {}", self.value_of(ty)));
                    }
                }
                if self.chance(6) {
                    entries.push(format!("more = {}", self.expression("any", 1)));
                }
                self.around(&["", "", "", "", "tomap"], &format!("{{{}}}", entries.join(", ")))
            }
        }
    }
}

/// Parts between commas outside of brackets and quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0_i32, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// Whether an expression calls and refers to nothing: anything else may not be a default.
fn is_constant(text: &str) -> bool {
    !text.contains(['(', '$', '<', '?', '*', '.']) && {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
        words.into_iter().all(|w| {
            w.contains('"')
                || w.parse::<f64>().is_ok()
                || matches!(w, "" | "true" | "false" | "null" | "a" | "b" | "c" | "x")
        })
    }
}
