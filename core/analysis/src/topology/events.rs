//! What a cluster's controllers said.

use std::collections::BTreeMap;

/// An event (core/v1 `Event`): the newest of its reason about its object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What was said.
    pub message: String,
    /// When it was last said, RFC 3339; empty when it does not say.
    pub at: String,
    /// Whether something is wrong.
    pub is_warning: bool,
}

/// Events by object, then by reason.
#[derive(Clone, Debug, Default)]
pub struct Events(BTreeMap<(String, String, String), BTreeMap<String, Event>>);

impl Events {
    /// Keeps an event about an object of this kind, namespace (empty for nodes) and name, unless a newer one is known.
    pub fn keep(&mut self, (kind, namespace, name): (&str, &str, &str), reason: &str, event: Event) {
        let of_object = self.0.entry((kind.to_owned(), namespace.to_owned(), name.to_owned())).or_default();
        match of_object.get(reason) {
            Some(known) if known.at > event.at => {}
            _ => drop(of_object.insert(reason.to_owned(), event)),
        }
    }

    /// The newest event about an object with one of these reasons.
    pub fn newest<'a>(
        &'a self,
        (kind, namespace, name): (&str, &str, &str),
        reasons: &[&str],
    ) -> Option<(&'a str, &'a Event)> {
        let of_object = self.0.get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))?;
        let wanted = of_object.iter().filter(|(reason, _)| reasons.contains(&reason.as_str()));
        wanted.map(|(reason, event)| (reason.as_str(), event)).max_by(|a, b| a.1.at.cmp(&b.1.at))
    }
}
