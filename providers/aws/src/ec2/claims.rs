//! Who manages the routes of a table, or the entries of a network ACL: blocks inside it, or objects of their own.
//!
//! A table with `route` blocks removes every route that is not among them, those of `aws_route` objects too.

use sgp_contract::{Claim, ClaimRequest};

use crate::values;

/// What may be managed in two ways.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// What they are: `the routes of`.
    what: &'static str,
    /// What to do about it.
    advice: &'static str,
}

/// Routes of a route table.
pub const ROUTES: Shared = Shared {
    what: "the routes of",
    advice: "A table with `route` blocks removes all other routes. Keep the blocks, or make each route an `aws_route`.",
};

/// Entries of a network ACL.
pub const ACL_ENTRIES: Shared = Shared {
    what: "the entries of",
    advice: "An ACL with `ingress` or `egress` blocks removes all other entries. Keep the blocks, or make each entry an \
             `aws_network_acl_rule`.",
};

/// Options of a peering connection.
pub const PEERING_OPTIONS: Shared = Shared {
    what: "the options of",
    advice: "Keep the blocks of the connection, or the `aws_vpc_peering_connection_options`.",
};

/// The claim of the whole, of what has `blocks` inside: only what the configuration says counts, since a state tells blocks for
/// whatever exists.
pub fn whole(shared: Shared, request: &ClaimRequest<'_>, id: &str, blocks: &[&str]) -> Option<Claim> {
    let says = |name: &&str| request.config.get(name).is_some_and(|it| !it.is_null());
    blocks.iter().any(says).then(|| claim(shared, request, id, false))?
}

/// The claim of one part: many parts go together, and none of them with the whole.
pub fn one(shared: Shared, request: &ClaimRequest<'_>, id: &str) -> Option<Claim> {
    claim(shared, request, id, true)
}

/// Ids are unique in all of AWS, but another provider block may stand for another endpoint.
fn claim(shared: Shared, request: &ClaimRequest<'_>, id: &str, is_part: bool) -> Option<Claim> {
    let id = values::str_opt(request.object, id)?;
    let is_default = request.provider.module.is_root() && request.provider.alias.is_none();
    let scope = if is_default { String::new() } else { format!(" ({})", request.provider) };
    Some(Claim { thing: format!("{} {id}{scope}", shared.what), advice: shared.advice, is_part })
}
