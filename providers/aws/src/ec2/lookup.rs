//! Looking up the one object that a data source describes.

use futures::future::{join, join_all};
use sgp_contract::DataRequest;
use sgp_model::{Diagnostic, Diagnostics, Value};

use crate::{
    bulk::{self, FILTER_VALUES},
    errors::ApiError,
    values,
};

/// Answers each request with the one object that matches it. Requests that say nothing but the id share calls; the others
/// cost one each, all at the same time.
pub async fn each_one<'a, T, ById, ByArguments>(
    requests: &'a [DataRequest<'a>],
    what: &str,
    arguments: &[&str],
    by_ids: impl Fn(Vec<String>) -> ById,
    id_of: impl Fn(&T) -> Option<String>,
    by_arguments: impl Fn(&'a Value) -> ByArguments,
) -> Vec<Result<T, Diagnostics>>
where
    T: Clone,
    ById: Future<Output = Result<Vec<T>, ApiError>>,
    ByArguments: Future<Output = Result<Vec<T>, ApiError>>,
{
    let only_id: Vec<Option<String>> = requests
        .iter()
        .map(|r| values::text(r.config, "id").filter(|_| !arguments.iter().any(|name| says(r.config, name))))
        .collect();
    let shared = bulk::read(only_id.iter().flatten().cloned(), FILTER_VALUES, by_ids, id_of);
    let single: Vec<ByArguments> =
        requests.iter().zip(&only_id).filter(|(_, id)| id.is_none()).map(|(r, _)| by_arguments(r.config)).collect();
    let (shared, single) = join(shared, join_all(single)).await;
    let mut single = single.into_iter();
    let answers = only_id.iter().map(|id| match id {
        Some(id) => shared.get(id).map(|one| one.cloned().into_iter().collect()),
        None => single.next().unwrap_or_else(|| Ok(Vec::new())),
    });
    answers.map(|answer| the_one(answer?, what)).collect()
}

fn says(config: &Value, name: &str) -> bool {
    config.get(name).is_some_and(|v| {
        !v.is_null() && v.elements().is_none_or(|e| !e.is_empty()) && v.as_fields().is_none_or(|f| !f.is_empty())
    })
}

/// The only one, or an error that says how many there are.
fn the_one<T>(mut found: Vec<T>, what: &str) -> Result<T, Diagnostics> {
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => Err(Diagnostic::error(
            format!("No matching {what}"),
            format!("No {what} matches these arguments in this account and region."),
        )
        .into()),
        (Some(_), more) => Err(Diagnostic::error(
            format!("Several matching {what}s"),
            format!(
                "{} {what}s match; this data source needs exactly one. Say more: filter, tags or the id.",
                more + 1
            ),
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Mutex;

    use sgp_model::address::parse_instance;

    use super::*;

    #[test]
    fn exactly_one_is_needed() {
        assert_eq!(the_one(vec![1], "subnet").unwrap(), 1);
        assert_eq!(the_one::<u8>(vec![], "subnet").unwrap_err().0[0].summary, "No matching subnet");
        assert_eq!(
            the_one(vec![1, 2], "subnet").unwrap_err().0[0].detail,
            "2 subnets match; this data source needs exactly one. Say more: filter, tags or the id."
        );
    }

    #[tokio::test]
    async fn ids_share_a_call() {
        let addr = parse_instance("data.aws_subnet.a").unwrap();
        let by_id = |id: &str| Value::object([("id", Value::from(id)), ("tags", values::string_map::<&str, &str>([]))]);
        let configs =
            [by_id("a"), by_id("b"), by_id("a").with_attr("tags", values::string_map([("k", "v")])), by_id("x")];
        let requests: Vec<_> = configs.iter().map(|config| DataRequest { addr: &addr, config }).collect();
        let calls = Mutex::new(Vec::new());
        let answers = each_one(
            &requests,
            "subnet",
            &["tags"],
            |ids: Vec<String>| {
                calls.lock().unwrap().push(ids.join("+"));
                std::future::ready(Ok(ids.into_iter().filter(|id| *id != "x").collect()))
            },
            |id: &String| Some(id.clone()),
            |_| std::future::ready(Ok(vec!["by tags".to_owned()])),
        )
        .await;
        assert_eq!(*calls.lock().unwrap(), ["a+b+x"]);
        let shown: Vec<_> = answers.into_iter().map(|a| a.unwrap_or_else(|d| d.0[0].summary.clone())).collect();
        assert_eq!(shown, ["a", "b", "by tags", "No matching subnet"]);
    }
}
