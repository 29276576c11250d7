//! Scripts in, transcripts out: commands run in a folder, and what a person saw, made comparable.
//!
//! A script is lines, and the transcript is these lines with what each of them brought:
//! - `$ sgp plan | from "Plan:"` runs a program; what stands after ` | ` is a filter of the runner, see [`filter`];
//! - `edit FILE "old" "new"` changes a file of the working folder, `write FILE <<END ... END` makes one;
//! - `@let NAME = sgp output -raw x` keeps what a command prints for `${NAME}` in later lines;
//! - `@start NAME sgp apply` runs beside the rest, `@await NAME "text"` waits until it has written a text,
//!   `@interrupt NAME` is Ctrl-C, `@kill NAME` gives it no chance, and `@end NAME` waits for its end and shows what it wrote;
//! - `@pause SECONDS` waits;
//! - other lines that begin with `@` go to the [`Stage`]; blank lines and those that begin with `#` are comments.

pub mod filter;
mod process;
mod settle;
mod words;

use process::{Process, execute};
pub use settle::Names;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use words::{expand, pipeline, split};

/// Where a script plays.
pub trait Stage {
    /// The working folder.
    fn folder(&self) -> &Path;
    /// A command with the environment of the world; `sgp` is the program under test.
    fn command(&self, program: &str) -> Command;
    /// Does what a line that begins with `@` says; the answer goes into the transcript.
    fn direct(&mut self, words: &[String]) -> String;
}

/// Runs a script and answers the transcript.
///
/// # Panics
/// On a line that is no script, and when a file cannot be edited: the script is wrong then.
pub fn run(script: &str, stage: &mut dyn Stage) -> String {
    let mut player = Player { stage, names: Names::default(), kept: BTreeMap::new(), beside: BTreeMap::new() };
    let mut transcript = String::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(transcript, "{line}");
        if let Some(file) = line.strip_prefix("write ").and_then(|l| l.strip_suffix(" <<END")) {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "END").collect();
            let text = text.join("\n") + "\n";
            let _ = writeln!(transcript, "{text}END");
            player.write(file, &text);
        } else {
            transcript.push_str(&player.play(line));
        }
    }
    transcript
}

struct Player<'a> {
    stage: &'a mut dyn Stage,
    names: Names,
    kept: BTreeMap<String, String>,
    beside: BTreeMap<String, Process>,
}

impl Player<'_> {
    /// Does what one line says and answers what it brought.
    fn play(&mut self, line: &str) -> String {
        if let Some(words) = line.strip_prefix("$ ") {
            let (output, code) = self.execute(words);
            return self.shown(&output, code);
        }
        let words = split(&expand(line, &self.kept));
        let texts: Vec<&str> = words.iter().map(String::as_str).collect();
        match texts[..] {
            [] => String::new(),
            [first, ..] if first.starts_with('#') => String::new(),
            ["edit", file, old, new] => self.edit(file, old, new),
            ["@let", name, "=", ..] => {
                let command = line.split_once(" = ").expect("the words say so").1;
                let (output, code) = self.execute(command);
                assert_eq!(code, 0, "{line}: {output}");
                self.kept.insert(name.to_owned(), output.trim_end().to_owned());
                String::new()
            }
            ["@start", name, ..] => {
                let process = Process::start(self.command(&words[2..]));
                self.beside.insert(name.to_owned(), process);
                String::new()
            }
            ["@await", name, text] => self.beside(name).wait_for(text),
            ["@interrupt", name] => self.beside(name).signal("INT"),
            ["@kill", name] => self.beside(name).signal("KILL"),
            ["@pause", seconds] => {
                thread::sleep(Duration::from_secs_f64(seconds.parse().expect("a number of seconds")));
                String::new()
            }
            ["@end", name] => {
                let process = self.beside.remove(name).unwrap_or_else(|| panic!("{name} was not started"));
                let (output, code) = process.end();
                self.shown(&output, code)
            }
            [first, ..] if first.starts_with('@') => {
                let answer = self.stage.direct(&words);
                self.names.settle(&answer, self.stage.folder())
            }
            _ => panic!("no script: {line}"),
        }
    }

    fn beside(&mut self, name: &str) -> &mut Process {
        self.beside.get_mut(name).unwrap_or_else(|| panic!("{name} was not started"))
    }

    /// What a command prints, through its filters, and its exit code.
    fn execute(&mut self, text: &str) -> (String, i32) {
        let mut parts = pipeline(&expand(text, &self.kept)).into_iter();
        let words = parts.next().unwrap_or_default();
        let (output, code) = execute(&mut self.command(&words));
        let output = parts.fold(output, |output, part| filter::apply(&part, &output));
        (output, code)
    }

    fn command(&self, words: &[String]) -> Command {
        let mut command = self.stage.command(&words[0]);
        command.args(&words[1..]).current_dir(self.stage.folder()).stdin(Stdio::null());
        command
    }

    fn shown(&mut self, output: &str, code: i32) -> String {
        let mut shown = self.names.settle(output, self.stage.folder());
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        if code != 0 {
            let _ = writeln!(shown, "[exit {code}]");
        }
        shown
    }

    fn edit(&self, file: &str, old: &str, new: &str) -> String {
        let path = self.stage.folder().join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(text.contains(old), "{file} does not contain {old:?}");
        fs::write(&path, text.replace(old, new)).unwrap_or_else(|e| panic!("{file}: {e}"));
        String::new()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.stage.folder().join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).unwrap_or_else(|e| panic!("{file}: {e}"));
        }
        fs::write(&path, text).unwrap_or_else(|e| panic!("{file}: {e}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bare(tempfile::TempDir);

    impl Stage for Bare {
        fn folder(&self) -> &Path {
            self.0.path()
        }
        fn command(&self, program: &str) -> Command {
            Command::new(program)
        }
        fn direct(&mut self, words: &[String]) -> String {
            format!("{words:?}\n")
        }
    }

    #[test]
    fn a_script_becomes_its_transcript() {
        let script = "# files\nwrite a.txt <<END\none\ntwo\nEND\nedit a.txt two three\n$ cat a.txt | only three\n\
                      @let word = cat a.txt | only one\n$ echo ${word} \"x y\"\n$ false\n@start s sleep 60\n@kill s\n@end s\n@other \"1 2\"\n";
        let transcript = run(script, &mut Bare(tempfile::tempdir().unwrap()));
        insta::assert_snapshot!(transcript, @r#"
        # files
        write a.txt <<END
        one
        two
        END
        edit a.txt two three
        $ cat a.txt | only three
        three
        @let word = cat a.txt | only one
        $ echo ${word} "x y"
        one x y
        $ false
        [exit 1]
        @start s sleep 60
        @kill s
        @end s
        [signal 9]
        @other "1 2"
        ["@other", "1 2"]
        "#);
    }
}
