//! What is evaluated when, how often, and what each cell looked at.

use sgp_model::{Kind, ModulePath, Type, Value};

use super::{Inputs, TestWorld, addr, evaluator, evaluator_of, force, problems, rendered, show};
use crate::{CellKey, Stop};

fn pairs(n: usize) -> String {
    format!(
        r#"
locals {{ prefix = "p" }}
resource "terraform_data" "a" {{
  count = {n}
  input = "${{local.prefix}}${{count.index}}"
}}
resource "terraform_data" "b" {{
  count = {n}
  input = terraform_data.a[count.index].output
}}
"#
    )
}

#[test]
fn one_instance_costs_one_instance() {
    let mut evaluator = evaluator(&pairs(100));
    assert_eq!(show(evaluator.object(&addr("terraform_data.b[7]")).unwrap().get("input").unwrap()), "\"p7\"");
    assert_eq!(evaluator.world().asked, ["terraform_data.a[7]", "terraform_data.b[7]"]);
    assert_eq!(evaluator.world().deps["terraform_data.b[7]"], ["terraform_data.a[7]"]);
    // Two expansions, the local value and the two instances.
    assert_eq!(evaluator.evaluations(), 5);
}

#[test]
fn work_and_edges_grow_with_the_instances() {
    let cost = |n: usize| {
        let mut evaluator = evaluator(&pairs(n));
        force(&mut evaluator);
        let graph = evaluator.cells();
        let edges: usize = graph.iter().map(|(id, _)| graph.deps(id).len()).sum();
        (evaluator.evaluations(), edges)
    };
    let (small, large) = (cost(50), cost(500));
    assert_eq!(small.0, 2 * 50 + 3);
    assert_eq!(large.0, 2 * 500 + 3);
    // a: its expansion and the local value; b: its expansion, that of a, and one instance of a.
    assert_eq!(small.1, 5 * 50);
    assert_eq!(large.1, 5 * 500);
}

/// Whether all these are one list or map in memory, so that making it cost no more than once.
fn is_one_value<'v>(mut values: impl Iterator<Item = &'v Value>) -> bool {
    let address = |v: &Value| match v.kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => vs.as_ptr().addr(),
        Kind::Map(_, fs) | Kind::Object(fs) => std::sync::Arc::as_ptr(fs).addr(),
        other => panic!("no collection: {other:?}"),
    };
    let first = address(values.next().unwrap());
    values.all(|v| address(v) == first)
}

#[test]
fn a_map_that_all_instances_of_a_module_get_is_converted_once() {
    let main = r#"
locals { all = { for i in range(20) : "k${i}" => { n = i } } }
module "m" {
  source   = "./m"
  for_each = toset(["a", "b", "c"])
  all      = local.all
}
module "other" {
  source = "./m"
  all    = { for k, v in local.all : k => { n = 1 } }
}
output "o" { value = [for m in module.m : m.all] }
output "other" { value = module.other.all["k5"].n }
"#;
    let inner = r#"
variable "all" { type = map(object({ n = string, tags = optional(list(string), []) })) }
output "all" { value = var.all }
"#;
    let mut evaluator =
        evaluator_of(&[("main.tf", main), ("m/main.tf", inner)], Inputs::default(), TestWorld::default());
    let found = evaluator.output(&ModulePath::root(), "o").unwrap();
    assert!(is_one_value(found.elements().unwrap().into_iter()));
    assert_eq!(show(&evaluator.output(&ModulePath::root(), "other").unwrap()), "\"1\"");
}

/// Each instance goes through all instances of the other: that is one list, made once.
#[test]
fn a_splat_over_the_same_collection_is_made_once() {
    let main = r#"
resource "terraform_data" "a" {
  count = 40
  input = "x${count.index}"
}
locals {
  few  = [for i in range(2) : { v = "f${i}", w = i }]
  many = [for i in range(20) : { v = "m${i}" }]
}
resource "terraform_data" "b" {
  count = 40
  input = element(terraform_data.a[*].input, count.index)
}
output "twice" { value = [for i in range(2) : local.many[*].v] }
output "first" { value = [for l in [local.many, local.few, local.many] : (l[*].v)[1]] }
"#;
    let mut evaluator = evaluator(main);
    force(&mut evaluator);
    let b = evaluator.object(&addr("terraform_data.b[39]")).unwrap();
    assert_eq!(show(b.get("input").unwrap()), "\"x39\"");
    assert_eq!(evaluator.world().deps["terraform_data.b[39]"].len(), 40);
    let first = evaluator.output(&ModulePath::root(), "first").unwrap();
    assert_eq!(show(&first), "[\"m1\", \"f1\", \"m1\"]");
    let twice = evaluator.output(&ModulePath::root(), "twice").unwrap();
    assert!(is_one_value(twice.elements().unwrap().into_iter()));
    // The console's expressions come and go; none may see the result of another.
    let mut text = |t: &str| show(&evaluator.eval_text(&ModulePath::root(), t).unwrap());
    assert_eq!(text("(local.many[*].v)[3]"), "\"m3\"");
    assert_eq!(text("(terraform_data.a[*].input)[3]"), "\"x3\"");
}

#[test]
fn a_value_that_many_use_is_one_cell() {
    let main = r#"
resource "terraform_data" "a" { count = 30 }
locals { ids = [for x in terraform_data.a : x.id] }
resource "terraform_data" "b" {
  count = 40
  input = local.ids
}
"#;
    let mut evaluator = evaluator(main);
    force(&mut evaluator);
    let graph = evaluator.cells();
    let b = graph.id(&CellKey::Instance(addr("terraform_data.b[0]"))).unwrap();
    let deps: Vec<String> = graph.deps(b).iter().map(|d| graph.key(*d).to_string()).collect();
    assert_eq!(deps, ["terraform_data.b (expand)", "local.ids"]);
    assert_eq!(evaluator.world().deps["terraform_data.b[0]"].len(), 30);
}

#[test]
fn what_is_blocked_is_asked_again_and_nothing_else() {
    let main = r#"
data "test_look" "l" { name = "later" }
resource "test_thing" "a" { name = data.test_look.l.found }
resource "test_thing" "b" { name = "b" }
"#;
    let mut evaluator = evaluator(main);
    force(&mut evaluator);
    assert_eq!(evaluator.object(&addr("test_thing.a")), Err(Stop::Blocked));
    // Within a round nothing is asked twice.
    assert_eq!(evaluator.world().asked, ["data.test_look.l", "test_thing.b"]);
    evaluator.world_mut().ready = true;
    force(&mut evaluator);
    assert_eq!(evaluator.world().asked, ["data.test_look.l", "test_thing.b", "data.test_look.l", "test_thing.a"]);
    let a = evaluator.object(&addr("test_thing.a")).unwrap();
    assert_eq!(show(a.get("name").unwrap()), "\"found it\"");
    assert!(evaluator.take_diagnostics().is_empty());
}

#[test]
fn what_is_provisional_is_forgotten_when_the_world_moves() {
    let main = r#"
resource "test_thing" "a" { name = "a" }
locals { id = test_thing.a.id }
resource "terraform_data" "b" { input = local.id }
output "o" { value = "${local.id}!" }
"#;
    let world = TestWorld { provisional: true, ..TestWorld::default() };
    let mut evaluator = evaluator_of(&[("main.tf", main)], Inputs::default(), world);
    let out = |e: &mut super::Evaluator<TestWorld>| show(&e.output(&ModulePath::root(), "o").unwrap());
    assert_eq!(out(&mut evaluator), "unknown(string)");
    assert_eq!(out(&mut evaluator), "unknown(string)");
    assert_eq!(evaluator.world().asked, ["test_thing.a"]);
    let made = evaluator.object(&addr("test_thing.a")).unwrap().with_attr("id", Value::from("sg-1"));
    evaluator.world_mut().recorded.insert(addr("test_thing.a"), made);
    assert_eq!(out(&mut evaluator), "\"sg-1!\"");
    assert_eq!(show(evaluator.instance_config(&addr("terraform_data.b")).unwrap().get("input").unwrap()), "\"sg-1\"");
    // It is settled now.
    let asked = evaluator.world().asked.len();
    evaluator.world_mut();
    assert_eq!(out(&mut evaluator), "\"sg-1!\"");
    assert_eq!(evaluator.world().asked.len(), asked);
}

#[test]
fn dependencies_pass_through_modules_and_stop_at_instances() {
    let main = r#"
resource "terraform_data" "a" {}
resource "terraform_data" "b" { input = terraform_data.a.id }
module "m" {
  source = "./m"
  id     = terraform_data.b.id
}
resource "terraform_data" "c" { input = module.m.id }
resource "terraform_data" "d" { depends_on = [module.m, terraform_data.c] }
module "n" {
  source     = "./m"
  id         = "fixed"
  depends_on = [terraform_data.a]
}
"#;
    let inner = r#"
variable "id" {}
resource "terraform_data" "i" {
  input      = var.id
  depends_on = [terraform_data.j]
}
resource "terraform_data" "j" {}
output "id" { value = terraform_data.i.output }
"#;
    let mut evaluator =
        evaluator_of(&[("main.tf", main), ("m/main.tf", inner)], Inputs::default(), TestWorld::default());
    force(&mut evaluator);
    let world = evaluator.world();
    assert_eq!(world.deps["terraform_data.b"], ["terraform_data.a"]);
    assert_eq!(world.deps["module.m.terraform_data.i"], ["terraform_data.b", "module.m.terraform_data.j"]);
    assert_eq!(world.explicit["module.m.terraform_data.i"], ["module.m.terraform_data.j"]);
    assert_eq!(world.deps["terraform_data.c"], ["module.m.terraform_data.i"]);
    let mut d = world.deps["terraform_data.d"].clone();
    d.sort();
    assert_eq!(d, ["module.m.terraform_data.i", "module.m.terraform_data.j", "terraform_data.c"]);
    assert_eq!(world.explicit["module.n.terraform_data.j"], ["terraform_data.a"]);
}

#[test]
fn cycles_are_named_with_the_whole_path() {
    let main = r#"
resource "terraform_data" "a" { input = local.x }
locals { x = terraform_data.b.output }
resource "terraform_data" "b" { input = [terraform_data.a.output] }
resource "terraform_data" "n" {
  count = 2
  input = count.index == 0 ? terraform_data.n[1].id : "end"
}
resource "terraform_data" "own" { input = terraform_data.own.id }
resource "terraform_data" "many" { count = length(terraform_data.many) }
resource "terraform_data" "after" { input = terraform_data.a.id }
resource "terraform_data" "d1" { depends_on = [terraform_data.d2] }
resource "terraform_data" "d2" { depends_on = [terraform_data.d1] }
"#;
    insta::assert_snapshot!(problems(&[("main.tf", main)]), @r#"
    Cycle at main.tf:2:1: `resource "terraform_data" "a"`
      These values need each other, so none can be computed first: local.x -> terraform_data.b -> terraform_data.a -> local.x.
    Cycle at main.tf:9:1: `resource "terraform_data" "own"`
      These values need each other, so none can be computed first: terraform_data.own -> terraform_data.own.
    Cycle at main.tf:10:1: `resource "terraform_data" "many"`
      These values need each other, so none can be computed first: terraform_data.many -> terraform_data.many (expand) -> terraform_data.many.
    Cycle at main.tf:12:1: `resource "terraform_data" "d1"`
      These values need each other, so none can be computed first: terraform_data.d1 -> terraform_data.d2 -> terraform_data.d1.
    "#);
}

#[test]
fn deep_chains_do_not_overflow() {
    use std::fmt::Write as _;
    let mut main = String::from("locals {\n  l0 = 1\n");
    for i in 1..5000 {
        writeln!(main, "  l{i} = local.l{} + 1", i - 1).unwrap();
    }
    main.push('}');
    let mut evaluator = evaluator(&main);
    assert_eq!(show(&evaluator.eval_text(&ModulePath::root(), "local.l4999").unwrap()), "5000");
}

#[test]
fn an_error_is_told_once() {
    let main = r#"
locals { bad = 1 / 0 }
resource "terraform_data" "a" {
  count = 3
  input = local.bad
}
output "o" { value = terraform_data.a[0].id }
"#;
    let mut evaluator = evaluator(main);
    force(&mut evaluator);
    assert_eq!(evaluator.object(&addr("terraform_data.a[1]")), Err(Stop::Failed));
    let found = evaluator.take_diagnostics();
    assert_eq!(found.0.len(), 1, "{}", rendered(&found, &evaluator.config().sources));
}

#[test]
fn the_evaluator_can_move_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let evaluator = evaluator("");
    assert_send(&evaluator);
    assert_eq!(evaluator.cells().len(), 0);
    let _ = Type::Dynamic;
}
