//! `sgp fmt`.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::ArgMatches;
use sgp_model::{Diagnostic, Diagnostics};
use similar::TextDiff;

use crate::{
    args::{flag, texts},
    session::Room,
};

/// The exit code for files that are not formatted.
const DIFFERS: u8 = 3;
/// The exit code for files that cannot be formatted.
const BROKEN: u8 = 2;

/// Formats files, folders or standard input.
pub fn run(room: &Room, matches: &ArgMatches) -> u8 {
    let check = flag(matches, "check");
    let (list, write, diff) = (flag(matches, "list"), flag(matches, "write") && !check, flag(matches, "diff"));
    let mut run = Run {
        room,
        list,
        write,
        diff,
        print: !(list || write || diff || check),
        recursive: flag(matches, "recursive"),
        differs: false,
        diagnostics: Diagnostics::new(),
    };
    let paths = texts(matches, "paths");
    if paths == ["-"] {
        run.standard_input(check);
    } else if paths.is_empty() {
        run.path(Path::new("."), true);
    }
    for path in paths.iter().filter(|p| *p != "-") {
        run.path(Path::new(path), true);
    }
    if run.diagnostics.has_errors() {
        room.ui.diagnostics(&run.diagnostics);
        return BROKEN;
    }
    if check && run.differs { DIFFERS } else { 0 }
}

#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
struct Run<'a> {
    room: &'a Room,
    list: bool,
    write: bool,
    diff: bool,
    /// Nothing else is to happen with what is formatted, so it is shown.
    print: bool,
    recursive: bool,
    differs: bool,
    diagnostics: Diagnostics,
}

impl Run<'_> {
    fn standard_input(&mut self, check: bool) {
        let mut text = String::new();
        if let Err(e) = std::io::stdin().read_to_string(&mut text) {
            self.diagnostics.push(Diagnostic::error("Unreadable input", format!("Standard input: {e}.")));
            return;
        }
        let Some(formatted) = self.format("<stdin>", &text) else { return };
        self.differs = formatted != text;
        if self.diff {
            self.show_diff("<stdin>", &text, &formatted);
        } else if !check {
            self.room.ui.output.text(&formatted);
        }
    }

    /// A folder's files, or one file; `given` tells a path that was named from one that was found.
    fn path(&mut self, path: &Path, given: bool) {
        if path.is_dir() {
            for entry in self.entries(path) {
                let hidden = entry.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
                if hidden || (entry.is_dir() && !self.recursive) {
                    continue;
                }
                self.path(&entry, false);
            }
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let ours = [".tf", ".tfvars", ".hcl"].iter().any(|end| name.ends_with(end)) && name != ".terraform.lock.hcl";
        match (ours, given) {
            (true, _) => self.file(path),
            (false, false) => {}
            (false, true) if !path.exists() => {
                let detail = format!("There is no file or folder {}.", path.display());
                self.diagnostics.push(Diagnostic::error("No such file", detail));
            }
            (false, true) => {
                let detail = format!("{}: only .tf, .hcl and .tfvars files are formatted.", path.display());
                self.diagnostics.push(Diagnostic::error("Not a configuration file", detail));
            }
        }
    }

    fn entries(&mut self, dir: &Path) -> Vec<PathBuf> {
        let read = fs::read_dir(dir).and_then(|all| all.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>());
        match read {
            Ok(mut all) => {
                all.sort();
                // `./main.tf` is listed as `main.tf`.
                all.into_iter().map(|p| p.strip_prefix("./").map_or_else(|_| p.clone(), Path::to_path_buf)).collect()
            }
            Err(e) => {
                self.diagnostics.push(Diagnostic::error("Unreadable folder", format!("{}: {e}.", dir.display())));
                Vec::new()
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                self.diagnostics.push(Diagnostic::error("Unreadable file", format!("{name}: {e}.")));
                return;
            }
        };
        let Some(formatted) = self.format(&name, &text) else { return };
        if self.print {
            self.room.ui.output.text(&formatted);
        }
        if formatted == text {
            return;
        }
        self.differs = true;
        if self.list {
            self.room.ui.output.line(&name);
        }
        if self.diff {
            self.show_diff(&name, &text, &formatted);
        }
        if self.write
            && let Err(e) = fs::write(path, formatted)
        {
            self.diagnostics.push(Diagnostic::error("Unwritable file", format!("{name}: {e}.")));
        }
    }

    fn format(&mut self, name: &str, text: &str) -> Option<String> {
        match sgp_lang::fmt::format_file(&name.into(), text) {
            Ok(formatted) => Some(formatted),
            Err(diagnostic) => {
                let mut sources = self.room.ui.sources();
                sources.insert(name, text);
                self.room.ui.set_sources(sources);
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn show_diff(&self, name: &str, old: &str, new: &str) {
        let diff = TextDiff::from_lines(old, new);
        let shown = diff.unified_diff().header(&format!("old/{name}"), &format!("new/{name}")).to_string();
        self.room.ui.output.text(&shown);
    }
}
