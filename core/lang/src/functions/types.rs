//! Conversions and what concerns marks.

use sgp_model::{Kind, Marks, Type, Value, convert::convert};

use super::spec::{Args, Function, Outcome, Param, Ty, arg_error, param};

const fn conversion(name: &'static str, returns: Ty, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("v", Ty::Any).null().unknown().marks()];
    Function { name, params: PARAMS, rest: None, returns, run }
}

const fn of_value(name: &'static str, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("value", Ty::Any).null().unknown().marks()];
    Function { name, params: PARAMS, rest: None, returns: Ty::Any, run }
}

pub(super) const TABLE: &[Function] = &[
    of_value("ephemeralasnull", |a| Ok(without_ephemeral(a.value(0)))),
    of_value("issensitive", |a| Ok(is_sensitive(a))),
    of_value("nonsensitive", |a| Ok(without_mark(a.value(0), Marks::SENSITIVE))),
    of_value("sensitive", |a| Ok(a.value(0).clone().sensitive())),
    conversion("tobool", Ty::Bool, |a| to(a, &Type::Bool)),
    conversion("tolist", Ty::ListOfAny, |a| to(a, &Type::list(Type::Dynamic))),
    conversion("tomap", Ty::Any, |a| to(a, &Type::map(Type::Dynamic))),
    conversion("tonumber", Ty::Number, |a| to(a, &Type::Number)),
    conversion("toset", Ty::SetOfAny, |a| to(a, &Type::set(Type::Dynamic))),
    conversion("tostring", Ty::String, |a| to(a, &Type::String)),
];

fn to(a: &Args, ty: &Type) -> Outcome {
    let value = a.value(0);
    convert(value, ty).map_err(|_| {
        let secret = value.deep_marks().contains(Marks::SENSITIVE);
        let from = match value.as_str().filter(|_| !secret) {
            Some(text) => format!("{text:?}"),
            None => value.ty().friendly_name(),
        };
        arg_error(
            0,
            match (ty, value.as_str()) {
                (Type::Number, Some(_)) => {
                    format!(
                        "cannot convert {from} to number; given string must be a decimal representation of a number"
                    )
                }
                (Type::Bool, Some(_)) => {
                    format!("cannot convert {from} to bool; only the strings \"true\" or \"false\" are allowed")
                }
                _ => {
                    let from = value.ty().friendly_name();
                    let to = match ty {
                        Type::List(_) => "list of any single type".to_owned(),
                        Type::Set(_) => "set of any single type".to_owned(),
                        Type::Map(_) => "map of any single type".to_owned(),
                        other => other.friendly_name(),
                    };
                    format!("cannot convert {from} to {to}")
                }
            },
        )
    })
}

fn is_sensitive(a: &Args) -> Value {
    let value = a.value(0);
    // A value that is not known yet may turn out to be marked.
    if value.is_sensitive() || value.is_known() {
        value.is_sensitive().into()
    } else {
        Value::unknown_not_null(Type::Bool)
    }
}

fn without_mark(value: &Value, mark: Marks) -> Value {
    let (bare, marks) = value.clone().unmark();
    bare.mark(marks.without(mark))
}

fn without_ephemeral(value: &Value) -> Value {
    value.map_deep(&mut |_, v| {
        if !v.marks().contains(Marks::EPHEMERAL) {
            return v;
        }
        let marks = v.marks().without(Marks::EPHEMERAL);
        let ty = match v.kind() {
            Kind::Null(ty) => ty.clone(),
            _ => v.ty(),
        };
        Value::null(ty).mark(marks)
    })
}
