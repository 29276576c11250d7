//! Every command and flag, as a table for the parser.

mod sandbox;

use std::{path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::ValueParser, parser::ValueSource};
use sgp_checks::Suppression;
use sgp_model::{
    InstanceAddr,
    address::{ParsedAddr, parse_address, parse_instance},
    plan::PlanMode,
};

/// The command line of `sgp`.
pub fn command() -> Command {
    Command::new("sgp")
        .about("Gives Kubernetes pods on Amazon EKS their own AWS security groups: plan, apply, done.")
        .after_help(
            "Long flags may be written with one dash or two. Every command explains itself: sgp <command> -help.",
        )
        .arg_required_else_help(true)
        .disable_version_flag(true)
        .max_term_width(120)
        .arg(
            Arg::new("chdir")
                .long("chdir")
                .value_name("DIR")
                .global(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("Change into this folder first"),
        )
        .arg(switch("no-color", "Write no colour", false).global(true))
        .arg(Arg::new("version").long("version").short('v').action(ArgAction::SetTrue).help("Show the version"))
        .subcommands(main_commands())
        .subcommands(other_commands())
}

fn main_commands() -> Vec<Command> {
    vec![
        Command::new("init")
            .about(
                "Prepare a folder: write a starter configuration where there is none, fetch modules, check credentials",
            )
            .arg(json())
            .arg(switch("get", "Fetch modules that are not here", true))
            .arg(switch("upgrade", "Fetch all modules anew", false))
            .args(accepted(&["reconfigure", "migrate-state", "force-copy", "backend", "input", "lock"]))
            .args(accepted_values(&["backend-config", "plugin-dir", "lockfile", "lock-timeout", "test-directory"])),
        Command::new("get")
            .about("Fetch the modules that come from Git repositories")
            .arg(switch("update", "Fetch all of them anew", false))
            .args(accepted_values(&["test-directory"])),
        Command::new("validate")
            .about("Check the configuration without asking anybody")
            .arg(json())
            .args(accepted(&["no-tests"]))
            .args(accepted_values(&["test-directory"]))
            .args(vars()),
        Command::new("plan").about("Show what apply would change").args(plan_flags()).arg(in_sandbox()).args([
            value("out", "FILE", "Save the plan to this file, for sgp apply FILE"),
            value("html", "FILE", "Write a page about the plan to this file, too"),
            switch("detailed-exitcode", "Exit with 0 for no changes, 1 for errors, 2 for changes", false),
            value(
                "generate-config-out",
                "FILE",
                "Write blocks for imported objects that have none to this file, which must not exist",
            ),
        ]),
        Command::new("apply")
            .about("Make the changes that a plan shows")
            .arg(Arg::new("plan").value_name("PLAN").help("A plan that was saved with sgp plan -out"))
            .args(plan_flags())
            .args([
                switch("auto-approve", "Do not ask before changing anything", false),
                switch(
                    "rollout",
                    "Restart what runs with other groups than it would get, one workload at a time, after the changes",
                    false,
                ),
                may_forget(),
                in_sandbox(),
            ])
            .args(accepted_values(&["backup"])),
        Command::new("destroy").about("Destroy everything that is managed here").args(plan_flags()).args([
            switch("auto-approve", "Do not ask before destroying anything", false),
            may_forget(),
            in_sandbox(),
        ]),
        Command::new("show")
            .about("Show the state, or a saved plan")
            .arg(Arg::new("file").value_name("FILE").help("A saved plan; without it the state is shown"))
            .arg(value("html", "FILE", "Write a page to this file instead: the diffs, and who reaches whom"))
            .arg(json()),
        Command::new("output")
            .about("Show output values of the root module")
            .arg(Arg::new("name").value_name("NAME").help("Only this output, sensitive or not"))
            .arg(json())
            .arg(switch("raw", "Write the one string, number or bool as it is, without a line break", false)),
    ]
}

fn other_commands() -> Vec<Command> {
    vec![
        Command::new("fmt")
            .about("Rewrite configuration files in the canonical layout")
            .arg(Arg::new("paths").value_name("PATH").num_args(0..).help("Files and folders; - is standard input"))
            .args([
                switch("check", "Write nothing; exit with 3 when a file is not formatted", false),
                switch("diff", "Show what changes", false),
                switch("recursive", "Go into folders below, too", false),
                switch("list", "List the files that differ", true),
                switch("write", "Write the files", true),
            ]),
        state_command(),
        Command::new("import")
            .about("Adopt an object that exists already")
            .arg(Arg::new("addr").value_name("ADDR").required(true).help("The resource instance in the configuration"))
            .arg(Arg::new("id").value_name("ID").required(true).help("How the object is known outside"))
            .args(vars())
            .args(locking())
            .arg(switch("input", "Ask on a terminal for the values of variables that have none", true))
            .args(accepted_values(&["parallelism"])),
        Command::new("graph")
            .about("Write the order of work as a graph")
            .args(vars())
            .args([
                value("format", "FORMAT", "dot (default) or mermaid")
                    .value_parser(["dot", "mermaid"])
                    .default_value("dot"),
                value("type", "TYPE", "What to draw: the configuration, or the steps of a plan")
                    .value_parser(["config", "plan", "plan-destroy", "plan-refresh-only", "apply"])
                    .default_value("config"),
                value("plan", "FILE", "Draw the steps of this saved plan"),
                switch("refresh", "Read what really exists before planning", true),
            ])
            .args(accepted(&["draw-cycles"])),
        Command::new("console")
            .about("Answer expressions, one a line")
            .arg(switch("json", "Answer each line with one line of JSON", false))
            .arg(switch("plan", "Plan first, and answer with objects as they would be after an apply", false))
            .args(vars())
            .args(accepted(&["lock"]))
            .args(accepted_values(&["lock-timeout"])),
        Command::new("check")
            .about("Judge a plan by the preflight rules: what AWS and Kubernetes accept and what then does not work")
            .arg(Arg::new("plan").value_name("PLAN").help("A plan that was saved with sgp plan -out; without it one is made"))
            .args(plan_flags())
            .arg(in_sandbox())
            .arg(switch("sarif", "Write SARIF 2.1.0 for code scanning", false).conflicts_with("json")),
        Command::new("explain")
            .about("Explain a preflight rule, or why a pod, workload, policy, group, node or cluster is as it is")
            .arg(
                Arg::new("name").value_name("WHAT").required(true).help(
                    "The number of a rule (SGP301), or NAMESPACE/NAME of a pod or workload, policy/NAMESPACE/NAME, node/NAME, a security \
                     group, or the address of a resource, as they are now",
                ),
            )
            .args(looked_at())
            .args(vars()),
        Command::new("trace")
            .about("Show whether one end reaches another one, with the way")
            .arg(end("from", "FROM", "Who begins: internet, an address, a security group, NAMESPACE/NAME of a pod, workload or policy, svc/, sa/, node/ or nodes/ and its name, or the address of a resource"))
            .arg(end("to", "TO", "Who answers, named in the same way"))
            .arg(Arg::new("port").value_name("PORT").help("5432, tcp/5432, udp/8000-8080, icmp; without it: what passes"))
            .args(looked_at())
            .arg(json())
            .args(vars()),
        Command::new("audit")
            .about("Show who could reach what, by which rules, and which rules and policies do nothing or too much")
            .args(looked_at())
            .arg(value("format", "FORMAT", "text (default), json, csv or html").value_parser(["text", "json", "csv", "html"]))
            .arg(
                value("between", "FIRST..LAST", "Show what opened and closed between two serials of the state, and which run did it")
                    .conflicts_with_all(["state", "plan", "live"]),
            )
            .args(vars()),
        Command::new("capacity")
            .about("Show how many pods with groups of their own there is room for, and what runs out first")
            .args(looked_at())
            .args([
                value("cluster", "NAME", "Only this cluster"),
                value("pods", "N", "Ask whether so many more fit; exits with 3 when not").value_parser(clap::value_parser!(u64)),
                json(),
            ])
            .args(vars()),
        Command::new("test")
            .about("Run the test files of this folder: *.tftest.hcl beside the configuration and in tests/")
            .args([
                many("filter", "FILE", "Only this test file; may be given several times"),
                value("test-directory", "DIR", "The folder of test files beside this one")
                    .default_value("tests"),
                value("junit-xml", "FILE", "Write a report for CI systems to this file, too"),
                switch("verbose", "Show the plan or the state of each run", false),
                in_sandbox(),
                json(),
            ])
            .args(vars())
            .args(accepted_values(&["parallelism", "run-parallelism", "cloud-run"])),
        Command::new("refresh")
            .about("Record what really exists; the same as apply -refresh-only -auto-approve")
            .args(plan_flags()),
        Command::new("taint").about("Have the next apply replace an object").args(one_address()).arg(switch(
            "allow-missing",
            "Succeed when there is no such object",
            false,
        )),
        Command::new("untaint").about("Take back a taint").args(one_address()).arg(switch(
            "allow-missing",
            "Succeed when there is no such object",
            false,
        )),
        Command::new("force-unlock")
            .about("Take away the lock of a process that is gone")
            .arg(Arg::new("id").value_name("ID").help("The lock's id, as the error message names it"))
            .arg(switch("force", "Do not ask", false)),
        Command::new("workspace")
            .about("Show the workspace; there is one, called default")
            .subcommand_required(true)
            .subcommand(Command::new("show").about("Show the name of the workspace"))
            .subcommand(Command::new("list").about("List workspaces"))
            .subcommand(
                Command::new("select").about("Choose a workspace").arg(workspace_name()).args(accepted(&["or-create"])),
            )
            .subcommand(Command::new("new").about("Make a workspace").arg(workspace_name()))
            .subcommand(
                Command::new("delete").about("Delete a workspace").arg(workspace_name()).args(accepted(&["force"])),
            ),
        sandbox::command(),
        Command::new("providers").about("List providers and what they offer").arg(json()),
        Command::new("version").about("Show the version").arg(json()),
        Command::new("docs")
            .about("Write a page for each resource type")
            .hide(true)
            .arg(value("out", "DIR", "The folder of the pages").required(true)),
    ]
}

fn state_command() -> Command {
    let addresses = |help: &'static str| Arg::new("addrs").value_name("ADDR").num_args(0..).help(help);
    Command::new("state")
        .about("Look at the state and mend it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("list")
                .about("List the addresses of all objects")
                .arg(addresses("Only these, or what lies below them"))
                .arg(value("id", "ID", "Only objects with this id")),
        )
        .subcommand(
            Command::new("show")
                .about("Show one object")
                .arg(Arg::new("addr").value_name("ADDR").required(true))
                .arg(json()),
        )
        .subcommand(
            Command::new("mv")
                .about("Give an object, a resource or a module a new address")
                .arg(Arg::new("from").value_name("FROM").required(true))
                .arg(Arg::new("to").value_name("TO").required(true))
                .arg(switch("dry-run", "Only say what would be done", false))
                .args(locking())
                .args(accepted_values(&["backup", "backup-out"])),
        )
        .subcommand(
            Command::new("rm")
                .about("Forget objects: they stay, but are no longer managed")
                .arg(addresses("What to forget").required(true).num_args(1..))
                .arg(switch("dry-run", "Only say what would be done", false))
                .args(locking())
                .args(accepted_values(&["backup"])),
        )
        .subcommand(Command::new("pull").about("Write the state as Terraform's JSON, version 4"))
        .subcommand(
            Command::new("push")
                .about("Replace the state with Terraform's JSON, version 4")
                .arg(Arg::new("file").value_name("FILE").required(true).help("A file; - is standard input"))
                .arg(switch("force", "Push an older state, or one of another lineage", false))
                .args(locking()),
        )
}

fn plan_flags() -> Vec<Arg> {
    let mut all = vars();
    all.extend(locking());
    all.extend([
        switch("destroy", "Plan to destroy everything", false),
        switch("refresh-only", "Only record what really exists", false).conflicts_with("destroy"),
        switch("refresh", "Read what really exists first", true),
        switch(
            "live",
            "Ask what runs in the networks and clusters of the state, too; by itself where a change concerns running pods",
            false,
        ),
        many("replace", "ADDR", "Replace this object; may be given several times")
            .value_parser(ValueParser::new(instance)),
        many(
            "skip-check",
            "RULE",
            "Let this preflight rule not count: SGP104, or \"SGP104 the reason\"; may be given several times",
        )
        .value_parser(ValueParser::new(suppression)),
        many("target", "ADDR", "Only this and what it depends on; may be given several times")
            .value_parser(ValueParser::new(address)),
        value("parallelism", "N", "How many changes may run at the same time against one service")
            .value_parser(clap::value_parser!(u16).range(1..))
            .default_value("10"),
        switch("input", "Ask for approval, and on a terminal for the values of variables that have none", true),
        switch("compact-warnings", "Show each warning in one line", false),
        json(),
    ]);
    all.extend(accepted(&["minimal-refresh"]));
    all
}

fn in_sandbox() -> Arg {
    switch("sandbox", "Do it in the sandbox that is kept in this folder, not in AWS", false)
}

fn vars() -> Vec<Arg> {
    vec![
        many("var", "NAME=VALUE", "Set an input variable; may be given several times").allow_hyphen_values(true),
        many("var-file", "FILE", "Read input variables from this file; may be given several times"),
    ]
}

fn locking() -> Vec<Arg> {
    vec![
        switch("lock", "Lock the state; a local state is always locked", true),
        value("lock-timeout", "DURATION", "How long to wait for a lock")
            .value_parser(ValueParser::new(duration))
            .default_value("0s"),
    ]
}

fn one_address() -> Vec<Arg> {
    let mut all = vec![Arg::new("addr").value_name("ADDR").required(true).help("The resource instance")];
    all.extend(locking());
    all.extend(accepted_values(&["backup"]));
    all
}

/// What commands that judge look at.
fn looked_at() -> Vec<Arg> {
    vec![
        switch("state", "Look at what is recorded (default)", false).conflicts_with("plan"),
        value("plan", "FILE", "Look at what there will be after this saved plan"),
        switch("live", "Look at what exists now in the networks and clusters of the state", false)
            .conflicts_with_all(["plan", "state"]),
        in_sandbox(),
    ]
}

fn end(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(placeholder).required(true).help(help)
}

fn workspace_name() -> Arg {
    Arg::new("name").value_name("NAME").required(true)
}

fn json() -> Arg {
    switch("json", "Write JSON for programs", false)
}

/// A flag that may be said (`-refresh`), or said with a value (`-refresh=false`).
fn switch(name: &'static str, help: &'static str, default: bool) -> Arg {
    Arg::new(name)
        .long(name)
        .help(if default { format!("{help} [default: true; -{name}=false]") } else { help.to_owned() })
        .num_args(0..=1)
        .require_equals(true)
        .default_value(if default { "true" } else { "false" })
        .hide_default_value(true)
        .default_missing_value("true")
        .hide_possible_values(true)
        .value_name("BOOL")
        .value_parser(ValueParser::new(boolean))
        .overrides_with(name)
}

fn value(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help).overrides_with(name)
}

fn many(name: &'static str, placeholder: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(placeholder).help(help).action(ArgAction::Append)
}

/// Terraform's flags that mean nothing here: taken, so that scripts keep working.
fn accepted(names: &[&'static str]) -> Vec<Arg> {
    names.iter().map(|name| switch(name, "Accepted, without effect", false).hide(true)).collect()
}

/// The same for flags with a value.
fn accepted_values(names: &[&'static str]) -> Vec<Arg> {
    names.iter().map(|name| many(name, "VALUE", "Accepted, without effect").hide(true)).collect()
}

fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("true or false is needed".to_owned()),
    }
}

/// `-suppress-forget-errors`.
fn may_forget() -> Arg {
    switch("suppress-forget-errors", "End with 0 though a destroy lets objects go that go on existing", false)
}

fn suppression(text: &str) -> Result<Suppression, String> {
    Suppression::read(text, None)
        .ok_or_else(|| format!("{text:?} begins with no rule: write SGP104, or \"SGP104 the reason\""))
}

fn address(text: &str) -> Result<ParsedAddr, String> {
    parse_address(text)
}

fn instance(text: &str) -> Result<InstanceAddr, String> {
    parse_instance(text)
}

/// A duration as Go writes it: `10s`, `1m30s`.
fn duration(text: &str) -> Result<Duration, String> {
    match text {
        "0" => Ok(Duration::ZERO),
        _ => sgp_engine::parse_duration(text).ok_or_else(|| format!("{text:?} is not a duration such as 10s or 1m30s")),
    }
}

/// A yes-or-no flag; `false` where the command does not have it.
pub fn flag(matches: &ArgMatches, name: &str) -> bool {
    matches.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
}

/// A yes-or-no flag, when somebody said it.
fn said(matches: &ArgMatches, name: &str) -> Option<bool> {
    let is_said = matches.try_contains_id(name).is_ok() && matches.value_source(name) == Some(ValueSource::CommandLine);
    is_said.then(|| flag(matches, name))
}

/// A flag or argument with one text.
pub fn text(matches: &ArgMatches, name: &str) -> Option<String> {
    matches.try_get_one::<String>(name).ok().flatten().cloned()
}

/// Every text of a flag or argument that repeats.
pub fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.try_get_many::<String>(name).ok().flatten().into_iter().flatten().cloned().collect()
}

/// One `-var` or `-var-file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VarArg {
    /// `name=value`.
    Value(String),
    /// A file.
    File(String),
}

/// `-var` and `-var-file` in the order in which they were given: the last one counts.
pub fn var_args(matches: &ArgMatches) -> Vec<VarArg> {
    let of = |name: &str, make: fn(String) -> VarArg| {
        let places: Vec<usize> = match matches.try_contains_id(name) {
            Ok(true) => matches.indices_of(name).into_iter().flatten().collect(),
            _ => Vec::new(),
        };
        places.into_iter().zip(texts(matches, name)).map(move |(at, text)| (at, make(text))).collect::<Vec<_>>()
    };
    let mut all = of("var", VarArg::Value);
    all.extend(of("var-file", VarArg::File));
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, arg)| arg).collect()
}

/// `-parallelism` where nobody says it, as Terraform has it.
const PARALLELISM: usize = 10;

/// What `plan`, `apply`, `destroy` and `refresh` have in common.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct PlanArgs {
    /// Variables.
    pub vars: Vec<VarArg>,
    /// The kind of run.
    pub mode: PlanMode,
    /// Whether to read what really exists.
    pub refresh: bool,
    /// `-target`.
    pub targets: Vec<ParsedAddr>,
    /// `-replace`.
    pub replace: Vec<InstanceAddr>,
    /// `-parallelism`.
    pub parallelism: usize,
    /// `-lock-timeout`.
    pub lock_timeout: Duration,
    /// `-input`.
    pub input: bool,
    /// `-skip-check`.
    pub skipped_checks: Vec<Suppression>,
    /// `-live`, where it was said. What is to be restarted has to be known, so that `-rollout` says it, too.
    pub live: Option<bool>,
    /// `-rollout`.
    pub rollout: bool,
    /// `-suppress-forget-errors`.
    pub may_forget: bool,
}

impl PlanArgs {
    /// What a command without these flags plans with.
    pub fn new(mode: PlanMode, vars: Vec<VarArg>) -> Self {
        Self {
            vars,
            mode,
            refresh: true,
            targets: Vec::new(),
            replace: Vec::new(),
            parallelism: PARALLELISM,
            lock_timeout: Duration::ZERO,
            input: true,
            skipped_checks: Vec::new(),
            live: None,
            rollout: false,
            may_forget: false,
        }
    }

    /// Reads them.
    pub fn of(matches: &ArgMatches) -> Self {
        let mode = match (flag(matches, "destroy"), flag(matches, "refresh-only")) {
            (true, _) => PlanMode::Destroy,
            (_, true) => PlanMode::RefreshOnly,
            _ => PlanMode::Normal,
        };
        Self {
            vars: var_args(matches),
            mode,
            refresh: flag(matches, "refresh"),
            targets: matches.get_many("target").into_iter().flatten().cloned().collect(),
            replace: matches.get_many("replace").into_iter().flatten().cloned().collect(),
            parallelism: matches.get_one::<u16>("parallelism").map_or(PARALLELISM, |n| usize::from(*n)),
            lock_timeout: lock_timeout(matches),
            input: flag(matches, "input"),
            skipped_checks: matches.get_many("skip-check").into_iter().flatten().cloned().collect(),
            live: said(matches, "live").or_else(|| flag(matches, "rollout").then_some(true)),
            rollout: flag(matches, "rollout"),
            may_forget: flag(matches, "suppress-forget-errors"),
        }
    }
}

/// `-lock-timeout`; zero where the command does not have it.
pub fn lock_timeout(matches: &ArgMatches) -> Duration {
    matches.try_get_one::<Duration>("lock-timeout").ok().flatten().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(args: &[&str]) -> Result<ArgMatches, clap::Error> {
        command().try_get_matches_from(std::iter::once("sgp").chain(args.iter().copied()))
    }

    fn sub(args: &[&str]) -> ArgMatches {
        parse(args).unwrap().subcommand().unwrap().1.clone()
    }

    #[test]
    fn the_table_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn plan_flags_are_read() {
        let m = sub(&[
            "plan",
            "--destroy",
            "--refresh=false",
            "--target=module.a",
            "--target",
            "a.b[0]",
            "--replace=a.b",
            "--parallelism=3",
            "--lock-timeout=1m30s",
            "--no-color",
            "--json",
        ]);
        let args = PlanArgs::of(&m);
        assert_eq!((args.mode, args.refresh, args.parallelism), (PlanMode::Destroy, false, 3));
        assert_eq!((args.targets.len(), args.replace.len()), (2, 1));
        assert_eq!(args.lock_timeout, Duration::from_secs(90));
        assert!(flag(&m, "no-color") && flag(&m, "json") && !flag(&m, "detailed-exitcode"));
    }

    #[test]
    fn what_runs_is_asked_as_it_was_said() {
        for (args, live) in [
            (&["plan"][..], None),
            (&["plan", "--live"], Some(true)),
            (&["apply", "--live=false"], Some(false)),
            (&["apply", "--rollout"], Some(true)),
            (&["apply", "--rollout=false"], None),
            (&["check", "--live"], Some(true)),
        ] {
            assert_eq!(PlanArgs::of(&sub(args)).live, live, "{args:?}");
        }
    }

    #[test]
    fn switches_take_values_with_equals_only_and_the_last_one_counts() {
        assert!(!flag(&sub(&["fmt", "--list", "--list=0"]), "list"));
        assert!(flag(&sub(&["fmt", "x.tf"]), "write"));
        assert!(parse(&["plan", "--refresh=maybe"]).is_err());
        assert!(parse(&["plan", "--target=a"]).is_err());
        assert!(parse(&["plan", "--destroy", "--refresh-only"]).is_err());
    }

    #[test]
    fn variables_keep_their_order() {
        let m = sub(&["plan", "--var", "a=1", "--var-file=x.tfvars", "--var=b=-2"]);
        let expected = [VarArg::Value("a=1".into()), VarArg::File("x.tfvars".into()), VarArg::Value("b=-2".into())];
        assert_eq!(var_args(&m), expected);
        assert!(var_args(&sub(&["version"])).is_empty());
    }

    #[test]
    fn durations_are_gos() {
        for (text, ms) in [("0", 0), ("0s", 0), ("10s", 10_000), ("1h2m3s", 3_723_000), ("250ms", 250)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["s", "10", "1x", "-1s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
