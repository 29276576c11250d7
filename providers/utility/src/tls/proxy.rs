//! The proxy that a `provider "tls"` names.

use hyper_util::client::proxy::matcher::Matcher;
use sgp_model::{Attribute, Block, Diagnostic, NestedBlock, Value};
use url::Url;

use crate::{
    attrs::{flag, text},
    net::connect::Proxies,
};

/// The block.
pub(super) fn block() -> NestedBlock {
    let block = Block::default()
        .attr("url", Attribute::string().doc("Its URL: `http`, `https` or `socks5`."))
        .attr("username", Attribute::string().doc("The name to show it."))
        .attr("password", Attribute::string().sensitive().doc("The password to show it."))
        .attr("from_env", Attribute::bool().doc("Whether `HTTPS_PROXY` and `NO_PROXY` say; true without `url`."));
    NestedBlock::list_of_one(block).doc("The way to servers outside; without it the environment says.")
}

/// The way that a provider's configuration says.
pub(super) fn of(config: &Value) -> Result<Proxies, Diagnostic> {
    let said = config.get("proxy").and_then(Value::elements).and_then(|blocks| blocks.first().copied().cloned());
    let Some(said) = said else { return Ok(Proxies::from_env()) };
    let Some(address) = text(&said, "url") else {
        return Ok(if flag(&said, "from_env") == Some(false) { Proxies::Never } else { Proxies::from_env() });
    };
    let wrong = |detail: String| Diagnostic::error("Invalid proxy", detail);
    let mut url: Url = address.parse().map_err(|e| wrong(format!("{address:?} is no URL: {e}.")))?;
    if !["http", "https", "socks5"].contains(&url.scheme()) {
        return Err(wrong(format!("The URL of a proxy is http, https or socks5, not {address:?}.")));
    }
    let fits = text(&said, "username").is_none_or(|name| url.set_username(name).is_ok())
        && text(&said, "password").is_none_or(|password| url.set_password(Some(password)).is_ok());
    if !fits {
        return Err(wrong(format!("{address:?} can have no name and password.")));
    }
    Ok(Proxies::One(Box::new(Matcher::builder().all(url.to_string()).build())))
}
