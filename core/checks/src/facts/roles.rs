//! IAM roles with everything that the configuration attaches to them.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sgp_analysis::{
    build::{Object, View},
    matching::is_like,
    topology::Fact,
};
use sgp_model::{
    InstanceAddr,
    symbol::{is_in, symbol},
};

use super::{Facts, is_meant, json::texts_or_one, list};

/// A role.
pub(crate) struct Role<'a> {
    pub(crate) object: &'a Object,
    pub(crate) view: View<'a>,
    /// ARNs of the managed policies, with the object that attaches each.
    pub(crate) policies: Vec<(String, Option<&'a InstanceAddr>)>,
    /// Policy documents that are known.
    documents: Vec<Json>,
    /// Whether there may be others.
    pub(crate) may_have_more: bool,
}

const NAMES: [&str; 4] = ["name", "id", "arn", "unique_id"];

/// AWS's policies that allow everything that EC2 has.
const ALL_OF_EC2: [&str; 3] = ["AdministratorAccess", "PowerUserAccess", "AmazonEC2FullAccess"];

impl Role<'_> {
    /// The name of a managed policy, without path.
    pub(crate) fn policy_name(arn: &str) -> &str {
        arn.rsplit_once('/').map_or(arn, |(_, name)| name)
    }

    /// Whether one of AWS's managed policies is attached.
    pub(crate) fn has(&self, policy: &str) -> bool {
        self.policies.iter().any(|(arn, _)| Self::policy_name(arn) == policy)
    }

    /// Whether a policy allows an action, as far as policies are known.
    pub(crate) fn allows(&self, action: &str) -> bool {
        ALL_OF_EC2.iter().any(|policy| self.has(policy)) || self.documents.iter().any(|it| document_allows(it, action))
    }

    /// The document that says who may take the role.
    pub(crate) fn trust(&self) -> Option<Json> {
        serde_json::from_str(self.view.text("assume_role_policy")?).ok()
    }

    /// Whether a text means the role.
    pub(crate) fn is_meant(&self, text: &str) -> bool {
        is_meant(text, self.object, &self.view, &NAMES)
    }
}

/// The statements of a document: a list, or one.
pub(crate) fn statements(document: &Json) -> Vec<&Json> {
    let statement = &document["Statement"];
    if statement.is_object() { vec![statement] } else { list(statement).collect() }
}

/// Whether a document allows an action on something.
pub(crate) fn document_allows(document: &Json, action: &str) -> bool {
    let is_it = |pattern: &str| is_like(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase());
    let has = |it: &Json, field: &str| texts_or_one(&it[field]).into_iter().any(is_it);
    let is_meant = |it: &Json| if it.get("NotAction").is_some() { !has(it, "NotAction") } else { has(it, "Action") };
    statements(document).into_iter().any(|it| it["Effect"] == "Allow" && is_meant(it))
}

/// Roles with the texts that mean them.
#[derive(Default)]
pub(crate) struct Roles<'a> {
    all: Vec<Role<'a>>,
    by_text: BTreeMap<String, usize>,
}

impl<'a> Roles<'a> {
    fn of(&self, text: &str) -> Option<&Role<'a>> {
        self.by_text.get(text).map(|at| &self.all[*at])
    }

    fn of_mut(&mut self, text: &str) -> Option<&mut Role<'a>> {
        self.by_text.get(text).map(|at| &mut self.all[*at])
    }

    /// Takes into account an attachment to a role that no text means: one that a data source finds may be any, one that is
    /// named may be each whose name is not known.
    fn loosen(&mut self, text: &str) {
        let is_any = text.is_empty() || is_in(text);
        let may_be = |it: &&mut Role<'_>| is_any || it.view.text("name").is_none();
        self.all.iter_mut().filter(may_be).for_each(|role| role.may_have_more = true);
    }

    fn add(&mut self, role: Role<'a>) {
        for name in NAMES {
            let stated = role.view.text(name).map(str::to_owned);
            let symbol = role.object.addr.as_ref().map(|addr| symbol(&format!("{addr}.{name}")));
            for text in stated.into_iter().chain(symbol) {
                self.by_text.insert(text, self.all.len());
            }
        }
        self.all.push(role);
    }
}

impl<'a> Facts<'a> {
    /// Roles of the configuration.
    pub(crate) fn roles(&self) -> &[Role<'a>] {
        &self.indexed_roles().all
    }

    /// The role that a text means, when it is the configuration's.
    pub(crate) fn role_of(&self, text: &str) -> Option<&Role<'a>> {
        self.indexed_roles().of(text)
    }

    /// The place of the role that a text means among [`roles`](Self::roles).
    pub(crate) fn place_of_role(&self, text: &str) -> Option<usize> {
        self.indexed_roles().by_text.get(text).copied()
    }

    fn indexed_roles(&self) -> &Roles<'a> {
        self.roles.get_or_init(|| {
            let mut roles = Roles::default();
            self.of_kind("aws_iam_role").for_each(|(object, view)| roles.add(self.role(object, view)));
            self.attach(&mut roles);
            roles.all.iter_mut().for_each(|role| self.resolve(role));
            roles
        })
    }

    /// A role with what its own object says.
    fn role(&self, object: &'a Object, view: View<'a>) -> Role<'a> {
        // A role that is there already may have been given more than the configuration says, unless it was asked.
        let is_new = self.is_made(object.addr.as_ref());
        let own = view.texts("managed_policy_arns");
        let may_have_more = !is_new && (view.get("managed_policy_arns").is_none() || !own.is_known());
        let policies = own.known().into_iter().flatten().map(|arn| ((*arn).to_owned(), None)).collect();
        let inline = view.blocks("inline_policy");
        let mut role = Role { object, view, policies, documents: Vec::new(), may_have_more };
        for block in inline {
            role.read(block.fact("policy"));
        }
        role
    }

    fn attach(&self, roles: &mut Roles<'a>) {
        for (object, view) in self.of_kind("aws_iam_role_policy_attachment") {
            match view.text("role") {
                Some(text) => match roles.of_mut(text) {
                    Some(role) => role.attach(view.text("policy_arn"), object.addr.as_ref()),
                    None => roles.loosen(text),
                },
                // It may be any role's.
                None => roles.loosen(""),
            }
        }
        for (object, view) in self.of_kind("aws_iam_policy_attachment") {
            let Fact::Known(texts) = view.texts("roles") else {
                roles.loosen("");
                continue;
            };
            for text in texts {
                if let Some(role) = roles.of_mut(text) {
                    role.attach(view.text("policy_arn"), object.addr.as_ref());
                }
            }
        }
        for (_, view) in self.of_kind("aws_iam_role_policy") {
            if let Some(role) = view.text("role").and_then(|text| roles.of_mut(text)) {
                role.read(view.fact("policy"));
            }
        }
    }

    /// Reads the documents of the configuration's own policies; one that is not here may allow anything.
    fn resolve(&self, role: &mut Role<'a>) {
        let own: Vec<String> = role.policies.iter().map(|(arn, _)| arn.clone()).collect();
        for arn in own.iter().filter(|arn| !arn.contains(":iam::aws:policy/")) {
            match self.meant_by(arn, "aws_iam_policy", &["arn", "id"]) {
                Some((_, view)) => role.read(view.fact("policy")),
                None => role.may_have_more = true,
            }
        }
    }
}

impl<'a> Role<'a> {
    fn attach(&mut self, policy: Option<&str>, by: Option<&'a InstanceAddr>) {
        match policy {
            Some(arn) => self.policies.push((arn.to_owned(), by)),
            None => self.may_have_more = true,
        }
    }
}

impl Role<'_> {
    fn read(&mut self, text: Fact<Option<&str>>) {
        match text {
            Fact::Known(Some(text)) => match serde_json::from_str(text) {
                Ok(document) => self.documents.push(document),
                Err(_) => self.may_have_more = true,
            },
            Fact::Known(None) => {}
            Fact::Unknown => self.may_have_more = true,
        }
    }
}
