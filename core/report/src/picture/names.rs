//! What people call what AWS numbers.

use std::collections::BTreeMap;

use sgp_analysis::{build::Object, topology::Id};
use sgp_model::Value;

/// Names by id: of the `Name` tag, else the address in the configuration.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Those that objects tell.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let named = |object: &Object| {
            let id = object.attributes.get("id").and_then(Value::as_str)?;
            let tag = |from: &str| object.attributes.get(from)?.get("Name")?.as_str().map(str::to_owned);
            let address = || object.addr.as_ref().map(ToString::to_string);
            let name = tag("tags").or_else(|| tag("tags_all")).filter(|it| !it.is_empty()).or_else(address)?;
            Some((id.to_owned(), name))
        };
        Self(objects.into_iter().filter_map(named).collect())
    }

    /// The name of an id; itself when nothing told another one.
    pub fn get(&self, id: &Id) -> String {
        match self.0.get(id.as_str()) {
            Some(name) => name.clone(),
            // What stands for an id that will be given is the reference to it.
            None => id.to_string().trim_end_matches(".id").to_owned(),
        }
    }
}
