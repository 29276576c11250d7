//! `aws_ec2_managed_prefix_list`.

use std::{collections::BTreeMap, sync::LazyLock};

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AddPrefixListEntry, ManagedPrefixList, PrefixListEntry, PrefixListState, RemovePrefixListEntry,
    ResourceType as Ec2Type,
};
use sgp_contract::{
    Applied, Client, Context, CreateRequest, DeleteRequest, Found, ImportRequest, PlanRequest, PlanResponse,
    ReadOutcome, ReadRequest, ReadScope, ResourceType, UpdateRequest,
};
use sgp_model::{
    AttrPath, Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Schema, Value, schema::Semantics, state::Intent,
};

use crate::{
    bulk::{self, FILTER_VALUES},
    client::AwsClient,
    ec2::{
        addresses::{self, Family},
        creation, describe, filter, object, problem_of_description,
    },
    errors::{ApiError, Call, Failure, Leaving, applied},
    iam::{self, Checks},
    naming, tags,
    values::{self, ObjectBuilder, changed},
    wait::{self, CONSISTENCY, Pace, Poll},
};

/// The type.
#[derive(Debug)]
pub struct AwsEc2ManagedPrefixList;

/// A call adds or removes so many entries.
const IN_A_CALL: usize = 100;

fn entry_block() -> Block {
    Block::default()
        .attr("cidr", Attribute::string().required().semantics(Semantics::Cidr).doc("The addresses."))
        .attr("description", Attribute::string().optional().doc("What they are."))
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::new(
        "aws_ec2_managed_prefix_list",
        "Blocks of addresses under one id, which rules of groups and routes name. A rule that names it counts as `max_entries` rules.",
    )
    .attr("address_family", Attribute::string().required().force_new().doc("`IPv4` or `IPv6`."))
    .attr("arn", Attribute::string().computed().doc("The list's ARN."))
    .attr("id", Attribute::string().computed().doc("The list's id: `pl-...`."))
    .attr("max_entries", Attribute::number().required().doc("How many entries it may have; that many rules count wherever it is named."))
    .attr("name", Attribute::string().required().doc("The name; it does not begin with `com.amazonaws`."))
    .attr("owner_id", Attribute::string().computed().doc("The account that owns the list."))
    .attr("version", Attribute::number().computed().follows(&["entry", "max_entries"]).doc("Grows with each change of its entries."))
    .block(
        "entry",
        NestedBlock::set(entry_block()).computed().doc("The entries; all others are removed. Without any such block they are not managed here."),
    );
    tags::attributes(schema)
        .unsupported(&["region"])
        .iam_actions(&[
            "ec2:CreateManagedPrefixList",
            "ec2:CreateTags",
            "ec2:DeleteManagedPrefixList",
            "ec2:DeleteTags",
            "ec2:DescribeManagedPrefixLists",
            "ec2:GetManagedPrefixListEntries",
            "ec2:ModifyManagedPrefixList",
        ])
        .example(
            "resource \"aws_ec2_managed_prefix_list\" \"offices\" {\n  name           = \"offices\"\n  address_family = \"IPv4\"\n  max_entries    = \
             5\n\n  entry {\n    cidr        = \"192.0.2.0/24\"\n    description = \"Berlin\"\n  }\n}\n",
        )
});

#[async_trait]
impl ResourceType for AwsEc2ManagedPrefixList {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    fn endpoint(&self) -> &'static str {
        "ec2"
    }

    fn plan(&self, request: &PlanRequest<'_>) -> PlanResponse {
        tags::plan(&SCHEMA, request)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Checks::of(config)
            .text("address_family", |t| ["IPv4", "IPv6"].contains(&t), "be IPv4 or IPv6")
            .text(
                "name",
                |t| !t.is_empty() && t.len() <= 255 && !t.starts_with("com.amazonaws"),
                "have 1 to 255 characters and not begin with com.amazonaws",
            )
            .range("max_entries", 1, 1000)
            .done();
        let entries = values::blocks(config, "entry");
        let mut wrong = |detail: String| {
            found.push(Diagnostic::error("Invalid entry", detail).attribute(AttrPath::attr("entry")));
        };
        if let Some(most) = values::i64_opt(config, "max_entries")
            && usize::try_from(most).is_ok_and(|most| entries.len() > most)
        {
            wrong(format!("There are {} entries, and `max_entries` is {most}.", entries.len()));
        }
        let family = match values::str_opt(config, "address_family") {
            Some("IPv6") => Some((Family::V6, 0..=128)),
            Some(_) => Some((Family::V4, 0..=32)),
            None => None,
        };
        for entry in entries {
            if let (Some(cidr), Some((family, lengths))) = (values::str_opt(entry, "cidr"), &family)
                && let Some(problem) = addresses::problem(cidr, *family, lengths)
            {
                wrong(format!("`cidr` is {cidr:?}; it must {problem}."));
            }
            values::str_opt(entry, "description").and_then(problem_of_description).into_iter().for_each(&mut wrong);
        }
        found
    }

    /// Lists by pages; their entries one by one, as EC2 tells them.
    async fn read(&self, client: &dyn Client, _scope: &ReadScope, requests: &[ReadRequest]) -> Vec<ReadOutcome> {
        let client = AwsClient::of(client);
        let ids = requests.iter().filter_map(|r| values::text(&r.prior, "id"));
        let fetch = |ids: Vec<String>| describe::prefix_lists(client, vec![filter("prefix-list-id", ids)]);
        let found = bulk::read(ids, FILTER_VALUES, fetch, |it: &ManagedPrefixList| it.prefix_list_id.clone()).await;
        let items = requests.iter().map(|r| {
            let list = found.get(values::str_opt(&r.prior, "id").unwrap_or_default());
            (r.prior.clone(), list.map(|list| list.filter(|it| !is_over(it)).cloned()))
        });
        let objects = iam::each(items.collect(), |(prior, list)| async move {
            let Some(list) = list? else { return Ok(None) };
            let entries = describe::prefix_list_entries(client, list.prefix_list_id().unwrap_or_default()).await?;
            Ok(Some(object(client, &list, &entries, &prior)))
        });
        requests.iter().zip(objects.await).map(|(r, object)| bulk::outcome(r, object)).collect()
    }

    async fn create(&self, client: &dyn Client, cx: &Context, request: CreateRequest<'_>) -> Applied {
        applied(create(AwsClient::of(client), cx, request.planned).await.map(Some))
    }

    async fn update(&self, client: &dyn Client, cx: &Context, request: UpdateRequest<'_>) -> Applied {
        let (prior, planned) = (request.prior, request.planned);
        applied(update(AwsClient::of(client), cx, prior, planned).await.leaving(prior).map(Some))
    }

    async fn delete(&self, client: &dyn Client, cx: &Context, request: DeleteRequest<'_>) -> Applied {
        let id = values::string(request.prior, "id");
        applied(delete(AwsClient::of(client), cx, &id).await.leaving(request.prior).map(|()| None))
    }

    fn import(&self, request: &ImportRequest<'_>) -> Result<Value, Diagnostic> {
        naming::check_id("prefix list", "pl-", request.id)?;
        Ok(values::identity([("id", request.id)]))
    }

    async fn find(&self, client: &dyn Client, intent: &Intent) -> Result<Found, Diagnostic> {
        let client = AwsClient::of(client);
        // This listing knows no filter for tags.
        let name = values::string(&intent.attributes, "name");
        let found = describe::prefix_lists(client, vec![filter("prefix-list-name", [name])]).await?;
        let is_ours = |it: &ManagedPrefixList| {
            tags::from_ec2(it.tags()).get(creation::KEY).is_some_and(|token| *token == intent.token)
        };
        let ours = found.into_iter().filter(|it| is_ours(it) && !is_over(it));
        let ids: Vec<String> = ours.filter_map(|it| it.prefix_list_id).collect();
        Ok(creation::found(&SCHEMA, intent, &ids))
    }

    async fn settle(&self, client: &dyn Client, cx: &Context, planned: &Value, object: Value) -> Applied {
        let id = values::string(&object, "id");
        applied(finish(AwsClient::of(client), cx, planned, &id).await.leaving(&object).map(Some))
    }
}

fn is_over(list: &ManagedPrefixList) -> bool {
    matches!(list.state(), Some(PrefixListState::DeleteComplete | PrefixListState::DeleteInProgress))
}

/// Entries: addresses in EC2's form, and what they are.
type Entries = BTreeMap<String, String>;

fn of_blocks(object: &Value) -> Entries {
    let entry = |it: &Value| (values::string(it, "cidr"), values::string(it, "description"));
    values::blocks(object, "entry").into_iter().map(entry).collect()
}

/// The object out of what EC2 answered.
fn object(client: &AwsClient, list: &ManagedPrefixList, entries: &[PrefixListEntry], prior: &Value) -> Value {
    let said = values::blocks(prior, "entry");
    let built = entries.iter().map(|entry| {
        let same = |it: &&&Value| {
            let cidrs = (values::str_opt(it, "cidr"), entry.cidr());
            matches!(cidrs, (Some(a), Some(b)) if addresses::same(a, b))
        };
        let said = said.iter().find(same);
        let cidr = addresses::spelled(entry.cidr(), said.and_then(|it| values::str_opt(it, "cidr")));
        ObjectBuilder::of_block(&entry_block())
            .set("cidr", values::opt_str(cidr))
            .set("description", iam::text_like(entry.description(), said.and_then(|it| it.get("description"))))
            .build()
    });
    let object = ObjectBuilder::carrying(&SCHEMA, prior)
        .set("address_family", values::opt_str(list.address_family()))
        .set("arn", values::opt_str(list.prefix_list_arn()))
        .set("entry", Value::set(entry_block().ty(), built))
        .set("id", values::opt_str(list.prefix_list_id()))
        .set("max_entries", values::opt_int(list.max_entries()))
        .set("name", values::opt_str(list.prefix_list_name()))
        .set("owner_id", values::opt_str(list.owner_id()))
        .set("version", values::opt_int(list.version()));
    tags::fill(object, client, prior, &tags::from_ec2(list.tags())).build()
}

fn added(entries: &Entries) -> Vec<AddPrefixListEntry> {
    let entry = |(cidr, description): (&String, &String)| {
        let description = Some(description.clone()).filter(|it| !it.is_empty());
        AddPrefixListEntry::builder().cidr(cidr).set_description(description).build()
    };
    entries.iter().map(entry).collect()
}

async fn create(client: &AwsClient, cx: &Context, planned: &Value) -> Result<Value, Failure> {
    let wanted = of_blocks(planned);
    let first: Entries = wanted.iter().take(IN_A_CALL).map(|(k, v)| (k.clone(), v.clone())).collect();
    let call = client
        .ec2
        .create_managed_prefix_list()
        .client_token(&cx.token)
        .prefix_list_name(values::string(planned, "name"))
        .address_family(values::string(planned, "address_family"))
        .set_max_entries(values::i32_opt(planned, "max_entries"))
        .set_entries(Some(added(&first)).filter(|it| !it.is_empty()))
        .tag_specifications(creation::specification(client, Ec2Type::PrefixList, planned, &cx.token));
    let made = call.send().await.call("ec2:CreateManagedPrefixList")?.prefix_list;
    let id = made.and_then(|it| it.prefix_list_id);
    let id = id.ok_or_else(|| creation::unnamed("ec2:CreateManagedPrefixList"))?;
    let begun = creation::begun(cx, &SCHEMA, planned, &id).await?;
    finish(client, cx, planned, &id).await.leaving(&begun)
}

/// Brings a list that exists to what is planned.
async fn finish(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let list = complete(client, cx, id).await?;
    if values::is_set(planned, "entry") {
        change_entries(client, cx, list, &of_blocks(planned)).await?;
    }
    creation::unmark(client, id).await?;
    told(client, cx, planned, id).await
}

async fn told(client: &AwsClient, cx: &Context, planned: &Value, id: &str) -> Result<Value, Failure> {
    let list = complete(client, cx, id).await?;
    let entries = describe::prefix_list_entries(client, id).await?;
    Ok(object(client, &list, &entries, planned))
}

/// Waits until the last change of a list is complete.
async fn complete(client: &AwsClient, cx: &Context, id: &str) -> Result<ManagedPrefixList, Diagnostic> {
    wait::until(cx, &format!("prefix list {id} to be complete"), Pace::QUICK, async || {
        let found = describe::prefix_lists(client, vec![filter("prefix-list-id", [id])]).await?;
        let Some(list) = found.into_iter().next() else { return Ok(Poll::Pending("not visible yet".to_owned())) };
        Ok(match list.state() {
            Some(state) if state.as_str().ends_with("-failed") => Poll::Broken(broken(id, &list)),
            Some(state) if state.as_str().ends_with("-in-progress") => Poll::Pending(state.as_str().to_owned()),
            _ => Poll::Ready(list),
        })
    })
    .await
}

fn broken(id: &str, list: &ManagedPrefixList) -> Diagnostic {
    let why = list.state_message().unwrap_or("EC2 gives no reason.");
    let state = list.state().map_or("", PrefixListState::as_str);
    Diagnostic::error("Prefix list failed", format!("The prefix list {id} is {state}: {why}"))
}

/// Changes entries, so many in a call. One whose description changes is named as added and removed, as EC2 wants it.
async fn change_entries(
    client: &AwsClient,
    cx: &Context,
    list: ManagedPrefixList,
    wanted: &Entries,
) -> Result<(), Failure> {
    let id = list.prefix_list_id().unwrap_or_default().to_owned();
    let exist: Entries = describe::prefix_list_entries(client, &id)
        .await?
        .into_iter()
        .filter_map(|it| Some((it.cidr?, it.description.unwrap_or_default())))
        .collect();
    let has = |all: &Entries, cidr: &str| all.keys().any(|it| addresses::same(it, cidr));
    let same = |cidr: &str, text: &str| exist.iter().any(|(it, is)| addresses::same(it, cidr) && is == text);
    let gone = exist.keys().filter(|cidr| !has(wanted, cidr)).cloned();
    let new: Entries =
        wanted.iter().filter(|(cidr, text)| !same(cidr, text)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let renamed = exist.keys().filter(|cidr| has(&new, cidr)).cloned();
    let removed: Vec<String> = gone.chain(renamed).collect();
    let (removed, new) = (removed.chunks(IN_A_CALL).map(<[String]>::to_vec), chunks(&new));
    // Removals first: a full list has no room for what is added.
    for removed in removed {
        modify(client, cx, &id, removed, Vec::new()).await?;
    }
    for added in new {
        modify(client, cx, &id, Vec::new(), added).await?;
    }
    Ok(())
}

fn chunks(entries: &Entries) -> Vec<Vec<AddPrefixListEntry>> {
    added(entries).chunks(IN_A_CALL).map(<[AddPrefixListEntry]>::to_vec).collect()
}

/// One change of entries, in the version that is the newest now.
async fn modify(
    client: &AwsClient,
    cx: &Context,
    id: &str,
    removed: Vec<String>,
    added: Vec<AddPrefixListEntry>,
) -> Result<(), Failure> {
    let list = complete(client, cx, id).await?;
    let removed: Vec<RemovePrefixListEntry> =
        removed.into_iter().map(|cidr| RemovePrefixListEntry::builder().cidr(cidr).build()).collect();
    let passes = |e: &ApiError| e.is(&["IncorrectState"]);
    let call = || async {
        let call = client
            .ec2
            .modify_managed_prefix_list()
            .prefix_list_id(id)
            .set_current_version(list.version())
            .set_remove_entries(Some(removed.clone()).filter(|it| !it.is_empty()))
            .set_add_entries(Some(added.clone()).filter(|it| !it.is_empty()));
        call.send().await.call("ec2:ModifyManagedPrefixList")
    };
    wait::settle(cx, CONSISTENCY, passes, call).await?;
    complete(client, cx, id).await?;
    Ok(())
}

/// The size and the entries are changed apart, as EC2 wants it: room before entries, and entries before less room.
async fn update(client: &AwsClient, cx: &Context, prior: &Value, planned: &Value) -> Result<Value, Failure> {
    let id = values::string(prior, "id");
    let size = |object: &Value| values::i32_opt(object, "max_entries").unwrap_or_default();
    let resize = async || -> Result<(), Failure> {
        let call = client.ec2.modify_managed_prefix_list().prefix_list_id(&id).max_entries(size(planned));
        call.send().await.call("ec2:ModifyManagedPrefixList")?;
        complete(client, cx, &id).await?;
        Ok(())
    };
    if changed(prior, planned, "name") {
        let name = values::string(planned, "name");
        let call = client.ec2.modify_managed_prefix_list().prefix_list_id(&id).prefix_list_name(name);
        call.send().await.call("ec2:ModifyManagedPrefixList")?;
        complete(client, cx, &id).await?;
    }
    if size(planned) > size(prior) {
        resize().await?;
    }
    if changed(prior, planned, "entry") {
        let list = complete(client, cx, &id).await?;
        change_entries(client, cx, list, &of_blocks(planned)).await?;
    }
    if size(planned) < size(prior) {
        resize().await?;
    }
    tags::update_ec2(client, &id, prior, planned).await?;
    told(client, cx, planned, &id).await
}

async fn delete(client: &AwsClient, cx: &Context, id: &str) -> Result<(), Failure> {
    let call = || async {
        client.ec2.delete_managed_prefix_list().prefix_list_id(id).send().await.call("ec2:DeleteManagedPrefixList")
    };
    object::delete(cx, &format!("prefix list {id}"), call, object::nobody).await?;
    let what = format!("prefix list {id} to be deleted");
    let gone = wait::until(cx, &what, Pace::QUICK, async || {
        let found = describe::prefix_lists(client, vec![filter("prefix-list-id", [id])]).await?;
        Ok(match found.first().map(ManagedPrefixList::state) {
            None | Some(Some(PrefixListState::DeleteComplete)) => Poll::Ready(()),
            Some(state) => Poll::Pending(state.map_or("deleting", PrefixListState::as_str).to_owned()),
        })
    });
    Ok(gone.await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::client::tests::offline;

    fn entry(cidr: &str, description: Value) -> Value {
        ObjectBuilder::of_block(&entry_block()).set("cidr", cidr).set("description", description).build()
    }

    fn list(family: &str, most: i64, cidrs: &[&str]) -> Value {
        let entries = cidrs.iter().map(|cidr| entry(cidr, values::opt_str(None)));
        SCHEMA
            .block
            .empty()
            .with_attr("address_family", family.into())
            .with_attr("max_entries", Value::int(most))
            .with_attr("entry", Value::set(entry_block().ty(), entries))
    }

    #[test]
    fn entries_fit_the_list() {
        let wrong =
            |family, most, cidrs: &[&str]| AwsEc2ManagedPrefixList.validate(&list(family, most, cidrs)).has_errors();
        assert!(!wrong("IPv4", 2, &["10.0.0.0/8", "192.0.2.0/24"]));
        assert!(wrong("IPv4", 1, &["10.0.0.0/8", "192.0.2.0/24"]));
        assert!(wrong("IPv6", 2, &["10.0.0.0/8"]));
    }

    #[tokio::test]
    async fn a_described_list_is_wholly_known_and_spelled_as_it_was() {
        let client = offline(&[]).await;
        let said = [entry("2001:DB8::/32", Value::from("")), entry("2001:db9::/32", "b".into())];
        let planned = SCHEMA.block.empty().with_attr("entry", Value::set(entry_block().ty(), said));
        let answered = |cidr: &str, text: &str| PrefixListEntry::builder().cidr(cidr).description(text).build();
        let entries = [answered("2001:db8::/32", ""), answered("2001:db9::/32", "b")];
        let list = ManagedPrefixList::builder().prefix_list_id("pl-1").version(3).build();
        let object = object(&client, &list, &entries, &planned);
        assert!(object.is_wholly_known() && object.ty() == SCHEMA.ty());
        assert_eq!(object.get("entry"), planned.get("entry"));
    }
}
