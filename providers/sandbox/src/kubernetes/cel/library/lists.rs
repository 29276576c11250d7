//! Lists and sets.

use std::cmp::Ordering;

use super::super::compare::{equal, find, order};
use super::super::meter::Meter;
use super::super::value::{Evaluated, Failure, List, Value, failure};
use super::{Answer, at_once};

pub fn call<'a>(function: &str, arguments: &[Value<'a>], meter: &mut Meter) -> Answer<'a> {
    match (function, arguments) {
        ("lists.range", [Value::Int(count)]) => Some(range(*count, meter)),
        ("sets.contains", [Value::List(all), Value::List(some)]) => {
            Some(contains_all(all, some, meter).map(Value::Bool))
        }
        ("sets.equivalent", [Value::List(one), Value::List(other)]) => Some(
            contains_all(one, other, meter)
                .and_then(|is_one| Ok(is_one && contains_all(other, one, meter)?))
                .map(Value::Bool),
        ),
        ("sets.intersects", [Value::List(one), Value::List(other)]) => Some(intersects(one, other, meter)),
        (_, [Value::List(list)]) => of_list(function, list, meter),
        ("indexOf" | "lastIndexOf", [Value::List(list), wanted]) => Some(index_of(function, list, wanted, meter)),
        ("slice", [Value::List(list), Value::Int(start), Value::Int(end)]) => {
            at_once(meter, || slice(list, *start, *end))
        }
        ("flatten", [Value::List(list), Value::Int(depth)]) => Some(flattened(list, *depth, meter)),
        _ => None,
    }
}

fn of_list<'a>(function: &str, list: &List<'a>, meter: &mut Meter) -> Answer<'a> {
    Some(match function {
        "isSorted" => traversed(list, meter).and_then(|items| is_sorted(&items)),
        "sum" => traversed(list, meter).and_then(|items| sum(&items)),
        "min" => traversed(list, meter).and_then(|items| extreme("min", &items, Ordering::Less)),
        "max" => traversed(list, meter).and_then(|items| extreme("max", &items, Ordering::Greater)),
        "first" => meter.charge(1).and_then(|()| optional(list.get(0))),
        "last" => meter.charge(1).and_then(|()| optional(list.len().checked_sub(1).and_then(|last| list.get(last)))),
        "flatten" => flattened(list, 1, meter),
        "reverse" => traversed(list, meter).map(|items| Value::list(items.into_iter().rev().collect())),
        "distinct" => distinct(list, meter),
        "sort" => sorted(list, meter),
        _ => return None,
    })
}

/// The items, with what it costs to go through them.
fn traversed<'a>(list: &List<'a>, meter: &mut Meter) -> Result<Vec<Value<'a>>, Failure> {
    let items = list.values()?;
    let cost = items.iter().map(|item| match item {
        Value::Text(_) | Value::Bytes(_) => u64::try_from(item.size() / 10).unwrap_or(u64::MAX),
        item => u64::try_from(item.size()).unwrap_or(u64::MAX).max(1),
    });
    meter.charge(cost.sum())?;
    meter.step(items.len())?;
    Ok(items)
}

fn optional(item: Option<Evaluated<'_>>) -> Evaluated<'_> {
    item.transpose().map(|item| item.map_or(Value::Optional(None), Value::some))
}

fn is_sorted<'a>(items: &[Value<'a>]) -> Evaluated<'a> {
    for pair in items.windows(2) {
        if order(&pair[0], &pair[1])?.is_gt() {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn sum<'a>(items: &[Value<'a>]) -> Evaluated<'a> {
    let Some((first, rest)) = items.split_first() else { return Ok(Value::Int(0)) };
    let mut sum = first.clone();
    for item in rest {
        sum = match (&sum, item) {
            (Value::Int(one), Value::Int(other)) => {
                Value::Int(one.checked_add(*other).ok_or_else(|| failure("integer overflow"))?)
            }
            (Value::Uint(one), Value::Uint(other)) => {
                Value::Uint(one.checked_add(*other).ok_or_else(|| failure("unsigned integer overflow"))?)
            }
            (Value::Double(one), Value::Double(other)) => Value::Double(one + other),
            (Value::Duration(one), Value::Duration(other)) => {
                Value::Duration(one.checked_add(*other).ok_or_else(|| failure("duration overflow"))?)
            }
            _ => return Err(Failure::NoOverload),
        };
    }
    Ok(sum)
}

fn extreme<'a>(name: &str, items: &[Value<'a>], wanted: Ordering) -> Evaluated<'a> {
    let Some((first, rest)) = items.split_first() else {
        return Err(failure(format!("{name} called on empty list")));
    };
    let mut best = first;
    for item in rest {
        if order(item, best)? == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}

fn index_of<'a>(function: &str, list: &List<'a>, wanted: &Value<'a>, meter: &mut Meter) -> Evaluated<'a> {
    let mut items = traversed(list, meter)?;
    if function == "indexOf" {
        return Ok(find(&items, wanted, meter)?.map_or(Value::Int(-1), Value::int));
    }
    items.reverse();
    let found = find(&items, wanted, meter)?;
    Ok(found.map_or(Value::Int(-1), |at| Value::int(items.len() - 1 - at)))
}

fn slice<'a>(list: &List<'a>, start: i64, end: i64) -> Evaluated<'a> {
    let wrong = |why: String| Err(failure(format!("cannot slice({start}, {end}), {why}")));
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return wrong("negative indexes not supported".to_owned());
    };
    if from > to {
        return wrong("start index must be less than or equal to end index".to_owned());
    }
    if to > list.len() {
        return wrong(format!("list is length {}", list.len()));
    }
    let items = (from..to).filter_map(|index| list.get(index));
    Ok(Value::list(items.collect::<Result<_, _>>()?))
}

fn flattened<'a>(list: &List<'a>, depth: i64, meter: &mut Meter) -> Evaluated<'a> {
    meter.charge(1)?;
    if depth < 0 {
        return Err(failure("level must be non-negative"));
    }
    let mut items = list.values()?;
    for _ in 0..depth {
        meter.step(items.len())?;
        if !items.iter().any(|item| matches!(item, Value::List(_))) {
            break;
        }
        let mut flat = Vec::new();
        for item in items {
            match item {
                Value::List(inner) => {
                    meter.step(inner.len())?;
                    flat.extend(inner.values()?);
                }
                other => flat.push(other),
            }
        }
        items = flat;
    }
    Ok(Value::list(items))
}

fn distinct<'a>(list: &List<'a>, meter: &mut Meter) -> Evaluated<'a> {
    meter.charge(1)?;
    let mut kept: Vec<Value<'a>> = Vec::new();
    for item in list.iter() {
        let item = item?;
        if find(&kept, &item, meter)?.is_none() {
            kept.push(item);
        }
    }
    Ok(Value::list(kept))
}

fn sorted<'a>(list: &List<'a>, meter: &mut Meter) -> Evaluated<'a> {
    let mut items = traversed(list, meter)?;
    meter.step(items.len().saturating_mul(20))?;
    let mut failed = None;
    items.sort_by(|one, other| {
        order(one, other).unwrap_or_else(|_| {
            failed = Some(failure("list elements must have the same type"));
            Ordering::Equal
        })
    });
    failed.map_or_else(|| Ok(Value::list(items)), Err)
}

fn range<'a>(count: i64, meter: &mut Meter) -> Evaluated<'a> {
    let count = usize::try_from(count).unwrap_or(0);
    // Every number takes room: it is counted before it is there.
    meter.step(count)?;
    meter.charge(1)?;
    Ok(Value::list((0..count).map(Value::int).collect()))
}

fn charge_sets(one: &List<'_>, other: &List<'_>, meter: &mut Meter) -> Result<(), Failure> {
    let pairs = u64::try_from(one.len().saturating_mul(other.len())).unwrap_or(u64::MAX);
    meter.charge(pairs.saturating_add(1))
}

fn contains_all(all: &List<'_>, some: &List<'_>, meter: &mut Meter) -> Result<bool, Failure> {
    charge_sets(all, some, meter)?;
    let all = all.values()?;
    for item in some.iter() {
        if find(&all, &item?, meter)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn intersects<'a>(one: &List<'a>, other: &List<'a>, meter: &mut Meter) -> Evaluated<'a> {
    charge_sets(one, other, meter)?;
    let others = other.values()?;
    for item in one.iter() {
        let item = item?;
        for other in &others {
            if equal(&item, other, meter)? {
                return Ok(Value::Bool(true));
            }
        }
    }
    Ok(Value::Bool(false))
}
