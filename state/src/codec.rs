//! How records look as bytes. Format 1; frozen, because state on disk outlives versions of the tool.
//!
//! The model is written out by hand here, not derived: renaming a field must not change what is on disk, and adding one
//! must not compile until somebody has decided how old records read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sgp_model::{
    AttrPath, InstanceKey, InstanceRecord, Kind, Marks, Mode, ModulePath, Number, PathStep, ProviderAddr, ResourceAddr,
    Type, Value,
    address::ModuleInstance,
    state::{Intent, ObjectStatus, Operation, OutputRecord},
    types::Field,
    value::{Bound, Lengths, Unknown},
};

use crate::{
    key,
    wire::{Malformed, Reader, Writer},
};

mod checks;

pub(crate) use checks::{decode_checks, encode_checks};

/// The number that every record begins with.
const RECORD_FORMAT: u8 = 1;

/// A bit beside the status of an object: it is let go in place of being destroyed.
const SKIP_DESTROY: u8 = 2;

fn framed(write: impl FnOnce(&mut Writer)) -> Result<Vec<u8>, Malformed> {
    let mut w = Writer::default();
    w.byte(RECORD_FORMAT);
    write(&mut w);
    w.finish()
}

fn unframed<T>(bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>) -> Result<T, Malformed> {
    Reader::whole(bytes, |r| match r.byte()? {
        RECORD_FORMAT => read(r),
        other => Err(Malformed::new(format!("record format {other} is not known"))),
    })
}

/// An instance's record.
pub(crate) fn encode_record(record: &InstanceRecord) -> Result<Vec<u8>, Malformed> {
    let InstanceRecord {
        provider,
        schema_version,
        attributes,
        sensitive_paths,
        status,
        dependencies,
        create_before_destroy,
        skip_destroy,
        private,
    } = record;
    framed(|w| {
        write_provider(w, provider);
        w.uint(*schema_version);
        let status = match status {
            ObjectStatus::Ready => 0,
            ObjectStatus::Tainted => 1,
        };
        // A version that does not know of objects that are let go refuses them, and so destroys none.
        w.byte(status | if *skip_destroy { SKIP_DESTROY } else { 0 });
        w.flag(*create_before_destroy);
        w.seq(dependencies.iter(), write_resource);
        w.seq(sensitive_paths.iter(), write_path);
        w.option(private.as_deref(), Writer::text);
        write_value(w, attributes);
    })
}

/// Reads what [`encode_record`] wrote.
pub(crate) fn decode_record(bytes: &[u8]) -> Result<InstanceRecord, Malformed> {
    unframed(bytes, |r| {
        let (provider, schema_version, flags) = (read_provider(r)?, r.uint()?, r.byte()?);
        Ok(InstanceRecord {
            provider,
            schema_version,
            status: match flags & !SKIP_DESTROY {
                0 => ObjectStatus::Ready,
                1 => ObjectStatus::Tainted,
                _ => return Err(Malformed::new(format!("object status {flags} is not known"))),
            },
            skip_destroy: flags & SKIP_DESTROY != 0,
            create_before_destroy: r.flag()?,
            dependencies: r.seq(read_resource)?,
            sensitive_paths: r.seq(read_path)?,
            private: r.option(|r| r.text().map(str::to_owned))?,
            attributes: read_value(r)?,
        })
    })
}

/// An output.
pub(crate) fn encode_output(output: &OutputRecord) -> Result<Vec<u8>, Malformed> {
    let OutputRecord { value, ty, sensitive } = output;
    framed(|w| {
        w.flag(*sensitive);
        write_type(w, ty);
        write_value(w, value);
    })
}

/// Reads what [`encode_output`] wrote.
pub(crate) fn decode_output(bytes: &[u8]) -> Result<OutputRecord, Malformed> {
    unframed(bytes, |r| Ok(OutputRecord { sensitive: r.flag()?, ty: read_type(r)?, value: read_value(r)? }))
}

/// A value on its own: a checkpoint.
pub(crate) fn encode_value(value: &Value) -> Result<Vec<u8>, Malformed> {
    framed(|w| write_value(w, value))
}

/// Reads what [`encode_value`] wrote.
pub(crate) fn decode_value(bytes: &[u8]) -> Result<Value, Malformed> {
    unframed(bytes, read_value)
}

/// An intent.
pub(crate) fn encode_intent(intent: &Intent) -> Result<Vec<u8>, Malformed> {
    let Intent { token, key, operation, provider, attributes, at, dependencies, create_before_destroy } = intent;
    framed(|w| {
        w.text(token);
        w.bytes(&key::instance(key));
        w.byte(match operation {
            Operation::Create => 0,
            Operation::Update => 1,
            Operation::Delete => 2,
        });
        write_provider(w, provider);
        w.int(*at);
        w.flag(*create_before_destroy);
        w.seq(dependencies.iter(), write_resource);
        write_value(w, attributes);
    })
}

/// Reads what [`encode_intent`] wrote.
pub(crate) fn decode_intent(bytes: &[u8]) -> Result<Intent, Malformed> {
    unframed(bytes, |r| {
        Ok(Intent {
            token: r.text()?.to_owned(),
            key: key::instance_of(r.bytes()?)?,
            operation: match r.byte()? {
                0 => Operation::Create,
                1 => Operation::Update,
                2 => Operation::Delete,
                other => return Err(Malformed::new(format!("operation {other} is not known"))),
            },
            provider: read_provider(r)?,
            at: r.int()?,
            create_before_destroy: r.flag()?,
            dependencies: r.seq(read_resource)?,
            attributes: read_value(r)?,
        })
    })
}

fn read_text(r: &mut Reader<'_>) -> Result<Arc<str>, Malformed> {
    r.text().map(Arc::from)
}

fn write_instance_key(w: &mut Writer, key: Option<&InstanceKey>) {
    match key {
        None => w.byte(0),
        Some(InstanceKey::Int(n)) => {
            w.byte(1);
            w.uint(*n);
        }
        Some(InstanceKey::Str(s)) => {
            w.byte(2);
            w.text(s);
        }
        Some(InstanceKey::Any {}) => unreachable!("{}", crate::key::NEVER_OPEN),
    }
}

fn read_instance_key(r: &mut Reader<'_>) -> Result<Option<InstanceKey>, Malformed> {
    Ok(match r.byte()? {
        0 => None,
        1 => Some(InstanceKey::Int(r.uint()?)),
        2 => Some(InstanceKey::Str(read_text(r)?)),
        other => return Err(Malformed::new(format!("instance key {other} is not known"))),
    })
}

fn write_module(w: &mut Writer, module: &ModulePath) {
    w.seq(module.0.iter(), |w, step| {
        w.text(&step.name);
        write_instance_key(w, step.key.as_ref());
    });
}

fn read_module(r: &mut Reader<'_>) -> Result<ModulePath, Malformed> {
    let steps: Vec<_> = r.seq(|r| Ok(ModuleInstance { name: read_text(r)?, key: read_instance_key(r)? }))?;
    Ok(ModulePath(steps.into()))
}

fn write_resource(w: &mut Writer, addr: &ResourceAddr) {
    write_module(w, &addr.module);
    w.flag(addr.mode == Mode::Data);
    w.text(&addr.type_name);
    w.text(&addr.name);
}

fn read_resource(r: &mut Reader<'_>) -> Result<ResourceAddr, Malformed> {
    Ok(ResourceAddr {
        module: read_module(r)?,
        mode: if r.flag()? { Mode::Data } else { Mode::Managed },
        type_name: read_text(r)?,
        name: read_text(r)?,
    })
}

fn write_provider(w: &mut Writer, addr: &ProviderAddr) {
    write_module(w, &addr.module);
    w.text(&addr.name);
    w.option(addr.alias.as_deref(), Writer::text);
}

fn read_provider(r: &mut Reader<'_>) -> Result<ProviderAddr, Malformed> {
    Ok(ProviderAddr { module: read_module(r)?, name: read_text(r)?, alias: r.option(read_text)? })
}

fn write_path(w: &mut Writer, path: &AttrPath) {
    w.seq(path.0.iter(), |w, step| match step {
        PathStep::Attr(name) => {
            w.byte(0);
            w.text(name);
        }
        PathStep::Index(n) => {
            w.byte(1);
            w.len(*n);
        }
        PathStep::Key(key) => {
            w.byte(2);
            w.text(key);
        }
        PathStep::Element(value) => {
            w.byte(3);
            write_value(w, value);
        }
    });
}

fn read_path(r: &mut Reader<'_>) -> Result<AttrPath, Malformed> {
    r.seq(|r| {
        Ok(match r.byte()? {
            0 => PathStep::Attr(read_text(r)?),
            1 => PathStep::Index(
                usize::try_from(r.uint()?).map_err(|_| Malformed::new("a place in a list is too large"))?,
            ),
            2 => PathStep::Key(read_text(r)?),
            3 => PathStep::Element(Box::new(read_value(r)?)),
            other => return Err(Malformed::new(format!("path step {other} is not known"))),
        })
    })
    .map(AttrPath)
}

fn write_type(w: &mut Writer, ty: &Type) {
    w.nested(|w| write_type_here(w, ty));
}

fn write_type_here(w: &mut Writer, ty: &Type) {
    match ty {
        Type::Dynamic => w.byte(0),
        Type::Bool => w.byte(1),
        Type::Number => w.byte(2),
        Type::String => w.byte(3),
        Type::List(t) => {
            w.byte(4);
            write_type(w, t);
        }
        Type::Set(t) => {
            w.byte(5);
            write_type(w, t);
        }
        Type::Map(t) => {
            w.byte(6);
            write_type(w, t);
        }
        Type::Tuple(ts) => {
            w.byte(7);
            w.seq(ts.iter(), write_type);
        }
        Type::Object(fields) => {
            w.byte(8);
            w.len(fields.len());
            for (name, field) in fields.iter() {
                w.text(name);
                w.flag(field.optional);
                write_type(w, &field.ty);
            }
        }
    }
}

fn read_type(r: &mut Reader<'_>) -> Result<Type, Malformed> {
    r.nested(|r| {
        Ok(match r.byte()? {
            0 => Type::Dynamic,
            1 => Type::Bool,
            2 => Type::Number,
            3 => Type::String,
            4 => Type::list(read_type(r)?),
            5 => Type::set(read_type(r)?),
            6 => Type::map(read_type(r)?),
            7 => Type::Tuple(r.seq::<_, Vec<_>>(read_type)?.into()),
            8 => {
                let fields: BTreeMap<_, _> = r.seq(|r| {
                    let name = read_text(r)?;
                    Ok((name, Field { optional: r.flag()?, ty: read_type(r)? }))
                })?;
                Type::Object(Arc::new(fields))
            }
            other => return Err(Malformed::new(format!("type {other} is not known"))),
        })
    })
}

/// The marks and the bits they are stored as.
const MARKS: [(Marks, u8); 3] = [(Marks::SENSITIVE, 1), (Marks::EPHEMERAL, 2), (Marks::DEPRECATED, 4)];

fn write_value(w: &mut Writer, value: &Value) {
    w.nested(|w| write_value_here(w, value));
}

fn write_value_here(w: &mut Writer, value: &Value) {
    if !value.marks().is_empty() {
        w.byte(11);
        w.byte(MARKS.iter().filter(|(m, _)| value.marks().contains(*m)).map(|(_, bit)| bit).sum());
    }
    match value.kind() {
        Kind::Null(ty) => {
            w.byte(0);
            write_type(w, ty);
        }
        Kind::Unknown(unknown) => write_unknown(w, unknown),
        Kind::Bool(b) => w.byte(if *b { 3 } else { 2 }),
        Kind::Number(n) => write_number(w, n),
        Kind::String(s) => {
            w.byte(6);
            w.text(s);
        }
        Kind::List(ty, vs) => {
            w.byte(7);
            write_type(w, ty);
            w.seq(vs.iter(), write_value);
        }
        Kind::Set(ty, vs) => {
            w.byte(8);
            write_type(w, ty);
            w.seq(vs.iter(), write_value);
        }
        Kind::Map(ty, fields) => {
            w.byte(9);
            write_type(w, ty);
            write_fields(w, fields);
        }
        Kind::Tuple(vs) => {
            w.byte(10);
            w.seq(vs.iter(), write_value);
        }
        Kind::Object(fields) => {
            w.byte(12);
            write_fields(w, fields);
        }
    }
}

/// What is known about ranges and lengths follows only where something is, under a number of its own.
fn write_unknown(w: &mut Writer, unknown: &Unknown) {
    let bounded = unknown.min.is_some() || unknown.max.is_some() || !unknown.lengths.are_open();
    w.byte(if bounded { 13 } else { 1 });
    write_type(w, &unknown.ty);
    w.flag(unknown.not_null);
    w.option(unknown.prefix.as_deref(), Writer::text);
    if bounded {
        for bound in [&unknown.min, &unknown.max] {
            w.option(bound.as_ref(), |w, bound| {
                w.flag(bound.inclusive);
                w.text(&bound.number.to_string());
            });
        }
        w.uint(unknown.lengths.min as u64);
        w.option(unknown.lengths.max.as_ref(), |w, max| w.uint(*max as u64));
    }
}

fn write_number(w: &mut Writer, n: &Number) {
    if let Some(n) = n.to_i64() {
        w.byte(4);
        w.int(n);
    } else {
        w.byte(5);
        w.text(&n.to_string());
    }
}

fn write_fields(w: &mut Writer, fields: &BTreeMap<Arc<str>, Value>) {
    w.len(fields.len());
    for (name, value) in fields {
        w.text(name);
        write_value(w, value);
    }
}

fn read_value(r: &mut Reader<'_>) -> Result<Value, Malformed> {
    r.nested(|r| {
        let mut tag = r.byte()?;
        let mut marks = Marks::NONE;
        if tag == 11 {
            let bits = r.byte()?;
            marks = MARKS.iter().filter(|(_, bit)| bits & bit != 0).fold(marks, |m, (n, _)| m.union(*n));
            tag = r.byte()?;
        }
        let kind = match tag {
            0 => Kind::Null(read_type(r)?),
            1 => Kind::Unknown(Arc::new(read_unknown(r)?)),
            13 => Kind::Unknown(Arc::new(read_bounded(r)?)),
            2 => Kind::Bool(false),
            3 => Kind::Bool(true),
            4 => Kind::Number(r.int()?.into()),
            5 => Kind::Number(r.text()?.parse().map_err(|_| Malformed::new("a number is not one"))?),
            6 => Kind::String(read_text(r)?),
            7 => Kind::List(read_type(r)?, Arc::new(r.seq(read_value)?)),
            8 => Kind::Set(read_type(r)?, Arc::new(r.seq::<_, BTreeSet<_>>(read_value)?)),
            9 => Kind::Map(read_type(r)?, Arc::new(read_fields(r)?)),
            10 => Kind::Tuple(Arc::new(r.seq(read_value)?)),
            12 => Kind::Object(Arc::new(read_fields(r)?)),
            other => return Err(Malformed::new(format!("value {other} is not known"))),
        };
        Ok(Value::from(kind).mark(marks))
    })
}

fn read_unknown(r: &mut Reader<'_>) -> Result<Unknown, Malformed> {
    let unknown = Unknown::of(read_type(r)?);
    Ok(Unknown { not_null: r.flag()?, prefix: r.option(read_text)?, ..unknown })
}

fn read_bounded(r: &mut Reader<'_>) -> Result<Unknown, Malformed> {
    let bound = |r: &mut Reader<'_>| {
        let inclusive = r.flag()?;
        let number = r.text()?.parse().map_err(|_| Malformed::new("a number is not one"))?;
        Ok(Bound { number, inclusive })
    };
    let unknown = read_unknown(r)?;
    let (min, max) = (r.option(bound)?, r.option(bound)?);
    // A number of elements that no memory holds says as much as the largest that it could.
    let count = |r: &mut Reader<'_>| Ok(usize::try_from(r.uint()?).unwrap_or(usize::MAX));
    let lengths = Lengths { min: count(r)?, max: r.option(count)? };
    Ok(Unknown { min, max, lengths, ..unknown })
}

fn read_fields(r: &mut Reader<'_>) -> Result<BTreeMap<Arc<str>, Value>, Malformed> {
    r.seq(|r| Ok((read_text(r)?, read_value(r)?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{instance_record, intent, output_record, value};

    proptest! {
        #[test]
        fn everything_comes_back(
            record in instance_record(),
            output in output_record(),
            intent in intent(),
            value in value(),
        ) {
            prop_assert_eq!(decode_record(&encode_record(&record).unwrap()).unwrap(), record);
            prop_assert_eq!(decode_output(&encode_output(&output).unwrap()).unwrap(), output);
            prop_assert_eq!(decode_intent(&encode_intent(&intent).unwrap()).unwrap(), intent);
            prop_assert_eq!(decode_value(&encode_value(&value).unwrap()).unwrap(), value);
        }

        #[test]
        fn cut_or_changed_records_never_panic(record in instance_record(), at: usize, byte: u8) {
            let bytes = encode_record(&record).unwrap();
            let at = at % bytes.len();
            prop_assert!(decode_record(&bytes[..at]).is_err());
            let mut changed = bytes;
            changed[at] = byte;
            let _ = decode_record(&changed);
        }
    }

    #[test]
    fn a_record_of_a_later_format_is_refused() {
        let mut bytes = encode_value(&Value::from(true)).unwrap();
        bytes[0] = 2;
        assert_eq!(decode_value(&bytes).unwrap_err().to_string(), "record format 2 is not known");
    }

    /// Runs where the store reads: on a thread with a large stack.
    fn with_stack(run: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new().stack_size(crate::STACK_BYTES).spawn(run).unwrap().join().unwrap();
    }

    #[test]
    fn a_tower_of_values_is_refused_on_both_ways() {
        with_stack(|| {
            let mut bytes = vec![RECORD_FORMAT];
            bytes.extend([10, 1].repeat(100_000));
            assert!(decode_value(&bytes).unwrap_err().to_string().contains("nested deeper"));
            let tower = |n| (0..n).fold(Value::from(true), |v, _| Value::tuple(vec![v]));
            assert_eq!(decode_value(&encode_value(&tower(999)).unwrap()).unwrap(), tower(999));
            assert!(encode_value(&tower(1_000)).unwrap_err().to_string().contains("nested deeper"));
        });
    }
}
