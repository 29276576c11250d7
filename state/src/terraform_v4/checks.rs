//! What became of conditions: `check_results`.

use sgp_contract::StoreError;
use sgp_model::{
    InstanceKey, ModulePath,
    address::{ParsedAddr, parse_address},
    checks::{CheckResult, CheckStatus, Checkable, CheckedInstance},
};

use super::{
    read::Node,
    write::{Object, array, string},
};

/// The results as JSON; `null` when nothing has conditions.
pub(super) fn write(results: &[CheckResult]) -> String {
    if results.is_empty() {
        return "null".to_owned();
    }
    array(&results.iter().map(write_result).collect::<Vec<_>>())
}

fn write_result(result: &CheckResult) -> String {
    let mut out = Object::default();
    out.field("object_kind", &string(kind(&result.block)));
    out.field("config_addr", &string(&result.block.to_string()));
    out.field("status", &string(status(result.status)));
    let objects: Vec<_> = result.instances.iter().map(write_instance).collect();
    out.field("objects", if objects.is_empty() { "null".to_owned() } else { array(&objects) }.as_str());
    out.finish()
}

fn write_instance(instance: &CheckedInstance) -> String {
    let mut out = Object::default();
    out.field("object_addr", &string(&instance.to_string()));
    out.field("status", &string(status(instance.status)));
    if !instance.problems.is_empty() {
        let problems: Vec<_> = instance.problems.iter().map(|problem| string(problem)).collect();
        out.field("failure_messages", &array(&problems));
    }
    out.finish()
}

fn kind(block: &Checkable) -> &'static str {
    match block {
        Checkable::Resource(_) => "resource",
        Checkable::OutputValue(..) => "output",
        Checkable::Check(..) => "check",
        Checkable::Var(..) => "var",
    }
}

fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Unknown => "unknown",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
    }
}

/// The results in a document. Kinds that are not known are left out: nothing depends on them.
pub(super) fn read(root: &Node<'_>) -> Result<Vec<CheckResult>, StoreError> {
    let mut results = Vec::new();
    for node in root.elements("check_results")? {
        let Some(kind) = Kind::named(node.need("object_kind")?.as_text()?) else { continue };
        let (block, _) = kind.address(&node.need("config_addr")?)?;
        let instances = node.elements("objects")?.iter().map(|it| read_instance(kind, it)).collect::<Result<_, _>>()?;
        results.push(CheckResult { block, status: read_status(&node)?, instances });
    }
    Ok(results)
}

fn read_instance(kind: Kind, node: &Node<'_>) -> Result<CheckedInstance, StoreError> {
    let (object, key) = kind.address(&node.need("object_addr")?)?;
    let problems = node.elements("failure_messages")?;
    let problems = problems.iter().map(|problem| problem.as_text().map(str::to_owned)).collect::<Result<_, _>>()?;
    Ok(CheckedInstance { object, key, status: read_status(node)?, problems })
}

fn read_status(node: &Node<'_>) -> Result<CheckStatus, StoreError> {
    let node = node.need("status")?;
    Ok(match node.as_text()? {
        "pass" => CheckStatus::Pass,
        "unknown" => CheckStatus::Unknown,
        "fail" => CheckStatus::Fail,
        "error" => CheckStatus::Error,
        other => return Err(node.bad(&format!("is {other}, which is not known"))),
    })
}

/// What has conditions.
#[derive(Clone, Copy)]
enum Kind {
    Resource,
    /// By the word before the name.
    Named(&'static str, fn(ModulePath, std::sync::Arc<str>) -> Checkable),
}

impl Kind {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "resource" => Self::Resource,
            "output" => Self::Named("output", Checkable::OutputValue),
            "check" => Self::Named("check", Checkable::Check),
            "var" => Self::Named("var", Checkable::Var),
            _ => return None,
        })
    }

    fn address(self, node: &Node<'_>) -> Result<(Checkable, Option<InstanceKey>), StoreError> {
        let text = node.as_text()?;
        let bad = || node.bad(&format!("is {text:?}, which is no address of its kind"));
        match self {
            Self::Resource => match parse_address(text) {
                Ok(ParsedAddr::Resource(addr)) => Ok((Checkable::Resource(addr), None)),
                Ok(ParsedAddr::Instance(addr)) => Ok((Checkable::Resource(addr.resource), addr.key)),
                _ => Err(bad()),
            },
            Self::Named(word, of) => {
                let (before, name) = text.rsplit_once('.').ok_or_else(bad)?;
                let module = match before.strip_suffix(word) {
                    Some("") => ModulePath::root(),
                    Some(module) => match module.strip_suffix('.').map(parse_address) {
                        Some(Ok(ParsedAddr::Module(path))) => path,
                        _ => return Err(bad()),
                    },
                    None => return Err(bad()),
                };
                Ok((of(module, name.into()), None))
            }
        }
    }
}
