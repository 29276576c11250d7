//! Who reaches whom: the picture, and the same in words.

use std::collections::BTreeMap;

use maud::{Markup, html};
use sgp_model::symbol::readable;

use crate::picture::{
    layout,
    scene::{Scene, World},
    svg,
    ways::{Fate, Way, Ways},
};

/// No more lines than this in a list beside those that are not folded.
const MOST_LINES: usize = 2_000;
/// What a list has beyond so many lines begins folded.
const MOST_OPEN: usize = 40;

/// What a page says of reachability.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// What passes.
    pub ways: Ways,
    /// The picture.
    pub scene: Scene,
    /// By which rules something passes, by the names of who begins and who answers.
    pub by: BTreeMap<(String, String), Vec<String>>,
}

impl Reach {
    /// Reachability in a world.
    pub fn of(world: &World<'_>, ways: Ways) -> Self {
        let scene = Scene::of(world, &ways);
        Self { ways, scene, by: BTreeMap::new() }
    }

    /// How much opens, and how much closes.
    pub fn counts(&self) -> (usize, usize) {
        let count = |fate: Fate| self.ways.ways.iter().filter(|it| it.fate == fate).count();
        (count(Fate::Comes), count(Fate::Goes))
    }

    /// How much opens to every address.
    pub fn loud(&self) -> usize {
        self.ways.ways.iter().filter(|it| it.is_loud).count()
    }

    /// The section's content.
    pub(crate) fn show(&self) -> Markup {
        if self.ways.ways.is_empty() && self.scene.spots.is_empty() {
            return html! { p { "Nothing here has a security group or a network." } };
        }
        let (changing, staying): (Vec<&Way>, Vec<&Way>) = self.ways.ways.iter().partition(|it| it.fate != Fate::Stays);
        let stays = if self.ways.is_change { "What stays as it is" } else { "In words" };
        html! {
            @if self.ways.is_change {
                h3 { "What changes" }
                @if changing.is_empty() { p { "Nothing opens and nothing closes." } }
                (self.list(&changing))
            }
            (self.picture())
            @if !(staying.is_empty() && self.ways.is_change) { h3 { (stays) } }
            @if staying.is_empty() && !self.ways.is_change { p { "Nothing passes." } }
            @else if staying.is_empty() {}
            @else if self.ways.is_change {
                details class="fold" data-fold {
                    summary { (counted(staying.len(), "way")) }
                    (self.list(&staying))
                }
            }
            @else { (self.list(&staying)) }
        }
    }

    fn picture(&self) -> Markup {
        let drawing = layout::lay(&self.scene);
        let left_out = self.scene.actors_left_out;
        html! {
            h3 id="picture" { "Picture" }
            figure {
                (self.legend())
                div class="canvas" tabindex="0" role="region" aria-label="Picture, scrolls sideways" { (svg::draw(&self.scene, &drawing)) }
                figcaption {
                    "A wire leads from who begins to who answers; a dot is where somebody joins it. Boxes lie across the subnets that they may be in."
                    @if left_out > 0 { " The picture shows what matters most: " (counted(left_out, "more party")) " and " (counted(self.scene.ways_left_out, "way")) " are in the lists alone." }
                    @else if self.scene.ways_left_out > 0 { " " (counted(self.scene.ways_left_out, "way")) " more are in the lists alone." }
                }
            }
            p id="picked" class="picked" role="status" hidden {}
        }
    }

    fn legend(&self) -> Markup {
        let key = |class: &str, words: &str| {
            html! {
                li { svg class="key" width="34" height="12" aria-hidden="true" { g class=(format!("net {class}")) { path class="wire" d="M0 6H26" {} path class="arrow" d="M34 6l-9 -5v10z" {} } } " " (words) }
            }
        };
        let nets = &self.scene.nets;
        html! {
            ul class="legend" aria-label="What the wires mean" {
                @if nets.iter().any(|it| it.is_loud) { (key("comes loud", "+ opens to every address")) }
                @if nets.iter().any(|it| it.fate == Fate::Comes && !it.is_loud) { (key("comes", "+ opens")) }
                @if nets.iter().any(|it| it.fate == Fate::Goes) { (key("goes", "\u{2212} closes")) }
                @if nets.iter().any(|it| it.fate == Fate::Stays) { (key("stays", if self.ways.is_change { "stays" } else { "passes" })) }
                @if nets.iter().any(|it| it.may) { (key("stays may", "(may): depends on what is not known")) }
            }
        }
    }

    fn list(&self, ways: &[&Way]) -> Markup {
        let mut spots: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, spot) in self.scene.spots.iter().enumerate() {
            spots.extend(spot.actors.iter().map(|actor| (*actor, number)));
        }
        let (open, folded) = ways.split_at(ways.len().min(MOST_OPEN));
        let folded = &folded[..folded.len().min(MOST_LINES)];
        let lines = |ways: &[&Way]| html! { ul class="ways" { @for way in ways { (self.line(way, &spots)) } } };
        html! {
            @if !open.is_empty() { (lines(open)) }
            @if !folded.is_empty() {
                details class="fold" data-fold {
                    summary { "and " (folded.len()) " more" }
                    (lines(folded))
                }
            }
            @if ways.len() > open.len() + folded.len() {
                p { (ways.len() - open.len() - folded.len()) " more are not on this page: sgp audit -format csv and sgp show -json PLAN have all of them." }
            }
        }
    }

    fn line(&self, way: &Way, spots: &BTreeMap<usize, usize>) -> Markup {
        let (from, to) = (self.ways.name(way.from), self.ways.name(way.to));
        let (sign, word) = match way.fate {
            Fate::Comes => ("+", "opens"),
            Fate::Goes => ("\u{2212}", "closes"),
            Fate::Stays => ("", ""),
        };
        let class = format!("way {}{}", svg::fate_class(way.fate), if way.is_loud { " loud" } else { "" });
        let rules = self.by.get(&(from.clone(), to.clone()));
        html! {
            li class=(class) data-item data-from=[spots.get(&way.from)] data-to=[spots.get(&way.to)] {
                @if !sign.is_empty() { span class="sign" aria-hidden="true" { (sign) } " " span class="badge" { (word) } " " }
                span class="end" { (from) } span class="to" aria-label="to" role="img" { " \u{2192} " } span class="end" { (to) } " "
                code { (way.traffic) }
                @if way.may { " (may)" }
                @if way.is_loud { " " strong { "to every address" } }
                @if let Some(rules) = rules { ul class="by" { @for rule in rules { li { "by " (readable(rule)) } } } }
            }
        }
    }
}

/// `1 way`, `3 ways`.
fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if noun.ends_with("ty") => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}
