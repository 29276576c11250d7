//! Provider configurations with `for_each`, and what chooses among them.

use sgp_model::{ProviderAddr, address::InstanceKey};

use super::{Inputs, TestWorld, addr, evaluator_of, problems, show};

const BY_REGION: &str = r#"
variable "regions" {
  default = { east = "eu-east-1", west = "eu-west-1" }
}
provider "test" {
  alias    = "by_region"
  for_each = var.regions
  region   = each.value
  key      = each.key
}
"#;

fn served(files: &[(&str, &str)], of: &[&str]) -> Vec<String> {
    let mut evaluator = evaluator_of(files, Inputs::default(), TestWorld::default());
    evaluator.resources();
    let found = of.iter().map(|of| evaluator.provider_of(&addr(of)).to_string()).collect();
    assert!(evaluator.take_diagnostics().is_empty());
    found
}

#[test]
fn each_instance_chooses_its_configuration() {
    let main = BY_REGION.to_owned()
        + r#"
resource "test_thing" "a" {
  for_each = toset(["east", "west"])
  provider = test.by_region[each.key]
  name     = each.key
}
resource "test_thing" "one" {
  provider = test.by_region["east"]
  name     = "one"
}
module "m" {
  source    = "./m"
  for_each  = { a = "west" }
  providers = { test = test.by_region[each.value] }
}
module "all" {
  source    = "./all"
  providers = { test.some = test.by_region }
}
"#;
    let inner = "resource \"test_thing\" \"i\" {\n  name = \"i\"\n}";
    let all = "resource \"test_thing\" \"i\" {\n  provider = test.some[\"west\"]\n  name = \"i\"\n}";
    let files = [("main.tf", &*main), ("m/main.tf", inner), ("all/main.tf", all)];
    assert_eq!(problems(&files), "");
    let of = [
        "test_thing.a[\"east\"]",
        "test_thing.a[\"west\"]",
        "test_thing.one",
        "module.m[\"a\"].test_thing.i",
        "module.all.test_thing.i",
    ];
    let (east, west) = ("provider.test.by_region[\"east\"]", "provider.test.by_region[\"west\"]");
    assert_eq!(served(&files, &of), [east, west, east, west, west]);

    let mut evaluator = evaluator_of(&files, Inputs::default(), TestWorld::default());
    let resources = evaluator.resources();
    assert_eq!(evaluator.providers_of(&resources[0]).len(), 2);
    let west = evaluator.provider_of(&addr("test_thing.a[\"west\"]"));
    assert_eq!(show(&evaluator.provider_config(&west).unwrap()), "{key = sensitive(\"west\"), region = \"eu-west-1\"}");
}

#[test]
fn an_address_holds_alias_and_key() {
    let base = ProviderAddr { alias: Some("by".into()), ..ProviderAddr::root("test") };
    assert_eq!(base.alias_and_key(), (Some("by"), None));
    let key = InstanceKey::Str("a\"].b[".into());
    let one = base.clone().instance(&key);
    assert_eq!(one.alias_and_key(), (Some("by"), Some(key)));
    assert_eq!(one.without_key(), base);
}

#[test]
fn what_cannot_choose_or_be_chosen_is_told() {
    let thing =
        |provider: &str| format!("resource \"test_thing\" \"a\" {{\n  provider = {provider}\n  name = \"a\"\n}}\n");
    let by_region = |provider: &str| BY_REGION.to_owned() + &thing(provider);
    let repeated = |for_each: &str| {
        format!("provider \"test\" {{\n  alias = \"x\"\n  for_each = {for_each}\n}}\n{}", thing("test.x[\"k\"]"))
    };
    let data = "resource \"terraform_data\" \"d\" {}\n";
    for (main, summary, detail) in [
        (by_region("test.by_region[\"eats\"]"), "Invalid provider reference", "Did you mean \"east\"?"),
        (by_region("test.by_region[\"eats\"]"), "Invalid provider reference", "are: \"east\" and \"west\""),
        (by_region("test.by_region"), "Invalid provider reference", "test.by_region[each.key]"),
        (by_region("test.by_region[null]"), "Invalid provider reference", "is text"),
        (by_region("test.by_region[sensitive(\"east\")]"), "Invalid provider reference", "nonsensitive"),
        (
            data.to_owned() + &by_region("test.by_region[terraform_data.d.id]"),
            "Invalid provider reference",
            "after apply",
        ),
        (by_region("test[\"east\"]"), "Invalid provider reference", "aws.by_region[each.key]"),
        (
            "provider \"test\" {\n  alias = \"x\"\n}\n".to_owned() + &thing("test.x[\"k\"]"),
            "Invalid provider reference",
            "has no for_each",
        ),
        ("provider \"test\" {\n  for_each = {}\n}\n".to_owned(), "Invalid for_each argument", "needs an alias"),
        (repeated("sensitive(toset([\"k\"]))"), "Invalid for_each argument", "nonsensitive"),
        (repeated("[\"k\"]"), "Invalid for_each argument", "toset"),
        (repeated("{}"), "Invalid provider reference", "Its for_each is empty"),
        (data.to_owned() + &repeated("toset([terraform_data.d.id])"), "Invalid for_each argument", "known before"),
        ("provider \"test\" {\n  count = 2\n}\n".to_owned(), "Reserved argument name", "for_each with an alias"),
        ("provider \"test\" {\n  region = each.key\n}\n".to_owned(), "Reference to \"each\"", "for_each"),
    ] {
        let found = problems(&[("main.tf", &main)]);
        assert!(found.contains(summary) && found.contains(detail), "{main}\n{found}");
    }
}

#[test]
fn a_module_that_is_given_one_configuration_does_not_choose_another() {
    let main = BY_REGION.to_owned()
        + "module \"m\" {\n  source = \"./m\"\n  providers = { test = test.by_region[\"east\"], test.x = test.by_region[\"west\"] }\n}\n";
    let inner = "resource \"test_thing\" \"i\" {\n  provider = test.x[\"east\"]\n  name = \"i\"\n}";
    let found = problems(&[("main.tf", &main), ("m/main.tf", inner)]);
    assert!(found.contains("passes one configuration already"), "{found}");
}

#[test]
fn configurations_that_only_the_state_knows_are_told_with_what_to_do() {
    let main = BY_REGION;
    let mut evaluator = evaluator_of(&[("main.tf", main)], Inputs::default(), TestWorld::default());
    let base = ProviderAddr { alias: Some("by_region".into()), ..ProviderAddr::root("test") };
    for (of, told) in [
        (base.clone().instance(&InstanceKey::Str("north".into())), "no key \"north\" any more"),
        (base.clone(), "Put the block back"),
        (ProviderAddr { alias: Some("x[\"k\"]".into()), ..base }, "Put the block back"),
    ] {
        assert!(evaluator.provider_config(&of).is_err());
        let found = evaluator.take_diagnostics();
        assert!(found.0[0].detail.contains(told), "{of}: {found:?}");
    }
}
