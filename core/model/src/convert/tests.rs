#![allow(clippy::unwrap_used)]

use super::*;
use crate::Marks;

fn text(s: &str) -> Value {
    s.into()
}

fn num(s: &str) -> Value {
    s.parse::<Number>().unwrap().into()
}

fn tuple_of<const N: usize>(elements: [Value; N]) -> Value {
    Value::tuple(elements.into())
}

fn optional(fields: &[(&str, Type, bool)]) -> Type {
    let field =
        |(name, ty, optional): &(&str, Type, bool)| (Arc::from(*name), Field { ty: ty.clone(), optional: *optional });
    Type::Object(Arc::new(fields.iter().map(field).collect()))
}

#[test]
fn primitives_convert_through_text() {
    for (from, ty, to) in [
        (text("1.0"), Type::Number, num("1")),
        (num("1.50"), Type::String, text("1.5")),
        (true.into(), Type::String, text("true")),
        (text("true"), Type::Bool, true.into()),
        (text("0"), Type::Bool, false.into()),
    ] {
        assert_eq!(convert(&from, &ty), Ok(to));
    }
}

#[test]
fn refusals_say_what_is_needed_and_where() {
    let object = |ty| Type::object([("a", ty)]);
    for (from, ty, message) in [
        (text("x"), Type::Number, "a number is required"),
        (text("x"), Type::Bool, "a bool is required"),
        (text("True"), Type::Bool, "a bool is required; to convert from string, use lowercase \"true\""),
        (true.into(), Type::Number, "number required"),
        (Value::tuple(vec![]), Type::String, "string required"),
        (text("x"), Type::list(Type::String), "list of string required"),
        (text("x"), Type::list(Type::Dynamic), "list of any single type required"),
        (tuple_of([text("a"), Value::tuple(vec![])]), Type::list(Type::String), "element 1: string required"),
        (
            tuple_of([text("a"), Value::tuple(vec![])]),
            Type::list(Type::Dynamic),
            "all list elements must have the same type",
        ),
        (
            // A null leaves open what the elements have in common, but not what each of them is.
            tuple_of([
                Value::object([("a", Value::tuple(vec![]))]),
                Value::object([("a", Value::dynamic_null()), ("b", num("1"))]),
            ]),
            Type::list(Type::Dynamic),
            "all list elements must have the same type",
        ),
        (Value::object([("b", text("x"))]), object(Type::String), "attribute \"a\" is required"),
        (
            Value::object([("a", tuple_of([text("x")]))]),
            object(Type::list(Type::Number)),
            "attribute \"a\": element 0: a number is required",
        ),
        (
            Value::list(Type::list(Type::String), vec![]),
            Type::list(Type::String),
            "incorrect list element type: string required",
        ),
        (
            Value::object::<&str>([]),
            Type::object([("a", Type::Bool), ("b", Type::Bool), ("c", Type::Bool)]),
            "attributes \"a\", \"b\", and \"c\" are required",
        ),
        (Value::strings(["a"]), Type::tuple([Type::String]), "tuple required"),
        (tuple_of([text("a")]), Type::tuple([]), "tuple of 0 elements required, not 1"),
        (Value::null(Type::list(Type::String)), Type::String, "string required"),
    ] {
        assert_eq!(convert(&from, &ty).unwrap_err().to_string(), message, "{from:?} to {ty}");
    }
}

#[test]
fn sequences_convert_among_each_other() {
    let list = Value::strings(["b", "a", "b"]);
    let set = Value::set(Type::String, [text("a"), text("b")]);
    assert_eq!(convert(&list, &Type::set(Type::String)), Ok(set.clone()));
    assert_eq!(convert(&set, &Type::list(Type::Dynamic)), Ok(Value::strings(["a", "b"])));
    // Two unknown texts may be one or two, and one stays one.
    let of = |count| Value::tuple(vec![Value::unknown(Type::String); count]);
    let two = convert(&of(2), &Type::set(Type::String)).unwrap();
    assert!(!two.is_known() && two.ty() == Type::set(Type::String));
    assert_eq!(convert(&of(1), &Type::set(Type::String)).unwrap().elements().unwrap().len(), 1);
    let mixed = tuple_of([text("a"), num("1"), true.into()]);
    assert_eq!(convert(&mixed, &Type::list(Type::Dynamic)), Ok(Value::strings(["a", "1", "true"])));
    assert_eq!(convert(&Value::tuple(vec![]), &Type::list(Type::Dynamic)), Ok(Value::list(Type::Dynamic, vec![])));
    assert_eq!(
        convert(&Value::list(Type::Number, vec![]), &Type::set(Type::Dynamic)),
        Ok(Value::set(Type::Number, []))
    );
}

#[test]
fn a_set_with_unknown_elements_is_an_unknown_list() {
    let set = Value::set(Type::String, [text("a"), Value::unknown(Type::String)]);
    let list = convert(&set, &Type::list(Type::String)).unwrap();
    let lengths = Lengths { min: 1, max: Some(2) };
    assert_eq!(list, Unknown::of(Type::list(Type::String)).with_lengths(lengths).into_value());
    let one = Value::set(Type::String, [Value::unknown(Type::String)]);
    let list = convert(&one, &Type::list(Type::String));
    assert_eq!(list, Ok(Value::list(Type::String, vec![Value::unknown(Type::String)])));
}

#[test]
fn objects_take_what_they_name_and_null_for_what_is_optional() {
    let ty = optional(&[("a", Type::String, false), ("b", Type::list(Type::String), true)]);
    let have = Value::object([("a", num("1")), ("extra", text("x"))]);
    let want = Value::object([("a", text("1")), ("b", Value::null(Type::list(Type::String)))]);
    assert_eq!(convert(&have, &ty), Ok(want.clone()));
    let map = Value::map(Type::Number, [("a", num("1")), ("extra", num("2"))]);
    assert_eq!(convert(&map, &optional(&[("a", Type::String, false)])), Ok(Value::object([("a", text("1"))])));
    // A value of the right type loses `optional` all the same.
    assert_eq!(convert(&want, &ty).unwrap().ty(), without_optional(&ty));
    let list = convert(&tuple_of([have]), &Type::list(ty.clone())).unwrap();
    assert_eq!(list.ty(), Type::list(without_optional(&ty)));
}

#[test]
fn null_and_unknown_take_the_target_type() {
    let ty = Type::list(Type::Dynamic);
    assert_eq!(convert(&Value::dynamic_null(), &Type::Bool), Ok(Value::null(Type::Bool)));
    assert_eq!(convert(&Value::null(Type::Number), &Type::String), Ok(Value::null(Type::String)));
    assert_eq!(convert(&Value::unknown(Type::Dynamic), &ty), Ok(Value::unknown(ty.clone())));
    // How many elements there are is part of a tuple's type, and so known of the list.
    assert_eq!(
        convert(&Value::unknown_not_null(Type::tuple([Type::String, Type::Number])), &ty),
        Ok(Value::list(Type::String, vec![Value::unknown(Type::String); 2]))
    );
    let nulls = tuple_of([Value::dynamic_null(), Value::object([("a", num("1"))])]);
    assert_eq!(convert(&nulls, &ty).unwrap().ty(), Type::list(Type::object([("a", Type::Number)])));
}

#[test]
fn marks_stay_where_they_are_except_in_sets() {
    let secret = tuple_of([text("a").sensitive(), text("b")]);
    let list = convert(&secret, &Type::list(Type::String)).unwrap();
    assert_eq!(list, Value::list(Type::String, vec![text("a").sensitive(), text("b")]));
    let set = convert(&secret, &Type::set(Type::String)).unwrap();
    assert_eq!(set, Value::set(Type::String, [text("a"), text("b")]).sensitive());
    assert_eq!(convert(&num("1").mark(Marks::EPHEMERAL), &Type::String), Ok(text("1").mark(Marks::EPHEMERAL)));
    assert!(convert(&secret.sensitive(), &Type::Dynamic).unwrap().is_sensitive());
}

#[test]
fn types_unify_to_what_all_convert_to() {
    let obj = |fields: &[(&str, Type)]| Type::object(fields.iter().map(|(k, t)| (*k, t.clone())));
    let (s, n, b, any) = (Type::String, Type::Number, Type::Bool, Type::Dynamic);
    for (types, unified) in [
        (vec![], Some(any.clone())),
        (vec![n.clone(), s.clone(), b.clone()], Some(s.clone())),
        (vec![n.clone(), b.clone()], None),
        (vec![any.clone(), n.clone()], Some(n.clone())),
        (vec![obj(&[("a", n.clone())]), obj(&[("a", s.clone())])], Some(obj(&[("a", s.clone())]))),
        (vec![obj(&[("a", n.clone())]), obj(&[("b", s.clone())])], Some(Type::map(s.clone()))),
        (vec![obj(&[("a", n.clone())]), obj(&[])], Some(Type::map(n.clone()))),
        (vec![obj(&[("a", n.clone())]), obj(&[("b", Type::list(n.clone()))])], None),
        (vec![obj(&[]), Type::tuple([])], None),
        (vec![obj(&[]), any.clone()], Some(any.clone())),
        (vec![Type::map(n.clone()), obj(&[("b", s.clone())])], Some(Type::map(s.clone()))),
        (vec![Type::map(any.clone()), obj(&[("b", n.clone())])], Some(Type::map(n.clone()))),
        (vec![Type::tuple([n.clone()]), Type::tuple([s.clone()])], Some(Type::tuple([s.clone()]))),
        (vec![Type::tuple([n.clone()]), Type::tuple([s.clone(), n.clone()])], Some(Type::list(s.clone()))),
        (vec![Type::tuple([]), Type::list(s.clone())], Some(Type::list(s.clone()))),
        (vec![Type::tuple([]), Type::tuple([s.clone()])], Some(Type::list(s.clone()))),
        (vec![Type::tuple([n.clone(), s.clone()]), Type::tuple([b.clone(), n.clone()])], None),
        (vec![Type::list(s.clone()), Type::set(s.clone())], Some(Type::list(s.clone()))),
        (vec![s.clone(), Type::list(s.clone())], None),
    ] {
        assert_eq!(unify(&types), unified, "{types:?}");
    }
}
