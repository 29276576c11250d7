//! Security group rules: what moto's answers leave out. It drops the description of a rule that names a group or a prefix list.

use super::super::upstream::{ACCOUNT, REGION};
use super::{AwsRequest, Shared};
use bytes::Bytes;
use roxmltree::Node;
use std::collections::HashMap;
use std::sync::Mutex;

/// The descriptions of such rules, by rule id.
#[derive(Debug, Default)]
pub(in crate::world::proxy) struct Descriptions(Mutex<HashMap<String, String>>);

impl Descriptions {
    pub(in crate::world::proxy) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Reads the descriptions of an Authorize call's rules, and completes its answer.
pub(super) fn learn(shared: &Shared, request: &AwsRequest, answer: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(answer);
    let asked = asked_descriptions(request);
    if let Ok(document) = roxmltree::Document::parse(&text) {
        let mut known = shared.descriptions.0.lock().unwrap();
        for rule in rules(&document) {
            let source = text_of(rule, "prefixListId")
                .or_else(|| child(rule, "referencedGroupInfo").and_then(|group| text_of(group, "groupId")));
            if let (Some(id), Some(asked)) =
                (text_of(rule, "securityGroupRuleId"), source.and_then(|source| asked.get(source)))
            {
                known.insert(id.to_owned(), (*asked).to_owned());
            }
        }
    }
    complete(shared, answer)
}

/// The descriptions in a request, by the group or prefix list that is described.
fn asked_descriptions(request: &AwsRequest) -> HashMap<&str, &str> {
    let sources =
        request.params.iter().filter(|(name, _)| name.ends_with(".GroupId") || name.ends_with(".PrefixListId"));
    let described = sources.filter_map(|(name, source)| {
        let (entry, _) = name.rsplit_once('.')?;
        Some((source.as_str(), request.param(&format!("{entry}.Description"))?))
    });
    described.collect()
}

/// Adds to each rule of an answer what AWS says of it and moto does not.
pub(super) fn complete(shared: &Shared, answer: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(answer).into_owned();
    let Ok(document) = roxmltree::Document::parse(&text) else { return answer.clone() };
    let known = shared.descriptions.0.lock().unwrap();
    let mut completed = text.clone();
    for rule in rules(&document).into_iter().rev() {
        let id = text_of(rule, "securityGroupRuleId").unwrap_or_default();
        let mut more = missing(rule, "groupOwnerId", ACCOUNT);
        more +=
            &missing(rule, "securityGroupRuleArn", &format!("arn:aws:ec2:{REGION}:{ACCOUNT}:security-group-rule/{id}"));
        if let Some(description) = known.get(id) {
            more += &missing(rule, "description", &description.replace('&', "&amp;").replace('<', "&lt;"));
        }
        let end = rule.range().end - "</item>".len();
        completed.insert_str(end, &more);
    }
    Bytes::from(completed)
}

/// A rule that is modified gets its description from moto.
pub(super) fn forget(shared: &Shared, request: &AwsRequest) {
    let ids = (1..).map_while(|index| request.param(&format!("SecurityGroupRule.{index}.SecurityGroupRuleId")));
    let mut known = shared.descriptions.0.lock().unwrap();
    for id in ids {
        known.remove(id);
    }
}

fn rules<'a, 'input>(document: &'a roxmltree::Document<'input>) -> Vec<Node<'a, 'input>> {
    let items = document.descendants().filter(|node| node.tag_name().name() == "item");
    items.filter(|item| child(*item, "securityGroupRuleId").is_some()).collect()
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn text_of<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name).and_then(|child| child.text())
}

fn missing(rule: Node<'_, '_>, name: &str, value: &str) -> String {
    if child(rule, name).is_some() { String::new() } else { format!("<{name}>{value}</{name}>") }
}
