//! Tokens of service accounts: JWTs signed with a key of the cluster, and what its issuer publishes of it.
//!
//! Sources: "Managing Service Accounts", RFC 7515 (JWS), RFC 7517 (JWK).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize, SigningKey};
use rustls::SignatureScheme;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::reply::{Content, Reply};
use super::status::Status;
use crate::kubernetes::admission::User;
use crate::kubernetes::objects::Key;
use crate::world::World;

/// The audience of the API server itself.
pub const AUDIENCE: &str = "https://kubernetes.default.svc";

/// A cluster's key for tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenKey {
    /// The private key.
    pub private_pem: String,
    /// The public key, `RSAPublicKey` in DER, base64.
    pub public_der: String,
}

impl TokenKey {
    fn new() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        Ok(Self { private_pem: key.serialize_pem(), public_der: STANDARD.encode(key.der_bytes()) })
    }

    fn public(&self) -> Vec<u8> {
        STANDARD.decode(&self.public_der).unwrap_or_default()
    }

    /// The key's name in tokens and documents.
    fn id(&self) -> String {
        Sha256::digest(self.public()).iter().take(20).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The cluster's key, made when it is first needed: making one takes longer than making a cluster.
fn key(world: &mut World, cluster: &str) -> Result<TokenKey, Status> {
    let row = world.kubernetes.clusters.get(cluster).ok_or_else(Status::no_such_path)?;
    if let Some(key) = &row.token_key {
        return Ok(key.clone());
    }
    let key = TokenKey::new().map_err(|error| Status::new(500, "InternalError", error.to_string()))?;
    world.kubernetes.clusters.update(cluster, |row| row.token_key = Some(key.clone()));
    Ok(key)
}

/// Who the cluster's tokens are from: its OIDC issuer at EKS.
pub fn issuer(world: &World, cluster: &str) -> String {
    let at_eks = world.eks.clusters.get(cluster).map(|row| row.issuer.clone()).filter(|it| !it.is_empty());
    at_eks.unwrap_or_else(|| AUDIENCE.to_owned())
}

/// What a token says.
pub type Claims = Value;

/// Signs claims.
pub fn sign(world: &mut World, cluster: &str, claims: &Claims) -> Result<String, Status> {
    let key = key(world, cluster)?;
    let failed = |error: rcgen::Error| Status::new(500, "InternalError", error.to_string());
    let pair = KeyPair::from_pem_and_sign_algo(&key.private_pem, &PKCS_RSA_SHA256).map_err(failed)?;
    let head = json!({ "alg": "RS256", "kid": key.id() });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&head), encode(claims));
    let signature = pair.sign(signed.as_bytes()).map_err(failed)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// What a token says when the cluster signed it, whatever its times and audiences are.
pub fn verify(world: &World, cluster: &str, token: &str) -> Option<Claims> {
    let key = world.kubernetes.clusters.get(cluster)?.token_key.as_ref()?;
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    if read(head)?["alg"] != "RS256" {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let known = provider.signature_verification_algorithms.mapping;
    let (_, algorithms) = known.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)?;
    let is_signed = |it: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
        it.verify_signature(&key.public(), signed.as_bytes(), &signature).is_ok()
    };
    algorithms.iter().find(|it| is_signed(it))?;
    read(claims)
}

/// Who a token lets in; `None` when it is not the cluster's, not for one of these audiences, over, or its account or pod is gone.
pub fn user(world: &World, cluster: &str, token: &str, audiences: &[&str]) -> Option<(User, Claims)> {
    let claims = verify(world, cluster, token)?;
    let now = world.now.as_second();
    let is_in_time = claims["exp"].as_i64()? > now && claims["nbf"].as_i64()? <= now;
    let is_meant = claims["aud"].as_array()?.iter().filter_map(Value::as_str).any(|it| audiences.contains(&it));
    if !is_in_time || !is_meant || claims["iss"] != issuer(world, cluster) {
        return None;
    }
    let bound = &claims["kubernetes.io"];
    let namespace = bound["namespace"].as_str()?;
    let is_there = |resource: &str, object: &Value| {
        let key = Key::new(cluster, resource, namespace, object["name"].as_str().unwrap_or(""));
        world.kubernetes.objects.get(&key).is_some_and(|it| it["metadata"]["uid"] == object["uid"])
    };
    let account = &bound["serviceaccount"];
    if !is_there("serviceaccounts", account) || (!bound["pod"].is_null() && !is_there("pods", &bound["pod"])) {
        return None;
    }
    Some((account_user(namespace, account["name"].as_str()?), claims))
}

/// A service account as a user.
pub fn account_user(namespace: &str, name: &str) -> User {
    let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    let groups = groups.into_iter().chain(["system:authenticated".to_owned()]).collect();
    User { name: format!("system:serviceaccount:{namespace}:{name}"), groups }
}

/// EKS lets no token live longer.
const LONGEST_SECS: i64 = 24 * 3600;

/// Answers a TokenRequest for an account: the request with its status.
pub(super) fn request(
    world: &mut World,
    cluster: &str,
    account: &Arc<Value>,
    mut asked: Value,
) -> Result<Value, Status> {
    let spec = &asked["spec"];
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(3600);
    let audiences = match spec["audiences"].as_array().filter(|some| !some.is_empty()) {
        Some(audiences) => json!(audiences),
        None => json!([AUDIENCE]),
    };
    let metadata = &account["metadata"];
    let namespace = metadata["namespace"].as_str().unwrap_or("");
    let now = world.now.as_second();
    let end = now + seconds.min(LONGEST_SECS);
    let mut bound = json!({
        "namespace": namespace, "serviceaccount": { "name": metadata["name"], "uid": metadata["uid"] },
    });
    if let Some(object) = spec.get("boundObjectRef").filter(|it| it["kind"] == "Pod") {
        let name = object["name"].as_str().unwrap_or("");
        let pods = super::resources::builtin("", "v1", "pods").expect("the core group has pods");
        let pod = world.kubernetes.objects.get(&pods.key(cluster, namespace, name));
        let pod = pod.ok_or_else(|| Status::not_found(&pods, name))?;
        bound["pod"] = json!({ "name": name, "uid": pod["metadata"]["uid"] });
    }
    let claims = json!({
        "aud": audiences, "exp": end, "iat": now, "nbf": now, "iss": issuer(world, cluster), "jti": world.ids.uuid(),
        "kubernetes.io": bound,
        "sub": format!("system:serviceaccount:{namespace}:{}", metadata["name"].as_str().unwrap_or("")),
    });
    let token = sign(world, cluster, &claims)?;
    let expires = jiff::Timestamp::from_second(end).unwrap_or(world.now).to_string();
    asked["spec"]["audiences"] = audiences;
    asked["spec"]["expirationSeconds"] = json!(seconds);
    asked["metadata"] = json!({ "name": metadata["name"], "namespace": namespace, "creationTimestamp": crate::kubernetes::life::seconds(world) });
    asked["status"] = json!({ "token": token, "expirationTimestamp": expires });
    Ok(asked)
}

/// `/.well-known/openid-configuration`.
pub(super) fn configuration(world: &World, cluster: &str) -> Reply {
    let issuer = issuer(world, cluster);
    Reply::json(
        200,
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/keys"),
            "authorization_endpoint": "urn:kubernetes:programmatic_authorization",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "claims_supported": ["sub", "iss"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }),
    )
}

/// `/openid/v1/jwks`.
pub(super) fn keys(world: &mut World, cluster: &str) -> Result<Reply, Status> {
    let key = key(world, cluster)?;
    let (modulus, exponent) = numbers(&key.public()).unwrap_or_default();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let set = json!({ "keys": [{
        "use": "sig", "kty": "RSA", "kid": key.id(), "alg": "RS256", "n": encode(&modulus), "e": encode(&exponent),
    }] });
    let bytes = Bytes::from(set.to_string());
    Ok(Reply::new(200, Content::Bytes { media_type: "application/jwk-set+json", bytes, etag: None }))
}

/// Modulus and exponent of an `RSAPublicKey` in DER.
fn numbers(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut sequence = element(&mut &der[..], 0x30)?;
    let mut integer = || element(&mut sequence, 0x02).map(|bytes| bytes.strip_prefix(&[0]).unwrap_or(bytes).to_vec());
    Some((integer()?, integer()?))
}

/// The content of the next DER element, which has this tag.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&[found, first], mut rest) = der.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *der = after;
    (found == tag).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::cluster::Cluster;
    use crate::kubernetes::life;

    #[test]
    fn a_token_lets_in_until_it_is_over_or_its_account_goes() {
        let mut world = crate::testing::world();
        world.kubernetes.clusters.insert("c", Cluster::new("c").unwrap());
        let place = Key::new("c", "serviceaccounts", "ns", "a");
        let account = life::create(&mut world, &place, json!({ "kind": "ServiceAccount" }));
        let asked = json!({ "spec": { "expirationSeconds": 600 } });
        let answer = request(&mut world, "c", &account, asked).unwrap();
        let token = answer["status"]["token"].as_str().unwrap().to_owned();
        let name = |world: &World, token: &str, audience: &str| {
            user(world, "c", token, &[audience]).map(|(user, _)| user.name)
        };
        assert_eq!(name(&world, &token, AUDIENCE).as_deref(), Some("system:serviceaccount:ns:a"));
        assert_eq!(name(&world, &token, "sts.amazonaws.com"), None);
        let (signed, _) = token.rsplit_once('.').unwrap();
        assert_eq!(name(&world, &format!("{signed}.AAAA"), AUDIENCE), None);
        crate::testing::pass(&mut world, 601);
        assert_eq!(name(&world, &token, AUDIENCE), None);
        let again = request(&mut world, "c", &account, json!({})).unwrap();
        let token = again["status"]["token"].as_str().unwrap().to_owned();
        assert!(name(&world, &token, AUDIENCE).is_some());
        life::delete(&mut world, &place, life::Deletion::default());
        assert_eq!(name(&world, &token, AUDIENCE), None);
        let keys = keys(&mut world, "c").unwrap();
        let Content::Bytes { bytes, .. } = keys.content else { panic!("bytes") };
        let keys: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((keys["keys"][0]["e"].as_str(), keys["keys"][0]["n"].as_str().unwrap().len()), (Some("AQAB"), 342));
    }
}
