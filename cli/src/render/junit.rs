//! A test report as JUnit XML, the form that CI systems read.

use std::fmt::Write as _;

use sgp_engine::testing::{FileReport, RunReport, Status, TestReport};
use sgp_model::SourceMap;

use super::{diagnostics, paint::Paint, plan_json::timestamp};

/// The whole document: a `testsuite` for each file, a `testcase` for each run.
pub fn document(report: &TestReport, sources: &SourceMap) -> String {
    let suites: String = report.files.iter().map(|file| suite(file, sources)).collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n{suites}</testsuites>\n")
}

fn suite(file: &FileReport, sources: &SourceMap) -> String {
    let count = |status: Status| file.runs.iter().filter(|r| r.status == status).count();
    let mut out = format!(
        "  <testsuite name={} tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">\n",
        quoted(&file.path),
        file.runs.len(),
        count(Status::Skip),
        count(Status::Fail),
        count(Status::Error),
    );
    out.extend(file.runs.iter().map(|run| case(&file.path, run, sources)));
    out.push_str("  </testsuite>\n");
    out
}

fn case(path: &str, run: &RunReport, sources: &SourceMap) -> String {
    let mut head = format!("    <testcase name={} classname={}", quoted(&run.name), quoted(path));
    if run.status != Status::Skip {
        let _ = write!(head, " time=\"{:.3}\" timestamp=\"{}\"", run.elapsed.as_secs_f64(), timestamp(run.started_at));
    }
    let errors = run.diagnostics.iter().filter(|d| d.is_error());
    let told: String = errors.map(|d| diagnostics::render(d, sources, Paint::plain())).collect();
    let warnings = run.diagnostics.iter().filter(|d| !d.is_error());
    let warned: String = warnings.map(|d| diagnostics::render(d, sources, Paint::plain())).collect();
    let mut inner = match run.status {
        Status::Pass => String::new(),
        Status::Skip => "      <skipped></skipped>\n".to_owned(),
        Status::Fail => {
            let failed = run.diagnostics.iter().filter(|d| d.summary == "Test assertion failed").count();
            let message = match failed {
                0 => "Expected failures did not happen as they should".to_owned(),
                _ => format!("{failed} of {} failed", super::paint::plural(run.asserts, "assertion")),
            };
            format!("      <failure message={}>{}</failure>\n", quoted(&message), data(&told))
        }
        Status::Error => format!("      <error message=\"The run could not be carried out\">{}</error>\n", data(&told)),
    };
    if !warned.is_empty() {
        let _ = writeln!(inner, "      <system-err>{}</system-err>", data(&warned));
    }
    if inner.is_empty() { format!("{head}></testcase>\n") } else { format!("{head}>\n{inner}    </testcase>\n") }
}

/// Text as an attribute's value. Control characters have no place in XML 1.0.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| allowed(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Text as it is. The end of such a section cannot stand in it.
fn data(text: &str) -> String {
    let text: String = text.chars().filter(|c| allowed(*c)).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn allowed(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t')
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use sgp_model::{Diagnostic, Diagnostics, Span};

    use super::*;

    #[test]
    fn every_status_has_its_form() {
        let mut sources = SourceMap::default();
        sources.insert("a.tftest.hcl", "condition = 1 > 2 # ]]>\n");
        let failed =
            Diagnostic::error("Test assertion failed", "1 is <small>.\u{7}").at(Span::new("a.tftest.hcl", 12..17));
        let run = |name: &str, status, diagnostics: Vec<Diagnostic>| RunReport {
            name: Arc::from(name),
            status,
            elapsed: Duration::from_millis(1500),
            started_at: 1_700_000_000,
            asserts: 2,
            diagnostics: Diagnostics(diagnostics),
        };
        let runs = vec![
            run("a", Status::Pass, vec![]),
            run("b", Status::Fail, vec![failed]),
            run("c", Status::Error, vec![Diagnostic::error("Refused", "No & no.")]),
            run("d", Status::Skip, vec![]),
            run("e", Status::Pass, vec![Diagnostic::warning("Careful", "It is hot.")]),
            run("f", Status::Fail, vec![Diagnostic::error("Missing expected failure", "All hold.")]),
        ];
        let file = FileReport { path: Arc::from("tests/a \"b\".tftest.hcl"), status: Status::Error, runs };
        let document = document(&TestReport { files: vec![file] }, &sources);
        for part in [
            "<testsuite name=\"tests/a &quot;b&quot;.tftest.hcl\" tests=\"6\" skipped=\"1\" failures=\"2\" errors=\"1\">\n",
            "<testcase name=\"a\" classname=\"tests/a &quot;b&quot;.tftest.hcl\" time=\"1.500\" timestamp=\"2023-11-14T22:13:20Z\"></testcase>\n",
            "<failure message=\"1 of 2 assertions failed\"><![CDATA[",
            "condition = 1 > 2 # ]]]]><![CDATA[>\n",
            "1 is <small>.\n",
            "<error message=\"The run could not be carried out\"><![CDATA[",
            "No & no.\n",
            "      <skipped></skipped>\n",
            "      <system-err><![CDATA[",
            "<failure message=\"Expected failures did not happen as they should\">",
        ] {
            assert!(document.contains(part), "{part}\n is missing in\n{document}");
        }
        assert!(!document.contains('\u{7}') && document.ends_with("</testsuites>\n"), "{document}");
    }
}
