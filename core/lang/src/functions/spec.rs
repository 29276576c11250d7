//! How functions are described: their parameters, and what happens to null, unknown and marked arguments before the
//! function itself sees them.

use std::sync::Arc;

use sgp_model::{
    Kind, Marks, Number, Type, Value,
    convert::convert,
    value::{Lengths, Unknown},
};

use super::{FunctionContext, redact::Secrets};

/// A parameter's or result's type, as a constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ty {
    Any,
    Bool,
    Number,
    String,
    ListOfAny,
    ListOfBool,
    ListOfNumber,
    ListOfString,
    SetOfAny,
    SetOfString,
    MapOfAny,
    MapOfStrings,
}

impl Ty {
    pub(super) fn get(self) -> Type {
        match self {
            Self::Any => Type::Dynamic,
            Self::Bool => Type::Bool,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::ListOfAny => Type::list(Type::Dynamic),
            Self::ListOfBool => Type::list(Type::Bool),
            Self::ListOfNumber => Type::list(Type::Number),
            Self::ListOfString => Type::list(Type::String),
            Self::SetOfAny => Type::set(Type::Dynamic),
            Self::SetOfString => Type::set(Type::String),
            Self::MapOfAny => Type::map(Type::Dynamic),
            Self::MapOfStrings => Type::map(Type::list(Type::String)),
        }
    }
}

/// A parameter. Without the exceptions a null argument is an error, an unknown one makes the result unknown, and marks
/// are taken off at every depth and put on the result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) ty: Ty,
    pub(super) null: bool,
    pub(super) unknown: bool,
    pub(super) marks: bool,
}

/// A parameter without exceptions.
pub(super) const fn param(name: &'static str, ty: Ty) -> Param {
    Param { name, ty, null: false, unknown: false, marks: false }
}

impl Param {
    /// The function takes null itself.
    pub(super) const fn null(mut self) -> Self {
        self.null = true;
        self
    }

    /// The function takes unknown values itself.
    pub(super) const fn unknown(mut self) -> Self {
        self.unknown = true;
        self
    }

    /// The function takes marked values itself and says which marks its result has.
    pub(super) const fn marks(mut self) -> Self {
        self.marks = true;
        self
    }
}

pub(super) type Outcome = Result<Value, Fail>;

/// A function as the table holds it.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    pub(super) rest: Option<Param>,
    /// The type of the result where arguments do not decide it.
    pub(super) returns: Ty,
    pub(super) run: fn(&Args) -> Outcome,
}

impl Function {
    pub(super) fn param(&self, place: usize) -> Option<&Param> {
        self.params.get(place).or(self.rest.as_ref())
    }

    /// Gives the arguments the types of the parameters, settles what the parameters do not take, and runs the function.
    pub(super) fn call(&self, args: Vec<Value>, cx: &FunctionContext) -> Outcome {
        let given = args.clone();
        self.call_openly(args, cx).map_err(|fail| Secrets::of(&given).redact(fail))
    }

    fn call_openly(&self, args: Vec<Value>, cx: &FunctionContext) -> Outcome {
        let mut marks = Marks::NONE;
        let mut values = Vec::with_capacity(args.len());
        for (place, arg) in args.into_iter().enumerate() {
            let Some(param) = self.param(place) else { break };
            let arg = if param.marks {
                arg
            } else {
                let (bare, found) = arg.unmark_deep();
                marks = marks.union(found);
                bare
            };
            let arg = convert(&arg, &param.ty.get()).map_err(|e| arg_error(place, e.to_string()))?;
            if arg.is_null() && !param.null {
                return Err(arg_error(place, "argument must not be null"));
            }
            values.push(arg);
        }
        let open = values.iter().enumerate().any(|(i, v)| !v.is_known() && self.param(i).is_some_and(|p| !p.unknown));
        let result = if open { unknown_of(self.returns.get()) } else { (self.run)(&Args { values, cx })? };
        Ok(result.mark(marks))
    }
}

/// Unknown of a type; not null, unless even the type is open.
pub(super) fn unknown_of(ty: Type) -> Value {
    if ty == Type::Dynamic { Value::unknown(ty) } else { Value::unknown_not_null(ty) }
}

/// Unknown of a type with so many elements.
pub(super) fn unknown_with(ty: Type, lengths: Lengths) -> Value {
    Unknown::of(ty).with_lengths(lengths).into_value()
}

/// An unknown string that begins with this text, whatever follows it.
pub(super) fn unknown_text(prefix: &str) -> Value {
    crate::eval::unknown_text(prefix)
}

/// How many elements a value has, as far as that is known.
pub(super) fn lengths(value: &Value) -> Lengths {
    match value.kind() {
        Kind::Tuple(vs) | Kind::List(_, vs) => Lengths::exactly(vs.len()),
        Kind::Map(_, fs) | Kind::Object(fs) => Lengths::exactly(fs.len()),
        Kind::Unknown(u) => match &u.ty {
            Type::Tuple(ts) => Lengths::exactly(ts.len()),
            Type::Object(fs) => Lengths::exactly(fs.len()),
            _ => u.lengths,
        },
        _ => Unknown::about(value).lengths,
    }
}

/// Why a call has no result, without the words around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fail {
    pub(super) argument: Option<usize>,
    pub(super) message: String,
}

/// A failure of the call as a whole.
pub(super) fn error(message: impl Into<String>) -> Fail {
    Fail { argument: None, message: message.into() }
}

/// A failure because of one argument.
pub(super) fn arg_error(place: usize, message: impl Into<String>) -> Fail {
    Fail { argument: Some(place), message: message.into() }
}

/// Arguments after [`Function::call`] settled what it settles.
pub(super) struct Args<'a> {
    pub(super) values: Vec<Value>,
    pub(super) cx: &'a FunctionContext<'a>,
}

const WHOLE: &str = "value must be a whole number, between -9223372036854775808 and 9223372036854775807";

/// Accessors for parameters that take neither null nor unknown, by their converted type.
impl Args<'_> {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn value(&self, place: usize) -> &Value {
        &self.values[place]
    }

    pub(super) fn get(&self, place: usize) -> Option<&Value> {
        self.values.get(place)
    }

    pub(super) fn str(&self, place: usize) -> &str {
        self.values[place].as_str().expect("a string parameter holds a known string")
    }

    pub(super) fn number(&self, place: usize) -> &Number {
        self.values[place].as_number().expect("a number parameter holds a known number")
    }

    pub(super) fn int(&self, place: usize) -> Result<i64, Fail> {
        self.number(place).to_i64().ok_or_else(|| error(WHOLE))
    }

    /// As [`Args::int`], but the failure names the argument.
    pub(super) fn int_arg(&self, place: usize) -> Result<i64, Fail> {
        self.number(place).to_i64().ok_or_else(|| arg_error(place, WHOLE))
    }

    /// The elements of a list, set or tuple; none for anything else.
    pub(super) fn elements(&self, place: usize) -> Vec<&Value> {
        self.values[place].elements().unwrap_or_default()
    }
}

/// The element type of a list, set or map.
pub(super) fn element_type(ty: &Type) -> Option<&Type> {
    match ty {
        Type::List(t) | Type::Set(t) | Type::Map(t) => Some(t),
        _ => None,
    }
}

/// A list whose element type is that of the first argument, which is a list.
pub(super) fn same_list(like: &Value, elements: Vec<Value>) -> Value {
    let element = element_type(&like.ty()).cloned().unwrap_or(Type::Dynamic);
    Value::list(element, elements)
}

/// A string in composed form.
pub(super) fn text(s: &str) -> Value {
    Value::string(sgp_model::json::nfc(s))
}

/// A list of strings in composed form.
pub(super) fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> Value {
    Value::list(Type::String, all.into_iter().map(text).collect())
}

/// A key in composed form.
pub(super) fn key(s: &str) -> Arc<str> {
    sgp_model::json::nfc(s)
}
