//! What moto's IAM lacks: the client ids of an OpenID Connect provider.

use super::call::AwsRequest;
use super::errors::Refusal;
use super::shared::Shared;
use super::xml;
use crate::world::http::typed;
use bytes::Bytes;
use http::Response;
use std::collections::HashMap;
use std::sync::Mutex;

/// The client ids of those providers whose list was changed after they were made.
#[derive(Debug, Default)]
pub(super) struct ClientIds(Mutex<HashMap<String, Vec<String>>>);

impl ClientIds {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

pub(super) async fn answer(shared: &Shared, request: &AwsRequest) -> Result<Response<Bytes>, Refusal> {
    let arn = request.param("OpenIDConnectProviderArn").unwrap_or_default();
    match request.operation().as_str() {
        "AddClientIDToOpenIDConnectProvider" => change(shared, request, arn, true).await,
        "RemoveClientIDFromOpenIDConnectProvider" => change(shared, request, arn, false).await,
        "GetOpenIDConnectProvider" => {
            let response = shared.upstream.forward(request).await?;
            Ok(response.map(|body| with_client_ids(shared, arn, body)))
        }
        "DeleteOpenIDConnectProvider" => {
            shared.client_ids.0.lock().unwrap().remove(arn);
            shared.upstream.forward(request).await
        }
        _ => shared.upstream.forward(request).await,
    }
}

async fn change(shared: &Shared, request: &AwsRequest, arn: &str, adds: bool) -> Result<Response<Bytes>, Refusal> {
    let provider = shared.upstream.query("iam", "GetOpenIDConnectProvider", &[("OpenIDConnectProviderArn", arn)]).await;
    let Ok(provider) = provider else {
        return Err(Refusal::new(404, "NoSuchEntity", format!("OpenIDConnect Provider not found for arn {arn}")));
    };
    let id = request.param("ClientID").unwrap_or_default().to_owned();
    let mut known = shared.client_ids.0.lock().unwrap();
    let ids = known.entry(arn.to_owned()).or_insert_with(|| client_ids(&provider));
    ids.retain(|found| *found != id);
    if adds {
        ids.push(id);
    }
    let name = request.operation();
    Ok(typed(
        200,
        "text/xml",
        format!(
            "<{name}Response><ResponseMetadata><RequestId>sgp-proxy</RequestId></ResponseMetadata></{name}Response>"
        ),
    ))
}

fn client_ids(provider: &str) -> Vec<String> {
    let Ok(document) = roxmltree::Document::parse(provider) else { return Vec::new() };
    let list = document.descendants().find(|node| node.tag_name().name() == "ClientIDList");
    list.map(|list| xml::texts(&provider[list.range()], "member")).unwrap_or_default()
}

fn with_client_ids(shared: &Shared, arn: &str, body: Bytes) -> Bytes {
    let text = String::from_utf8_lossy(&body).into_owned();
    let known = shared.client_ids.0.lock().unwrap();
    let (Some(ids), Ok(document)) = (known.get(arn), roxmltree::Document::parse(&text)) else { return body };
    let Some(list) = document.descendants().find(|node| node.tag_name().name() == "ClientIDList") else { return body };
    let members: Vec<String> = ids.iter().map(|id| format!("<member>{id}</member>")).collect();
    let mut changed = text.clone();
    changed.replace_range(list.range(), &format!("<ClientIDList>{}</ClientIDList>", members.concat()));
    Bytes::from(changed)
}
