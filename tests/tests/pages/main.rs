//! Pages of HTML in a headless Chromium: what `sgp plan -html`, `sgp show -html` and `sgp audit -format html` write can be read by
//! everybody, with a keyboard, in both themes, on a narrow screen, and asks nobody for anything.
//!
//! `SGP_TEST_SCREENSHOTS=FOLDER` keeps pictures of what was looked at.
#![allow(clippy::unwrap_used)]

mod browser;

use std::{
    fs,
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use browser::{Browser, installed};
use serde_json::{Value, json};
use sgp_tests::{
    workdir::{Workdir, start},
    world::{Backing, Options, World},
};

const WIDTHS: [u32; 3] = [360, 768, 1440];
const THEMES: [&str; 2] = ["light", "dark"];

/// What every page is looked at with.
const LOOK: &str = include_str!("look.js");

/// Pages of one account, in its order: before anything is made, when it is made, and before it goes.
struct Pages {
    folder: Workdir,
    large: Workdir,
    _world: World,
}

impl Pages {
    fn file(&self, name: &str) -> PathBuf {
        let folder = if name == "large.html" { &self.large } else { &self.folder };
        folder.path().join(name)
    }

    fn make() -> Option<Self> {
        let options = Options { backing: Backing::Sandbox, pending_describes: 1, ..Options::default() };
        let world = start(&options)?;
        let folder = Workdir::example("backend-to-rds");
        folder.write("more.tf", include_str!("more.tf"));
        folder.must(&world, &["plan", "-html=first.html", "-out=first.plan"]);
        folder.must(&world, &["apply", "-auto-approve", "first.plan"]);
        folder.must(&world, &["show", "-html=state.html"]);
        let audit = folder.must(&world, &["audit", "-format=html"]);
        folder.write("audit.html", &audit.stdout);
        folder.write("opened.tf", include_str!("opened.tf"));
        // The database is opened to everybody, which rules refuse or not: there is a page all the same.
        folder.sgp(&world, &["plan", "-html=opened.html"]);
        folder.must(&world, &["plan", "-destroy", "-html=destroy.html"]);
        let large = Workdir::new(&[("main.tf", include_str!("large.tf"))]);
        large.must(&world, &["plan", "-html=large.html"]);
        Some(Self { folder, large, _world: world })
    }
}

static NAMES: [&str; 6] = ["first.html", "opened.html", "state.html", "audit.html", "destroy.html", "large.html"];

fn pages() -> Option<&'static Pages> {
    static PAGES: OnceLock<Option<Pages>> = OnceLock::new();
    PAGES.get_or_init(Pages::make).as_ref()
}

/// The one browser, which the tests of this file take turns at. None when it is not installed, which is said; with `CI=true` that is a
/// failure.
fn browser() -> Option<MutexGuard<'static, Browser>> {
    static BROWSER: OnceLock<Option<Mutex<Browser>>> = OnceLock::new();
    let browser = BROWSER.get_or_init(|| {
        let found = installed();
        assert!(found.is_some() || std::env::var("CI").as_deref() != Ok("true"), "Chromium is not installed");
        found.map(|program| Mutex::new(Browser::start(&program)))
    });
    let Some(browser) = browser else {
        skipped();
        return None;
    };
    Some(browser.lock().unwrap_or_else(PoisonError::into_inner))
}

#[expect(clippy::print_stderr, reason = "a person must see what was not tested")]
fn skipped() {
    eprintln!("skipped: Chromium is not installed (apt-get install chromium)");
}

/// Opens a page.
fn open(browser: &mut Browser, pages: &Pages, name: &str, width: u32, theme: &str) {
    browser.show(width, theme);
    browser.open(&pages.file(name));
    browser.evaluate(LOOK);
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What a page asked the network for beside itself, and everything that the browser complains about.
fn complaints(browser: &mut Browser) -> Vec<String> {
    let mut found = Vec::new();
    for event in browser.events() {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                let url = params["request"]["url"].as_str().unwrap();
                if !url.starts_with("file:") && !url.starts_with("data:") && url != "about:blank" {
                    found.push(format!("asked for {url}"));
                }
            }
            "Log.entryAdded" => found.push(params["entry"]["text"].to_string()),
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Audits.issueAdded" => {
                found.push(params.to_string());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_page_asks_nobody_for_anything_and_nobody_complains() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    for name in NAMES {
        open(&mut browser, pages, name, 1440, "light");
        assert_eq!(complaints(&mut browser), [""; 0], "{name}");
    }
    // The policy holds: what got into a page all the same would load nothing and run nothing.
    let intruder = "const it = document.createElement('script'); it.textContent = 'window.ran = true'; document.body.append(it); \
                    document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\"><p style=\"color:red\" onclick=\"1\">'); window.ran === undefined";
    assert_eq!(browser.evaluate(intruder), json!(true));
    let found = complaints(&mut browser);
    assert!(found.iter().any(|it| it.contains("Content Security Policy")), "{found:?}");
}

#[test]
fn a_page_tells_no_secret_and_escapes_what_it_tells() {
    let Some(pages) = pages() else { return };
    for name in NAMES {
        let text = fs::read_to_string(pages.file(name)).unwrap();
        assert!(!text.contains("hunter2"), "{name}");
        assert_eq!(text.matches("<script").count(), 1, "{name}");
        assert_eq!(text.matches("<img").count(), 0, "{name}");
    }
    for name in ["first.html", "state.html", "destroy.html"] {
        let text = fs::read_to_string(pages.file(name)).unwrap();
        assert!(text.contains("&lt;script&gt;alert(1)"), "{name}: the output is shown");
        assert!(text.contains("(sensitive value)") || text.contains("&lt;sensitive&gt;"), "{name}");
    }
}

#[test]
fn nothing_is_wider_than_the_screen() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    for name in NAMES {
        for width in WIDTHS {
            for theme in THEMES {
                open(&mut browser, pages, name, width, theme);
                browser.picture(&format!("{}-{width}-{theme}", name.trim_end_matches(".html")));
                browser.evaluate("look.unfold()");
                assert_eq!(browser.evaluate("look.overflow()"), json!(0), "{name} at {width}");
            }
        }
    }
}

#[test]
fn every_text_can_be_read_in_both_themes() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    for name in NAMES {
        for theme in THEMES {
            open(&mut browser, pages, name, 1440, theme);
            if name != "large.html" {
                browser.evaluate("look.unfold()");
            }
            assert_eq!(texts(&browser.evaluate("look.faint()")), [""; 0], "{name}, {theme}");
        }
        let count = browser.evaluate("look.texts()").as_u64().unwrap();
        assert!(count > 5, "{name}: the picture is there");
        assert_eq!(texts(&browser.evaluate("look.wide()")), [""; 0], "{name}: texts leave their boxes");
    }
    // A test that cannot fail would say nothing.
    browser.evaluate("document.querySelector('h1').style.color = '#888'");
    assert_eq!(
        texts(&browser.evaluate("look.faint()")).len(),
        usize::from(browser.evaluate("look.paper()") == json!("rgb(255, 255, 255)"))
    );
}

#[test]
fn the_theme_follows_the_person_and_the_switch() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    open(&mut browser, pages, "opened.html", 1440, "light");
    let (white, black) = (json!("rgb(255, 255, 255)"), json!("rgb(20, 23, 28)"));
    assert_eq!(browser.evaluate("look.paper()"), white);
    browser.show(1440, "dark");
    assert_eq!(browser.evaluate("look.paper()"), black);
    browser.evaluate("document.getElementById('theme-auto').focus()");
    browser.press("ArrowRight");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("theme-light"));
    assert_eq!(browser.evaluate("look.paper()"), white, "the switch counts more");
    browser.press("ArrowRight");
    browser.show(1440, "light");
    assert_eq!(browser.evaluate("look.paper()"), black);
    assert_eq!(browser.evaluate("localStorage.length + document.cookie.length"), json!(0));
}

#[test]
fn tab_comes_to_everything_in_the_order_of_the_page() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    for name in ["opened.html", "audit.html", "state.html"] {
        open(&mut browser, pages, name, 1440, "light");
        let stops = texts(&browser.evaluate("look.stops()"));
        assert!(stops.len() > 10 && stops[0].contains("Skip to content"), "{stops:?}");
        for (number, stop) in stops.iter().enumerate() {
            browser.press("Tab");
            let focused = browser.evaluate("look.focused()");
            assert_eq!(focused["name"], json!(stop), "{name}: stop {number}");
            assert_eq!(focused["isSeen"], json!(true), "{name}: {stop}");
        }
    }
}

#[test]
fn enter_skips_unfolds_and_follows() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    open(&mut browser, pages, "opened.html", 1440, "light");
    browser.press("Tab");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("main"));
    // A resource's diff.
    browser.evaluate("document.querySelector('details.entry summary').focus()");
    browser.press("Enter");
    let diff = browser.evaluate("document.querySelector('details.entry[open] pre').innerText");
    assert!(diff.as_str().unwrap().contains("+ resource"), "{diff}");
    // The wires of a box, and the way back.
    let all = texts(&browser.evaluate("look.shown()"));
    browser.evaluate("document.querySelector('.spot[role=button][aria-label^=\"orders-database\"]').focus()");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.getAttribute('aria-pressed')"), json!("true"));
    assert_eq!(browser.evaluate("document.querySelectorAll('.net.on').length > 0"), json!(true));
    let ways = "Array.from(document.querySelectorAll('.way')).filter(it => !it.hidden).map(it => it.textContent)";
    let followed = texts(&browser.evaluate(ways));
    assert!(!followed.is_empty() && followed.iter().all(|it| it.contains("orders-database")), "{followed:?}");
    let told = browser.evaluate("document.getElementById('picked').textContent");
    assert!(told.as_str().unwrap().contains("orders-database"), "{told}");
    browser.picture("followed");
    browser.press("Escape");
    assert_eq!(texts(&browser.evaluate("look.shown()")), all);
}

#[test]
fn the_filter_has_a_key_and_finds_in_diffs() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    open(&mut browser, pages, "first.html", 1440, "light");
    let all = texts(&browser.evaluate("look.shown()"));
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("filter"));
    for letter in "5432 tcp".chars() {
        browser.press(&letter.to_string());
    }
    let found = texts(&browser.evaluate("look.shown()"));
    assert!(!found.is_empty() && found.len() < all.len() / 2, "{} of {}", found.len(), all.len());
    assert!(found.iter().all(|it| it.contains("5432") && it.contains("tcp")), "{found:?}");
    let told = browser.evaluate("document.getElementById('filtered').textContent");
    assert_eq!(told, json!(format!("{} of {} shown", found.len(), all.len())));
    browser.press("Escape");
    assert_eq!(texts(&browser.evaluate("look.shown()")).len(), all.len());
}

#[test]
fn a_screen_reader_finds_its_way() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    for name in ["opened.html", "audit.html", "state.html"] {
        open(&mut browser, pages, name, 1440, "light");
        let levels: Vec<u64> =
            browser.evaluate("look.headings()").as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect();
        assert_eq!(levels.iter().filter(|it| **it == 1).count(), 1, "{name}: {levels:?}");
        assert!(levels[0] == 1 && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
        let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
        let nodes: Vec<&Value> = tree["nodes"].as_array().unwrap().iter().filter(|it| it["ignored"] != true).collect();
        let role = |it: &&&Value| it["role"]["value"].as_str().unwrap_or_default().to_owned();
        for wanted in ["banner", "navigation", "main", "contentinfo", "search"] {
            assert_eq!(nodes.iter().filter(|it| role(it) == wanted).count(), 1, "{name}: {wanted}");
        }
        let is_focusable = |it: &&Value| {
            let properties = it["properties"].as_array().into_iter().flatten();
            properties.into_iter().any(|it| it["name"] == "focusable" && it["value"]["value"] == true)
        };
        let controls: Vec<&&Value> = nodes.iter().filter(|it| is_focusable(it)).collect();
        assert!(controls.len() > 10);
        for control in controls.iter().filter(|it| !["RootWebArea", "main"].contains(&role(it).as_str())) {
            let has_name = control["name"]["value"].as_str().is_some_and(|it| !it.trim().is_empty());
            assert!(has_name, "{name}: {control}");
        }
    }
}

#[test]
fn a_page_is_complete_without_scripts() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.show(1440, "light");
    browser.open(&pages.file("opened.html"));
    let document = browser.call("DOM.getDocument", &json!({}));
    let mut count = |selector: &str| {
        let params = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        browser.call("DOM.querySelectorAll", &params)["nodeIds"].as_array().unwrap().len()
    };
    // What would do nothing is not there; what says something is.
    assert_eq!(count(".filter:not([hidden]), .folding:not([hidden]), #drawing [tabindex], #drawing [role=button]"), 0);
    assert!(count("#drawing .net title") > 3 && count(".way") > 3 && count("details.entry pre") > 0);
    assert_eq!(count("#drawing[role=img] > title"), 1);
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": false }));
}

#[test]
fn a_large_page_is_small_enough_and_quick() {
    let (Some(mut browser), Some(pages)) = (browser(), pages()) else { return };
    let bytes = fs::metadata(pages.file("large.html")).unwrap().len();
    assert!(bytes < 5_000_000, "{bytes} bytes");
    let began = Instant::now();
    open(&mut browser, pages, "large.html", 1440, "light");
    let loaded = began.elapsed();
    assert!(loaded.as_secs() < 10, "{loaded:?} to load");
    let entries = browser.evaluate("document.querySelectorAll('details.entry').length");
    assert_eq!(entries, json!(1000));
    let filtered = "(() => { const began = performance.now(); const it = document.getElementById('filter'); it.value = 'team-77'; \
                    it.dispatchEvent(new Event('input')); return performance.now() - began; })()";
    let milliseconds = browser.evaluate(filtered).as_f64().unwrap();
    assert!(milliseconds < 2000.0, "{milliseconds} ms to filter");
    let spots = browser.evaluate("document.querySelectorAll('#drawing .spot').length").as_u64().unwrap();
    assert!(spots < 60, "{spots} boxes in the picture");
}
