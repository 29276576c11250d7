//! A picture as SVG.

use maud::{Markup, html};
use sgp_analysis::reach::PartyKind;

use super::{
    layout::{Drawing, NAME, Role, Shape, Text, Wire, label, span},
    scene::{Net, Scene, Spot},
    ways::Fate,
};

/// Draws.
pub fn draw(scene: &Scene, drawing: &Drawing) -> Markup {
    let size = format!("0 0 {} {}", drawing.width, drawing.height);
    html! {
        svg #drawing role="img" aria-labelledby="drawing-title drawing-text" viewBox=(size) width=(drawing.width) height=(drawing.height) {
            title #drawing-title { (title(scene)) }
            desc #drawing-text { "The lists below say the same in words." }
            @for shape in &drawing.shapes { (boxed(scene, shape)) }
            @for (net, wire) in scene.nets.iter().zip(&drawing.wires) { (wired(scene, net, wire)) }
        }
    }
}

fn title(scene: &Scene) -> String {
    let boxes = scene.spots.iter().filter(|it| it.kind.is_some()).count();
    let ways = scene.nets.len();
    let what = if scene.is_change { "Who reaches whom, and what of it changes" } else { "Who reaches whom" };
    format!("{what}: {boxes} boxes, {ways} wires.")
}

fn boxed(scene: &Scene, shape: &Shape) -> Markup {
    match shape.role {
        Role::Spot(number) => {
            let spot = &scene.spots[number];
            let class = format!("spot {} {}", kind_class(spot.kind), fate_class(spot.fate));
            let number = spot.kind.map(|_| number);
            html! {
                g class=(class) data-spot=[number] aria-label=(described(scene, spot, number)) { (rect(shape)) (texts(shape)) }
            }
        }
        Role::Room => html! { g class="room" { (rect(shape)) (texts(shape)) } },
        Role::Vpc => html! { g class="room vpc" { (rect(shape)) (texts(shape)) } },
        Role::Lane => html! { g class="lane" { (rect(shape)) (texts(shape)) } },
        Role::Cluster => html! { g class="cluster" { (rect(shape)) (texts(shape)) } },
    }
}

/// For whoever does not see it.
fn described(scene: &Scene, spot: &Spot, number: Option<usize>) -> String {
    let mut parts = vec![format!("{}: {}", spot.name, spot.detail)];
    match spot.fate {
        Fate::Comes => parts.push("new".to_owned()),
        Fate::Goes => parts.push("goes".to_owned()),
        Fate::Stays => {}
    }
    if let Some(number) = number {
        let begins = scene.nets.iter().filter(|it| it.from.contains(&number)).count();
        let ends = scene.nets.iter().filter(|it| it.to == number).count();
        parts.push(format!("{begins} out, {ends} in"));
    }
    parts.join("; ")
}

fn kind_class(kind: Option<PartyKind>) -> &'static str {
    match kind {
        None => "more",
        Some(PartyKind::Anywhere) => "any",
        Some(PartyKind::Block) => "block",
        Some(PartyKind::Pods) => "pods",
        Some(PartyKind::Nodes) => "nodes",
        Some(PartyKind::ControlPlane) => "control",
        Some(PartyKind::Group) => "group",
    }
}

/// How what comes, goes and stays is told apart in the style sheet.
pub fn fate_class(fate: Fate) -> &'static str {
    match fate {
        Fate::Comes => "comes",
        Fate::Goes => "goes",
        Fate::Stays => "stays",
    }
}

fn rect(shape: &Shape) -> Markup {
    let it = shape.rect;
    let radius = if matches!(shape.role, Role::Spot(_)) { 5 } else { 8 };
    html! { rect x=(it.x) y=(it.y) width=(it.w) height=(it.h) rx=(radius) {} }
}

fn texts(shape: &Shape) -> Markup {
    html! { @for it in &shape.texts { (text(it, if it.size == NAME { "name" } else { "small" })) } }
}

fn text(it: &Text, class: &str) -> Markup {
    html! {
        @if !it.shown.is_empty() {
            text class=(class) x=(it.x) y=(it.y) { (it.shown) @if let Some(whole) = &it.whole { title { (whole) } } }
        }
    }
}

fn wired(scene: &Scene, net: &Net, wire: &Wire) -> Markup {
    let loud = if net.is_loud { " loud" } else { "" };
    let may = if net.may { " may" } else { "" };
    let class = format!("net {}{loud}{may}", fate_class(net.fate));
    let from = net.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let path = path(wire);
    let names = net.from.iter().map(|it| scene.spots[*it].name.as_str()).collect::<Vec<_>>().join(", ");
    html! {
        g class=(class) data-from=(from) data-to=(net.to) {
            title { (names) " \u{2192} " (scene.spots[net.to].name) ": " (label(net)) }
            path class="halo" d=(path) {}
            path class="wire" d=(path) {}
            path class="arrow" d=(arrow(wire)) {}
            @for start in &wire.starts { circle cx=(wire.track) cy=(start.1) r="3" {} }
            (text(&wire.label, "label"))
        }
    }
}

fn path(wire: &Wire) -> String {
    let (top, bottom) = span(wire);
    let mut path = format!("M{} {}V{}", wire.track, top, bottom);
    for (x, y) in &wire.starts {
        path.push_str(&format!("M{x} {y}H{}", wire.track));
    }
    path.push_str(&format!("M{} {}H{}", wire.track, wire.end.1, wire.end.0 + 6));
    path
}

fn arrow(wire: &Wire) -> String {
    let (x, y) = wire.end;
    format!("M{x} {y}l9 -5v10z")
}
