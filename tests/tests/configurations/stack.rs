//! A configuration as a text: `-- NAME --` begins a file, `== plan FLAGS` ends a step.

use std::{fs, path::Path};

/// What is planned and applied, step by step; each step lays files over those of the one before.
pub struct Stack {
    /// The name of its file, without the ending.
    pub name: String,
    /// The steps, at least one.
    pub steps: Vec<Step>,
}

/// One plan and its apply.
#[derive(Default)]
pub struct Step {
    /// Names and texts.
    pub files: Vec<(String, String)>,
    /// Of the plan.
    pub flags: Vec<String>,
}

impl Stack {
    /// Every stack of a folder, in the order of their names.
    pub fn all(folder: &Path) -> Vec<Self> {
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut all: Vec<Self> = files
            .map(|file| Self::parse(&file.file_stem().unwrap().to_string_lossy(), &fs::read_to_string(&file).unwrap()))
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(all.len() > 100, "the stacks are not where they were");
        all
    }

    fn parse(name: &str, text: &str) -> Self {
        let mut steps = Vec::new();
        let mut step = Step::default();
        for line in text.split_inclusive('\n') {
            let word = |before: &str, after: &str| line.trim_end().strip_prefix(before)?.strip_suffix(after);
            if let Some(flags) = word("== plan", "") {
                step.flags = flags.split_whitespace().map(str::to_owned).collect();
                steps.push(std::mem::take(&mut step));
            } else if let Some(file) = word("-- ", " --") {
                step.files.push((file.to_owned(), String::new()));
            } else {
                step.files.last_mut().unwrap_or_else(|| panic!("{name}: text before a file")).1.push_str(line);
            }
        }
        if !step.files.is_empty() {
            steps.push(step);
        }
        Self { name: name.to_owned(), steps }
    }

    /// Whether it is about `test`.
    pub fn is_test(&self) -> bool {
        self.steps.iter().any(|step| step.files.iter().any(|(name, _)| name.ends_with(".tftest.hcl")))
    }
}
