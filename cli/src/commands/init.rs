//! `sgp init`: a start where there is none, modules from Git, and whether AWS can be reached.

use std::{fs, time::Duration};

use clap::ArgMatches;
use sgp_contract::{DataRequest, ReadScope};
use sgp_model::{Diagnostic, Diagnostics, Value, address::parse_instance};

use super::{Exit, modules};
use crate::{args::flag, render::json::Json, session::Room};

const STARTER: &str = include_str!("init/starter.tf");
/// How long AWS may take to say who we are; without credentials the instance metadata service is tried last.
const PATIENCE: Duration = Duration::from_secs(15);

/// Writes the starter configuration where there is none, and checks the rest.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let json = flag(matches, "json");
    let mut loaded = room.load();
    let upgrade = flag(matches, "upgrade");
    if flag(matches, "get") && (!loaded.missing.is_empty() || upgrade && !loaded.fetched.is_empty()) {
        let fetched = modules::install(room, upgrade)?;
        if !json {
            modules::told(room, &fetched);
        }
        loaded = room.load();
    }
    let wrote = loaded.is_empty;
    if wrote {
        fs::write("main.tf", STARTER)
            .map_err(|e| Diagnostic::error("Unwritable folder", format!("main.tf cannot be written: {e}.")))?;
    } else if loaded.diagnostics.has_errors() {
        return Err(loaded.diagnostics);
    }
    let identity = who_am_i(room).await;
    if json {
        room.ui.output.line(&as_json(wrote, &identity).to_string());
        return Ok(0);
    }
    let paint = room.ui.paint;
    if wrote {
        room.ui.say("Wrote main.tf, a commented start: it gives the pods of an existing cluster their own group. Change it as you need.");
    } else {
        room.ui.say("The configuration is here already and was left alone.");
    }
    match &identity {
        Ok(me) => {
            room.ui.say(&format!("\nAWS credentials: {} (account {}, {})", paint.green("found"), me.account, me.arn));
        }
        Err(problems) => {
            room.ui.say(&format!("\nAWS credentials: {}", paint.yellow("not usable")));
            for problem in problems.iter() {
                room.ui.say(&paint.wrap(&format!("{}. {}", problem.summary, problem.detail), 0).join("\n"));
            }
            room.ui.say("\nplan and apply need credentials: set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION.");
        }
    }
    room.ui.say(&format!("\n{}", paint.bold(&paint.green("sgp is ready."))));
    room.ui.say("Providers are part of sgp, so nothing was downloaded. Next: sgp plan shows what would be made, sgp apply makes it.");
    Ok(0)
}

struct Identity {
    account: String,
    arn: String,
}

/// Asks STS, as the data source `aws_caller_identity` does.
async fn who_am_i(room: &Room) -> Result<Identity, Diagnostics> {
    let asked = tokio::time::timeout(PATIENCE, ask(room)).await;
    asked.unwrap_or_else(|_| {
        let detail = format!("AWS did not answer within {} seconds.", PATIENCE.as_secs());
        Err(Diagnostic::error("No answer", detail).into())
    })
}

async fn ask(room: &Room) -> Result<Identity, Diagnostics> {
    let missing = || Diagnostics::from(Diagnostic::error("No AWS provider", "This build of sgp has no AWS provider."));
    let provider = room.registry.provider("aws").ok_or_else(missing)?;
    let source = room.registry.data_source("aws_caller_identity").ok_or_else(missing)?;
    let client = provider.configure(&provider.config_schema().block.empty()).await?;
    let addr = parse_instance("data.aws_caller_identity.current").expect("a well-formed address");
    let config = source.schema().block.empty();
    let mut answers =
        source.read(client.as_ref(), &ReadScope::default(), &[DataRequest { addr: &addr, config: &config }]).await;
    let answer = answers.pop().ok_or_else(missing)??;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Identity { account: text("account_id"), arn: text("arn") })
}

fn as_json(wrote: bool, identity: &Result<Identity, Diagnostics>) -> Json {
    let credentials = match identity {
        Ok(me) => Json::object([("account_id", Json::from(me.account.as_str())), ("arn", me.arn.as_str().into())]),
        Err(problems) => {
            let first = problems.iter().next().map(|d| d.detail.clone());
            Json::object([("error", Json::from(first))])
        }
    };
    Json::object([("wrote_starter", Json::from(wrote)), ("credentials", credentials)])
}
