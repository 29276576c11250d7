//! An example from nothing to nothing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sgp_sandbox::aws::Service;
use sgp_tests::{region::Region, workdir::Ran};
use tempfile::TempDir;

use crate::judged::Judged;

/// So much time of the sandbox passes with each step of a destroy: branch interfaces cool down for a minute.
const STEP: Duration = Duration::from_secs(5);
/// Tokens for clusters are good for a quarter of an hour; no destroy is let to get near.
const STEPS_MAX: u32 = 120;

/// Plans, applies, judges and destroys.
pub fn of(folder: &Path) {
    let judged = Judged::of(folder);
    let stage = Stage::new(folder, &judged);
    stage.must(&["fmt", "-check", "-recursive"]);
    stage.must(&stage.with_variables(&["plan", "-sandbox", "-out=plan.sgp"]));
    let before = stage.objects();
    warnings(&stage, &judged);
    stage.trace_all(&judged, &["-plan=plan.sgp"]);
    stage.must(&["apply", "-sandbox", "plan.sgp"]);
    let again = stage.sgp(&stage.with_variables(&["plan", "-sandbox", "-detailed-exitcode"]));
    assert_eq!(again.code, Some(0), "a plan after the apply is not empty: {again}");
    stage.trace_all(&judged, &["-state"]);
    let instances = stage.stand_ins(&judged);
    stage.trace_all(&judged, &["-live"]);
    stage.walk_all(&judged, &instances);
    audit(&stage, &judged);
    stage.end(&instances);
    stage.destroy();
    assert_eq!(stage.objects(), before, "the destroy leaves something");
}

/// The rules find no error, and the warnings that are named; what is skipped says why.
fn warnings(stage: &Stage, judged: &Judged) {
    let checked = stage.must(&["check", "-json", "plan.sgp"]);
    let found: Value = serde_json::from_str(&checked.stdout).unwrap();
    let mut told: Vec<String> = Vec::new();
    for finding in found.as_array().unwrap() {
        let text = |name: &str| finding[name].as_str().unwrap_or_default();
        match (text("severity"), finding["skipped"].as_str()) {
            (_, Some(reason)) => assert!(!reason.is_empty(), "skipped without a reason: {finding:#}"),
            ("warning", None) => told.push(format!("{} {}", text("rule"), text("address"))),
            ("note", None) => {}
            _ => panic!("the plan cannot work: {finding:#}"),
        }
    }
    let named = judged.warnings.iter().map(|it| {
        assert!(!it.why.is_empty(), "{} without a reason", it.rule);
        format!("{} {}", it.rule, it.at.as_deref().unwrap_or_default())
    });
    let mut named: Vec<String> = named.collect();
    told.sort();
    named.sort();
    assert_eq!(told, named, "the rules find other warnings than judged.yaml names: {found:#}");
}

/// `sgp audit` has the lines, by what is recorded.
fn audit(stage: &Stage, judged: &Judged) {
    if judged.audit.is_empty() {
        return;
    }
    let audited = stage.must(&["audit"]);
    for line in &judged.audit {
        assert!(audited.stdout.lines().any(|it| it.contains(line.as_str())), "no line {line:?} in {audited}");
    }
}

/// A working folder with a region of its own.
pub struct Stage {
    pub region: Region,
    folder: TempDir,
    variables: Vec<String>,
}

impl Stage {
    fn new(example: &Path, judged: &Judged) -> Self {
        let stage =
            Self { region: Region::start(), folder: tempfile::tempdir().unwrap(), variables: judged.variables() };
        copy(example, stage.folder.path());
        stage.region.join(stage.folder.path());
        stage
    }

    fn with_variables<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        args.iter().copied().chain(self.variables.iter().map(String::as_str)).collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Region::sgp(self.folder.path());
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `sgp` to its end.
    pub fn sgp(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// Runs `sgp` where only the sandbox's account is known, to its end.
    pub fn inside(&self, args: &[&str]) -> Ran {
        let program = self.command(&[]).get_program().to_string_lossy().into_owned();
        self.sgp(&[&["sandbox", "run", "--", &program], args].concat())
    }

    fn must(&self, args: &[&str]) -> Ran {
        let ran = self.sgp(args);
        assert_eq!(ran.code, Some(0), "sgp {}: {ran}", args.join(" "));
        ran
    }

    /// How many objects of each kind the region has, but for what it keeps for itself.
    fn objects(&self) -> Value {
        let mut status: Value = serde_json::from_str(&self.must(&["sandbox", "status", "-json"]).stdout).unwrap();
        let objects = status["objects"].as_object_mut().unwrap();
        assert!(objects.contains_key("ec2.security-groups"), "{objects:?}");
        // A peering connection's request expires after a week, whatever has become of it.
        objects.retain(|kind, _| !["counters", "ec2.blocks", "timers", "tokens"].contains(&kind.as_str()));
        status["objects"].take()
    }

    /// An instance for each group that something outside of the example will carry: group and instance.
    fn stand_ins(&self, judged: &Judged) -> Vec<(String, String)> {
        judged.instances.iter().map(|group| (group.clone(), self.instance(group))).collect()
    }

    fn instance(&self, group: &str) -> String {
        let ec2 = |operation: &str, members: Value| self.region.aws(Service::Ec2, operation, &members);
        let named = json!({ "Filter.1.Name": "group-name", "Filter.1.Value.1": group });
        let found = &ec2("DescribeSecurityGroups", named)["securityGroupInfo"][0];
        assert!(found["groupId"].is_string(), "there is no group {group} to carry");
        let of_vpc = json!({ "Filter.1.Name": "vpc-id", "Filter.1.Value.1": found["vpcId"] });
        let mut private = of_vpc.clone();
        private["Filter.2.Name"] = json!("tag:kubernetes.io/role/internal-elb");
        private["Filter.2.Value.1"] = json!("1");
        let mut subnet = ec2("DescribeSubnets", private)["subnetSet"][0]["subnetId"].clone();
        // A VPC of the example's own has no load balancers' tags.
        if subnet.is_null() {
            subnet = ec2("DescribeSubnets", of_vpc)["subnetSet"][0]["subnetId"].clone();
        }
        let runs_on = json!({ "Filter.1.Name": "architecture", "Filter.1.Value.1": "x86_64" });
        let image = ec2("DescribeImages", runs_on)["imagesSet"][0]["imageId"].clone();
        let wanted = json!({ "ImageId": image, "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1,
            "SubnetId": subnet, "SecurityGroupId.1": found["groupId"] });
        ec2("RunInstances", wanted)["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned()
    }

    fn end(&self, instances: &[(String, String)]) {
        for (_, instance) in instances {
            self.region.aws(Service::Ec2, "TerminateInstances", &json!({ "InstanceId.1": instance }));
        }
    }

    /// Destroys, while the sandbox's time runs faster.
    fn destroy(&self) {
        let mut command = self.command(&self.with_variables(&["destroy", "-sandbox", "-auto-approve"]));
        let output = std::thread::scope(|scope| {
            // What it writes is more than a pipe holds.
            let destroying = scope.spawn(|| command.output());
            let mut steps = 0;
            while !destroying.is_finished() {
                std::thread::sleep(Duration::from_millis(500));
                if steps < STEPS_MAX {
                    self.region.advance(STEP);
                    steps += 1;
                }
            }
            destroying.join().unwrap()
        });
        let ran = Ran::of(output.unwrap());
        assert_eq!(ran.code, Some(0), "sgp destroy: {ran}");
        // EC2 tells of instances for an hour after their end.
        self.region.advance(Duration::from_hours(2));
    }
}

/// Copies what the configuration is made of.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() && !path.file_name().unwrap().to_string_lossy().starts_with('.') {
            fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).unwrap();
        }
    }
}
