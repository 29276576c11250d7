//! Upgrade insights. The sandbox finds nothing to object to, so that the list is empty.

use serde_json::json;

use super::request::{cluster_of, listing, not_found, time, told};
use crate::aws::{Answer, Call, Operation};
use crate::world::World;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "ListInsights", run: list },
    Operation { name: "DescribeInsight", run: describe },
    Operation { name: "StartInsightsRefresh", run: start_refresh },
    Operation { name: "DescribeInsightsRefresh", run: describe_refresh },
];

fn list(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        cluster_of(world, call)?;
        listing(call, "insights", std::iter::empty())
    })
}

fn describe(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        cluster_of(world, call)?;
        Err(not_found(format!("No insight found for id: {}", call.required("id")?)))
    })
}

fn start_refresh(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        cluster_of(world, call)?;
        Ok(json!({ "message": "Insights refresh is done", "status": "COMPLETED" }))
    })
}

/// There is nothing to refresh: it was done when the cluster was made.
fn describe_refresh(world: &mut World, call: &Call) -> Answer {
    told(call, || {
        let at = time(cluster_of(world, call)?.created_at);
        Ok(json!({ "message": "Insights refresh is done", "status": "COMPLETED", "startedAt": at, "endedAt": at }))
    })
}
