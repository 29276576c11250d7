//! Who sends a request: the administrator of the sandbox's kubeconfig, an IAM principal, or a service account.

use bytes::Bytes;
use http::{Request, header};

use super::status::Status;
use super::tokens;
use crate::kubernetes::admission::User;
use crate::world::World;

/// A sender that is known.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Its name and groups.
    pub user: User,
    /// The ARN of an IAM principal, for EKS's access policies; empty for others.
    pub principal: String,
}

/// The sender by its bearer token.
///
/// # Errors
/// `Unauthorized` without a token that is known. Since 1.32 EKS lets nobody else in, health checks excepted.
pub fn sender(world: &World, cluster: &str, request: &Request<Bytes>) -> Result<Sender, Status> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).ok_or_else(Status::unauthorized)?;
    by_token(world, cluster, token, &[tokens::AUDIENCE]).ok_or_else(Status::unauthorized)
}

/// Whom a token lets in, meant for one of these audiences.
pub fn by_token(world: &World, cluster: &str, token: &str, audiences: &[&str]) -> Option<Sender> {
    let row = world.kubernetes.clusters.get(cluster)?;
    if is_equal(token, &row.admin_token) {
        let groups = ["system:masters", "system:authenticated"].map(str::to_owned).to_vec();
        let user = User { name: "kubernetes-admin".to_owned(), groups };
        return Some(Sender { user, principal: String::new() });
    }
    if token.starts_with("k8s-aws-v1.") {
        let caller = crate::iam::presigned::verify_token(world, token, cluster).ok()?;
        let user = crate::eks::access::user(world, cluster, &caller)?;
        return Some(Sender { user, principal: caller.arn });
    }
    let (user, _) = tokens::user(world, cluster, token, audiences)?;
    Some(Sender { user, principal: String::new() })
}

/// Compares secrets in a time that tells nothing about them.
fn is_equal(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
