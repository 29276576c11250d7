//! What the suite is told of a resource type.

use serde_json::Value;
use sgp_tests::world::World;

/// One resource type: a minimal object and what can be done to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The type.
    pub name: &'static str,
    /// What the object stands on.
    pub around: &'static str,
    /// The object's arguments.
    pub body: &'static str,
    /// Edits that are updates in place. Each starts from what the one before left.
    pub updates: Vec<Edit>,
    /// Edits that replace the object. Each starts from what the one before left.
    pub replacements: Vec<Edit>,
    /// The id for `sgp import`, from the object's attributes; none where nothing can be imported.
    pub import: Option<fn(&Value) -> String>,
    /// Arguments that steer `sgp` or that the service does not tell: an import cannot know them, so the plan after it may set them.
    pub untold: &'static [&'static str],
    /// Deletes the object behind `sgp`'s back; none where there is nothing outside.
    pub vanish: Option<fn(&World, &Value)>,
    /// Arguments that are not edited, and why.
    pub beside: &'static [(&'static str, &'static str)],
}

/// A change of the object's text.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The arguments that it is about, with blanks between: `vpc_config.subnet_ids`.
    pub what: &'static str,
    /// The text that goes; empty to add at the end.
    pub from: &'static str,
    /// The text that comes.
    pub to: &'static str,
    /// A second part that changes with it, as text that goes and text that comes.
    pub with: Option<(&'static str, &'static str)>,
    /// Why the emulators cannot show it; there it is left out.
    pub beyond: Option<&'static str>,
}

impl Edit {
    /// Leaves it out where an emulator cannot show it, for this reason.
    pub const fn beyond_emulators(self, why: &'static str) -> Self {
        Self { beyond: Some(why), ..self }
    }

    /// Changes another part of the text with it.
    pub const fn and(self, from: &'static str, to: &'static str) -> Self {
        Self { with: Some((from, to)), ..self }
    }

    /// Does it to a text.
    pub fn of(&self, body: &str) -> String {
        if self.from.is_empty() {
            return format!("{body}\n{}", self.to);
        }
        let (other, instead) = self.with.unwrap_or_default();
        assert!(body.contains(self.from) && body.contains(other), "{}: {:?} is not in\n{body}", self.what, self.from);
        body.replacen(self.from, self.to, 1).replacen(other, instead, usize::from(!other.is_empty()))
    }
}

/// Types that the emulators have not, and why: they live in the sandbox alone.
pub const BEYOND_EMULATORS: &[(&str, &str)] = &[
    ("aws_ec2_managed_prefix_list", "moto takes a list's name away when something else of it is changed"),
    ("aws_nat_gateway", "moto keeps the address of a gateway that is gone as taken"),
    ("aws_network_acl", "moto fails to describe an ACL after some of its changes (status 500)"),
    ("aws_network_acl_rule", "moto fails to describe an ACL after some of its changes (status 500)"),
    ("aws_route", "moto answers with other peering connections than the one that was asked for"),
    ("aws_route_table", "moto answers with other peering connections than the one that was asked for"),
    ("aws_route_table_association", "moto answers with other peering connections than the one that was asked for"),
    ("aws_subnet", "moto forgets a subnet's IPv6 block when it is exchanged"),
    ("aws_vpc_peering_connection", "moto answers with other peering connections than the one that was asked for"),
    (
        "aws_vpc_peering_connection_accepter",
        "moto answers with other peering connections than the one that was asked for",
    ),
    (
        "aws_vpc_peering_connection_options",
        "moto answers with other peering connections than the one that was asked for",
    ),
    ("aws_eks_fargate_profile", "ministack, which is the EKS of this world, has no Fargate profiles"),
    ("aws_vpc_endpoint", "moto finds no endpoints by the filter for their ids"),
];

/// Replaces a part of the text.
pub const fn edit(what: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit { what, from, to, with: None, beyond: None }
}

/// Adds to the text.
pub const fn add(what: &'static str, to: &'static str) -> Edit {
    Edit { what, from: "", to, with: None, beyond: None }
}

/// A text of an object.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no {name} in {object}"))
}

/// Its `id`.
pub fn id(object: &Value) -> String {
    text(object, "id").to_owned()
}
