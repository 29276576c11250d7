//! Digests and identifiers.

use base64::Engine;
use sgp_model::{Type, Value};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use uuid::Uuid;

use super::{
    encoding::BASE64,
    spec::{Args, Function, Outcome, Param, Ty, arg_error, error, param, unknown_of},
};

const fn of_text(name: &'static str, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("str", Ty::String)];
    Function { name, params: PARAMS, rest: None, returns: Ty::String, run }
}

pub(super) const TABLE: &[Function] = &[
    of_text("base64sha256", |a| Ok(base64_sha256(a.str(0).as_bytes()).into())),
    of_text("base64sha512", |a| Ok(base64_sha512(a.str(0).as_bytes()).into())),
    Function {
        name: "bcrypt",
        params: &[param("str", Ty::String)],
        rest: Some(param("cost", Ty::Number)),
        returns: Ty::String,
        run: bcrypt,
    },
    of_text("md5", |a| Ok(md5(a.str(0).as_bytes()).into())),
    of_text("sha1", |a| Ok(sha1(a.str(0).as_bytes()).into())),
    of_text("sha256", |a| Ok(sha256(a.str(0).as_bytes()).into())),
    of_text("sha512", |a| Ok(sha512(a.str(0).as_bytes()).into())),
    Function { name: "uuid", params: &[], rest: None, returns: Ty::String, run: |a| Ok(uuid(a)) },
    Function {
        name: "uuidv5",
        params: &[param("namespace", Ty::String), param("name", Ty::String)],
        rest: None,
        returns: Ty::String,
        run: uuid_v5,
    },
];

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

pub(super) fn md5(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

pub(super) fn sha1(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn sha512(bytes: &[u8]) -> String {
    hex(&Sha512::digest(bytes))
}

pub(super) fn base64_sha256(bytes: &[u8]) -> String {
    BASE64.encode(Sha256::digest(bytes))
}

pub(super) fn base64_sha512(bytes: &[u8]) -> String {
    BASE64.encode(Sha512::digest(bytes))
}

fn bcrypt(a: &Args) -> Outcome {
    const DEFAULT: u32 = 10;
    if a.len() > 2 {
        return Err(error("bcrypt() takes no more than two arguments"));
    }
    let cost = if a.len() == 2 { a.int_arg(1)? } else { DEFAULT.into() };
    let cost = match u32::try_from(cost) {
        Ok(cost @ 4..=31) => cost,
        Ok(32..) | Err(_) if cost > 0 => return Err(arg_error(1, "cost is outside the allowed range of 4 to 31")),
        // So few rounds protect nothing.
        _ => DEFAULT,
    };
    if a.str(0).len() > 72 {
        return Err(arg_error(0, "must not be longer than 72 bytes"));
    }
    let Some(impure) = a.cx.impure else { return Ok(unknown_of(Type::String)) };
    let mut salt = [0; 16];
    (impure.random)(&mut salt);
    let parts = bcrypt::hash_with_salt(a.str(0), cost, salt).map_err(|e| error(e.to_string()))?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA).into())
}

fn uuid(a: &Args) -> Value {
    let Some(impure) = a.cx.impure else { return unknown_of(Type::String) };
    let mut bytes = [0; 16];
    (impure.random)(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into()
}

fn uuid_v5(a: &Args) -> Outcome {
    let namespace = match a.str(0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => {
            Uuid::parse_str(other).map_err(|e| error(format!("uuidv5() doesn't support namespace {other} ({e})")))?
        }
    };
    Ok(Value::from(Uuid::new_v5(&namespace, a.str(1).as_bytes()).to_string()))
}
