//! The kinds of objects: what their ids begin with, what AWS calls them, and where their tags are.
//!
//! Source of the codes: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".

use super::tags::Tags;
use super::{
    Ec2, addresses, dhcp_options, gateways, instances, interfaces, key_pairs, launch_templates, nat_gateways,
    network_acls, peering, prefix_lists, route_tables, rules, security_groups, subnets, vpc_endpoints, vpcs,
};
use crate::aws::ApiError;

/// All kinds. Another file adds its own here; `CreateTags`, `DeleteTags` and `DescribeTags` then know them.
pub static KINDS: &[&Kind] = &[
    &addresses::KIND,
    &dhcp_options::KIND,
    &gateways::EGRESS_ONLY_KIND,
    &gateways::KIND,
    &instances::KIND,
    &interfaces::KIND,
    &key_pairs::KIND,
    &nat_gateways::KIND,
    &network_acls::KIND,
    &peering::KIND,
    &prefix_lists::KIND,
    &route_tables::KIND,
    &launch_templates::KIND,
    &rules::KIND,
    &security_groups::KIND,
    &subnets::KIND,
    &vpc_endpoints::KIND,
    &vpcs::KIND,
];

/// A kind of object with ids, and mostly with tags. Made by [`kind!`].
#[derive(Debug)]
pub struct Kind {
    /// What its ids begin with, without the hyphen: `subnet`.
    pub prefix: &'static str,
    /// The resource type in ARNs and tag specifications: `subnet`.
    pub resource_type: &'static str,
    /// What messages call it: `subnet`.
    pub noun: &'static str,
    /// The code for an id that is not there: `InvalidSubnetID.NotFound`.
    pub not_found: &'static str,
    /// The code for an id that is not one: `InvalidSubnetID.Malformed`.
    pub malformed: &'static str,
    /// An object's tags; `None` when there is no such object.
    pub tags: for<'a> fn(&'a Ec2, &str) -> Option<&'a Tags>,
    /// Replaces an object's tags.
    pub set_tags: fn(&mut Ec2, &str, Tags),
    /// The objects from an id on with their tags, by id.
    pub all_from: for<'a> fn(&'a Ec2, &str) -> Box<dyn Iterator<Item = (&'a str, &'a Tags)> + 'a>,
}

/// A [`Kind`] whose rows are in a table of [`Ec2`] under their ids, with a field `tags`: table, id prefix, resource type, noun,
/// code for missing, code for malformed.
macro_rules! kind {
    ($table:ident, $prefix:literal, $resource_type:literal, $noun:literal, $not_found:literal, $malformed:literal) => {
        $crate::ec2::kinds::Kind {
            prefix: $prefix,
            resource_type: $resource_type,
            noun: $noun,
            not_found: $not_found,
            malformed: $malformed,
            tags: |ec2, id| ec2.$table.get(id).map(|row| &row.tags),
            set_tags: |ec2, id, tags| {
                ec2.$table.update(id, |row| row.tags = tags);
            },
            all_from: |ec2, id| Box::new(ec2.$table.from(id).map(|(id, row)| (id, &row.tags))),
        }
    };
}
pub(super) use kind;

impl Kind {
    /// The kind that an id belongs to by its prefix.
    pub fn of(id: &str) -> Option<&'static Kind> {
        let (prefix, _) = id.rsplit_once('-')?;
        KINDS.iter().copied().find(|kind| kind.prefix == prefix)
    }

    /// Checks the form of an id: the prefix and 8 or 17 hexadecimal digits.
    ///
    /// # Errors
    /// The kind's code for a malformed id.
    pub fn well_formed(&self, id: &str) -> Result<(), ApiError> {
        let digits = id.strip_prefix(self.prefix).and_then(|rest| rest.strip_prefix('-')).unwrap_or("");
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if is_hex && matches!(digits.len(), 8 | 17) {
            return Ok(());
        }
        Err(ApiError::new(self.malformed, format!("Invalid id: \"{id}\" (expecting \"{}-...\")", self.prefix)))
    }

    /// Takes the row of an id that a look-up found.
    ///
    /// # Errors
    /// The kind's codes for an id that is malformed or not there.
    pub fn found<T>(&self, id: &str, row: Option<T>) -> Result<T, ApiError> {
        match row {
            Some(row) => Ok(row),
            None => {
                self.well_formed(id)?;
                Err(self.missing(&[id]))
            }
        }
    }

    /// What AWS says when these ids are not there.
    pub fn missing(&self, ids: &[&str]) -> ApiError {
        let message = match ids {
            // Groups are the one kind that AWS names without "ID".
            [id] if self.prefix == "sg" => format!("The security group '{id}' does not exist"),
            [id] => format!("The {} ID '{id}' does not exist", self.noun),
            _ => format!("The {} IDs '{}' do not exist", self.noun, ids.join(", ")),
        };
        ApiError::new(self.not_found, message)
    }

    /// What AWS says when something else needs this object.
    pub fn in_use(&self, id: &str) -> ApiError {
        let message = format!("The {} '{id}' has dependencies and cannot be deleted.", self.noun);
        ApiError::new("DependencyViolation", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_form() {
        for (id, expected) in [
            ("vpc-12345678", true),
            ("vpc-0123456789abcdef0", true),
            ("vpc-0123456789ABCDEF0", false),
            ("vpc-123", false),
            ("subnet-12345678", false),
            ("", false),
        ] {
            assert_eq!(vpcs::KIND.well_formed(id).is_ok(), expected, "{id}");
        }
        assert_eq!(Kind::of("subnet-12345678").map(|kind| kind.resource_type), Some("subnet"));
        assert!(Kind::of("nothing").is_none());
    }

    #[test]
    fn kinds_are_listed_once() {
        let mut prefixes: Vec<_> = KINDS.iter().map(|kind| kind.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), KINDS.len());
    }
}
