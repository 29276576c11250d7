//! Macros: calls that are something else once they are parsed (`has`, `all`, `exists`, `map`, ...).

use std::sync::Arc;

use super::parse::call;
use super::syntax::{Comprehension, Expression, Form, Issue, Select, Walk};

type Parsed = Result<Expression, Issue>;

/// A call without a target.
pub(super) fn global(at: usize, name: &str, mut arguments: Vec<Expression>) -> Parsed {
    if name != "has" || arguments.len() != 1 {
        return call(at, name, None, arguments);
    }
    let argument = arguments.remove(0);
    match argument.form {
        Form::Select { operand, field, kind: Select::Value } => {
            Ok(Expression { at, depth: argument.depth, form: Form::Select { operand, field, kind: Select::Presence } })
        }
        _ => Err(Issue { at: argument.at, message: "invalid argument to has() macro".to_owned() }),
    }
}

/// A call with a target.
pub(super) fn member(at: usize, target: Expression, name: &str, arguments: Vec<Expression>) -> Parsed {
    let Some((kind, variables, has_filter)) = shape(name, arguments.len()) else {
        return call(at, name, Some(target), arguments);
    };
    let mut arguments = arguments.into_iter();
    let mut names: Vec<Arc<str>> = Vec::new();
    for _ in 0..variables {
        let argument = arguments.next().expect("the shape counted the arguments");
        names.push(variable(argument, kind != Walk::List)?);
    }
    if let [first, second] = names.as_slice()
        && first == second
    {
        return Err(Issue { at, message: format!("duplicate variable name: {first}") });
    }
    let filter = has_filter.then(|| arguments.next().expect("the shape counted the arguments"));
    let result = arguments.next();
    let (filter, result) = match (filter, result) {
        (Some(filter), None) => {
            // `filter` takes the items as they are.
            let item = Expression { at: filter.at, depth: 1, form: Form::Name(Arc::clone(&names[0])) };
            (Some(filter), item)
        }
        (filter, result) => (filter, result.expect("the shape counted the arguments")),
    };
    let depth = [Some(&target), filter.as_ref(), Some(&result)].into_iter().flatten().map(|it| it.depth).max();
    let depth = depth.unwrap_or(0) + 1;
    let walk = Comprehension { kind, range: target, variables: names, filter, result };
    Ok(Expression { at, depth, form: Form::Comprehension(Box::new(walk)) })
}

/// What a macro does, how many variables it has, and whether its first expression chooses items.
fn shape(name: &str, arguments: usize) -> Option<(Walk, usize, bool)> {
    Some(match (name, arguments) {
        ("all", 2) => (Walk::All, 1, false),
        ("exists", 2) => (Walk::Exists, 1, false),
        ("exists_one", 2) => (Walk::ExistsOne, 1, false),
        ("map", 2) => (Walk::List, 1, false),
        ("map", 3) | ("filter", 2) => (Walk::List, 1, true),
        ("all", 3) => (Walk::All, 2, false),
        ("exists", 3) => (Walk::Exists, 2, false),
        ("exists_one" | "existsOne", 3) => (Walk::ExistsOne, 2, false),
        ("transformList", 3) => (Walk::List, 2, false),
        ("transformList", 4) => (Walk::List, 2, true),
        ("transformMap", 3) => (Walk::TransformMap, 2, false),
        ("transformMap", 4) => (Walk::TransformMap, 2, true),
        ("transformMapEntry", 3) => (Walk::TransformEntry, 2, false),
        ("transformMapEntry", 4) => (Walk::TransformEntry, 2, true),
        ("sortBy", 2) => (Walk::SortBy, 1, false),
        ("optMap", 2) => (Walk::OptionalMap, 1, false),
        ("optFlatMap", 2) => (Walk::OptionalFlatMap, 1, false),
        _ => return None,
    })
}

fn variable(argument: Expression, is_simple: bool) -> Result<Arc<str>, Issue> {
    match argument.form {
        Form::Name(name) => Ok(name),
        _ if is_simple => Err(Issue { at: argument.at, message: "argument must be a simple name".to_owned() }),
        _ => Err(Issue { at: argument.at, message: "argument is not an identifier".to_owned() }),
    }
}
