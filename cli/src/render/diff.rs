//! The difference between two objects, written the way Terraform writes it: one symbol a line, unchanged parts counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use sgp_model::{AttrPath, Block, Kind, NestedBlock, PathStep, Value, address::quote, schema::Nesting};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{
    document::{self, Line},
    paint::{Paint, plural},
    value::{SENSITIVE, UNKNOWN, WRITE_ONLY, heredoc_marker, object_key},
};

/// What happens to the thing on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// Nothing.
    Same,
    /// It comes.
    Add,
    /// It goes.
    Remove,
    /// It changes.
    Change,
    /// Deleted, then created.
    DeleteCreate,
    /// Created, then deleted.
    CreateDelete,
    /// Let go, then created.
    ForgetCreate,
    /// It is read.
    Read,
    /// It leaves the state.
    Forget,
}

impl Symbol {
    /// Three columns, right-aligned.
    pub fn show(self, paint: Paint) -> String {
        match self {
            Self::Same => "   ".to_owned(),
            Self::Add => format!("  {}", paint.green("+")),
            Self::Remove => format!("  {}", paint.red("-")),
            Self::Change => format!("  {}", paint.yellow("~")),
            Self::DeleteCreate => format!("{}/{}", paint.red("-"), paint.green("+")),
            Self::CreateDelete => format!("{}/{}", paint.green("+"), paint.red("-")),
            Self::ForgetCreate => format!("{}/{}", paint.dim("."), paint.green("+")),
            Self::Read => format!(" {}", paint.cyan("<=")),
            Self::Forget => format!("  {}", paint.dim(".")),
        }
    }
}

/// The start of a line at a level: indentation, symbol, space.
pub fn prefix(level: usize, symbol: Symbol, paint: Paint) -> String {
    format!("{}{} ", "    ".repeat(level), symbol.show(paint))
}

/// Attributes that stay visible though they do not change, because people know objects by them.
const IDENTIFYING: &[&str] = &["id", "name", "tags"];

/// What the diff of one object needs to know beside the object.
#[derive(Clone, Copy)]
pub struct Differ<'a> {
    /// Attributes that force the replacement.
    pub replace: &'a [AttrPath],
    /// Colour.
    pub paint: Paint,
    /// What becomes of what does not change.
    pub unchanged: Unchanged,
}

/// What becomes of what does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// Counted.
    Hidden,
    /// Counted, except for the attributes that people know an object by.
    Identifying,
    /// Shown: for an object as it is.
    Shown,
}

impl Differ<'_> {
    /// The body of a block: one entry a line, without the braces around it. `before` or `after` is null (or `None`) when
    /// the block comes or goes as a whole.
    pub fn block(
        &self,
        level: usize,
        schema: Option<&Block>,
        before: &Value,
        after: &Value,
        path: &AttrPath,
    ) -> String {
        let (mut attributes, mut blocks) = (Vec::new(), Vec::new());
        for name in field_names(before, after) {
            match schema.and_then(|s| s.blocks.get(&*name)) {
                Some(nested) => blocks.push((name, nested)),
                None => attributes.push(name),
            }
        }
        let mut out = self.attributes(level, schema, &attributes, before, after, path);
        let mut hidden = 0;
        for (name, nested) in blocks {
            let (shown, unchanged) = self.nested(level, &name, nested, before.get(&name), after.get(&name), path);
            hidden += unchanged;
            if !shown.is_empty() {
                separate(&mut out);
                out.push_str(&shown);
            }
        }
        if hidden > 0 {
            separate(&mut out);
            out.push_str(&self.hidden(level, hidden, "block"));
        }
        out
    }

    fn attributes(
        &self,
        level: usize,
        schema: Option<&Block>,
        names: &[Arc<str>],
        before: &Value,
        after: &Value,
        path: &AttrPath,
    ) -> String {
        let mut hidden = 0;
        let mut shown = Vec::new();
        for name in names {
            let attribute = schema.and_then(|s| s.attributes.get(&**name));
            let redact = attribute.is_some_and(|a| a.sensitive);
            let side = |object: &Value| {
                let value = object.get(name).filter(|v| !v.is_null()).cloned();
                value.map(|v| if redact { v.sensitive() } else { v })
            };
            let (old, new) = (side(before), side(after));
            if new.is_some() && attribute.is_some_and(|a| a.write_only) {
                // Recorded is neither side of it.
                let symbol = if before.is_null() { Symbol::Add } else { Symbol::Change };
                shown.push((object_key(name), symbol, WRITE_ONLY.to_owned()));
                continue;
            }
            match entry_symbol(old.as_ref(), new.as_ref()) {
                None => {}
                Some(Symbol::Same) if !self.shows_unchanged(name, path) => hidden += 1,
                Some(symbol) => {
                    let path = path.with(PathStep::Attr(name.clone()));
                    let body = self.entry(level, symbol, old.as_ref(), new.as_ref(), &path);
                    shown.push((object_key(name), symbol, body));
                }
            }
        }
        let width = shown.iter().map(|(key, ..)| key.chars().count()).max().unwrap_or(0);
        let mut out = String::new();
        for (key, symbol, body) in &shown {
            let _ = writeln!(out, "{}{key:<width$} = {body}", prefix(level, *symbol, self.paint));
        }
        if hidden > 0 {
            out.push_str(&self.hidden(level, hidden, "attribute"));
        }
        out
    }

    fn shows_unchanged(&self, name: &str, path: &AttrPath) -> bool {
        match self.unchanged {
            Unchanged::Hidden => false,
            Unchanged::Identifying => path.0.is_empty() && IDENTIFYING.contains(&name),
            Unchanged::Shown => true,
        }
    }

    /// A value on its own: what happens to it, and what stands after its name.
    pub fn output(&self, before: &Value, after: &Value) -> (Symbol, String) {
        let (old, new) = (Some(before).filter(|v| !v.is_null()), Some(after).filter(|v| !v.is_null()));
        let symbol = entry_symbol(old, new).unwrap_or(Symbol::Same);
        (symbol, self.entry(0, symbol, old, new, &AttrPath::root()))
    }

    /// What stands after the name of an attribute or key, the remark about replacement included.
    fn entry(&self, level: usize, symbol: Symbol, old: Option<&Value>, new: Option<&Value>, path: &AttrPath) -> String {
        let body = match (symbol, old, new) {
            (Symbol::Add, _, Some(new)) => self.whole(level, Symbol::Add, new),
            (Symbol::Remove, Some(old), _) if old.is_sensitive() => SENSITIVE.to_owned() + &self.dim_null(),
            (Symbol::Remove, Some(old), _) => self.whole(level, Symbol::Remove, old) + &self.dim_null(),
            (Symbol::Same, Some(old), _) => self.whole(level, Symbol::Same, old),
            (_, Some(old), Some(new)) => self.changed(level, old, new, path),
            _ => String::new(),
        };
        if self.forces(path) { self.remark(&body) } else { body }
    }

    fn dim_null(&self) -> String {
        format!(" -> {}", self.paint.dim("null"))
    }

    fn forces(&self, path: &AttrPath) -> bool {
        self.replace.iter().any(|r| {
            // An element of a set has no line of its own that could carry the remark.
            let reach = r.0.iter().position(|s| matches!(s, PathStep::Element(_))).unwrap_or(r.0.len());
            r.0[..reach] == path.0[..]
        })
    }

    /// Puts the remark at the end of the first line, where the eye is.
    fn remark(&self, body: &str) -> String {
        let remark = self.paint.red("# forces replacement");
        match body.split_once('\n') {
            Some((first, rest)) => format!("{first} {remark}\n{rest}"),
            None => format!("{body} {remark}"),
        }
    }

    /// A whole value, each inner line with the same symbol.
    pub fn whole(&self, level: usize, symbol: Symbol, value: &Value) -> String {
        if value.is_sensitive() {
            return SENSITIVE.to_owned();
        }
        match value.kind() {
            Kind::Null(_) => "null".to_owned(),
            Kind::Unknown(_) => UNKNOWN.to_owned(),
            Kind::Bool(b) => b.to_string(),
            Kind::Number(n) => n.to_string(),
            Kind::String(s) => self.text(level, s),
            Kind::List(..) | Kind::Tuple(_) | Kind::Set(..) => {
                let lines: Vec<_> = value.elements().unwrap_or_default().into_iter().map(|v| (symbol, v)).collect();
                self.sequence(level, &lines)
            }
            Kind::Map(_, fs) => self.whole_mapping(level, symbol, fs, quote),
            Kind::Object(fs) => self.whole_mapping(level, symbol, fs, object_key),
        }
    }

    fn text(&self, level: usize, text: &str) -> String {
        if let Some(pretty) = document::pretty_json(text) {
            let same: Vec<_> = pretty.lines().map(|l| Line::Same(l.to_owned())).collect();
            return self.lines("jsonencode(", level, &same, ")");
        }
        if !is_heredoc(text) {
            return quote(text);
        }
        let same: Vec<_> = text.lines().map(|l| Line::Same(l.to_owned())).collect();
        let marker = heredoc_marker(text);
        self.lines(&format!("<<-{marker}"), level, &same, &marker)
    }

    fn sequence(&self, level: usize, elements: &[(Symbol, &Value)]) -> String {
        if elements.is_empty() {
            return "[]".to_owned();
        }
        let mut out = "[\n".to_owned();
        for (symbol, v) in elements {
            let body = self.whole(level + 1, *symbol, v);
            let _ = writeln!(out, "{}{body},", prefix(level + 1, *symbol, self.paint));
        }
        out + &self.close(level, "]")
    }

    fn whole_mapping(
        &self,
        level: usize,
        symbol: Symbol,
        fs: &BTreeMap<Arc<str>, Value>,
        key: impl Fn(&str) -> String,
    ) -> String {
        if fs.is_empty() {
            return "{}".to_owned();
        }
        let keys: Vec<_> = fs.keys().map(|k| key(k)).collect();
        let width = keys.iter().map(|k| k.chars().count()).max().unwrap_or(0);
        let mut out = "{\n".to_owned();
        for (key, v) in keys.iter().zip(fs.values()) {
            let body = self.whole(level + 1, symbol, v);
            let _ = writeln!(out, "{}{key:<width$} = {body}", prefix(level + 1, symbol, self.paint));
        }
        out + &self.close(level, "}")
    }

    fn close(&self, level: usize, bracket: &str) -> String {
        format!("{}{bracket}", prefix(level, Symbol::Same, self.paint))
    }

    fn hidden(&self, level: usize, count: usize, noun: &str) -> String {
        let remark = format!("# ({} hidden)", plural(count, &format!("unchanged {noun}")));
        format!("{}{}\n", prefix(level, Symbol::Same, self.paint), self.paint.dim(&remark))
    }

    /// Both sides of a value that changes, neither of them null at the top.
    fn changed(&self, level: usize, old: &Value, new: &Value, path: &AttrPath) -> String {
        if old.is_sensitive() || new.is_sensitive() {
            let remark = match (old.is_sensitive(), new.is_sensitive()) {
                (true, false) if old.same(new) => "# no longer sensitive, the value stays",
                (false, true) if old.same(new) => "# sensitive from now on, the value stays",
                _ => return SENSITIVE.to_owned(),
            };
            return format!("{SENSITIVE} {}", self.paint.dim(remark));
        }
        match (old.kind(), new.kind()) {
            (_, Kind::Unknown(_)) => format!("{} -> {UNKNOWN}", self.whole(level, Symbol::Remove, old)),
            (Kind::String(a), Kind::String(b)) => self.changed_text(level, a, b),
            (Kind::Map(_, a), Kind::Map(_, b)) => self.changed_mapping(level, a, b, path, quote),
            (Kind::Object(a), Kind::Object(b)) => self.changed_mapping(level, a, b, path, object_key),
            (Kind::Map(_, a) | Kind::Object(a), Kind::Map(_, b) | Kind::Object(b)) => {
                self.changed_mapping(level, a, b, path, quote)
            }
            (Kind::Set(_, a), Kind::Set(_, b)) => self.changed_set(level, a, b),
            (Kind::List(..) | Kind::Tuple(_) | Kind::Set(..), Kind::List(..) | Kind::Tuple(_) | Kind::Set(..)) => self
                .changed_sequence(
                    level,
                    &old.elements().unwrap_or_default(),
                    &new.elements().unwrap_or_default(),
                    path,
                ),
            _ => format!("{} -> {}", self.whole(level, Symbol::Remove, old), self.whole(level, Symbol::Add, new)),
        }
    }

    fn changed_text(&self, level: usize, old: &str, new: &str) -> String {
        if let (Some(a), Some(b)) = (document::pretty_json(old), document::pretty_json(new)) {
            if a == b {
                let remark = self.paint.dim("# whitespace changes only");
                return format!("{} {remark}", self.text(level, new));
            }
            return self.lines("jsonencode(", level, &document::compare(&a, &b), ")");
        }
        let lines = document::compare(old, new);
        let visible = lines.iter().any(|l| matches!(l, Line::Added(_) | Line::Removed(_)));
        if !(visible && (is_multiline(old) || is_multiline(new))) {
            return format!("{} -> {}", quote(old), quote(new));
        }
        let marker = heredoc_marker(&format!("{old}\n{new}"));
        self.lines(&format!("<<-{marker}"), level, &lines, &marker)
    }

    /// Lines of a document between an opening and a closing.
    fn lines(&self, open: &str, level: usize, lines: &[Line], close: &str) -> String {
        let mut out = format!("{open}\n");
        for line in lines {
            let (symbol, text) = match line {
                Line::Same(text) => (Symbol::Same, text.clone()),
                Line::Removed(text) => (Symbol::Remove, self.paint.red(text)),
                Line::Added(text) => (Symbol::Add, self.paint.green(text)),
                Line::Hidden(n) => {
                    (Symbol::Same, self.paint.dim(&format!("# ({} hidden)", plural(*n, "unchanged line"))))
                }
            };
            let text = format!("{}{text}", prefix(level + 1, symbol, self.paint));
            out.push_str(text.trim_end());
            out.push('\n');
        }
        out + &self.close(level, close)
    }

    fn changed_mapping(
        &self,
        level: usize,
        old: &BTreeMap<Arc<str>, Value>,
        new: &BTreeMap<Arc<str>, Value>,
        path: &AttrPath,
        key: impl Fn(&str) -> String,
    ) -> String {
        let names: BTreeSet<&Arc<str>> = old.keys().chain(new.keys()).collect();
        let mut hidden = 0;
        let mut shown = Vec::new();
        for name in names {
            let (a, b) = (old.get(name), new.get(name));
            match entry_symbol(a, b) {
                None | Some(Symbol::Same) => hidden += 1,
                Some(symbol) => shown.push((key(name), path.with(PathStep::Key(name.clone())), symbol, a, b)),
            }
        }
        let width = shown.iter().map(|(key, ..)| key.chars().count()).max().unwrap_or(0);
        let mut out = "{\n".to_owned();
        for (key, path, symbol, a, b) in shown {
            let body = self.entry(level + 1, symbol, a, b, &path);
            let _ = writeln!(out, "{}{key:<width$} = {body}", prefix(level + 1, symbol, self.paint));
        }
        if hidden > 0 {
            out.push_str(&self.hidden(level + 1, hidden, "element"));
        }
        out + &self.close(level, "}")
    }

    fn changed_set(&self, level: usize, old: &BTreeSet<Value>, new: &BTreeSet<Value>) -> String {
        let mut out = "[\n".to_owned();
        let removed = old.difference(new).map(|v| (Symbol::Remove, v));
        let added = new.difference(old).map(|v| (Symbol::Add, v));
        for (symbol, v) in removed.chain(added) {
            let body = self.whole(level + 1, symbol, v);
            let _ = writeln!(out, "{}{body},", prefix(level + 1, symbol, self.paint));
        }
        let hidden = old.intersection(new).count();
        if hidden > 0 {
            out.push_str(&self.hidden(level + 1, hidden, "element"));
        }
        out + &self.close(level, "]")
    }

    fn changed_sequence(&self, level: usize, old: &[&Value], new: &[&Value], path: &AttrPath) -> String {
        let mut out = "[\n".to_owned();
        let mut hidden = 0;
        for pair in align(old, new) {
            let (symbol, body) = match pair {
                Aligned::Same(_) => {
                    hidden += 1;
                    continue;
                }
                other => {
                    // A run of unchanged elements is told where it lies, so that places can be counted.
                    if hidden > 0 {
                        out.push_str(&self.hidden(level + 1, std::mem::take(&mut hidden), "element"));
                    }
                    match other {
                        Aligned::Removed(v) => (Symbol::Remove, self.whole(level + 1, Symbol::Remove, v)),
                        Aligned::Added(v) => (Symbol::Add, self.whole(level + 1, Symbol::Add, v)),
                        Aligned::Changed(i, a, b) => {
                            let path = path.with(PathStep::Index(i));
                            let body = self.changed(level + 1, a, b, &path);
                            (Symbol::Change, if self.forces(&path) { self.remark(&body) } else { body })
                        }
                        Aligned::Same(_) => continue,
                    }
                }
            };
            let _ = writeln!(out, "{}{body},", prefix(level + 1, symbol, self.paint));
        }
        if hidden > 0 {
            out.push_str(&self.hidden(level + 1, hidden, "element"));
        }
        out + &self.close(level, "]")
    }

    /// Nested blocks of one type; answers their text and how many are unchanged and hidden.
    fn nested(
        &self,
        level: usize,
        name: &str,
        nested: &NestedBlock,
        old: Option<&Value>,
        new: Option<&Value>,
        path: &AttrPath,
    ) -> (String, usize) {
        let path = path.with(PathStep::Attr(name.into()));
        if let Some(whole) = self.nested_as_one(level, name, old, new) {
            return (whole, 0);
        }
        let (mut out, mut hidden) = (String::new(), 0);
        for (label, path, a, b) in pair_blocks(nested.nesting, old, new, &path) {
            let symbol = match (a, b) {
                (None, _) => Symbol::Add,
                (_, None) => Symbol::Remove,
                (Some(_), Some(_)) if self.unchanged == Unchanged::Shown => Symbol::Same,
                (Some(a), Some(b)) if a.same(b) => {
                    hidden += 1;
                    continue;
                }
                _ => Symbol::Change,
            };
            let none = Value::dynamic_null();
            let body = self.block(level + 1, Some(&nested.block), a.unwrap_or(&none), b.unwrap_or(&none), &path);
            let header = label.map_or_else(|| name.to_owned(), |label| format!("{name} {}", quote(&label)));
            let forces = if symbol != Symbol::Change || nested.force_new { self.forces(&path) } else { false };
            let remark = if forces { format!(" {}", self.paint.red("# forces replacement")) } else { String::new() };
            let _ = write!(out, "{}{header} {{{remark}\n{body}", prefix(level, symbol, self.paint));
            out.push_str(&self.close(level, "}"));
            out.push('\n');
        }
        (out, hidden)
    }

    /// Blocks that cannot be listed one by one: sensitive, or not known yet.
    fn nested_as_one(&self, level: usize, name: &str, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
        let any = |test: fn(&Value) -> bool| old.is_some_and(test) || new.is_some_and(test);
        let word = if any(Value::is_sensitive) {
            SENSITIVE
        } else if new.is_some_and(|v| !v.is_known()) {
            UNKNOWN
        } else {
            return None;
        };
        let absent = |v: Option<&Value>| v.is_none_or(|v| v.is_null() || v.elements().is_some_and(|e| e.is_empty()));
        let symbol = if absent(old) {
            Symbol::Add
        } else if absent(new) {
            Symbol::Remove
        } else if old == new {
            let shown = self.unchanged == Unchanged::Shown;
            let line = format!("{}{name} {word}\n", prefix(level, Symbol::Same, self.paint));
            return Some(if shown { line } else { String::new() });
        } else {
            Symbol::Change
        };
        Some(format!("{}{name} {word}\n", prefix(level, symbol, self.paint)))
    }
}

/// An empty line between attributes and blocks.
fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn field_names(before: &Value, after: &Value) -> BTreeSet<Arc<str>> {
    let names = |v: &Value| v.as_fields().map(|fs| fs.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    names(before).into_iter().chain(names(after)).collect()
}

/// What happens between two sides; `None` when there is nothing on either.
fn entry_symbol(old: Option<&Value>, new: Option<&Value>) -> Option<Symbol> {
    match (old, new) {
        (None, None) => None,
        (None, Some(_)) => Some(Symbol::Add),
        (Some(_), None) => Some(Symbol::Remove),
        (Some(a), Some(b)) if a == b => Some(Symbol::Same),
        (Some(_), Some(_)) => Some(Symbol::Change),
    }
}

fn is_multiline(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

fn is_heredoc(text: &str) -> bool {
    is_multiline(text) && !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t')
}

type BlockPair<'a> = (Option<Arc<str>>, AttrPath, Option<&'a Value>, Option<&'a Value>);

/// Puts the blocks of both sides beside each other: by place, by label, or for sets by equality.
fn pair_blocks<'a>(
    nesting: Nesting,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
    path: &AttrPath,
) -> Vec<BlockPair<'a>> {
    let (old, new) = (old.filter(|v| !v.is_null()), new.filter(|v| !v.is_null()));
    match nesting {
        Nesting::Single if old.is_none() && new.is_none() => Vec::new(),
        Nesting::Single => vec![(None, path.clone(), old, new)],
        Nesting::Map => {
            let (a, b) = (old.and_then(Value::as_fields), new.and_then(Value::as_fields));
            let labels: BTreeSet<_> = a.into_iter().chain(b).flat_map(BTreeMap::keys).collect();
            let side = |fs: Option<&'a BTreeMap<Arc<str>, Value>>, k: &Arc<str>| fs.and_then(|fs| fs.get(k));
            let pair = |k: &Arc<str>| (Some(k.clone()), path.with(PathStep::Key(k.clone())), side(a, k), side(b, k));
            labels.into_iter().map(pair).collect()
        }
        Nesting::List | Nesting::Set => {
            let (a, b) = (old.and_then(Value::elements), new.and_then(Value::elements));
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            align_blocks(nesting, &a, &b, path)
        }
    }
}

fn align_blocks<'a>(nesting: Nesting, old: &[&'a Value], new: &[&'a Value], path: &AttrPath) -> Vec<BlockPair<'a>> {
    let element = |v: &Value| path.with(PathStep::Element(Box::new(v.clone())));
    if nesting == Nesting::Set {
        let removed = old.iter().map(|v| (None, element(v), Some(*v), new.contains(v).then_some(*v)));
        let added = new.iter().filter(|v| !old.contains(v)).map(|v| (None, element(v), None, Some(*v)));
        return removed.chain(added).collect();
    }
    let mut at = 0;
    align(old, new)
        .into_iter()
        .map(|pair| {
            let index = path.with(PathStep::Index(at));
            at += usize::from(!matches!(pair, Aligned::Removed(_)));
            match pair {
                Aligned::Same(v) => (None, index, Some(v), Some(v)),
                Aligned::Removed(v) => (None, index, Some(v), None),
                Aligned::Added(v) => (None, index, None, Some(v)),
                Aligned::Changed(i, a, b) => (None, path.with(PathStep::Index(i)), Some(a), Some(b)),
            }
        })
        .collect()
}

/// Elements of two sequences beside each other.
enum Aligned<'a> {
    Same(&'a Value),
    Removed(&'a Value),
    Added(&'a Value),
    /// With the place before the change.
    Changed(usize, &'a Value, &'a Value),
}

/// Aligns two sequences so that few elements change; elements that were replaced one for one are paired.
fn align<'a>(old: &[&'a Value], new: &[&'a Value]) -> Vec<Aligned<'a>> {
    let mut numbers: BTreeMap<&Value, usize> = BTreeMap::new();
    let mut number = |v: &'a Value| {
        let next = numbers.len();
        *numbers.entry(v).or_insert(next)
    };
    let a: Vec<usize> = old.iter().map(|v| number(v)).collect();
    let b: Vec<usize> = new.iter().map(|v| number(v)).collect();
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &a, &b) {
        match op {
            DiffOp::Equal { old_index, len, .. } => {
                pairs.extend(old[old_index..old_index + len].iter().map(|v| Aligned::Same(v)));
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                pairs.extend(old[old_index..old_index + old_len].iter().map(|v| Aligned::Removed(v)));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                pairs.extend(new[new_index..new_index + new_len].iter().map(|v| Aligned::Added(v)));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let both = old_len.min(new_len);
                pairs
                    .extend((0..both).map(|i| Aligned::Changed(old_index + i, old[old_index + i], new[new_index + i])));
                pairs.extend((both..old_len).map(|i| Aligned::Removed(old[old_index + i])));
                pairs.extend((both..new_len).map(|i| Aligned::Added(new[new_index + i])));
            }
        }
    }
    pairs
}
