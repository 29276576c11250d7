//! Whatever the scene: boxes lie in their boxes and beside each other, texts fit, wires touch only what they join.

use proptest::prelude::*;

use super::*;
use crate::picture::ways::Fate;

/// A shape of a scene: for each room its tiers, as the number of lanes and, for each frame, whether it is a cluster and its bands, as
/// two lanes and the number of bands inside.
type Plan = Vec<Vec<(usize, Vec<(bool, Vec<(usize, usize, usize)>)>)>>;

fn plans() -> impl Strategy<Value = Plan> {
    let band = (0_usize..9, 0_usize..9, 0_usize..4);
    let frame = (any::<bool>(), prop::collection::vec(band, 0..4));
    let tier = (0_usize..9, prop::collection::vec(frame, 0..3));
    prop::collection::vec(prop::collection::vec(tier, 0..3), 0..3)
}

fn scene(plan: &Plan, names: &[String], nets: &[(Vec<usize>, usize, u8, bool)]) -> Scene {
    let name = |at: usize| names.get(at % names.len().max(1)).cloned().unwrap_or_default();
    let mut spots: Vec<Spot> = Vec::new();
    let mut spot = |lanes: (usize, usize), inner: Vec<Band>| {
        let fate = [Fate::Comes, Fate::Goes, Fate::Stays][spots.len() % 3];
        let (title, detail) = (name(spots.len()), name(spots.len() + 1));
        spots.push(Spot { name: title, detail, kind: None, fate, actors: Vec::new() });
        Band { spot: spots.len() - 1, lanes, inner }
    };
    let mut rooms = Vec::new();
    for (number, tiers) in plan.iter().enumerate() {
        let mut made = Vec::new();
        for (lanes, frames) in tiers {
            let last = lanes.max(&1) - 1;
            let mut all = Vec::new();
            for (is_cluster, bands) in frames {
                let mut own = Vec::new();
                for (first, end, inner) in bands {
                    let (first, end) = (*first.min(end).min(&last), *end.max(first).min(&last));
                    let inside = (0..*inner).map(|_| spot((first, end), Vec::new())).collect();
                    own.push(spot((first, end), inside));
                }
                all.push(Frame {
                    name: is_cluster.then(|| name(1)),
                    fate: Fate::Stays,
                    note: is_cluster.then(|| name(2)),
                    bands: own,
                });
            }
            let lane = |at: usize| Lane { name: name(at), detail: vec![name(at + 2), name(at + 3)], fate: Fate::Comes };
            made.push(Tier { name: Some(name(4)), lanes: (0..*lanes).map(lane).collect(), frames: all });
        }
        let is_vpc = number % 2 == 0;
        rooms.push(Room { name: name(number), detail: name(number + 5), fate: Fate::Stays, is_vpc, tiers: made });
    }
    let count = spots.len();
    let net = |(from, to, fate, may): &(Vec<usize>, usize, u8, bool)| {
        let mut from: Vec<usize> = from.iter().map(|it| it % count).collect();
        from.sort_unstable();
        from.dedup();
        let fate = [Fate::Comes, Fate::Goes, Fate::Stays][usize::from(*fate) % 3];
        Net { from, to: to % count, traffic: name(*to), fate, may: *may, is_loud: *may && fate == Fate::Comes }
    };
    let nets = if count == 0 { Vec::new() } else { nets.iter().map(net).collect() };
    Scene { spots, rooms, nets, ..Scene::default() }
}

fn is_inside(inner: Rect, outer: Rect) -> bool {
    inner.x >= outer.x && inner.y >= outer.y && inner.right() <= outer.right() && inner.bottom() <= outer.bottom()
}

fn meet(one: Rect, other: Rect) -> bool {
    one.x < other.right() && other.x < one.right() && one.y < other.bottom() && other.y < one.bottom()
}

proptest! {
    #[test]
    fn boxes_lie_in_their_boxes_and_beside_each_other(
        plan in plans(),
        names in prop::collection::vec("\\PC{0,40}", 1..8),
        nets in prop::collection::vec((prop::collection::vec(0_usize..99, 1..5), 0_usize..99, 0_u8..3, any::<bool>()), 0..25),
    ) {
        let scene = scene(&plan, &names, &nets);
        let drawing = lay(&scene);
        let whole = Rect { x: 0, y: 0, w: drawing.width, h: drawing.height };
        for (number, shape) in drawing.shapes.iter().enumerate() {
            prop_assert!(shape.rect.w > 0 && shape.rect.h > 0, "{shape:?}");
            prop_assert!(is_inside(shape.rect, shape.parent.map_or(whole, |it| drawing.shapes[it].rect)), "{shape:?}");
            prop_assert!(shape.parent.is_none_or(|it| it < number));
            for text in &shape.texts {
                let (w, size) = (width(&text.shown, text.size), text.size);
                let around = Rect { x: text.x, y: text.y - size, w, h: size };
                prop_assert!(text.shown.is_empty() || is_inside(around, shape.rect), "{text:?} in {:?}", shape.rect);
            }
            // Lanes lie below what is across them.
            let is_lane = shape.role == Role::Lane;
            for other in &drawing.shapes[..number] {
                let is_beside = other.parent == shape.parent && (other.role == Role::Lane) == is_lane;
                prop_assert!(!(is_beside && meet(shape.rect, other.rect)), "{shape:?} meets {other:?}");
            }
        }
        let spots = drawing.shapes.iter().filter(|it| matches!(it.role, Role::Spot(_))).count();
        prop_assert_eq!(spots, scene.spots.len());
    }

    #[test]
    fn wires_touch_only_what_they_join(
        plan in plans(),
        names in prop::collection::vec("\\PC{0,40}", 1..8),
        nets in prop::collection::vec((prop::collection::vec(0_usize..99, 1..5), 0_usize..99, 0_u8..3, any::<bool>()), 0..25),
    ) {
        let scene = scene(&plan, &names, &nets);
        let drawing = lay(&scene);
        let rect = |spot: usize| drawing.shapes.iter().find(|it| it.role == Role::Spot(spot)).map(|it| it.rect).unwrap();
        let boxes: Vec<(usize, Rect)> = (0..scene.spots.len()).map(|it| (it, rect(it))).collect();
        let rights = drawing.shapes.iter().map(|it| it.rect.right()).max().unwrap_or(0);
        for (net, wire) in scene.nets.iter().zip(&drawing.wires) {
            prop_assert!(wire.track > rights && wire.track < drawing.width);
            let label = wire.label.x + width(&wire.label.shown, wire.label.size);
            prop_assert!(wire.label.x > rights && label < wire.track, "{:?}", wire.label);
            for (spot, (x, y)) in net.from.iter().zip(&wire.starts).chain([(&net.to, &wire.end)]) {
                let own = rect(*spot);
                prop_assert!(*x == own.right() && *y > own.y && *y < own.bottom());
                // On its way to the right it leaves the boxes around it, and meets no other one.
                let way = Rect { x: *x, y: *y, w: wire.track - x, h: 1 };
                for (_, other) in boxes.iter().filter(|(other, it)| other != spot && !is_inside(own, *it)) {
                    prop_assert!(!meet(way, *other), "{way:?} meets {other:?}");
                }
            }
        }
        for (number, one) in drawing.wires.iter().enumerate() {
            for other in &drawing.wires[..number] {
                let ((top, bottom), (its_top, its_bottom)) = (span(one), span(other));
                let apart = bottom < its_top || its_bottom < top;
                prop_assert!(one.track != other.track || apart, "two wires lie on each other");
                prop_assert!(one.end != other.end, "two arrows have one point");
            }
        }
    }
}

#[test]
fn nothing_takes_no_room() {
    let drawing = lay(&Scene::default());
    assert!(drawing.shapes.is_empty() && drawing.wires.is_empty() && drawing.height < 10);
}
