//! `data "tls_certificate"`.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use futures::future::join_all;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Type, Value};
use url::Url;

use super::{key::Problem, proxy, seen};
use crate::{
    attrs::{self, flag, text, wrong},
    digests,
    net::{
        connect::{self, Proxies},
        trust::{self, Trust},
    },
    tools::Tools,
};

pub(crate) struct TlsCertificate;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("tls_certificate", "The certificates that a server shows, or those of a text.")
        .attr("url", Attribute::string().doc("Where the server is: `https://oidc.example.com/id`, `tls://example.com:636`. This or `content` must be set."))
        .attr("content", Attribute::string().doc("Certificates in PEM."))
        .attr("verify_chain", Attribute::bool().doc("Whether an authority of this machine must stand for the server; true without it. Only with `url`."))
        .attr("id", Attribute::string().computed().doc("The SHA-1 of the certificates in hexadecimal digits."))
        .attr("certificates", Attribute::of(Type::list(seen::ty())).computed().doc("The certificates as the server sends them, but the last one first: the authority's before the server's. IAM takes the `sha1_fingerprint` of the first one as thumbprint."))
        .example(
            "data \"tls_certificate\" \"oidc\" {\n  url = aws_eks_cluster.this.identity[0].oidc[0].issuer\n}\n",
        )
});

/// The certificates that a server shows, its own one first.
async fn shown(url: &Url, verify: bool, proxies: &Proxies) -> Result<Vec<Vec<u8>>, Problem> {
    let trust = if verify { Trust::System } else { Trust::Anybody };
    let session = connect::for_tls(url, proxies, Arc::new(trust::client(&trust, None)?)).await?;
    let (_, connection) = session.get_ref();
    let certificates = connection.peer_certificates().unwrap_or_default();
    Ok(certificates.iter().map(|certificate| certificate.to_vec()).collect())
}

async fn of_server(config: &Value, said: &str, proxies: &Proxies) -> Result<Vec<Vec<u8>>, Diagnostic> {
    let url: Url = said.parse().map_err(|e| wrong("url", format!("{said:?} is no URL: {e}.")))?;
    if !["https", "tls"].contains(&url.scheme()) {
        return Err(wrong("url", format!("`url` must be an https or tls URL, not {said:?}.")));
    }
    if url.scheme() == "tls" && url.port().is_none() {
        return Err(wrong(
            "url",
            format!("A tls URL names its port: tls://{}:443.", url.host_str().unwrap_or_default()),
        ));
    }
    let verify = flag(config, "verify_chain").unwrap_or(true);
    let mut chain = shown(&url, verify, proxies).await.map_err(|problem| {
        let advice = if verify && problem.contains("certificate") {
            " With `verify_chain = false` its certificates are told without that."
        } else {
            ""
        };
        Diagnostic::error("Certificates cannot be read", format!("{said}: {problem}.{advice}"))
            .attribute(AttrPath::attr("url"))
    })?;
    chain.reverse();
    Ok(chain)
}

async fn read(config: &Value, proxies: &Proxies) -> Result<Value, Diagnostics> {
    let problems = attrs::exclusive(config, &["url", "content"], true);
    if problems.has_errors() {
        return Err(problems);
    }
    let chain = match (text(config, "url"), text(config, "content")) {
        (Some(url), _) => of_server(config, url, proxies).await?,
        (None, content) => {
            if attrs::is_set(config, "verify_chain") {
                return Err(wrong("verify_chain", "`verify_chain` goes with `url` only.").into());
            }
            let found = trust::certificates(content.unwrap_or_default());
            let found = found.map_err(|problem| wrong("content", format!("`content`: {problem}.")))?;
            found.iter().map(|certificate| certificate.to_vec()).collect()
        }
    };
    let told: Result<Vec<Value>, Problem> = chain.iter().map(|der| seen::told(der)).collect();
    let told = told.map_err(|problem| Diagnostic::error("Certificates cannot be read", format!("{problem}.")))?;
    let fields = [("id", digests::sha1(&chain.concat()).into()), ("certificates", Value::list(seen::ty(), told))];
    Ok(attrs::with(config, fields))
}

#[async_trait]
impl DataSource for TlsCertificate {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _scope: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        match proxy::of(&Tools::of(client).config) {
            Ok(proxies) => join_all(requests.iter().map(|request| read(request.config, &proxies))).await,
            Err(problem) => requests.iter().map(|_| Err(problem.clone().into())).collect(),
        }
    }
}

/// [`read`] for tests, of arguments and a provider's configuration.
#[cfg(test)]
pub(super) async fn read_with(fields: Vec<(&'static str, Value)>, proxies: &Proxies) -> Result<Value, Diagnostics> {
    read(&attrs::object(&SCHEMA.block, fields), proxies).await
}
