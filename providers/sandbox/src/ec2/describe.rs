//! What the Describe operations have in common: ids, filters, pages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::kinds::Kind;
use super::tags::Tags;
use crate::aws::filter::Filters;
use crate::aws::page::{self, Page};
use crate::aws::{Answer, ApiError, Call, Params, Service};
use crate::store::table::{Row, Table};
use crate::world::World;

/// A filter: its name, and what an object has under it.
pub type Field<T> = (&'static str, fn(&World, &T) -> Vec<String>);

/// How a table is described.
#[derive(Debug)]
pub struct Describe<T: 'static> {
    /// The kind of the rows.
    pub kind: &'static Kind,
    /// The parameter that lists ids: `SubnetId`.
    pub ids: &'static str,
    /// The list in the answer: `subnetSet`.
    pub set: &'static str,
    /// The filters that the operation's reference lists, besides tags.
    pub filters: &'static [Field<T>],
    /// Filters by which the table is indexed, with keys such as `vpc-id=vpc-1`; `tag` when it has keys such as `tag:k=v`.
    pub indexed: &'static [&'static str],
    /// `MaxResults` as the reference bounds it.
    pub limits: (i64, i64),
    /// A row's tags.
    pub tags: fn(&T) -> &Tags,
    /// A row in the answer.
    pub render: fn(&World, &T) -> Value,
}

impl<T: Row> Describe<T> {
    /// Answers the operation.
    ///
    /// # Errors
    /// Ids that are malformed or not there, unknown filters, `MaxResults` out of bounds, a bad token.
    pub fn answer(&self, world: &World, table: &Table<T>, call: &Call) -> Answer {
        self.answer_for(world, table, call, &call.texts(self.ids))
    }

    /// Answers the operation, with rows that are `wanted` only.
    ///
    /// # Errors
    /// As [`Describe::answer`].
    pub fn answer_where(&self, world: &World, table: &Table<T>, call: &Call, wanted: fn(&T) -> bool) -> Answer {
        self.choose(world, table, call, &call.texts(self.ids), wanted)
    }

    /// Answers the operation, for these ids; none means all.
    ///
    /// # Errors
    /// As [`Describe::answer`].
    pub fn answer_for(&self, world: &World, table: &Table<T>, call: &Call, asked: &[String]) -> Answer {
        self.choose(world, table, call, asked, |_| true)
    }

    fn choose(&self, world: &World, table: &Table<T>, call: &Call, asked: &[String], wanted: fn(&T) -> bool) -> Answer {
        let names: Vec<&str> = self.filters.iter().map(|(name, _)| *name).collect();
        let filters = Filters::read(call, &names)?;
        let (limit, after) = paging(call, self.limits)?;
        let fits = |row: &T| wanted(row) && filters.accept((self.tags)(row), |name| self.values(world, row, name));
        let after = after.as_deref().unwrap_or("");
        let page = if asked.is_empty() {
            take(self.look_up(table, &filters, after), fits, limit)
        } else {
            let rows = self.asked(table, asked)?;
            take(rows.into_iter().skip_while(|(id, _)| *id <= after && !after.is_empty()), fits, limit)
        };
        let items = page.items.into_iter().map(|row| (self.render)(world, row)).collect();
        Ok(listing(self.set, Page { items, next: page.next }))
    }

    /// The rows of the ids that were asked for.
    fn asked<'a>(&self, table: &'a Table<T>, ids: &[String]) -> Result<BTreeMap<&'a str, &'a T>, ApiError> {
        ids.iter().try_for_each(|id| self.kind.well_formed(id))?;
        let missing: Vec<&str> = ids.iter().filter(|id| !table.contains(id)).map(String::as_str).collect();
        if !missing.is_empty() {
            return Err(self.kind.missing(&missing));
        }
        Ok(ids.iter().filter_map(|id| table.entry(id)).collect())
    }

    /// The rows after an id, by id, that the index finds for the filter that leaves the fewest; all rows without such a filter.
    fn look_up<'a>(&self, table: &'a Table<T>, filters: &Filters, after: &str) -> Rows<'a, T> {
        let usable =
            |name: &&str| self.indexed.contains(name) || (name.starts_with("tag:") && self.indexed.contains(&"tag"));
        let keys_of = |name| -> Option<Vec<String>> {
            Some(filters.exact(name)?.iter().map(|value| format!("{name}={value}")).collect())
        };
        let keys = filters.names().filter(usable).filter_map(keys_of);
        let fewest = keys.min_by_key(|keys| keys.iter().map(|key| table.count(key)).sum::<usize>());
        match fewest.as_deref() {
            None => Box::new(table.after(after)),
            // One key's rows come in order already: a page costs what it holds, however many there are.
            Some([key]) => Box::new(table.with_after(key, after)),
            Some(keys) => {
                let rows: BTreeMap<&str, &T> = keys.iter().flat_map(|key| table.with_after(key, after)).collect();
                Box::new(rows.into_iter())
            }
        }
    }

    fn values(&self, world: &World, row: &T, name: &str) -> Vec<String> {
        self.filters.iter().find(|(known, _)| *known == name).map(|(_, values)| values(world, row)).unwrap_or_default()
    }
}

type Rows<'a, T> = Box<dyn Iterator<Item = (&'a str, &'a T)> + 'a>;

fn take<'a, T>(
    rows: impl Iterator<Item = (&'a str, &'a T)>,
    fits: impl Fn(&T) -> bool,
    limit: Option<usize>,
) -> Page<&'a T> {
    page::rest(rows.filter(|(_, row)| fits(row)), limit)
}

/// Reads `MaxResults` within `(least, most)` and `NextToken`; answers the limit and the last id of the page before.
///
/// # Errors
/// `InvalidParameterValue` for a `MaxResults` out of bounds, `InvalidPaginationToken`.
pub fn paging(call: &Params, (least, most): (i64, i64)) -> Result<(Option<usize>, Option<String>), ApiError> {
    let refused = |value: i64, what: &str, bound: i64| {
        let message = format!(
            "Value ( {value} ) for parameter maxResults is invalid. Expecting a value {what} than or equal to {bound}."
        );
        ApiError::new("InvalidParameterValue", message)
    };
    let limit = match call.integer("MaxResults")? {
        Some(value) if value < least => return Err(refused(value, "greater", least)),
        Some(value) if value > most => return Err(refused(value, "less", most)),
        limit => limit.and_then(|limit| usize::try_from(limit).ok()),
    };
    let bad = |_| ApiError::new("InvalidPaginationToken", "The specified pagination token is not valid or is expired.");
    let after = call.text("NextToken").map(|token| page::after(&token).map_err(bad)).transpose()?;
    Ok((limit, after))
}

/// An answer with a list and a token.
pub fn listing(set: &str, page: Page<Value>) -> Value {
    let mut members = Map::new();
    members.insert(set.to_owned(), Value::Array(page.items));
    members.insert("nextToken".to_owned(), page.next.map_or(Value::Null, Value::String));
    Value::Object(members)
}

/// `<return>true</return>`, the answer of operations that have nothing to tell.
pub fn done() -> Value {
    serde_json::json!({ "return": true })
}

/// The refusal of a value, worded as EC2 does.
pub fn invalid(parameter: &str, value: &str, why: &str) -> ApiError {
    ApiError::invalid(Service::Ec2, parameter, value, why)
}

/// Text of a truth value, for filters.
pub fn truth(value: bool) -> Vec<String> {
    vec![value.to_string()]
}
