//! `sgp trace`.

use clap::ArgMatches;
use sgp_analysis::{
    reach::{self, Verdict, ends},
    sets::{Protocol, Traffic},
};
use sgp_model::{Diagnostic, Diagnostics};

use super::{Exit, topology};
use crate::{
    args::{flag, text},
    render::trace as render,
    session::{Room, sentence},
};

/// Not reachable, or nobody can say.
const NOT_REACHABLE: u8 = 3;

/// Shows the way from one end to another one. Exits with 0 when all of what was asked for passes, with 3 when not.
pub async fn run(room: &Room, matches: &ArgMatches) -> Exit {
    let topology = topology::of(room, matches, "trace").await?;
    let asked = |name: &str| text(matches, name).unwrap_or_default();
    let wanted = match text(matches, "port") {
        None => Traffic::all(),
        Some(port) => traffic(&port)?,
    };
    let find = |name: &str| ends::find(&topology, &asked(name)).map_err(|problem| unknown_end(&problem));
    let trace = reach::trace(&topology, &find("from")?, &find("to")?, &wanted);
    if flag(matches, "json") {
        room.ui.output.line(&format!("{:#}", render::json(&trace, &topology)));
    } else {
        room.ui.output.text(&render::render(&trace, &topology, room.ui.paint));
    }
    let is_open = match trace.verdict {
        Verdict::Reachable => true,
        // Without a port the question is what passes: something does.
        Verdict::Depends => wanted.is_all() && !trace.passage.certain.is_empty(),
        Verdict::Unreachable => false,
    };
    Ok(if is_open { 0 } else { NOT_REACHABLE })
}

/// `443`, `tcp/443`, `udp/8000-8080`, `icmp`, `all`.
fn traffic(text: &str) -> Result<Traffic, Diagnostics> {
    let bad = || {
        let detail = format!("{text:?} is no port: write 5432, tcp/5432, udp/8000-8080, icmp or all.");
        Diagnostics::from(Diagnostic::error("Not a port", detail))
    };
    let (name, ports) = text.split_once('/').unwrap_or_else(|| {
        let is_number = text.starts_with(|c: char| c.is_ascii_digit());
        if is_number { ("tcp", text) } else { (text, "") }
    });
    if name == "all" && ports.is_empty() {
        return Ok(Traffic::all());
    }
    let protocol = Protocol::named(name).ok_or_else(bad)?;
    if ports.is_empty() {
        return Ok(match protocol {
            Protocol::ICMP => Traffic::icmp(protocol, Some(8), Some(0)),
            Protocol::ICMPV6 => Traffic::icmp(protocol, Some(128), Some(0)),
            other => Traffic::protocol(other),
        });
    }
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if first <= last => Ok(Traffic::of(protocol, first..=last)),
        _ => Err(bad()),
    }
}

fn unknown_end(problem: &str) -> Diagnostics {
    Diagnostic::error("No such end", format!("{}.", sentence(problem))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_begin_with_any_letter() {
        let told = unknown_end("öffentlich/a is in several clusters: write CLUSTER:öffentlich/a");
        assert_eq!(told.0[0].detail, "Öffentlich/a is in several clusters: write CLUSTER:öffentlich/a.");
    }

    #[test]
    fn ports_are_written_as_people_do() {
        for (text, shown) in [
            ("5432", Some("tcp/5432")),
            ("tcp/443", Some("tcp/443")),
            ("udp/8000-8080", Some("udp/8000-8080")),
            ("icmp", Some("icmp type 8 code 0")),
            ("udp", Some("udp")),
            ("all", Some("all traffic")),
            ("tcp/99999", None),
            ("tcp/9-8", None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(traffic(text).ok().map(|it| it.to_string()).as_deref(), shown, "{text:?}");
        }
    }
}
