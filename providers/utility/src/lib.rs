//! The small providers that nearly every configuration leans on (`random`, `time`, `local`, `http` ...), with the types, attributes and ids of
//! the providers of these names in Terraform's registry.
//!
//! Most of their objects exist nowhere but in the state: `in_state` is what they share, and one file is one type. `KITS` lists
//! the providers, each with its types.

// A failure is told once, as a whole diagnostic, and the contract returns it by value.
#![allow(clippy::result_large_err)]

mod attrs;
mod cloudinit;
mod dice;
mod digests;
mod duration;
mod http;
mod in_run;
mod in_state;
mod local;
mod moment;
mod net;
mod null;
mod provider;
mod random;
#[cfg(test)]
mod testing;
mod time;
mod tls;
mod tools;

use std::sync::Arc;

use sgp_contract::{Clock, Provider};

use crate::provider::{Kit, UtilityProvider};

/// The providers, sorted by name.
static KITS: [&Kit; 7] = [&cloudinit::KIT, &http::KIT, &local::KIT, &null::KIT, &random::KIT, &time::KIT, &tls::KIT];

/// Every provider of this room. `clock` is what `time_static` and its kind take the time from.
pub fn providers(clock: &Arc<dyn Clock>) -> Vec<Arc<dyn Provider>> {
    KITS.iter().map(|kit| Arc::new(UtilityProvider::new(kit, clock.clone())) as Arc<dyn Provider>).collect()
}

#[cfg(test)]
mod tests {
    use sgp_contract::{DataSource, EphemeralType, ResourceType};
    use sgp_model::{Block, Schema};

    use super::*;

    fn every_attribute_is_explained(of: &str, block: &Block) {
        for (name, attribute) in &block.attributes {
            assert!(!attribute.doc.is_empty(), "{of}.{name}");
        }
        for (name, nested) in &block.blocks {
            assert!(!nested.doc.is_empty(), "{of}.{name}");
            every_attribute_is_explained(&format!("{of}.{name}"), &nested.block);
        }
    }

    #[test]
    fn types_are_sorted_and_complete() {
        assert!(KITS.is_sorted_by_key(|kit| kit.name));
        for kit in KITS {
            let resources: Vec<&Schema> = kit.resources.iter().map(|ty| ResourceType::schema(*ty)).collect();
            let data: Vec<&Schema> = kit.data.iter().map(|ty| DataSource::schema(*ty)).collect();
            let passing: Vec<&Schema> = kit.ephemeral.iter().map(|ty| EphemeralType::schema(*ty)).collect();
            for schemas in [resources, data, passing] {
                assert!(schemas.is_sorted_by_key(|schema| schema.name), "{}", kit.name);
                for schema in schemas {
                    let own = schema.name == kit.name || schema.name.starts_with(&format!("{}_", kit.name));
                    assert!(own && !schema.example.is_empty() && !schema.doc.is_empty(), "{}", schema.name);
                    every_attribute_is_explained(schema.name, &schema.block);
                }
            }
        }
    }
}
