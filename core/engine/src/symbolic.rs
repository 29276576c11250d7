//! The planned objects once more, with symbols where ids are known after apply, so that the plan can be judged before it.
//!
//! A second evaluation of the same configuration, in which an instance answers `aws_security_group.a.id` by what stands for it
//! ([`sgp_model::symbol`]). References, sets and templates then hold together although nothing exists. It plans nothing, and what it
//! has to say is not told: whoever judges takes its objects where there are any.

use std::{collections::BTreeMap, sync::Arc};

use sgp_contract::DataRequest;
use sgp_lang::{Answer, Configured, DepsView, Evaluator, Inputs, World};
use sgp_model::{
    AttrPath, InstanceAddr, Kind, Mode, PathStep, Type, Value,
    plan::{Plan, ResourceChange},
    symbol::symbol,
};

use crate::{Registry, Session};

/// The objects of a plan that hold something unknown, with symbols in it.
pub(crate) fn symbolic(session: &Session, plan: &Plan) -> BTreeMap<InstanceAddr, Value> {
    let planned = plan.changes.iter().filter(|it| it.deposed.is_none() && !it.after.is_null());
    let planned = planned.chain(plan.deferred.iter().map(|it| &it.change));
    let planned: BTreeMap<&InstanceAddr, &ResourceChange> = planned.map(|it| (&it.addr, it)).collect();
    let open: Vec<&InstanceAddr> = planned
        .iter()
        .filter(|(addr, it)| !addr.is_open() && !it.after.is_wholly_known())
        .map(|(addr, _)| *addr)
        .collect();
    if open.is_empty() {
        return BTreeMap::new();
    }
    let world = SymbolWorld { planned, data: &plan.data, registry: session.registry.clone(), objects: BTreeMap::new() };
    let inputs = Inputs { impure: None, timestamp: session.clock.now(), ..session.inputs.clone() };
    let mut evaluator =
        Evaluator::new(session.config.clone(), inputs, session.registry.clone(), session.files.clone(), world);
    evaluator.variables();
    for addr in &open {
        // What fails with symbols keeps what the plan knows of it.
        let _ = evaluator.object(addr);
    }
    let mut objects = std::mem::take(&mut evaluator.world_mut().objects);
    objects.retain(|addr, _| open.contains(&addr));
    objects
}

/// Answers with planned objects.
struct SymbolWorld<'a> {
    planned: BTreeMap<&'a InstanceAddr, &'a ResourceChange>,
    data: &'a BTreeMap<InstanceAddr, Value>,
    registry: Arc<Registry>,
    objects: BTreeMap<InstanceAddr, Value>,
}

impl SymbolWorld<'_> {
    /// What a data source that only computes makes of symbols. A plan keeps nothing of it: it has no object and was not read.
    fn computed(&self, configured: &Configured<'_>) -> Option<Value> {
        let addr = configured.addr;
        let ty = self.registry.pure_data(addr, &configured.provider)?;
        if addr.resource.mode != Mode::Data || !configured.config.is_wholly_known() {
            return None;
        }
        let (config, marks) = configured.config.clone().unmark_deep();
        let computed = ty.compute(&DataRequest { addr, config: &config });
        computed.ok().map(|value| value.mark(marks))
    }
}

impl World for SymbolWorld<'_> {
    fn object(&mut self, configured: Configured<'_>, _deps: &DepsView<'_>) -> Answer {
        if let Some(read) = self.data.get(configured.addr) {
            return Answer::Value(read.clone());
        }
        if let Some(computed) = self.computed(&configured) {
            return Answer::Value(computed);
        }
        if configured.addr.resource.mode == Mode::Ephemeral {
            return Answer::Value(crate::ephemeral::unknown(&self.registry, &configured));
        }
        let Some(change) = self.planned.get(configured.addr) else {
            return Answer::Failed(sgp_model::Diagnostics::new());
        };
        // One symbol for many would make them one thing.
        if change.after.is_wholly_known() || configured.addr.is_open() {
            return Answer::Value(change.after.clone());
        }
        let object = filled(configured.addr, &change.after, &configured.config);
        self.objects.insert(configured.addr.clone(), object.clone());
        Answer::Value(object)
    }
}

/// A planned object with what the configuration says where that is known by symbols, and symbols for ids that AWS will give.
fn filled(addr: &InstanceAddr, after: &Value, config: &Value) -> Value {
    let name = addr.to_string();
    after.map_deep(&mut |path, value| {
        let path = if is_kept(addr, path) { &AttrPath::attr("input") } else { path };
        let said = || config.at(path).filter(|it| it.is_known() && !it.is_null()).cloned();
        match value.kind() {
            Kind::Unknown(unknown) => {
                said().or_else(|| stand_in(&name, path, &unknown.ty).map(|it| it.mark(value.marks()))).unwrap_or(value)
            }
            // What is unknown in a set has no place of its own.
            Kind::Set(..) if !value.is_wholly_known() => said().unwrap_or(value),
            _ => value,
        }
    })
}

/// Whether it is what a `terraform_data` keeps for others to refer to: its input.
fn is_kept(addr: &InstanceAddr, path: &AttrPath) -> bool {
    &*addr.resource.type_name == "terraform_data" && *path == AttrPath::attr("output")
}

/// What stands for an unknown value, where something may.
fn stand_in(object: &str, path: &AttrPath, ty: &Type) -> Option<Value> {
    let Some(PathStep::Attr(name)) = path.0.last() else { return None };
    match ty {
        Type::String if is_identity(name) => Some(Value::string(symbol(&format!("{object}.{path}")))),
        // Blocks that the service decides: EKS's `identity`, `certificate_authority`. Where there are any there is one.
        Type::List(element) => match &**element {
            Type::Object(_) => one_element(object, path, element),
            _ => None,
        },
        _ => None,
    }
}

fn one_element(object: &str, path: &AttrPath, element: &Type) -> Option<Value> {
    let Type::Object(fields) = element else { return None };
    let at = path.with(PathStep::Index(0));
    let fields = fields.iter().map(|(name, ty)| {
        let stand_in = stand_in(object, &at.with(PathStep::Attr(Arc::clone(name))), &ty.ty);
        (Arc::clone(name), stand_in.unwrap_or_else(|| Value::unknown(ty.ty.clone())))
    });
    Some(Value::list(element.clone(), vec![Value::object(fields)]))
}

/// Whether an attribute of this name tells the new object, or what the service makes with it, from everything else. An id such as
/// `vpc_id` may be that of something which exists under its real id, and so stays unknown.
fn is_identity(name: &str) -> bool {
    const MADE_WITH_IT: [&str; 5] = [
        "cluster_security_group_id",
        "default_network_acl_id",
        "default_route_table_id",
        "default_security_group_id",
        "main_route_table_id",
    ];
    ["id", "arn", "name", "issuer", "endpoint", "security_group_rule_id"].contains(&name)
        || MADE_WITH_IT.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_get_symbols_and_the_rest_stays_unknown() {
        let addr = sgp_model::address::parse_instance("aws_security_group.a").unwrap();
        let after = Value::object([
            ("id", Value::unknown(Type::String)),
            ("vpc_id", Value::unknown(Type::String)),
            ("cidr", Value::unknown(Type::String)),
            ("name", Value::from("a")),
            ("subnet_ids", Value::unknown(Type::set(Type::String))),
            ("group_ids", Value::set(Type::String, [Value::unknown(Type::String)])),
        ]);
        let subnets = Value::set(Type::String, [Value::from(symbol("aws_subnet.a.id"))]);
        let config = Value::object([
            ("vpc_id", Value::from("vpc-1")),
            ("subnet_ids", subnets.clone()),
            ("group_ids", subnets.clone()),
        ]);
        let object = filled(&addr, &after, &config);
        assert_eq!(object.get("id"), Some(&Value::from(symbol("aws_security_group.a.id"))));
        assert_eq!(object.get("vpc_id"), Some(&Value::from("vpc-1")));
        assert_eq!(object.get("name"), Some(&Value::from("a")));
        assert_eq!(object.get("subnet_ids"), Some(&subnets));
        assert_eq!(object.get("group_ids"), Some(&subnets));
        assert!(!object.get("cidr").unwrap().is_known());
    }

    #[test]
    fn terraform_data_hands_on_its_input() {
        let addr = sgp_model::address::parse_instance("terraform_data.a").unwrap();
        let after = Value::object([("input", "orders".into()), ("output", Value::unknown(Type::Dynamic))]);
        let object = filled(&addr, &after, &Value::object([("input", Value::from("orders"))]));
        assert_eq!(object.get("output"), Some(&Value::from("orders")));
    }

    #[test]
    fn blocks_of_the_service_have_one_element() {
        let addr = sgp_model::address::parse_instance("aws_eks_cluster.a").unwrap();
        let oidc = Type::list(Type::object([("issuer", Type::String)]));
        let identity = Type::list(Type::object([("oidc", oidc)]));
        let after = Value::object([("identity", Value::unknown(identity))]);
        let object = filled(&addr, &after, &Value::object([("identity", Value::dynamic_null())]));
        let path: [PathStep; 5] = [
            PathStep::Attr("identity".into()),
            PathStep::Index(0),
            PathStep::Attr("oidc".into()),
            PathStep::Index(0),
            PathStep::Attr("issuer".into()),
        ];
        let issuer = object.at(&AttrPath(path.to_vec())).unwrap();
        assert_eq!(issuer, &Value::from(symbol("aws_eks_cluster.a.identity[0].oidc[0].issuer")));
    }
}
