//! `sgp apply -sandbox`: the same command once more, in the sandbox that is kept beside the state.

use std::ffi::OsString;

use clap::ArgMatches;
use sgp_sandbox::Settings;

use super::{env, place::Place, run};
use crate::{args::flag, ui::Ui};

/// Runs the command in the sandbox when it says `-sandbox`, and answers its exit code; `None` when it does not.
pub async fn instead_of(matches: &ArgMatches, name: &str, sub: &ArgMatches) -> Option<u8> {
    if name == "sandbox" || !flag(sub, "sandbox") || std::env::var_os(env::INSIDE).is_some() {
        return None;
    }
    let mut command: Vec<OsString> = std::env::current_exe().into_iter().map(OsString::from).collect();
    command.extend(arguments(std::env::args_os().skip(1)));
    let exit = run::on(Place::new(Place::beside_the_state()), Settings::default(), &command).await;
    Some(exit.unwrap_or_else(|diagnostics| {
        Ui::new(flag(matches, "no-color"), flag(sub, "json")).diagnostics(&diagnostics);
        1
    }))
}

/// The arguments without `-sandbox`, and without `-chdir`, which has happened.
fn arguments(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut args = args;
    while let Some(arg) = args.next() {
        let name = arg.to_str().filter(|text| text.starts_with('-')).map(|text| text.trim_start_matches('-'));
        match name {
            Some("chdir") => drop(args.next()),
            Some(name) if name == "sandbox" || name.starts_with("sandbox=") || name.starts_with("chdir=") => {}
            _ => kept.push(arg),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_else_stays() {
        let args = "-chdir=x apply -sandbox -auto-approve -var a=-sandbox --chdir y p.plan --sandbox=true";
        let kept = arguments(args.split(' ').map(OsString::from));
        let kept: Vec<&str> = kept.iter().filter_map(|arg| arg.to_str()).collect();
        assert_eq!(kept.join(" "), "apply -auto-approve -var a=-sandbox p.plan");
    }
}
