//! `aws_iam_openid_connect_provider`.

use std::{collections::BTreeSet, sync::LazyLock};

use async_trait::async_trait;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{AttrPath, Attribute, Diagnostic, Diagnostics, Schema, Value, state::Intent};

use crate::{
    adoption::{CLOCK_SKEW_SECS, by_age},
    attempts::Attempts,
    client::AwsClient,
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    tags::{self, TagChange},
    values::{self, ObjectBuilder, changed},
};

/// The type.
pub struct IamOpenIdConnectProvider;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "aws_iam_openid_connect_provider",
        "An OpenID Connect provider that IAM trusts: what roles for service accounts (IRSA) stand on.",
    )
    .attr("arn", Attribute::string().computed().doc("The ARN."))
    .attr("client_id_list", Attribute::string_set().required().doc("Audiences; `sts.amazonaws.com` for service accounts."))
    .attr("id", Attribute::string().computed().doc("The ARN."))
    .attr(
        "thumbprint_list",
        Attribute::strings().optional_computed().doc(
            "SHA-1 thumbprints (40 hexadecimal digits) of the certificate authorities; AWS finds out when nothing is said, and \
             does not need them for EKS.",
        ),
    )
    .attr("url", Attribute::string().required().doc("The issuer. AWS keeps it without `https://`, and so is it recorded."))
    .iam_actions(&[
        "iam:AddClientIDToOpenIDConnectProvider",
        "iam:CreateOpenIDConnectProvider",
        "iam:DeleteOpenIDConnectProvider",
        "iam:GetOpenIDConnectProvider",
        "iam:ListOpenIDConnectProviders",
        "iam:RemoveClientIDFromOpenIDConnectProvider",
        "iam:TagOpenIDConnectProvider",
        "iam:UntagOpenIDConnectProvider",
        "iam:UpdateOpenIDConnectProviderThumbprint",
    ])
    .example(
        r#"resource "aws_iam_openid_connect_provider" "cluster" {
  url            = aws_eks_cluster.example.identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
}
"#,
    );
    tags::attributes(schema)
});

#[async_trait]
impl ResourceType for IamOpenIdConnectProvider {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "iam"
    }

    /// The issuer is planned as AWS keeps it; only another issuer is a replacement.
    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        let mut response = tags::plan(&SCHEMA, request);
        let planned = response.planned.as_ref().unwrap_or(request.proposed);
        let Some(url) = values::str_opt(request.config, "url") else {
            if !request.prior.is_null() {
                response.requires_replace.push(AttrPath::attr("url"));
            }
            return response;
        };
        let marks = request.config.get("url").map(Value::marks).unwrap_or_default();
        let prior = values::str_opt(request.prior, "url");
        let kept = match prior {
            Some(prior) if host_of(prior) == host_of(url) => prior,
            Some(_) => {
                response.requires_replace.push(AttrPath::attr("url"));
                host_of(url)
            }
            None => host_of(url),
        };
        response.planned = Some(planned.with_attr("url", Value::from(kept).mark(marks)));
        response
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut checks =
            Checks::of(config).text("url", |t| !t.starts_with("http://") && !t.is_empty(), "begin with https://");
        let wrong = |t: &str| t.len() != 40 || !t.chars().all(|c| c.is_ascii_hexdigit());
        for thumbprint in values::strs(config, "thumbprint_list").into_iter().filter(|t| wrong(t)) {
            checks.wrong(
                "thumbprint_list",
                format!("{thumbprint:?} is no SHA-1 thumbprint: 40 hexadecimal digits are needed."),
            );
        }
        checks.done()
    }

    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let priors = requests.iter().map(|r| r.prior.clone()).collect();
        let objects = iam::each(priors, |prior| async move {
            let found = get(client, &arn_of(&prior)).await?;
            Ok(found.map(|found| object(client, &prior, &arn_of(&prior), &found)))
        });
        requests.iter().zip(objects.await).map(|(request, object)| iam::outcome(request, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, _cx: &Context, request: UpdateRequest<'_>) -> Applied {
        applied(update(AwsClient::of(client), request.prior, request.planned).await.map(Some))
    }

    async fn delete(&self, client: &dyn Client, _cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let call = AwsClient::of(client)
            .iam
            .delete_open_id_connect_provider()
            .open_id_connect_provider_arn(arn_of(request.prior));
        let result = iam::unless_gone(call.send().await.call("iam:DeleteOpenIDConnectProvider"));
        applied(result.map(|()| None).leaving(request.prior))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        if request.id.starts_with("arn:") && request.id.contains(":oidc-provider/") {
            return Ok(values::identity([("id", request.id), ("arn", request.id)]));
        }
        let example = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE";
        let detail = format!("{:?} is no ARN of an OpenID Connect provider. Give one such as {example}.", request.id);
        Err(Diagnostic::error("Invalid import id", detail))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let url = values::string(&intent.attributes, "url");
        Ok(match by_url(AwsClient::of(client), &url).await? {
            Some((arn, found)) => {
                let object =
                    intent.attributes.with_attr("arn", arn.as_str().into()).with_attr("id", arn.as_str().into());
                by_age(intent, &format!("The OpenID Connect provider {:?}", host_of(&url)), found.create_date(), object)
            }
            None => Found::Nothing,
        })
    }
}

fn arn_of(object: &Value) -> String {
    values::text(object, "arn").unwrap_or_else(|| values::string(object, "id"))
}

/// The issuer as AWS keeps it: host and path.
fn host_of(url: &str) -> &str {
    let url = url.strip_prefix("https://").unwrap_or(url);
    url.strip_suffix('/').unwrap_or(url)
}

async fn get(client: &AwsClient, arn: &str) -> Result<Option<GetOpenIdConnectProviderOutput>, ApiError> {
    let request = client.iam.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
    match request.send().await.call("iam:GetOpenIDConnectProvider") {
        Ok(found) => Ok(Some(found)),
        Err(error) if iam::is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The provider of an issuer: its ARN ends with the issuer.
async fn by_url(client: &AwsClient, url: &str) -> Result<Option<(String, GetOpenIdConnectProviderOutput)>, ApiError> {
    let answer = client.iam.list_open_id_connect_providers().send().await.call("iam:ListOpenIDConnectProviders")?;
    let arns = answer.open_id_connect_provider_list().iter().filter_map(|entry| entry.arn());
    let is_it = |arn: &&str| arn.split_once(":oidc-provider/").is_some_and(|(_, issuer)| issuer == host_of(url));
    match arns.into_iter().find(is_it) {
        Some(arn) => Ok(get(client, arn).await?.map(|found| (arn.to_owned(), found))),
        None => Ok(None),
    }
}

/// The provider as IAM has it.
fn object(client: &AwsClient, prior: &Value, arn: &str, found: &GetOpenIdConnectProviderOutput) -> Value {
    let url = found.url().unwrap_or_default();
    let url = values::text(prior, "url")
        .filter(|prior| host_of(prior) == host_of(url))
        .unwrap_or_else(|| host_of(url).to_owned());
    let recorded = values::strs(prior, "thumbprint_list");
    let builder = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("arn", arn)
        .set("id", arn)
        .set("url", url)
        .set("client_id_list", values::string_set(found.client_id_list().iter().map(String::as_str)))
        .set("thumbprint_list", Value::strings(in_recorded_order(recorded, found.thumbprint_list())));
    tags::fill(builder, client, prior, &iam::from_tags(found.tags())).build()
}

/// The order of thumbprints means nothing: the recorded one stays as long as they are the same.
fn in_recorded_order(recorded: Vec<String>, actual: &[String]) -> Vec<String> {
    let set = |texts: &[String]| texts.iter().map(|t| t.to_ascii_lowercase()).collect::<BTreeSet<_>>();
    if set(&recorded) == set(actual) { recorded } else { actual.to_vec() }
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let tags = tags::wanted(client, planned);
    let url = values::string(planned, "url");
    let started = cx.clock.now();
    let attempts = Attempts::default();
    let request = client
        .iam
        .create_open_id_connect_provider()
        .url(format!("https://{}", host_of(&url)))
        .set_client_id_list(values::strs_opt(planned, "client_id_list"))
        .set_thumbprint_list(values::strs_opt(planned, "thumbprint_list"))
        .set_tags(iam::to_tags(&tags));
    let arn =
        match request.customize().interceptor(attempts.clone()).send().await.call("iam:CreateOpenIDConnectProvider") {
            Ok(answer) => answer.open_id_connect_provider_arn.unwrap_or_default(),
            Err(error) if iam::is_taken(&error) && attempts.repeated() => {
                // An attempt before the one that was refused may have made it.
                let fresh = |found: &GetOpenIdConnectProviderOutput| {
                    found.create_date().is_some_and(|d| d.secs() >= started - CLOCK_SKEW_SECS)
                };
                by_url(client, &url).await?.filter(|(_, found)| fresh(found)).ok_or(error)?.0
            }
            Err(error) => return Err(error.into()),
        };
    let mut made = ObjectBuilder::carrying(&SCHEMA, planned).set("arn", arn.as_str()).set("id", arn.as_str());
    made = tags::fill(made, client, planned, &tags);
    if values::is_set(planned, "thumbprint_list") {
        return Ok(made.build());
    }
    // AWS found the thumbprints out; only reading tells them.
    let made = made.build();
    iam::checkpoint(cx, &made).await?;
    let found = get(client, &arn).await.leaving(&made)?;
    let thumbprints = found.map(|f| f.thumbprint_list().to_vec()).unwrap_or_default();
    Ok(made.with_attr("thumbprint_list", Value::strings(thumbprints)))
}

async fn update(client: &AwsClient, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let arn = arn_of(prior);
    let mut now = prior.with_attr("url", values::string(planned, "url").into());
    if changed(prior, planned, "client_id_list") {
        update_client_ids(client, &arn, prior, planned).await.leaving(&now)?;
        now = now.with_attr("client_id_list", values::string_set(values::strs(planned, "client_id_list")));
    }
    if changed(prior, planned, "thumbprint_list") && values::is_set(planned, "thumbprint_list") {
        let request = client
            .iam
            .update_open_id_connect_provider_thumbprint()
            .open_id_connect_provider_arn(&arn)
            .set_thumbprint_list(Some(values::strs(planned, "thumbprint_list")));
        request.send().await.call("iam:UpdateOpenIDConnectProviderThumbprint").leaving(&now)?;
        now = now.with_attr("thumbprint_list", Value::strings(values::strs(planned, "thumbprint_list")));
    }
    update_tags(client, &arn, &TagChange::planned(client, prior, planned)).await.leaving(&now)?;
    Ok(tags::fill(ObjectBuilder::carrying(&SCHEMA, &now), client, planned, &tags::wanted(client, planned)).build())
}

/// New audiences come before old ones go, so that there is always one.
async fn update_client_ids(client: &AwsClient, arn: &str, prior: &Value, planned: &Value) -> Result<(), ApiError> {
    let set = |object| values::strs(object, "client_id_list").into_iter().collect::<BTreeSet<_>>();
    let (old, new) = (set(prior), set(planned));
    for id in new.difference(&old) {
        let request =
            client.iam.add_client_id_to_open_id_connect_provider().open_id_connect_provider_arn(arn).client_id(id);
        request.send().await.call("iam:AddClientIDToOpenIDConnectProvider")?;
    }
    for id in old.difference(&new) {
        let request =
            client.iam.remove_client_id_from_open_id_connect_provider().open_id_connect_provider_arn(arn).client_id(id);
        request.send().await.call("iam:RemoveClientIDFromOpenIDConnectProvider")?;
    }
    Ok(())
}

async fn update_tags(client: &AwsClient, arn: &str, change: &TagChange) -> Result<(), ApiError> {
    if !change.remove.is_empty() {
        let request = client.iam.untag_open_id_connect_provider().open_id_connect_provider_arn(arn);
        request.set_tag_keys(Some(change.remove.clone())).send().await.call("iam:UntagOpenIDConnectProvider")?;
    }
    if let Some(tags) = iam::to_tags(&change.set) {
        let request = client.iam.tag_open_id_connect_provider().open_id_connect_provider_arn(arn);
        request.set_tags(Some(tags)).send().await.call("iam:TagOpenIDConnectProvider")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sgp_model::Type;

    use super::*;

    fn with_url(url: impl Into<Value>) -> Value {
        SCHEMA.block.empty().with_attr("url", url.into())
    }

    #[test]
    fn the_issuer_is_planned_as_aws_keeps_it() {
        let none = Value::null(SCHEMA.ty());
        let (open, provider) = (Value::unknown(Type::String), Value::object::<&str>([]));
        for (prior, config, planned, replaced) in [
            (none.clone(), with_url("https://a.b/id/1"), Some("a.b/id/1"), false),
            (none.clone(), with_url("a.b"), Some("a.b"), false),
            (none, with_url(open.clone()), None, false),
            (with_url("a.b/id/1"), with_url("https://a.b/id/1"), Some("a.b/id/1"), false),
            (with_url("https://a.b"), with_url("https://a.b"), Some("https://a.b"), false),
            (with_url("a.b"), with_url("https://a.c/"), Some("a.c"), true),
            (with_url("a.b"), with_url(open), None, true),
        ] {
            let request = PlanRequest { prior: &prior, config: &config, proposed: &config, provider_config: &provider };
            let response = IamOpenIdConnectProvider.plan(&request);
            let object = response.planned.unwrap();
            assert_eq!(values::str_opt(&object, "url"), planned, "{config:?}");
            assert_eq!(!response.requires_replace.is_empty(), replaced, "{config:?}");
        }
    }

    #[test]
    fn the_order_of_thumbprints_means_nothing() {
        let list = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(in_recorded_order(list(&["B", "a"]), &list(&["a", "b"])), ["B", "a"]);
        assert_eq!(in_recorded_order(list(&["a"]), &list(&["a", "b"])), ["a", "b"]);
    }

    #[test]
    fn issuers_and_thumbprints_have_a_form() {
        let thumbprints =
            |texts: &[&str]| with_url("https://a.b").with_attr("thumbprint_list", Value::strings(texts.to_vec()));
        assert!(IamOpenIdConnectProvider.validate(&thumbprints(&[&"0aB".repeat(14)[..40]])).is_empty());
        assert!(IamOpenIdConnectProvider.validate(&thumbprints(&["0a"])).has_errors());
        assert!(IamOpenIdConnectProvider.validate(&with_url("http://a.b")).has_errors());
    }
}
