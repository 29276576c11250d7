//! A configuration of the size of terraform-aws-eks, and expressions over collections of growing size.
//!
//! `cargo bench -p sgp-lang`. In the group `growth` throughput is elements per second: it must stay the same from size to
//! size.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{collections::BTreeMap, fmt::Write as _, hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sgp_lang::{
    Answer, Configured, DepsView, Evaluator, Given, Inputs, Schemas, VariableInput, World, load, source::MemoryFiles,
};
use sgp_model::{Attribute, Block, Mode, ModulePath, NestedBlock, Schema, Type, Value};

/// One type with what most types have: texts, numbers, tags, nested blocks, computed attributes.
struct OneType(&'static Schema);

impl OneType {
    fn new() -> Self {
        let rule = Block::default()
            .attr("description", Attribute::string())
            .attr("from_port", Attribute::number())
            .attr("to_port", Attribute::number())
            .attr("cidr_blocks", Attribute::strings());
        let schema = Schema::new("bench_thing", "A thing.")
            .attr("name", Attribute::string().required())
            .attr("description", Attribute::string())
            .attr("size", Attribute::number())
            .attr("policy", Attribute::string())
            .attr("subnet_ids", Attribute::strings())
            .attr("group_ids", Attribute::string_set())
            .attr("tags", Attribute::string_map())
            .attr("id", Attribute::string().computed())
            .attr("arn", Attribute::string().computed())
            .block("rule", NestedBlock::list(rule));
        Self(Box::leak(Box::new(schema)))
    }
}

impl Schemas for OneType {
    fn resource(&self, mode: Mode, type_name: &str) -> Option<&'static Schema> {
        (mode == Mode::Managed && type_name == "bench_thing").then_some(self.0)
    }
    fn provider_for(&self, type_name: &str) -> Option<&'static str> {
        (type_name == "bench_thing").then_some("bench")
    }
    fn provider_config(&self, _: &str) -> Option<&'static Schema> {
        None
    }
    fn resource_names(&self, mode: Mode) -> Vec<&'static str> {
        if mode == Mode::Managed { vec!["bench_thing"] } else { Vec::new() }
    }
    fn provider_names(&self) -> Vec<&'static str> {
        vec!["bench"]
    }
}

/// Everything is new: ids and ARNs are not known.
struct NewObjects;

impl World for NewObjects {
    fn object(&mut self, configured: Configured<'_>, _: &DepsView<'_>) -> Answer {
        let unknown = || Value::unknown_not_null(Type::String);
        Answer::Value(configured.config.with_attr("id", unknown()).with_attr("arn", unknown()))
    }
}

/// How many modules there are, and resources in each of them.
const MODULES: usize = 22;
const RESOURCES: usize = 9;

/// Written as modules for EKS are: objects with optional attributes in, a resource for each of them, blocks for what they
/// hold, everything merged, tried and coalesced.
fn module(number: usize) -> String {
    let mut text = String::new();
    for r in 0..RESOURCES {
        write!(
            text,
            r#"
variable "groups_{r}" {{
  description = "The groups of part {r} of module {number}."
  type = map(object({{
    name        = optional(string)
    description = optional(string, "made by module {number}")
    size        = optional(number, {r})
    subnet_ids  = optional(list(string), [])
    tags        = optional(map(string), {{}})
    rules = optional(map(object({{
      description = optional(string)
      from_port   = optional(number, 443)
      to_port     = optional(number)
      cidr_blocks = optional(list(string), ["10.0.0.0/8"])
    }})), {{}})
  }}))
  default = {{
    blue = {{
      subnet_ids = ["subnet-1", "subnet-2"]
      rules = {{
        https = {{ description = "HTTPS" }}
        dns   = {{ from_port = 53, to_port = 53 }}
      }}
    }}
    green = {{
      size = 3
      tags = {{ team = "green" }}
    }}
  }}
}}

locals {{
  create_{r} = var.create && length(var.groups_{r}) > 0

  policies_{r} = {{
    for key, group in var.groups_{r} : key => jsonencode({{
      Version = "2012-10-17"
      Statement = [
        for subnet in group.subnet_ids : {{
          Effect   = "Allow"
          Action   = ["ec2:DescribeSubnets", "ec2:CreateNetworkInterface"]
          Resource = "arn:aws:ec2:*:*:subnet/${{subnet}}"
        }}
      ]
    }})
  }}

  names_{r} = {{
    for key, group in var.groups_{r} :
    key => coalesce(group.name, "${{var.prefix}}-{r}-${{key}}")
  }}
}}

resource "bench_thing" "part_{r}" {{
  for_each = {{ for key, group in var.groups_{r} : key => group if local.create_{r} }}

  name        = local.names_{r}[each.key]
  description = try(each.value.description, "none")
  size        = max(each.value.size, 1)
  policy      = local.policies_{r}[each.key]
  subnet_ids  = distinct(concat(each.value.subnet_ids, var.subnet_ids))
  group_ids   = {previous}

  {dynamic}

  tags = merge(
    var.tags,
    each.value.tags,
    {{ Name = "${{var.prefix}}-${{each.key}}" }},
  )
}}

output "part_{r}_ids" {{
  description = "The ids of part {r}."
  value       = {{ for key, thing in bench_thing.part_{r} : key => thing.id }}
}}

output "part_{r}_arn" {{
  description = "The first ARN of part {r}, if there is one."
  value       = try(values(bench_thing.part_{r})[0].arn, null)
}}
"#,
            previous = if r == 0 {
                "toset([])".to_owned()
            } else {
                format!("[for thing in bench_thing.part_{} : thing.id]", r - 1)
            },
            dynamic = if r < 7 { DYNAMIC } else { FIXED },
        )
        .unwrap();
    }
    text + SHARED
}

const DYNAMIC: &str = r#"dynamic "rule" {
    for_each = { for key, rule in each.value.rules : key => rule if rule.from_port != null }

    content {
      description = try(coalesce(rule.value.description, rule.key), null)
      from_port   = rule.value.from_port
      to_port     = coalesce(rule.value.to_port, rule.value.from_port)
      cidr_blocks = [for block in rule.value.cidr_blocks : cidrsubnet(block, 8, 1)]
    }
  }"#;

const FIXED: &str = r#"rule {
    description = "health checks"
    from_port   = 10256
    to_port     = 10256
    cidr_blocks = [cidrsubnet("10.0.0.0/8", 8, each.value.size)]
  }"#;

const SHARED: &str = r#"
variable "create" {
  description = "Whether to make anything."
  type        = bool
  default     = true
}

variable "prefix" {
  description = "What names begin with."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets for all groups."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for everything."
  type        = map(string)
  default     = {}
}
"#;

fn configuration() -> MemoryFiles {
    let mut files = BTreeMap::new();
    let mut root = String::from("locals {\n  tags = { owner = \"platform\", stage = \"prod\" }\n}\n");
    for number in 0..MODULES {
        let before = if number == 0 { "[]".to_owned() } else { format!("values(module.m{}.part_0_ids)", number - 1) };
        write!(
            root,
            "\nmodule \"m{number}\" {{\n  source = \"./m{number}\"\n\n  prefix     = \"m{number}\"\n  subnet_ids = {before}\n  tags       = local.tags\n}}\n"
        )
        .unwrap();
        files.insert(format!("m{number}/main.tf"), module(number));
    }
    files.insert("main.tf".into(), root);
    MemoryFiles::new(files)
}

fn evaluator(files: MemoryFiles, inputs: Inputs) -> Evaluator<NewObjects> {
    let files = Arc::new(files);
    let loaded = load(".", &*files);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    Evaluator::new(loaded.config, inputs, Arc::new(OneType::new()), files, NewObjects)
}

/// Every instance and every output, as a plan asks for them.
fn everything(evaluator: &mut Evaluator<NewObjects>) -> usize {
    let mut count = 0;
    for resource in evaluator.resources() {
        for key in evaluator.instances(&resource).unwrap() {
            evaluator.object(&resource.instance(key)).unwrap();
            count += 1;
        }
    }
    evaluator.check_rest();
    let diagnostics = evaluator.take_diagnostics();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    count
}

fn whole_configuration(c: &mut Criterion) {
    let files = configuration();
    let texts = || files.0.values().map(|f| String::from_utf8_lossy(f));
    let lines: usize = texts().map(|t| t.lines().count()).sum();
    let blocks = |word: &str| texts().map(|t| t.matches(word).count()).sum::<usize>();
    assert!(lines > 15_000, "{lines} lines");
    assert!(blocks(" for_each = ") > 190 && blocks("dynamic \"") > 150);
    let mut group = c.benchmark_group("configuration");
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    group.bench_function("load", |b| b.iter(|| black_box(load(".", &files))));
    group.bench_function("load and evaluate", |b| {
        b.iter(|| assert_eq!(everything(&mut evaluator(files.clone(), Inputs::default())), MODULES * RESOURCES * 2));
    });
    group.finish();
}

/// What is measured at each size; `var.items` are so many texts, `var.map` has as many entries.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("for", "[for x in var.items : \"${x}-a\"]"),
    ("for object", "{ for x in var.items : x => length(x) }"),
    ("for groups", "{ for x in var.items : substr(x, 0, 3) => x... }"),
    ("splat", "[for x in var.items : { a = x }][*].a"),
    ("references", "[for x in var.items : var.map[x]]"),
    ("lookup", "[for x in var.items : lookup(var.map, x, \"\")]"),
    ("element", "[for i, x in var.items : element(var.items, i)]"),
    ("merge", "merge(var.map, { a = 1 }, var.map)"),
    ("concat", "concat(var.items, var.items)"),
    ("flatten", "flatten([for x in var.items : [x, [x]]])"),
    ("toset", "toset(var.items)"),
    ("tolist", "tolist([for x in var.items : x])"),
    ("distinct", "distinct(concat(var.items, var.items))"),
    ("compact", "compact(var.items)"),
    ("sort", "sort(var.items)"),
    ("reverse", "reverse(var.items)"),
    ("zipmap", "zipmap(var.items, var.items)"),
    ("matchkeys", "matchkeys(var.items, var.items, var.items)"),
    ("setintersection", "setintersection(var.items, reverse(var.items))"),
    ("setsubtract", "setsubtract(var.items, slice(var.items, 0, 500))"),
    ("setunion", "setunion(var.items, reverse(var.items))"),
    ("setproduct", "setproduct(var.items, [1, 2])"),
    ("chunklist", "chunklist(var.items, 2)"),
    ("formatlist", "formatlist(\"%s-%s\", var.items, var.items)"),
    ("join and split", "split(\",\", join(\",\", var.items))"),
    ("template", "\"%{ for x in var.items }${x}%{ endfor }\""),
    ("jsonencode and jsondecode", "jsondecode(jsonencode(var.map))"),
    ("yamlencode and yamldecode", "yamldecode(yamlencode(var.items))"),
    ("equality", "var.map == merge(var.map, {})"),
    ("contains", "contains(var.items, \"none\")"),
    ("conditional", "length(var.items) > 0 ? var.items : []"),
    ("object keys", "keys(var.map) == sort(keys(var.map))"),
];

fn inputs(size: usize) -> Inputs {
    let names = || (0..size).map(|i| format!("{:05x}", i * 7919 % size));
    let given = |value| VariableInput { given: Given::Value(value), from: "a benchmark".into(), span: None };
    let map = Value::map(Type::String, names().map(|n| (n.clone(), Value::from(n))));
    let variables = [("items".to_owned(), given(Value::strings(names()))), ("map".to_owned(), given(map))];
    Inputs { variables: variables.into(), ..Inputs::default() }
}

const VARIABLES: &str =
    "variable \"items\" {\n  type = list(string)\n}\n\nvariable \"map\" {\n  type = map(string)\n}\n";

fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("growth");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800));
    for (name, expression) in EXPRESSIONS {
        for size in [1_000, 10_000, 100_000] {
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(*name, size), |b| {
                let mut evaluator = evaluator(MemoryFiles::new([("main.tf", VARIABLES)]), inputs(size));
                let root = ModulePath::root();
                evaluator.eval_text(&root, "[var.items, var.map]").unwrap();
                b.iter(|| black_box(evaluator.eval_text(&root, expression).unwrap()));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, whole_configuration, growth);
criterion_main!(benches);
