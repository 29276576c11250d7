//! Key pairs: what node groups with remote access and instances name.
//!
//! Source: CreateKeyPair, ImportKeyPair, DescribeKeyPairs, DeleteKeyPair; of fingerprints Amazon EC2 User Guide, "Verify the
//! fingerprint of your key pair".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::Md5;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::describe::{Describe, Field, invalid};
use super::key_material::{self, Made};
use super::kinds::{Kind, kind};
use super::tags::{self, Tags, tag_set};
use crate::aws::{Answer, ApiError, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateKeyPair", run: create_key_pair },
    Operation { name: "DeleteKeyPair", run: delete_key_pair },
    Operation { name: "DescribeKeyPairs", run: describe_key_pairs },
    Operation { name: "ImportKeyPair", run: import_key_pair },
];

/// What key pairs are called.
pub static KIND: Kind =
    kind!(key_pairs, "key", "key-pair", "key pair", "InvalidKeyPair.NotFound", "InvalidParameterValue");

/// The public half of a key pair. EC2 keeps no private keys, nor does the sandbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyPair {
    /// `key-...`
    pub key_pair_id: String,
    /// The name that instances give.
    pub key_name: String,
    /// `rsa` or `ed25519`.
    pub key_type: String,
    /// In the form of its type and origin.
    pub fingerprint: String,
    /// In OpenSSH's form.
    pub public_key: String,
    /// When it came.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
}

static KEY_PAIRS: Describe<KeyPair> = Describe {
    kind: &KIND,
    ids: "KeyPairId",
    set: "keySet",
    filters: FILTERS,
    indexed: &[],
    limits: (5, 1000),
    tags: |pair| &pair.tags,
    render: |_, pair| render(pair),
};

const FILTERS: &[Field<KeyPair>] = &[
    ("key-pair-id", |_, pair| vec![pair.key_pair_id.clone()]),
    ("fingerprint", |_, pair| vec![pair.fingerprint.clone()]),
    ("key-name", |_, pair| vec![pair.key_name.clone()]),
];

fn render(pair: &KeyPair) -> Value {
    json!({
        "keyPairId": pair.key_pair_id, "keyFingerprint": pair.fingerprint, "keyName": pair.key_name,
        "keyType": pair.key_type, "createTime": pair.created_at.to_string(), "tagSet": tag_set(&pair.tags),
    })
}

/// The key pair of this name.
///
/// # Errors
/// `InvalidKeyPair.NotFound`.
pub fn named<'a>(world: &'a World, name: &str) -> Result<&'a KeyPair, ApiError> {
    let found = world.ec2.key_pairs.values().find(|pair| pair.key_name == name);
    found.ok_or_else(|| ApiError::new(KIND.not_found, format!("The key pair '{name}' does not exist")))
}

fn describe_key_pairs(world: &mut World, call: &Call) -> Answer {
    let names = call.texts("KeyName");
    let mut asked = call.texts("KeyPairId");
    for name in &names {
        asked.push(named(world, name)?.key_pair_id.clone());
    }
    let mut answer = if names.is_empty() {
        KEY_PAIRS.answer(world, &world.ec2.key_pairs, call)?
    } else {
        KEY_PAIRS.answer_for(world, &world.ec2.key_pairs, call, &asked)?
    };
    if call.boolean("IncludePublicKey")?.unwrap_or(false) {
        for shown in answer["keySet"].as_array_mut().into_iter().flatten() {
            let pair = world.ec2.key_pairs.get(shown["keyPairId"].as_str().unwrap_or_default());
            shown["publicKey"] = json!(pair.map(|pair| pair.public_key.clone()));
        }
    }
    Ok(answer)
}

fn free_name(world: &World, call: &Call) -> Result<String, ApiError> {
    let name = call.required("KeyName")?;
    if name.len() > 255 || !name.is_ascii() {
        return Err(invalid("KeyName", &name, "Up to 255 ASCII characters."));
    }
    if named(world, &name).is_ok() {
        return Err(ApiError::new("InvalidKeyPair.Duplicate", format!("The keypair already exists: {name}")));
    }
    Ok(name)
}

fn create_key_pair(world: &mut World, call: &Call) -> Answer {
    let name = free_name(world, call)?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    match call.text("KeyFormat").as_deref() {
        None | Some("pem") => {}
        Some("ppk") => return Err(invalid("KeyFormat", "ppk", "The sandbox makes keys in the format pem only.")),
        Some(other) => return Err(invalid("KeyFormat", other, "Expected one of: pem, ppk")),
    }
    let kind = call.text("KeyType").unwrap_or_else(|| "rsa".to_owned());
    let made = match kind.as_str() {
        "rsa" => key_material::rsa(),
        "ed25519" => key_material::ed25519(),
        other => return Err(invalid("KeyType", other, "Expected one of: rsa, ed25519")),
    };
    let Made { public, private, fingerprint } =
        made.map_err(|error| ApiError::new("InternalError", error.to_string()).with_status(500))?;
    let pair = insert(world, name, kind, fingerprint, format!("{public}\n"), tags);
    let mut answer = render(&pair);
    answer["keyMaterial"] = json!(private);
    Ok(answer)
}

fn import_key_pair(world: &mut World, call: &Call) -> Answer {
    let name = free_name(world, call)?;
    let tags = tags::from_specifications(call, KIND.resource_type)?;
    let wrong = || ApiError::new("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
    let sent = call.required("PublicKeyMaterial")?;
    let text = STANDARD.decode(sent.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let mut words = text.split_whitespace();
    let (kind, body) = (words.next().ok_or_else(wrong)?, words.next().ok_or_else(wrong)?);
    let blob = STANDARD.decode(body).map_err(|_| wrong())?;
    let fields =
        key_material::fields(&blob).filter(|fields| fields.first() == Some(&kind.as_bytes())).ok_or_else(wrong)?;
    let (kind, fingerprint) = match (kind, fields.as_slice()) {
        ("ssh-ed25519", [_, key]) if key.len() == 32 => ("ed25519", STANDARD.encode(Sha256::digest(&blob))),
        ("ssh-rsa", [_, exponent, modulus]) => {
            ("rsa", key_material::colons(&Md5::digest(key_material::rsa_public_info(exponent, modulus))))
        }
        _ => return Err(wrong()),
    };
    let pair = insert(world, name, kind.to_owned(), fingerprint, text, tags);
    let mut answer = render(&pair);
    // ImportKeyPair answers less than DescribeKeyPairs.
    if let Some(members) = answer.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "createTime" | "keyType"));
    }
    Ok(answer)
}

fn insert(
    world: &mut World,
    key_name: String,
    key_type: String,
    fingerprint: String,
    public_key: String,
    tags: Tags,
) -> KeyPair {
    let key_pair_id = world.ids.ec2(KIND.prefix);
    let created_at = world.now;
    let pair = KeyPair { key_pair_id, key_name, key_type, fingerprint, public_key, created_at, tags };
    world.ec2.key_pairs.insert(pair.key_pair_id.clone(), pair.clone());
    pair
}

/// Deletes a key pair; one that is not there is no error. Instances keep their keys.
fn delete_key_pair(world: &mut World, call: &Call) -> Answer {
    let id = match (call.text("KeyName"), call.text("KeyPairId")) {
        (None, None) => return Err(ApiError::missing(call.service, "KeyName")),
        (Some(name), _) => named(world, &name).ok().map(|pair| pair.key_pair_id.clone()),
        (None, Some(id)) => Some(id).filter(|id| world.ec2.key_pairs.get(id).is_some()),
    };
    if let Some(id) = &id {
        world.ec2.key_pairs.remove(id);
    }
    Ok(json!({ "return": "true", "keyPairId": id }))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::STANDARD;
    use crate::aws::Service;
    use crate::testing::{ec2, query, refusal, world};

    #[test]
    fn pairs_are_made_named_and_deleted() {
        let mut world = world();
        for (kind, begins, prints) in
            [("rsa", "-----BEGIN RSA PRIVATE KEY-----\n", 59), ("ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 44)]
        {
            let made = ec2(&mut world, "CreateKeyPair", &[("KeyName", kind), ("KeyType", kind)]);
            assert!(made["keyMaterial"].as_str().unwrap().starts_with(begins), "{kind}");
            assert_eq!(made["keyFingerprint"].as_str().unwrap().len(), prints, "{kind}");
            let again = query(&mut world, Service::Ec2, "CreateKeyPair", &[("KeyName", kind)]);
            assert_eq!(refusal(again), "InvalidKeyPair.Duplicate");
        }
        let shown = ec2(&mut world, "DescribeKeyPairs", &[("KeyName.1", "rsa"), ("IncludePublicKey", "true")]);
        assert!(shown["keySet"][0]["publicKey"].as_str().unwrap().starts_with("ssh-rsa AAAAB3NzaC1yc2E"));
        ec2(&mut world, "DeleteKeyPair", &[("KeyName", "rsa")]);
        ec2(&mut world, "DeleteKeyPair", &[("KeyName", "rsa")]);
        let gone = query(&mut world, Service::Ec2, "DescribeKeyPairs", &[("KeyName.1", "rsa")]);
        assert_eq!(refusal(gone), "InvalidKeyPair.NotFound");
    }

    #[test]
    fn what_was_made_can_be_imported() {
        let mut world = world();
        ec2(&mut world, "CreateKeyPair", &[("KeyName", "a"), ("KeyType", "ed25519")]);
        let shown = ec2(&mut world, "DescribeKeyPairs", &[("IncludePublicKey", "true")]);
        let (public, print) =
            (shown["keySet"][0]["publicKey"].as_str().unwrap(), &shown["keySet"][0]["keyFingerprint"]);
        let material = STANDARD.encode(public);
        let again = ec2(&mut world, "ImportKeyPair", &[("KeyName", "b"), ("PublicKeyMaterial", &material)]);
        assert_eq!(&again["keyFingerprint"], print);
        for wrong in ["ssh-rsa", "ssh-rsa AAAA", "ssh-dss AAAAB3NzaC1kc3M=", ""] {
            let material = STANDARD.encode(wrong);
            let pairs = [("KeyName", "c"), ("PublicKeyMaterial", material.as_str())];
            let refused = refusal(query(&mut world, Service::Ec2, "ImportKeyPair", &pairs));
            assert!(["InvalidKey.Format", "MissingParameter"].contains(&refused.as_str()), "{wrong}: {refused}");
        }
    }
}
