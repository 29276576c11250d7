//! Pages of small, fixed accounts.
#![allow(clippy::unwrap_used)]

mod account;

use account::{Made, change, group, network, rule, workload};
use sgp_report::{
    Audited, Check, Entry, Mark, Reach,
    page::{Count, Page, render},
    picture::{MOST_NETS, MOST_SPOTS, ways::Fate},
};

/// The network with `app/backend` and a database that it does not reach; a block reaches it.
fn before() -> Vec<Made> {
    let mut all = network();
    all.extend([group("sg-api", "backend"), group("sg-db", "orders-db")]);
    all.extend(workload("app", "backend", 3, "sg-api"));
    all.push(rule(true, "sg-api", 443, ("cidr_ipv4", "0.0.0.0/0")));
    all.push(rule(false, "sg-db", 22, ("cidr_ipv4", "192.168.0.0/24")));
    all
}

/// The pods reach the database, and so does everybody; the block does no more.
fn after() -> Vec<Made> {
    let mut all = before();
    all.pop();
    all.push(rule(true, "sg-api", 5432, ("referenced_security_group_id", "sg-db")));
    all.push(rule(false, "sg-db", 5432, ("referenced_security_group_id", "sg-api")));
    all.push(rule(false, "sg-db", 3306, ("cidr_ipv4", "0.0.0.0/0")));
    all
}

/// The page without what is the same on all of them.
fn body(page: &str) -> String {
    let (_, rest) = page.split_once("<body>").unwrap();
    let (body, _) = rest.split_once("<script>").unwrap();
    body.replace("><", ">\n<")
}

fn entry(address: &str, diff: &str) -> Entry {
    let remarks = vec!["(because it is not in configuration)".to_owned()];
    let (address, what) = (address.to_owned(), "will be created".to_owned());
    Entry { mark: Mark::Create, sign: "+".to_owned(), address, what, remarks, diff: diff.to_owned() }
}

fn check() -> Check {
    Check {
        rule: "SGP104".to_owned(),
        severity: "error".to_owned(),
        summary: "Nodes have no branch interfaces".to_owned(),
        text: "t3.medium carries none.".to_owned(),
        fix: "Choose m5.large.".to_owned(),
        address: Some("aws_eks_node_group.this".to_owned()),
        attribute: Some("instance_types".to_owned()),
        skipped: None,
    }
}

fn plan(reach: Reach) -> Page {
    let skipped = Check { skipped: Some("one team".to_owned()), severity: "warning".to_owned(), ..check() };
    let count = Count { words: "1 to add".to_owned(), section: "objects", class: "add" };
    Page {
        title: "Plan".to_owned(),
        headline: "Plan: 1 to add, 0 to change, 0 to destroy.".to_owned(),
        counts: vec![count],
        facts: vec![("Serial".to_owned(), "12".to_owned())],
        checks: Some(vec![check(), skipped]),
        reach: Some(reach),
        running: vec!["app/api (Deployment): 2 pods keep <b>; made anew: api".to_owned()],
        objects: Some(vec![entry("aws_security_group.a", "  \u{1b}[32m+\u{1b}[0m name = \"a\"")]),
        deferred: vec![Entry {
            what: "will be planned during apply".to_owned(),
            remarks: vec!["(number of instances known after apply: depends on aws_security_group.a.id)".to_owned()],
            ..entry("aws_vpc_security_group_ingress_rule.a[*]", "")
        }],
        ..Page::default()
    }
}

#[test]
fn a_plan() {
    insta::assert_snapshot!(body(&render(&plan(change(&before(), &after())))));
}

#[test]
fn what_the_picture_shows_is_what_the_list_says() {
    let reach = change(&before(), &after());
    let told = |fate: Fate| -> Vec<String> {
        let ways = reach.ways.ways.iter().filter(|it| it.fate == fate);
        ways.map(|it| format!("{} -> {} {}", reach.ways.name(it.from), reach.ways.name(it.to), it.traffic)).collect()
    };
    assert_eq!(told(Fate::Comes), ["any -> orders-db tcp/3306", "app/backend -> orders-db tcp/5432"]);
    assert_eq!(told(Fate::Goes), ["192.168.0.0/24 -> orders-db tcp/22"]);
    assert!(told(Fate::Stays).contains(&"app/backend -> any tcp/443".to_owned()), "{:?}", told(Fate::Stays));
    assert_eq!((reach.counts(), reach.loud()), ((2, 1), 1));
    let mut drawn = Vec::new();
    for net in &reach.scene.nets {
        let name = |it: usize| &reach.scene.spots[it].name;
        drawn.extend(net.from.iter().map(|from| format!("{} -> {} {}", name(*from), name(net.to), net.traffic)));
    }
    let mut listed: Vec<String> = [Fate::Comes, Fate::Goes, Fate::Stays].into_iter().flat_map(told).collect();
    drawn.sort();
    listed.sort();
    assert_eq!(drawn, listed);
}

#[test]
fn what_goes_is_drawn_where_it_was() {
    let reach = change(&before(), &[]);
    assert!(reach.scene.nets.iter().all(|it| it.fate == Fate::Goes) && !reach.scene.nets.is_empty());
    let vpc = reach.scene.rooms.iter().find(|it| it.is_vpc).unwrap();
    assert_eq!((vpc.name.as_str(), vpc.fate), ("VPC main", Fate::Goes));
    let lanes: Vec<&str> = vpc.tiers.iter().flat_map(|it| &it.lanes).map(|it| it.name.as_str()).collect();
    assert_eq!(lanes, ["public-a", "private-a", "private-b"]);
    assert!(vpc.tiers.iter().flat_map(|it| &it.lanes).all(|it| it.fate == Fate::Goes));
}

#[test]
fn nothing_that_people_write_is_markup() {
    let evil = "</title></script><script>alert(1)</script><img src=x onerror='alert(1)' \"";
    let mut objects = network();
    objects.push(account::subnet("subnet-x", evil, "c", "10.0.7.0/24"));
    objects.extend([group("sg-x", evil), group("sg-y", "y")]);
    objects.extend(workload(evil, evil, 1, "sg-x"));
    objects.push(rule(true, "sg-x", 443, ("referenced_security_group_id", "sg-y")));
    objects.push(rule(false, "sg-y", 443, ("referenced_security_group_id", "sg-x")));
    let mut page = plan(change(&[], &objects));
    let text = || evil.to_owned();
    page.title = text();
    page.headline = text();
    page.alerts.push(text());
    page.facts.push((text(), text()));
    page.audit = Some(Audited { parts: vec![(text(), vec![text()])] });
    page.outputs.push(entry(evil, evil));
    page.deferred.push(entry(evil, evil));
    page.drift.push(Entry { sign: text(), what: text(), remarks: vec![text()], ..entry(evil, evil) });
    page.counts.push(Count { words: text(), section: "objects", class: "" });
    let (rule, severity, summary, fix) = (text(), text(), text(), text());
    let (address, attribute, skipped) = (Some(text()), Some(text()), Some(text()));
    page.checks.as_mut().unwrap().push(Check {
        rule,
        severity,
        summary,
        text: text(),
        fix,
        address,
        attribute,
        skipped,
    });
    page.reach.as_mut().unwrap().by.insert((format!("{evil}/{evil}"), "y".to_owned()), vec![text()]);
    let html = render(&page);
    assert_eq!(html.matches("<script").count(), 1, "only the page's own");
    assert_eq!(html.matches("</script").count(), 1);
    assert_eq!(html.matches("<img").count(), 0);
    assert!(html.matches("&lt;script&gt;alert(1)").count() > 15, "it is shown all the same");
    assert!(html.contains("by &lt;/title"), "rules stand with their ways");
    assert!(!html.contains("onerror='alert(1)' \"\""), "no attribute is left");
}

#[test]
fn a_page_asks_nobody_for_anything() {
    let html = render(&plan(change(&before(), &after())));
    for word in ["http://", "https://", "@import", "url(", " src=", "<base", "<iframe", "fetch(", "localStorage"] {
        let found = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(word), "{word}");
    }
    assert!(html.contains("default-src 'none'") && !html.contains("unsafe-inline"));
    assert!(!html.contains(" style=\"") && !html.contains(" onclick"), "the policy forbids both");
}

#[test]
fn what_is_alike_is_one_box() {
    let mut objects = before();
    for tenant in 0..50 {
        let (name, id) = (format!("tenant-{tenant}"), format!("sg-t{tenant}"));
        objects.push(group(&id, &name));
        objects.extend(workload(&name, "web", 2, &id));
        objects.push(rule(true, &id, 5432, ("referenced_security_group_id", "sg-db")));
        objects.push(rule(false, "sg-db", 5432, ("referenced_security_group_id", &id)));
    }
    let reach = change(&objects, &objects);
    let tenants = reach.scene.spots.iter().find(|it| it.name == "tenant-0/web and 49 more").unwrap();
    assert_eq!(tenants.actors.len(), 50);
    let nets: Vec<_> = reach.scene.nets.iter().filter(|it| it.traffic == "tcp/5432").collect();
    assert_eq!(nets.len(), 1);
    assert_eq!(reach.scene.actors_left_out, 0);
}

#[test]
fn too_much_is_counted_and_what_changes_is_kept() {
    let mut objects = before();
    let many = MOST_SPOTS * 3;
    for at in 0..many {
        let (name, id) = (format!("team-{at}"), format!("sg-t{at}"));
        objects.push(group(&id, &name));
        objects.extend(workload(&name, "web", 2, &id));
    }
    // Each reaches the next one by a port of its own, so that no two are alike.
    for at in 0..many {
        let (one, next, port) =
            (format!("sg-t{at}"), format!("sg-t{}", (at + 1) % many), 1000 + i64::try_from(at).unwrap());
        objects.push(rule(true, &one, port, ("referenced_security_group_id", &next)));
        objects.push(rule(false, &next, port, ("referenced_security_group_id", &one)));
    }
    let mut after = objects.clone();
    after.push(rule(true, "sg-api", 5432, ("referenced_security_group_id", "sg-db")));
    after.push(rule(false, "sg-db", 5432, ("referenced_security_group_id", "sg-api")));
    let scene = change(&objects, &after).scene;
    let boxes = scene.spots.iter().filter(|it| it.kind.is_some()).count();
    assert!(boxes <= MOST_SPOTS && scene.nets.len() <= MOST_NETS);
    assert_eq!(boxes + scene.actors_left_out, many + 6);
    assert!(scene.ways_left_out > 0);
    let opened = scene.nets.iter().find(|it| it.fate == Fate::Comes).unwrap();
    assert_eq!(scene.spots[opened.from[0]].name, "app/backend");
    let more = scene.spots.iter().filter(|it| it.kind.is_none());
    let counted = more.map(|it| it.name.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    assert_eq!(counted.sum::<usize>(), scene.actors_left_out);
}
