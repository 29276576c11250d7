//! The binary as scripts use it: exit codes, streams and files, with the built-in `terraform_data` and no network.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

struct Folder(TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "", &[])
    }

    fn run_with(&self, args: &[&str], input: impl AsRef<[u8]>, env: &[(&str, &str)]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sgp"));
        // What the person who runs the tests has set must not change them.
        let mine =
            std::env::vars().filter(|(k, _)| ["TF_", "SGP_", "AWS_", "NO_COLOR"].iter().any(|p| k.starts_with(p)));
        mine.for_each(|(k, _)| {
            command.env_remove(k);
        });
        command.args(args).current_dir(self.path()).envs(env.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads no input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.out, ran.err);
        ran.out
    }
}

const PAIR: &str = r#"variable "who" {
  default = "world"
}

resource "terraform_data" "a" {
  input = "hello ${var.who}"
}

resource "terraform_data" "b" {
  for_each = toset(["x", "y"])
  input    = "${terraform_data.a.output} ${each.key}"
}

output "all" {
  value = [for b in terraform_data.b : b.output]
}
"#;

#[test]
fn console_json_works_in_an_empty_folder() {
    let folder = Folder::new(&[]);
    let input = "1 + 2\n\"[\\n  \\\"a\\\",\\n]\"\n12345678901234567890123 * 10\n{ a = [true], b = tolist([\"x\"]) }\nnope.x\n\n";
    let ran = folder.run_with(&["console", "-json"], input, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], r#"{"type":"number","value":3}"#);
    assert_eq!(lines[1], r#"{"type":["tuple",["string"]],"value":["a"]}"#);
    assert_eq!(lines[2], r#"{"type":"number","value":123456789012345678901230}"#);
    assert_eq!(
        lines[3],
        r#"{"type":["object",{"a":["tuple",["bool"]],"b":["list","string"]}],"value":{"a":[true],"b":["x"]}}"#
    );
    assert!(lines[4].starts_with(r#"{"error":{"summary":"#), "{}", lines[4]);
    assert_eq!(lines.len(), 5);
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "console leaves no files behind");
}

#[test]
fn console_answers_with_what_a_plan_would_make() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    folder.ok(&["apply", "-auto-approve"]);
    let input = "terraform_data.a.input\nterraform_data.a.output\n";
    let you = ["console", "-var", "who=you"];
    let of = |more: &[&str]| folder.run_with(&[&you[..], more].concat(), input, &[]).out;
    // Only answers are on standard output, also where objects are refreshed first.
    assert_eq!(of(&[]), "\"hello world\"\n\"hello world\"\n");
    assert_eq!(of(&["-plan"]), "\"hello you\"\n(known after apply)\n");
    let lines = of(&["-plan", "-json"]);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], r#"{"type":"string","value":"hello you"}"#);
    assert_eq!(lines[1..], [r#"{"type":"string","value":null,"unknown":true}"#]);
}

#[test]
fn console_json_answers_every_line_whatever_it_is() {
    let folder = Folder::new(&[]);
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let mut input = b"\"caf\xe9\"\nyamldecode(\"a: 1 # one\")\ntype([1])\n[type(1)]\n".to_vec();
    input.extend(format!("{deep}\n2\r\n").bytes());
    let ran = folder.run_with(&["console", "-json"], input, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with(r#"{"error":{"summary":"Unreadable input","#), "{}", lines[0]);
    // Other parts of the binary ask the YAML parser for comments; here they are none of the document.
    assert_eq!(lines[1], r#"{"type":["object",{"a":"number"}],"value":{"a":1}}"#);
    assert_eq!(lines[2], r#"{"type":"string","value":"tuple([\n    number,\n])"}"#);
    assert!(lines[3].contains("Invalid use of type function"), "{}", lines[3]);
    assert!(lines[4].starts_with(r#"{"error":{"summary":"Nested too deeply","#), "{}", lines[4]);
    assert_eq!(lines[5..], [r#"{"type":"number","value":2}"#]);
}

#[test]
fn console_shows_values_as_people_know_them() {
    let folder = Folder::new(&[]);
    let input = "true ? tolist([\"a\\n$${b}\\n\"]) : null\nfalse ? {} : tomap(null)\ntype(tolist([{ a = 1 }]))\n\"x\\u200dy\"\n";
    let ran = folder.run_with(&["console"], input, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(
        ran.out,
        "tolist([\n  <<-EOT\n  a\n  ${b}\n  \n  EOT,\n])\ntomap(null) /* of dynamic */\nlist(\n    object({\n        a: number,\n    \
         }),\n)\n\"x\\u200dy\"\n"
    );
}

#[test]
fn the_life_of_a_configuration() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    assert_eq!(folder.run(&["plan", "-detailed-exitcode"]).code, 2);
    let plan = folder.ok(&["plan", "-no-color"]);
    assert!(plan.contains("# terraform_data.a will be created"), "{plan}");
    assert!(plan.contains("Plan: 3 to add, 0 to change, 0 to destroy."), "{plan}");
    let applied = folder.ok(&["apply", "-auto-approve"]);
    assert!(applied.contains("Apply complete! Resources: 3 added, 0 changed, 0 destroyed."), "{applied}");
    assert_eq!(folder.run(&["plan", "-detailed-exitcode"]).code, 0);
    assert_eq!(folder.ok(&["output", "-json", "all"]).trim(), r#"["hello world x","hello world y"]"#);
    assert_eq!(folder.ok(&["state", "list"]), "terraform_data.a\nterraform_data.b[\"x\"]\nterraform_data.b[\"y\"]\n");
    let changed = folder.ok(&["apply", "-auto-approve", "-var", "who=you"]);
    assert!(changed.contains("0 added, 3 changed, 0 destroyed"), "{changed}");
    folder.ok(&["taint", "terraform_data.b[\"x\"]"]);
    let plan = folder.ok(&["plan", "-var=who=you"]);
    assert!(plan.contains("terraform_data.b[\"x\"] is tainted, so it must be replaced"), "{plan}");
    folder.ok(&["untaint", "terraform_data.b[\"x\"]"]);
    folder.ok(&["state", "mv", "terraform_data.a", "terraform_data.c"]);
    folder.ok(&["state", "mv", "terraform_data.c", "terraform_data.a"]);
    let shown: serde_json::Value = serde_json::from_str(&folder.ok(&["show", "-json"])).unwrap();
    assert_eq!(shown["values"]["root_module"]["resources"].as_array().unwrap().len(), 3);
    let pulled = folder.ok(&["state", "pull"]);
    assert!(pulled.contains("\"version\": 4"), "{pulled}");
    let destroyed = folder.ok(&["destroy", "-auto-approve"]);
    assert!(destroyed.contains("Destroy complete! Resources: 3 destroyed."), "{destroyed}");
    assert_eq!(folder.ok(&["state", "list"]), "");
}

#[test]
fn saved_plans_are_applied_or_refused_with_the_reason() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    folder.ok(&["plan", "-out", "p.plan", "-var", "who=saved"]);
    let json: serde_json::Value = serde_json::from_str(&folder.ok(&["show", "-json", "p.plan"])).unwrap();
    assert_eq!(json["variables"]["who"]["value"], "saved");
    assert_eq!(json["configuration"]["root_module"]["resources"][0]["address"], "terraform_data.a");
    assert!(folder.ok(&["show", "p.plan"]).contains("Plan: 3 to add"));
    folder.ok(&["apply", "p.plan"]);
    assert_eq!(folder.ok(&["output", "-json", "all"]).trim(), r#"["hello saved x","hello saved y"]"#);
    let again = folder.run(&["apply", "p.plan"]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("stale") || again.err.contains("state has changed"), "{}", again.err);
    folder.ok(&["plan", "-out=q.plan"]);
    fs::write(folder.path().join("more.tf"), "locals {\n  z = 1\n}\n").unwrap();
    let moved = folder.run(&["apply", "q.plan"]);
    assert!(moved.code == 1 && moved.err.contains("configuration"), "{}", moved.err);
    let other = folder.run(&["apply", "main.tf"]);
    assert!(other.code == 1 && other.err.contains("Not a saved plan"), "{}", other.err);
}

#[test]
fn a_saved_plan_brings_the_values_that_nothing_else_gives() {
    let text = "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n";
    let folder = Folder::new(&[("main.tf", text)]);
    assert_eq!(folder.run_with(&["plan", "-out=p"], "", &[("TF_VAR_v", "one")]).code, 0);
    let other = folder.run_with(&["apply", "p"], "", &[("TF_VAR_v", "two")]);
    assert!(other.code == 1 && other.err.contains("These differ: v."), "{}", other.err);
    folder.ok(&["apply", "p"]);
    assert_eq!(folder.ok(&["output", "-raw", "o"]), "one");
}

#[test]
fn an_object_that_moves_to_where_it_is_stays() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    folder.ok(&["apply", "-auto-approve"]);
    let same = folder.run(&["state", "mv", "terraform_data.a", "terraform_data.a"]);
    assert!(same.code == 1 && same.err.contains("are the same"), "{}", same.err);
    assert!(folder.ok(&["state", "list"]).contains("terraform_data.a\n"));
    let missing = folder.run(&["state", "list", "terraform_data.zz"]);
    assert!(missing.code == 1 && missing.err.contains("terraform_data.zz"), "{}", missing.err);
}

#[test]
fn destroy_needs_no_configuration() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    folder.ok(&["apply", "-auto-approve"]);
    fs::remove_file(folder.path().join("main.tf")).unwrap();
    assert!(folder.run(&["plan"]).err.contains("No configuration files"));
    assert!(folder.ok(&["destroy", "-auto-approve"]).contains("3 destroyed"));
    let elsewhere = Folder::new(&[]);
    assert!(elsewhere.run(&["destroy", "-auto-approve"]).err.contains("No configuration files"));
}

/// The schema versions of Terraform's providers: a state of theirs is no state of the future.
#[test]
fn states_of_terraform_can_be_taken_over() {
    let folder = Folder::new(&[]);
    for (type_name, provider, version, attributes) in [
        ("aws_security_group", "hashicorp/aws", 1, r#"{"id": "sg-1", "name": "g", "timeouts": null}"#),
        ("aws_eks_cluster", "hashicorp/aws", 1, r#"{"id": "c", "name": "c"}"#),
        (
            "kubernetes_manifest",
            "hashicorp/kubernetes",
            1,
            r#"{"manifest": {"value": {"kind": "X"}, "type": ["object", {"kind": "string"}]}, "object": null, "timeouts": [], "wait": []}"#,
        ),
        ("random_password", "hashicorp/random", 3, r#"{"id": "none", "length": 3, "result": "abc"}"#),
        ("random_string", "hashicorp/random", 2, r#"{"id": "abc", "length": 3, "result": "abc"}"#),
        ("tls_private_key", "hashicorp/tls", 1, r#"{"id": "a", "algorithm": "RSA"}"#),
        ("tls_self_signed_cert", "hashicorp/tls", 1, r#"{"id": "1", "cert_pem": "x", "subject": []}"#),
        ("time_static", "hashicorp/time", 0, r#"{"id": "2020-02-12T06:36:13Z", "year": 2020}"#),
        ("null_resource", "hashicorp/null", 0, r#"{"id": "1", "triggers": null}"#),
    ] {
        let text = format!(
            r#"{{"version": 4, "serial": 1, "lineage": "{type_name}", "outputs": {{}}, "resources": [{{"mode": "managed", "type": "{type_name}", "name": "a",
            "provider": "provider[\"registry.opentofu.org/{provider}\"]", "instances": [{{"schema_version": {version}, "attributes": {attributes}}}]}}]}}"#
        );
        fs::write(folder.path().join("state.json"), text).unwrap();
        folder.ok(&["state", "push", "-force", "state.json"]);
        let shown = folder.ok(&["state", "show", &format!("{type_name}.a")]);
        assert!(shown.starts_with(&format!("# {type_name}.a:")), "{shown}");
    }
}

#[test]
fn nothing_happens_without_approval() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    let nobody = folder.run(&["apply"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("Approval needed"), "{}", nobody.err);
    let no = folder.run_with(&["apply"], "no\n", &[]);
    assert!(no.code == 1 && no.out.contains("Apply cancelled."), "{}{}", no.out, no.err);
    assert_eq!(folder.ok(&["state", "list"]), "");
    let yes = folder.run_with(&["apply"], "yes\n", &[]);
    assert_eq!(yes.code, 0, "{}", yes.err);
    assert_eq!(folder.run(&["apply", "-json"]).code, 1);
}

#[test]
fn json_lines_of_plan_and_apply() {
    let folder = Folder::new(&[("main.tf", PAIR)]);
    for args in [&["plan", "-json"][..], &["apply", "-json", "-auto-approve"]] {
        let out = folder.ok(args);
        let types: Vec<String> = out
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["type"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(types[0], "version");
        assert!(
            types.contains(&"planned_change".to_owned()) && types.contains(&"change_summary".to_owned()),
            "{types:?}"
        );
        assert_eq!(types.contains(&"apply_complete".to_owned()), args[0] == "apply");
    }
}

#[test]
fn bad_input_is_told_and_changes_nothing() {
    let rows: [(&str, &str, &[&str]); 11] = [
        ("moved {\n  from = terraform_data.a\n  to   = aws_vpc.a\n}\n", "cannot take over", &["main.tf line 1"]),
        ("moved {\n  from = terraform_data.a\n  to   = module.a\n}\n", "a resource to a resource", &["main.tf line 1"]),
        ("removed {\n  from = terraform_data.a[0]\n}\n", "without a key", &["main.tf line 1"]),
        ("resource \"terraform_data\" \"a\" {\n", "", &["main.tf line"]),
        ("resource \"nope_x\" \"a\" {}\n", "nope_x", &["main.tf line 1"]),
        ("resource \"terraform_data\" \"a\" {\n  inptu = 1\n}\n", "inptu", &["main.tf line 2", "^^^^^"]),
        ("output \"o\" {\n  value = var.missing\n}\n", "missing", &["main.tf line 2"]),
        ("locals {\n  a = local.b\n  b = local.a\n}\noutput \"o\" {\n  value = local.a\n}\n", "local.b", &["ycle"]),
        ("variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n", "v", &["main.tf line 1"]),
        ("variable \"v\" {\n  type    = number\n  default = \"x\"\n}\n", "number", &["main.tf line 3"]),
        (
            "resource \"terraform_data\" \"a\" {\n  count = timestamp() == \"x\" ? 1 : 0\n}\n",
            "count",
            &["main.tf line 2"],
        ),
    ];
    for (text, word, expected) in rows {
        let folder = Folder::new(&[("main.tf", text)]);
        let ran = folder.run(&["plan"]);
        assert_eq!(ran.code, 1, "{text}\n{}{}", ran.out, ran.err);
        assert!(ran.err.contains(word), "{text}\n{}", ran.err);
        for part in expected {
            assert!(ran.err.contains(part), "{part} in {text}\n{}", ran.err);
        }
    }
    let empty = Folder::new(&[]);
    let ran = empty.run(&["plan"]);
    assert!(ran.code == 1 && ran.err.contains("sgp init"), "{}", ran.err);
}

#[test]
fn validate_reports_all_mistakes_as_json() {
    let folder = Folder::new(&[("main.tf", "resource \"terraform_data\" \"a\" {\n  x = 1\n  y = 2\n}\n")]);
    let ran = folder.run(&["validate", "-json"]);
    assert_eq!(ran.code, 1);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((json["valid"].as_bool(), json["error_count"].as_u64()), (Some(false), Some(2)));
    assert_eq!(json["diagnostics"][0]["range"]["start"]["line"], 2);
    let good = Folder::new(&[("main.tf", PAIR)]);
    assert!(good.ok(&["validate"]).contains("The configuration is valid."));
}

#[test]
fn fmt_checks_and_writes() {
    let ugly = "variable \"a\" {\ndefault=1\n}\n";
    let folder = Folder::new(&[("main.tf", ugly), ("sub/x.tf", ugly)]);
    let check = folder.run(&["fmt", "-check"]);
    assert_eq!((check.code, check.out.as_str()), (3, "main.tf\n"));
    assert_eq!(folder.run(&["fmt", "-check", "-recursive"]).out, "main.tf\nsub/x.tf\n");
    assert!(folder.ok(&["fmt", "-diff", "-write=false"]).contains("+  default = 1"));
    assert_eq!(fs::read_to_string(folder.path().join("main.tf")).unwrap(), ugly);
    folder.ok(&["fmt"]);
    assert_eq!(fs::read_to_string(folder.path().join("main.tf")).unwrap(), "variable \"a\" {\n  default = 1\n}\n");
    assert_eq!(folder.run_with(&["fmt", "-"], "a=1\n", &[]).out, "a = 1\n");
    assert_eq!(folder.run(&["fmt", "-nope"]).code, 2);
    let broken = folder.run_with(&["fmt", "-"], "a = {\n", &[]);
    assert!(broken.code == 2 && !broken.err.is_empty());
}

#[test]
fn flags_environment_and_folders() {
    let folder = Folder::new(&[("stack/main.tf", PAIR), ("stack/x.auto.tfvars", "who = \"file\"\n")]);
    assert!(folder.ok(&["-chdir=stack", "plan"]).contains("hello file"));
    let env = [("TF_VAR_who", "env"), ("TF_CLI_ARGS_plan", "-var who=args")];
    assert!(folder.run_with(&["-chdir=stack", "plan"], "", &env).out.contains("hello args"));
    let wrong = folder.run(&["plan", "-nope"]);
    assert!(wrong.code == 1 && wrong.err.contains("--nope"), "{}", wrong.err);
    assert_eq!(folder.run(&["nope"]).code, 1);
    assert_eq!(folder.run(&["-chdir=none", "plan"]).code, 1);
    assert!(folder.ok(&["-version"]).starts_with("sgp v"));
    assert!(folder.ok(&["plan", "-help"]).contains("--detailed-exitcode"));
    let version: serde_json::Value = serde_json::from_str(&folder.ok(&["version", "-json"])).unwrap();
    assert!(version["sgp_version"].is_string());
}

#[test]
fn init_writes_a_configuration_that_is_valid_and_formatted() {
    let folder = Folder::new(&[]);
    let env = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-central-1"), ("HOME", "/nonexistent")];
    let ran = folder.run_with(&["init"], "", &env);
    assert!(ran.code == 0 && ran.out.contains("AWS credentials: not usable"), "{}{}", ran.out, ran.err);
    assert!(folder.ok(&["validate"]).contains("valid"));
    assert_eq!(folder.run(&["fmt", "-check"]).code, 0);
    let before = fs::read_to_string(folder.path().join("main.tf")).unwrap();
    folder.run_with(&["init"], "", &env);
    assert_eq!(fs::read_to_string(folder.path().join("main.tf")).unwrap(), before);
}

#[test]
fn examples_and_modules_are_valid_and_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = Folder::new(&[]);
    let below = |dir: &str| fs::read_dir(root.join(dir)).unwrap().map(|it| it.unwrap().path()).collect::<Vec<_>>();
    let modules = below("modules");
    let own_examples = modules.iter().map(|it| it.join("examples/basic"));
    let all: Vec<_> = below("examples").into_iter().chain(modules.iter().cloned()).chain(own_examples).collect();
    assert!(all.len() > 5, "{all:?}");
    for dir in all.iter().filter(|it| it.is_dir()) {
        let chdir = format!("-chdir={}", dir.display());
        folder.ok(&[&chdir, "validate"]);
        folder.ok(&[&chdir, "fmt", "-check"]);
        assert!(folder.ok(&[&chdir, "graph"]).starts_with("digraph G {"));
    }
}

#[test]
fn a_log_in_a_file_has_no_colours() {
    let folder = Folder::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    let ran = folder.run_with(&["plan"], "", &[("SGP_LOG", "debug")]);
    assert!(ran.err.contains("DEBUG"), "{}", ran.err);
    assert!(!ran.err.contains('\u{1b}'), "{}", ran.err);
}

#[test]
fn a_sandbox_lives_in_its_folder() {
    let folder = Folder::new(&[("faults.json", r#"{ "rules": [{ "effect": "explode" }] }"#)]);
    let sandbox = |args: &[&str]| {
        let args: Vec<&str> = std::iter::once("sandbox").chain(args.iter().copied()).collect();
        folder.run_with(&args, "", &[("SGP_SANDBOX_DIR", "box")])
    };
    let none = sandbox(&["status"]);
    assert!(none.code == 1 && none.err.contains("No sandbox runs"), "{}", none.err);
    let wrong = sandbox(&["start", "-faults=faults.json"]);
    assert!(wrong.code == 1 && wrong.err.contains("unknown variant `explode`"), "{}", wrong.err);
    let unknown = sandbox(&["start", "-without=pod-eni,schedule"]);
    assert!(unknown.code == 1 && unknown.err.contains("schedule is none"), "{}", unknown.err);
    let started = sandbox(&["start", "-background", "-settle=0s"]);
    assert_eq!(started.code, 0, "{}", started.err);
    let second = sandbox(&["start"]);
    assert!(second.code == 1 && second.err.contains("A sandbox runs already"), "{}", second.err);
    let status: serde_json::Value = serde_json::from_str(&sandbox(&["status", "-json"]).out).unwrap();
    assert_eq!((status["account"].as_str(), status["region"].as_str()), (Some("123456789012"), Some("us-east-1")));
    let clock = sandbox(&["clock", "+90s"]);
    assert!(clock.out.contains("(90 s moved by hand)"), "{}", clock.out);
    let script = r#"test -n "$AWS_ENDPOINT_URL" -a -n "$TF_VAR_vpc_id" -a -z "$AWS_PROFILE" && exit 7"#;
    assert_eq!(sandbox(&["run", "--", "sh", "-c", script]).code, 7);
    let nowhere = sandbox(&["probe", "app/a", "app/b", "80"]);
    assert!(nowhere.code == 1 && nowhere.err.contains("there is no cluster"), "{}", nowhere.err);
    let inside = sandbox(&["run", "--", "sh", "-c", "test \"$SGP_SANDBOX_DIR\" = \"$PWD/box\""]);
    assert_eq!(inside.code, 0, "{}", inside.err);
    let stopped = sandbox(&["stop"]);
    assert_eq!((stopped.code, sandbox(&["stop"]).code), (0, 1), "{}", stopped.err);
    assert!(folder.path().join("box/world").is_dir());
    // What is left on the folder can be asked, although nothing runs on it.
    let left = sandbox(&["probe", "10.0.0.1", "internet", "80"]);
    assert!(left.code == 3 && left.out.contains("Blocked"), "{} {}", left.out, left.err);
    assert!(sandbox(&["pods"]).out.contains("There are no pods."));
}
