//! IAM: roles, policies, instance profiles, identity providers, users and keys; and who may do what.
//!
//! Source: IAM API Reference (docs.aws.amazon.com/IAM/latest/APIReference), version 2010-05-08.

use crate::aws::{ApiError, Caller, Operation};
use crate::store::table::Durable;
use crate::world::World;

/// The operations, by file.
pub const OPERATIONS: &[&[Operation]] = &[];

/// IAM's objects.
#[derive(Debug, Default)]
pub struct Iam {}

impl Iam {
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Durable> {
        Vec::new()
    }

    /// Whether not even AWS's own policies are there: the world was never furnished.
    pub(crate) fn is_empty(&self) -> bool {
        true
    }
}

/// Makes what a new account has.
pub(crate) fn furnish(_world: &mut World) {}

/// Who a request comes from, by its access key.
///
/// # Errors
/// `InvalidClientTokenId` and its like when keys are checked and this one is unknown.
pub fn identify(world: &World, access_key: &str) -> Result<Caller, ApiError> {
    let account = world.settings.account.clone();
    let arn = format!("arn:aws:iam::{account}:user/sandbox");
    Ok(Caller { arn, user_id: "AIDASANDBOX0000000000".to_owned(), account, access_key: access_key.to_owned() })
}
