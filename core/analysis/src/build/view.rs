//! Looking into attributes.

use ipnet::IpNet;
use sgp_model::{Kind, Value};

use crate::topology::{Fact, Id, Labels};

/// Attributes of an object or a block.
#[derive(Clone, Debug)]
pub struct View<'a>(pub &'a Value);

impl<'a> View<'a> {
    /// An attribute, unless it is null or absent.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A known text that is not empty.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A text that may be known later; an absent one is `absent`.
    pub fn fact(&self, name: &str) -> Fact<Option<&'a str>> {
        match self.get(name) {
            None => Fact::Known(None),
            Some(value) if value.is_known() => Fact::Known(value.as_str()),
            Some(_) => Fact::Unknown,
        }
    }

    /// An id; unknown when it is absent or not known yet.
    pub fn id(&self, name: &str) -> Fact<Id> {
        self.text(name).map(Id::from).into()
    }

    /// A bool; unknown when it is absent or not known yet.
    pub fn flag(&self, name: &str) -> Fact<bool> {
        let value = self.get(name);
        let text = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        value.and_then(|value| value.as_bool().or_else(|| text(value))).into()
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// The elements of a list, tuple or set; unknown when it is not known yet. An absent one has none.
    pub fn elements(&self, name: &str) -> Fact<Vec<&'a Value>> {
        match self.get(name) {
            None => Fact::Known(Vec::new()),
            Some(value) => value.elements().into(),
        }
    }

    /// Texts; unknown when one of them is.
    pub fn texts(&self, name: &str) -> Fact<Vec<&'a str>> {
        let Fact::Known(elements) = self.elements(name) else { return Fact::Unknown };
        let texts: Option<Vec<&str>> = elements.into_iter().map(Value::as_str).collect();
        texts.into()
    }

    /// Ids; unknown when one of them is.
    pub fn ids(&self, name: &str) -> Fact<Vec<Id>> {
        self.texts(name).map(|texts| texts.into_iter().map(Id::from).collect())
    }

    /// Ids that are known.
    pub fn known_ids(&self, name: &str) -> Vec<Id> {
        let elements = self.elements(name);
        elements.known().into_iter().flatten().filter_map(|it| it.as_str()).map(Id::from).collect()
    }

    /// The blocks of a name.
    pub fn blocks(&self, name: &str) -> Vec<View<'a>> {
        match self.get(name) {
            Some(value) if matches!(value.kind(), Kind::Object(_) | Kind::Map(..)) => vec![View(value)],
            Some(value) => value.elements().unwrap_or_default().into_iter().map(View).collect(),
            None => Vec::new(),
        }
    }

    /// The only block of a name.
    pub fn block(&self, name: &str) -> Option<View<'a>> {
        self.blocks(name).into_iter().next()
    }

    /// A map of texts; unknown when the map or one of its values is.
    pub fn labels(&self, name: &str) -> Fact<Labels> {
        let Some(value) = self.get(name) else { return Fact::Known(Labels::new()) };
        let Some(fields) = value.as_fields() else { return Fact::Unknown };
        let pairs = fields.iter().map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())));
        pairs.collect::<Option<Labels>>().into()
    }

    /// A map of texts, as far as it is known.
    pub fn known_labels(&self, name: &str) -> Labels {
        let fields = self.get(name).and_then(Value::as_fields);
        let pair = |(key, value): (&std::sync::Arc<str>, &Value)| Some((key.to_string(), value.as_str()?.to_owned()));
        fields.into_iter().flatten().filter_map(pair).collect()
    }

    /// A block of addresses.
    pub fn block_of_addresses(&self, name: &str) -> Option<IpNet> {
        parse_block(self.text(name)?)
    }
}

/// A block of addresses; bits beside the prefix are left out, as AWS does.
pub(crate) fn parse_block(text: &str) -> Option<IpNet> {
    text.trim().parse::<IpNet>().ok().map(|block| block.trunc())
}

/// A bool that is a text or a bool.
pub(crate) fn truth(value: &serde_json::Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str().map(|text| text.eq_ignore_ascii_case("true")))
}
