//! HCL text to objects.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_analysis::build::Object;
use sgp_lang::syntax::{
    self,
    ast::{Block, Body, Expr, ExprKind, Part},
};
use sgp_model::{InstanceAddr, InstanceKey, Type, Value, address::parse_instance, json, symbol::symbol};

use super::Stack;

pub(super) fn read(texts: &[&str]) -> Stack {
    let mut reader = Reader::default();
    for text in texts {
        let (body, found) = syntax::parse_body(&"test.tf".into(), text);
        assert!(!found.has_errors(), "{found:?}\n{text}");
        reader.take(&body);
    }
    let addrs: Vec<String> = reader.blocks.keys().cloned().collect();
    let mut stack = Stack { objects: Vec::new(), edges: BTreeMap::new() };
    for (name, key) in addrs.iter().flat_map(|name| reader.keys(name).into_iter().map(move |key| (name, key))) {
        let scope = Scope { reader: &reader, each: key.clone(), asked: RefCell::default() };
        let attributes = scope.body(&reader.blocks[name].body);
        let addr = InstanceAddr { key: key.map(InstanceKey::Str), ..parse_instance(name).unwrap() };
        stack.edges.insert(addr.clone(), reader.instances(&scope.asked.borrow()));
        // What was gathered has no address.
        let is_gathered = addr.resource.name.starts_with("live_");
        let kind = addr.resource.type_name.to_string();
        stack.objects.push(Object { kind, addr: (!is_gathered).then_some(addr), attributes });
    }
    stack
}

#[derive(Default)]
struct Reader {
    blocks: BTreeMap<String, Block>,
    locals: BTreeMap<Arc<str>, Expr>,
    /// Defaults of variables.
    variables: BTreeMap<Arc<str>, Expr>,
}

impl Reader {
    fn take(&mut self, body: &Body) {
        for block in &body.blocks {
            match &*block.ty {
                "resource" => {
                    let name = format!("{}.{}", block.labels[0].text, block.labels[1].text);
                    self.blocks.insert(name, block.clone());
                }
                "locals" => self.locals.extend(block.body.attrs.iter().map(|it| (it.name.clone(), it.expr.clone()))),
                "removed" => {
                    let from = &block.body.attr("from").expect("what is removed").expr;
                    self.blocks.remove(&path(from).join("."));
                }
                "variable" => {
                    let default = block.body.attr("default").map(|it| it.expr.clone());
                    self.variables.extend(default.map(|it| (block.labels[0].text.clone(), it)));
                }
                "data" | "module" | "output" => {}
                other => panic!("{other} blocks are not read"),
            }
        }
    }

    /// The keys of a block's instances.
    fn keys(&self, name: &str) -> Vec<Option<Arc<str>>> {
        let Some(each) = self.blocks[name].body.attr("for_each") else { return vec![None] };
        let value = Scope { reader: self, each: None, asked: RefCell::default() }.value(&each.expr);
        let keys: Vec<Arc<str>> = match value.as_fields() {
            Some(fields) => fields.keys().cloned().collect(),
            None => value.str_elements().into_iter().map(Arc::from).collect(),
        };
        keys.into_iter().map(Some).collect()
    }

    /// All instances of blocks.
    fn instances(&self, names: &BTreeSet<String>) -> BTreeSet<InstanceAddr> {
        let instance = |name: &String, key: Option<Arc<str>>| InstanceAddr {
            key: key.map(InstanceKey::Str),
            ..parse_instance(name).unwrap()
        };
        let known = names.iter().filter(|name| self.blocks.contains_key(*name));
        known.flat_map(|name| self.keys(name).into_iter().map(move |key| instance(name, key))).collect()
    }
}

/// Where an expression stands.
struct Scope<'a> {
    reader: &'a Reader,
    each: Option<Arc<str>>,
    /// The blocks that were referred to.
    asked: RefCell<BTreeSet<String>>,
}

impl Scope<'_> {
    fn body(&self, body: &Body) -> Value {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for attr in body.attrs.iter().filter(|it| &*it.name != "count") {
            let value = self.value(&attr.expr);
            if !["for_each", "depends_on"].contains(&&*attr.name) {
                fields.insert(attr.name.clone(), value);
            }
        }
        let mut blocks: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for block in body.blocks.iter().filter(|it| !["lifecycle", "timeouts"].contains(&&*it.ty)) {
            blocks.entry(block.ty.clone()).or_default().push(self.body(&block.body));
        }
        fields.extend(blocks.into_iter().map(|(name, elements)| (name, Value::tuple(elements))));
        Value::object(fields)
    }

    fn value(&self, expr: &Expr) -> Value {
        match &*expr.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Paren(inner) => self.value(inner),
            ExprKind::Template(parts) => Value::string(parts.iter().map(|it| self.part(it)).collect::<String>()),
            ExprKind::Tuple(elements) => Value::tuple(elements.iter().map(|it| self.value(it)).collect()),
            ExprKind::Object(items) => Value::object(items.iter().map(|(key, value)| {
                let key = key.as_name().map_or_else(|| self.text(key), ToString::to_string);
                (key, self.value(value))
            })),
            ExprKind::Call { name, args, .. } => match &**name {
                "jsonencode" => Value::string(json::to_json_text(&self.value(&args[0])).unwrap()),
                "toset" => Value::set(Type::String, self.value(&args[0]).elements().unwrap().into_iter().cloned()),
                "merge" => {
                    let all = args.iter().map(|it| self.value(it));
                    let fields: Vec<_> = all.flat_map(|it| it.as_fields().cloned().unwrap_or_default()).collect();
                    Value::object(fields)
                }
                "unknown" => Value::unknown(Type::Dynamic),
                other => panic!("{other}() is not read"),
            },
            ExprKind::Name(_) | ExprKind::Attr(..) | ExprKind::Index(..) => self.reference(&path(expr)),
            other => panic!("{other:?} is not read"),
        }
    }

    fn part(&self, part: &Part) -> String {
        match part {
            Part::Text(text) => text.to_string(),
            Part::Interpolation(expr) => self.text(expr),
            other => panic!("{other:?} is not read"),
        }
    }

    fn text(&self, expr: &Expr) -> String {
        let value = self.value(expr);
        value.as_str().map_or_else(|| value.as_number().unwrap().to_string(), str::to_owned)
    }

    /// `each.key`, `local.x`, `aws_vpc.this.id`: what is stated, or the symbol.
    fn reference(&self, steps: &[String]) -> Value {
        match (steps[0].as_str(), steps.get(1).map(String::as_str)) {
            ("each", _) => return Value::string(self.each.clone().unwrap()),
            ("local", Some(name)) => return self.value(&self.reader.locals[name]),
            ("var", Some(name)) => {
                let default = self.reader.variables.get(name).filter(|_| steps.len() == 2);
                return default.map_or_else(|| Value::string(symbol(&written(steps))), |it| self.value(it));
            }
            ("data", _) if steps.last().is_some_and(|it| it == "partition") => return Value::string("aws"),
            _ => {}
        }
        let name = steps[..steps.len().min(2)].join(".");
        let Some(block) = self.reader.blocks.get(&name) else { return Value::string(symbol(&written(steps))) };
        self.asked.borrow_mut().insert(name);
        // `[each.key]` and `["x"]` choose the instance.
        let repeats = block.body.attr("for_each").is_some();
        let each = steps.get(2).filter(|_| repeats).map(|key| Arc::from(key.trim_matches(|c| "[]\"".contains(c))));
        let rest = &steps[2 + usize::from(repeats && steps.len() > 2)..];
        let there = Scope { reader: self.reader, each, asked: RefCell::default() };
        let stated = there.stated(&block.body, rest);
        stated.unwrap_or_else(|| Value::string(symbol(&written(steps))))
    }

    /// What a body says at a path.
    fn stated(&self, body: &Body, steps: &[String]) -> Option<Value> {
        let (first, rest) = steps.split_first()?;
        if let Some(attr) = body.attr(first) {
            return rest.is_empty().then(|| self.value(&attr.expr));
        }
        let at: usize = rest.first().map_or(Some(0), |it| it.trim_matches(|c| "[]".contains(c)).parse().ok())?;
        let block = body.blocks_of(first).nth(at)?;
        self.stated(&block.body, rest.get(1..)?)
    }
}

/// The steps of a reference; indexes in brackets.
fn path(expr: &Expr) -> Vec<String> {
    match &*expr.kind {
        ExprKind::Name(name) => vec![name.to_string()],
        ExprKind::Attr(base, name) => [path(base), vec![name.to_string()]].concat(),
        ExprKind::Index(base, key) => {
            let key = match &*key.kind {
                ExprKind::Literal(value) if value.as_str().is_some() => format!("[{:?}]", value.as_str().unwrap()),
                ExprKind::Literal(value) => format!("[{}]", value.as_i64().unwrap()),
                _ => "[each.key]".to_owned(),
            };
            [path(base), vec![key]].concat()
        }
        other => panic!("{other:?} is no reference"),
    }
}

fn written(steps: &[String]) -> String {
    let mut text = String::new();
    for step in steps {
        if !text.is_empty() && !step.starts_with('[') {
            text.push('.');
        }
        text.push_str(step);
    }
    text
}
