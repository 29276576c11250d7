//! The flags of `sgp sandbox`.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, Command, builder::ValueParser};

use super::{duration, json, many, switch, value};

/// The command with its verbs.
pub fn command() -> Command {
    Command::new("sandbox")
        .about("Run a simulated AWS region with EKS clusters on this machine")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help(
            "A sandbox lives in a folder: that of -dir, else that of SGP_SANDBOX_DIR, else .sgp/sandbox of this folder when there is one, \
             else one of yours for all folders.",
        )
        .subcommands([
            Command::new("start")
                .about("Start a sandbox; Ctrl-C stops it, and its state stays in its folder")
                .arg(dir())
                .args(settings())
                .arg(switch("background", "Start it, and come back when it answers", false)),
            Command::new("stop").about("Stop the sandbox; its state stays in its folder").arg(dir()),
            Command::new("status").about("Show where the sandbox listens and what is in it").args([dir(), json()]),
            Command::new("reset").about("Remove everything from the sandbox that runs").arg(dir()),
            Command::new("clock")
                .about("Show the sandbox's time, or move it forward")
                .arg(
                    Arg::new("by")
                        .value_name("+DURATION")
                        .help("How far, for example +90s; what is due meanwhile happens, in its order")
                        .value_parser(ValueParser::new(forward)),
                )
                .arg(dir()),
            Command::new("run")
                .about("Run a command with a sandbox for AWS and Kubernetes; one is started if none runs")
                .arg(dir())
                .args(settings())
                .arg(switch("keep", "Keep the temporary folder of a sandbox that was started for the command", false))
                .arg(
                    Arg::new("command")
                        .value_name("COMMAND")
                        .required(true)
                        .num_args(1..)
                        .last(true)
                        .help("The command and its arguments, after --"),
                ),
            Command::new("env").about("Show the variables for a shell: eval \"$(sgp sandbox env)\"").arg(dir()),
            Command::new("pods").about("Show the pods of the clusters, with their branch interfaces and groups").args([
                dir(),
                cluster("Only this cluster's"),
                json(),
            ]),
            Command::new("probe")
                .about("Walk one packet hop by hop; exits with 0 when it arrives and its answer comes back, with 3 when not")
                .args([
                    Arg::new("from")
                        .value_name("FROM")
                        .required(true)
                        .help("[CLUSTER:]NAMESPACE/POD, [CLUSTER:]node/NAME, eni-..., i-..., an address, or internet"),
                    Arg::new("to")
                        .value_name("TO")
                        .required(true)
                        .help("The same, or [CLUSTER:]svc/NAMESPACE/NAME"),
                    Arg::new("packet-port")
                        .value_name("PORT")
                        .value_parser(clap::value_parser!(u16))
                        .help("The port of TO; none for icmp"),
                    value("protocol", "NAME", "What the packet carries")
                        .value_parser(["tcp", "udp", "icmp"])
                        .default_value("tcp"),
                    dir(),
                    json(),
                ]),
            Command::new("kubeconfig")
                .about("Write a kubeconfig for the clusters")
                .arg(Arg::new("name").value_name("CLUSTER").help("Only for this cluster"))
                .arg(dir()),
        ])
}

fn dir() -> Arg {
    value("dir", "DIR", "The folder of the sandbox").value_parser(clap::value_parser!(PathBuf))
}

fn cluster(help: &'static str) -> Arg {
    value("cluster", "NAME", help)
}

/// What a sandbox is started with.
fn settings() -> Vec<Arg> {
    vec![
        value(
            "port",
            "PORT",
            "The port of the AWS endpoint on 127.0.0.1; that of the last time or a free one by default",
        )
        .value_parser(clap::value_parser!(u16)),
        value("region", "REGION", "The region [default: us-east-1]"),
        value("account", "ID", "The account, 12 digits [default: 123456789012]"),
        value("seed", "NUMBER", "Ids, keys and addresses follow from this number")
            .value_parser(clap::value_parser!(u64)),
        value("settle", "DURATION", "How long CREATING, UPDATING and DELETING last [default: 1s or less]")
            .value_parser(ValueParser::new(duration)),
        switch("verify-signatures", "Check the signature of every call", false),
        switch("enforce-iam", "Refuse what the caller's policies do not allow", false),
        many("without", "LIST", "Simulated controllers that stay off, with commas: pod-eni,scheduler")
            .value_delimiter(','),
        value(
            "kubernetes-api",
            "URL",
            "Put this real API server behind the clusters; simulated controllers do not work in it",
        ),
        value("kubernetes-ca", "FILE", "The certificate of its authority, PEM")
            .value_parser(clap::value_parser!(PathBuf)),
        value("kubernetes-token", "TOKEN", "The token of somebody who may do everything there, or @FILE"),
        value("faults", "FILE", "Let calls fail as this file says").value_parser(clap::value_parser!(PathBuf)),
    ]
}

/// `+90s`: time goes only forward.
fn forward(text: &str) -> Result<Duration, String> {
    let Some(rest) = text.strip_prefix('+') else {
        return Err("time moves only forward: +90s, +5m".to_owned());
    };
    duration(rest)
}
