//! The macros that go over the items of a list or the keys of a map. What they cost is what their expansions cost in cel-go.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare;
use super::evaluate::Run;
use super::syntax::{Comprehension, Walk};
use super::value::{Evaluated, Failure, Key, Value, failure};

impl<'p, 'a> Run<'p, 'a, '_> {
    pub(super) fn walk(&mut self, walk: &'p Comprehension) -> Evaluated<'a> {
        let range = self.of(&walk.range)?;
        if matches!(walk.kind, Walk::OptionalMap | Walk::OptionalFlatMap) {
            return self.optional(walk, range);
        }
        let items = items(walk, &range)?;
        let outside = self.scope.len();
        let result = match walk.kind {
            Walk::All | Walk::Exists => self.quantified(walk, items),
            Walk::ExistsOne => self.exists_one(walk, items),
            Walk::TransformMap | Walk::TransformEntry => self.transformed(walk, items),
            Walk::SortBy => self.sorted(walk, items),
            _ => self.listed(walk, items),
        };
        self.scope.truncate(outside);
        result
    }

    fn bind(&mut self, walk: &'p Comprehension, outside: usize, item: Vec<Value<'a>>) {
        self.scope.truncate(outside);
        self.scope.extend(walk.variables.iter().map(|name| &**name).zip(item));
    }

    /// Whether an item is taken.
    fn is_taken(&mut self, walk: &'p Comprehension) -> Result<bool, Failure> {
        let Some(filter) = &walk.filter else { return Ok(true) };
        match self.of(filter)? {
            Value::Bool(value) => Ok(value),
            _ => Err(Failure::NoOverload),
        }
    }

    /// An item that decides is taken over one that fails.
    fn quantified(&mut self, walk: &'p Comprehension, items: Vec<Vec<Value<'a>>>) -> Evaluated<'a> {
        let is_all = walk.kind == Walk::All;
        let condition = if is_all { 2 } else { 3 };
        let outside = self.scope.len();
        let mut failed = None;
        let mut is_decided = false;
        for item in items {
            self.meter.charge(condition)?;
            if is_decided {
                break;
            }
            self.bind(walk, outside, item);
            self.meter.charge(1)?;
            match self.of(&walk.result) {
                Ok(Value::Bool(value)) => is_decided = value != is_all,
                Ok(_) => failed = failed.or(Some(Failure::NoOverload)),
                Err(Failure::Cost) => return Err(Failure::Cost),
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        self.meter.charge(1)?;
        match failed {
            Some(why) if !is_decided => Err(why),
            _ => Ok(Value::Bool(is_decided != is_all)),
        }
    }

    fn exists_one(&mut self, walk: &'p Comprehension, items: Vec<Vec<Value<'a>>>) -> Evaluated<'a> {
        let outside = self.scope.len();
        let mut count = 0;
        for item in items {
            self.bind(walk, outside, item);
            let Value::Bool(holds) = self.of(&walk.result)? else { return Err(Failure::NoOverload) };
            self.meter.charge(if holds { 2 } else { 1 })?;
            count += usize::from(holds);
        }
        self.meter.charge(2)?;
        Ok(Value::Bool(count == 1))
    }

    fn listed(&mut self, walk: &'p Comprehension, items: Vec<Vec<Value<'a>>>) -> Evaluated<'a> {
        let outside = self.scope.len();
        let mut results = Vec::new();
        for item in items {
            self.bind(walk, outside, item);
            self.meter.charge(1)?;
            if self.is_taken(walk)? {
                self.meter.charge(11)?;
                results.push(self.of(&walk.result)?);
            }
        }
        self.meter.charge(1)?;
        Ok(Value::list(results))
    }

    fn transformed(&mut self, walk: &'p Comprehension, items: Vec<Vec<Value<'a>>>) -> Evaluated<'a> {
        let outside = self.scope.len();
        let mut map = BTreeMap::new();
        for item in items {
            let key = item[0].clone();
            self.bind(walk, outside, item);
            self.meter.charge(2)?;
            if !self.is_taken(walk)? {
                continue;
            }
            let result = self.of(&walk.result)?;
            let made = if walk.kind == Walk::TransformMap { vec![(key, Ok(result))] } else { entries(&result)? };
            for (key, value) in made {
                self.meter.step(1)?;
                let place = Key::of(&key).ok_or(Failure::NoOverload)?;
                if map.contains_key(&place) {
                    return Err(failure(format!("insert failed: key {} already exists", key.shown())));
                }
                map.insert(place, (key, value?));
            }
        }
        self.meter.charge(1)?;
        Ok(Value::Map(Arc::new(map)))
    }

    fn sorted(&mut self, walk: &'p Comprehension, items: Vec<Vec<Value<'a>>>) -> Evaluated<'a> {
        let outside = self.scope.len();
        let mut keyed = Vec::new();
        for item in items {
            self.bind(walk, outside, item.clone());
            self.meter.charge(12)?;
            keyed.push((self.of(&walk.result)?, item));
        }
        self.meter.step(keyed.len().saturating_mul(20))?;
        let mut failed = None;
        keyed.sort_by(|(one, _), (other, _)| {
            compare::order(one, other).unwrap_or_else(|why| {
                failed = Some(why);
                std::cmp::Ordering::Equal
            })
        });
        match failed {
            Some(why) => Err(why),
            None => Ok(Value::list(keyed.into_iter().flat_map(|(_, item)| item).collect())),
        }
    }

    fn optional(&mut self, walk: &'p Comprehension, range: Value<'a>) -> Evaluated<'a> {
        let value = match range {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(value)) => (*value).clone(),
            _ => return Err(Failure::NoOverload),
        };
        let outside = self.scope.len();
        self.bind(walk, outside, vec![value]);
        let result = self.of(&walk.result);
        self.scope.truncate(outside);
        if walk.kind == Walk::OptionalMap { result.map(Value::some) } else { result }
    }
}

fn entries<'a>(map: &Value<'a>) -> Result<Vec<(Value<'a>, Evaluated<'a>)>, Failure> {
    if !matches!(map, Value::Map(_) | Value::Object(_)) {
        return Err(Failure::NoOverload);
    }
    let keys = compare::keys(map).into_iter();
    Ok(keys.filter_map(|key| compare::entry(map, &key).map(|value| (key, value))).collect())
}

/// What the variables mean in each round.
fn items<'a>(walk: &Comprehension, range: &Value<'a>) -> Result<Vec<Vec<Value<'a>>>, Failure> {
    let has_two = walk.variables.len() == 2;
    match range {
        Value::List(list) => {
            let numbered = list.values()?.into_iter().enumerate();
            let one = |(index, item)| if has_two { vec![Value::int(index), item] } else { vec![item] };
            Ok(numbered.map(one).collect())
        }
        Value::Map(_) | Value::Object(_) if has_two => {
            entries(range)?.into_iter().map(|(key, value)| Ok(vec![key, value?])).collect()
        }
        Value::Map(_) | Value::Object(_) => Ok(compare::keys(range).into_iter().map(|key| vec![key]).collect()),
        other => Err(failure(format!("got '{}', expected iterable type", go_type(other)))),
    }
}

/// The name of a value's type in cel-go's own code.
fn go_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "types.Null",
        Value::Bool(_) => "types.Bool",
        Value::Int(_) => "types.Int",
        Value::Uint(_) => "types.Uint",
        Value::Double(_) => "types.Double",
        Value::Text(_) => "types.String",
        Value::Bytes(_) => "types.Bytes",
        Value::Duration(_) => "types.Duration",
        Value::Timestamp(_) => "types.Timestamp",
        other => other.type_name(),
    }
}
