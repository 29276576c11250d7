//! `data.aws_partition`.

use std::sync::LazyLock;

use async_trait::async_trait;
use sgp_contract::{Client, DataRequest, DataSource, ReadScope};
use sgp_model::{Attribute, Diagnostics, Schema, Value};

use crate::client::AwsClient;

/// The partition of the provider's region. Calls nobody.
#[derive(Debug)]
pub struct AwsPartition;

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::new("aws_partition", "The partition (`aws`, `aws-cn`, ...) that the region lies in.")
        .attr("id", Attribute::string().computed().doc("The partition, as in ARNs."))
        .attr("partition", Attribute::string().computed().doc("The partition, as in ARNs."))
        .attr("dns_suffix", Attribute::string().computed().doc("The end of host names: `amazonaws.com`."))
        .attr(
            "reverse_dns_prefix",
            Attribute::string().computed().doc("The beginning of endpoint service names: `com.amazonaws`."),
        )
        .example("data \"aws_partition\" \"current\" {}\n")
});

#[async_trait]
impl DataSource for AwsPartition {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(
        &self,
        client: &dyn Client,
        _: &ReadScope,
        requests: &[DataRequest<'_>],
    ) -> Vec<Result<Value, Diagnostics>> {
        let partition = AwsClient::of(client).partition();
        let answer = Value::object([
            ("id", Value::from(partition.id)),
            ("partition", partition.id.into()),
            ("dns_suffix", partition.dns_suffix.into()),
            ("reverse_dns_prefix", partition.reverse_dns_prefix.into()),
        ]);
        requests.iter().map(|_| Ok(answer.clone())).collect()
    }
}
