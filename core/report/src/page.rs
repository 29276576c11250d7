//! The page around all of it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::{Audited, Check, Entry, Reach, audit, checks, entries, styled};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");
/// A shield with an arrow; in the page, so that no browser asks a server for one.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%232f6fd0' d='M8 0l7 2v6c0 4-3 7-7 8-4-1-7-4-7-8V2z'/%3E%3Cpath fill='none' stroke='%23fff' stroke-width='1.6' d='M4 8h7M8 5l3 3-3 3'/%3E%3C/svg%3E";

/// What a page says. Parts that are `None` or empty are not on it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// `Plan`, `State`, `Audit`.
    pub title: String,
    /// The summary in a sentence.
    pub headline: String,
    /// What stands above everything else: why a plan is refused.
    pub alerts: Vec<String>,
    /// Counts with where they are shown: words, a section's id, and whether it is bad.
    pub counts: Vec<Count>,
    /// What it was made from: for the record.
    pub facts: Vec<(String, String)>,
    /// What the rules found; `None` when they were not asked.
    pub checks: Option<Vec<Check>>,
    /// Who reaches whom; `None` when that is not told.
    pub reach: Option<Reach>,
    /// Running pods that keep their groups until they are made anew, a line each.
    pub running: Vec<String>,
    /// What of rules and policies does nothing or too much.
    pub audit: Option<Audited>,
    /// What changed outside since the last run.
    pub drift: Vec<Entry>,
    /// Objects, by address; `None` on a page that is not about them.
    pub objects: Option<Vec<Entry>>,
    /// Blocks whose instances are planned during the apply: why, and what is known of each instance.
    pub deferred: Vec<Entry>,
    /// Outputs.
    pub outputs: Vec<Entry>,
}

/// A count in the summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// `3 to add`.
    pub words: String,
    /// The section that it is about.
    pub section: &'static str,
    /// `add`, `change`, `destroy`, `bad`, or nothing.
    pub class: &'static str,
}

/// The page.
pub fn render(page: &Page) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (page.title) " \u{b7} sgp" }
                link rel="icon" href=(PreEscaped(ICON));
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to content" }
                (top(page))
                (navigation(page))
                main #main tabindex="-1" { (content(page)) }
                (bottom(page))
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
    .into_string()
}

/// Nothing is loaded from anywhere, and only this page's own style and script count, by their digests.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

fn top(page: &Page) -> Markup {
    html! {
        header class="top" {
            h1 { (page.title) }
            div class="tools" {
                fieldset class="themes" {
                    legend { "Theme" }
                    @for (id, words) in [("auto", "Auto"), ("light", "Light"), ("dark", "Dark")] {
                        label { input type="radio" name="theme" id=(format!("theme-{id}")) checked[id == "auto"]; (words) }
                    }
                }
                // Of no use without the script, which shows it.
                div class="filter" role="search" hidden {
                    label for="filter" { "Filter " kbd { "/" } }
                    input #filter type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/";
                    p #filtered role="status" {}
                }
            }
        }
    }
}

fn navigation(page: &Page) -> Markup {
    html! {
        nav aria-label="On this page" {
            ul {
                @for (id, words, _) in sections(page) { li { a href=(format!("#{id}")) { (words) } } }
            }
        }
    }
}

fn content(page: &Page) -> Markup {
    html! {
        @for (id, words, body) in sections(page) {
            section id=(id) aria-labelledby=(format!("{id}-title")) {
                h2 id=(format!("{id}-title")) { (words) }
                (body)
            }
        }
    }
}

/// The sections that there are: id, title, content.
fn sections(page: &Page) -> Vec<(&'static str, &'static str, Markup)> {
    let mut all = vec![("summary", "Summary", summary(page))];
    if let Some(checks) = &page.checks {
        all.push(("checks", "Checks", checks::list(checks)));
    }
    if let Some(reach) = &page.reach {
        all.push(("reachability", "Reachability", reach.show()));
    }
    if !page.running.is_empty() {
        all.push(("running", "Running pods that keep their old groups", running(&page.running)));
    }
    if let Some(audited) = &page.audit {
        all.push(("rules", "Rules, policies and groups", audit::list(audited)));
    }
    if !page.drift.is_empty() {
        all.push(("drift", "Changed outside of sgp", entries::list(&page.drift)));
    }
    if let Some(objects) = &page.objects {
        all.push(("objects", "Resources", objects_of(objects)));
    }
    if !page.deferred.is_empty() {
        all.push(("deferred", "Planned during apply", deferred(&page.deferred)));
    }
    if !page.outputs.is_empty() {
        all.push(("outputs", "Outputs", entries::list(&page.outputs)));
    }
    all
}

fn running(lines: &[String]) -> Markup {
    html! {
        p { "A pod gets its groups when it is made. sgp apply -rollout restarts what can be restarted." }
        ul class="lines" { @for line in lines { li data-item { (line) } } }
    }
}

fn deferred(blocks: &[Entry]) -> Markup {
    html! {
        p { "How many instances these blocks have is known after apply: they are planned and applied in the same run, once their keys are known." }
        (entries::list(blocks))
    }
}

fn objects_of(objects: &[Entry]) -> Markup {
    html! {
        @if objects.is_empty() { p { "No resource changes." } }
        @else {
            p class="folding" hidden {
                button type="button" data-open="all" { "Unfold all" } " "
                button type="button" data-open="none" { "Fold all" }
            }
            (entries::list(objects))
        }
    }
}

fn summary(page: &Page) -> Markup {
    html! {
        @for alert in &page.alerts { p class="alert" { (styled::html(alert)) } }
        p class="headline" { (page.headline) }
        @if !page.counts.is_empty() {
            ul class="counts" {
                @for count in &page.counts {
                    li class=(count.class) { a href=(format!("#{}", count.section)) { (count.words) } }
                }
            }
        }
    }
}

fn bottom(page: &Page) -> Markup {
    html! {
        footer {
            h2 { "For the record" }
            dl { @for (name, value) in &page.facts { div { dt { (name) } dd { (value) } } } }
        }
    }
}
