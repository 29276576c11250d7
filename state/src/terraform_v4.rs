//! State as Terraform state v4 JSON, which Terraform and OpenTofu read and write.
//!
//! What travels: lineage, serial, outputs with their types, and for each managed object its attributes, status, deposed key,
//! schema version, sensitive paths, dependencies, replacement order and Terraform's private bytes; and check results. What does not: data
//! sources (they are read again), resource identities, and the keys of module instances in dependencies.
//! JSON has no sets and no types, so attributes come back with the types that JSON implies; the engine converts them to
//! the schema.

mod checks;
mod read;
mod write;

pub use read::from_v4;
pub use write::to_v4;

/// What the conversion must know of providers and their schemas.
pub trait SchemaHints {
    /// The attributes of a resource type whose type is not fixed (`input` of `terraform_data`): Terraform writes the type
    /// beside the value of those.
    fn dynamic_attributes(&self, type_name: &str) -> Vec<&str>;

    /// The source address of a provider: `aws` is `registry.terraform.io/hashicorp/aws`.
    fn provider_source(&self, name: &str) -> String;

    /// The name of the provider with a source address; for one that is not ours, the last part of the address.
    fn provider_name(&self, source: &str) -> String;
}

#[cfg(test)]
mod tests;
