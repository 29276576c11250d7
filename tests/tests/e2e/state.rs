//! `sgp state pull` is what Terraform and OpenTofu read: state JSON, version 4.

use crate::stage::Live;
use serde_json::{Value, json};
use sgp_tests::{script::Stage, world::World};
use std::fs;

const CONFIGURATION: &str = r#"
variable "vpc_id" { type = string }

resource "aws_security_group" "a" {
  for_each = toset(["x", "y"])
  name     = each.key
  vpc_id   = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "a" {
  security_group_id = aws_security_group.a["x"].id
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_ipv4         = "10.0.0.0/8"
}

resource "terraform_data" "password" {
  count = 2
  input = sensitive("hunter${count.index}")
}

output "group" { value = aws_security_group.a["x"].id }
output "password" {
  value     = terraform_data.password[0].output
  sensitive = true
}
"#;

/// The shape, and the parts that tools look into.
pub fn test(world: &mut World) {
    let folder = Live::new(world);
    fs::write(folder.folder().join("main.tf"), CONFIGURATION).unwrap();
    folder.sgp(&["apply", "-auto-approve"]);
    let state: Value = serde_json::from_str(&folder.sgp(&["state", "pull"])).unwrap();

    assert_eq!(state["version"], 4);
    assert!(state["serial"].as_u64().unwrap() > 0);
    assert_eq!(state["lineage"].as_str().unwrap().len(), 36);
    assert!(state["terraform_version"].is_string());
    assert_eq!(state["outputs"]["password"], json!({ "value": "hunter0", "type": "string", "sensitive": true }));
    assert_eq!(state["outputs"]["group"]["type"], "string");

    let group = resource(&state, "aws_security_group", "a");
    assert_eq!(group["mode"], "managed");
    assert_eq!(group["provider"], "provider[\"registry.terraform.io/hashicorp/aws\"]");
    assert!(group.get("module").is_none());
    let instances = group["instances"].as_array().unwrap();
    let keys: Vec<&str> = instances.iter().filter_map(|i| i["index_key"].as_str()).collect();
    assert_eq!(keys, ["x", "y"]);
    for instance in instances {
        assert!(instance["schema_version"].is_u64());
        assert!(instance["sensitive_attributes"].is_array());
        assert_eq!(instance["attributes"]["vpc_id"], world.vpc().id.as_str());
        assert_eq!(instance["attributes"]["name"], instance["index_key"]);
    }
    let rule = &resource(&state, "aws_vpc_security_group_ingress_rule", "a")["instances"][0];
    assert_eq!(rule["attributes"]["from_port"], 5432);
    assert_eq!(rule["dependencies"], json!(["aws_security_group.a"]));
    assert!(rule.get("index_key").is_none());

    let password = resource(&state, "terraform_data", "password");
    assert_eq!(password["provider"], "provider[\"terraform.io/builtin/terraform\"]");
    let first = &password["instances"][0];
    assert_eq!(first["index_key"], 0);
    assert_eq!(first["attributes"]["input"], json!({ "value": "hunter0", "type": "string" }));
    let input = json!([{ "type": "get_attr", "value": "input" }]);
    assert!(first["sensitive_attributes"].as_array().unwrap().contains(&input), "{first:#}");
    folder.sgp(&["destroy", "-auto-approve"]);
}

fn resource<'a>(state: &'a Value, type_name: &str, name: &str) -> &'a Value {
    let resources = state["resources"].as_array().unwrap();
    let found = resources.iter().find(|r| r["type"] == type_name && r["name"] == name);
    found.unwrap_or_else(|| panic!("no {type_name}.{name} in {state:#}"))
}
