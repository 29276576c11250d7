//! Where everything in a picture lies, in pixels.
//!
//! Boxes stand in rows, one below the other, so that a wire leaves its box to the right without touching another one. Right of all
//! boxes wires run up and down in tracks, as on a circuit board: what leads to one box with the same traffic is one wire, and a dot
//! is where somebody joins it. Subnets are lanes below the rows, side by side by zone.

use super::{
    scene::{Band, Frame, Lane, Net, Room, Scene, Spot, Tier},
    text::{fitted, width},
    ways::Fate,
};

/// The size of names.
pub const NAME: i32 = 13;
/// The size of everything else.
pub const SMALL: i32 = 11;

const LANE: i32 = 236;
const MAIN: i32 = 640;
const PAD: i32 = 10;
const GAP: i32 = 10;
const LINE: i32 = 16;
const PORT: i32 = 18;
const TRACK: i32 = 13;
const BAND: i32 = 46;
const MOST_LABEL: i32 = 210;
const ARROW: i32 = 9;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// The left edge.
    pub x: i32,
    /// The upper edge.
    pub y: i32,
    /// How wide it is.
    pub w: i32,
    /// How high it is.
    pub h: i32,
}

impl Rect {
    /// The right edge.
    pub fn right(&self) -> i32 {
        self.x + self.w
    }

    /// The lower edge.
    pub fn bottom(&self) -> i32 {
        self.y + self.h
    }
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An outermost box.
    Room,
    /// An outermost box that is a VPC.
    Vpc,
    /// A subnet.
    Lane,
    /// A cluster.
    Cluster,
    /// What nets end at.
    Spot(usize),
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Where it begins.
    pub x: i32,
    /// Its base line.
    pub y: i32,
    /// Its size.
    pub size: i32,
    /// What is drawn.
    pub shown: String,
    /// All of it, where it was shortened.
    pub whole: Option<String>,
}

impl Text {
    fn new(x: i32, y: i32, size: i32, text: &str, room: i32) -> Self {
        let shown = fitted(text, size, room).into_owned();
        let whole = (shown != text).then(|| text.to_owned());
        Self { x, y, size, shown, whole }
    }
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Where it lies.
    pub rect: Rect,
    /// What it is.
    pub role: Role,
    /// The box around it: a place in [`Drawing::shapes`].
    pub parent: Option<usize>,
    /// What is written in it.
    pub texts: Vec<Text>,
}

/// A net, drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// Where it leaves boxes: the points on their edges.
    pub starts: Vec<(i32, i32)>,
    /// Where it runs up and down.
    pub track: i32,
    /// The point of its arrow, on the edge of its box.
    pub end: (i32, i32),
    /// What passes, above its end.
    pub label: Text,
}

/// A picture with sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    /// How wide it is.
    pub width: i32,
    /// How high it is.
    pub height: i32,
    /// Boxes; one comes after the box around it.
    pub shapes: Vec<Shape>,
    /// Wires, in the order of [`Scene::nets`].
    pub wires: Vec<Wire>,
}

/// Lays a scene out.
pub fn lay(scene: &Scene) -> Drawing {
    let ports = Ports::of(scene);
    let mut board = Board { scene, ports: &ports, shapes: Vec::new(), at: vec![None; scene.spots.len()], y: 1 };
    let main = main_width(scene);
    for room in &scene.rooms {
        board.room(room, main);
    }
    let Board { shapes, at, y, .. } = board;
    let (wires, right) = wires(scene, &ports, &shapes, &at, main + 1);
    Drawing { width: right + PAD, height: y, shapes, wires }
}

fn main_width(scene: &Scene) -> i32 {
    let lanes = scene.rooms.iter().flat_map(|it| &it.tiers).map(|it| it.lanes.len()).max().unwrap_or(0);
    let lanes = i32::try_from(lanes).unwrap_or(0);
    MAIN.max(lanes * LANE + (lanes - 1).max(0) * GAP + 2 * PAD)
}

/// The sign of a net beside its traffic, so that colour is not needed to tell.
pub fn label(net: &Net) -> String {
    let loud = if net.is_loud { " from everywhere" } else { "" };
    let may = if net.may { " (may)" } else { "" };
    format!("{}{}{loud}{may}", net.fate.sign(), net.traffic)
}

// --- ports ------------------------------------------------------------------------------------------------------------

/// Where wires leave and reach boxes, counted from above.
struct Ports {
    /// Of each spot, the nets that end there; one port each.
    ends: Vec<Vec<usize>>,
    /// Of each spot, the kinds of nets that begin there: one port for what becomes the same.
    starts: Vec<Vec<u8>>,
}

impl Ports {
    fn of(scene: &Scene) -> Self {
        let mut ports = Self { ends: vec![Vec::new(); scene.spots.len()], starts: vec![Vec::new(); scene.spots.len()] };
        for (number, net) in scene.nets.iter().enumerate() {
            ports.ends[net.to].push(number);
            for from in &net.from {
                if !ports.starts[*from].contains(&kind(net)) {
                    ports.starts[*from].push(kind(net));
                }
            }
        }
        for starts in &mut ports.starts {
            starts.sort_unstable();
        }
        ports
    }

    fn count(&self, spot: usize) -> usize {
        self.ends[spot].len() + self.starts[spot].len()
    }

    /// How high a box must be.
    fn height(&self, spot: usize) -> i32 {
        (i32::try_from(self.count(spot)).unwrap_or(0) * PORT + 8).max(BAND)
    }

    fn end(&self, net: usize, spot: usize) -> i32 {
        let place = self.ends[spot].iter().position(|it| *it == net).unwrap_or(0);
        i32::try_from(place).unwrap_or(0) * PORT + PORT
    }

    fn start(&self, net: &Net, spot: usize) -> i32 {
        let place = self.starts[spot].iter().position(|it| *it == kind(net)).unwrap_or(0);
        i32::try_from(self.ends[spot].len() + place).unwrap_or(0) * PORT + PORT
    }
}

fn kind(net: &Net) -> u8 {
    match (net.is_loud, net.fate) {
        (true, _) => 0,
        (_, Fate::Comes) => 1,
        (_, Fate::Goes) => 2,
        (_, Fate::Stays) => 3,
    }
}

// --- boxes ------------------------------------------------------------------------------------------------------------

struct Board<'a> {
    scene: &'a Scene,
    ports: &'a Ports,
    shapes: Vec<Shape>,
    /// The shape of each spot.
    at: Vec<Option<usize>>,
    y: i32,
}

impl Board<'_> {
    fn push(&mut self, rect: Rect, role: Role, parent: Option<usize>, texts: Vec<Text>) -> usize {
        self.shapes.push(Shape { rect, role, parent, texts });
        self.shapes.len() - 1
    }

    fn room(&mut self, room: &Room, main: i32) {
        let top = self.y;
        let inside = main - 2 * PAD;
        let mut texts = vec![Text::new(PAD + 1, top + 20, NAME, &signed(room.fate, &room.name), inside)];
        let used = width(&texts[0].shown, NAME) + 2 * PAD;
        if room.detail.is_empty() || used + width(&room.detail, SMALL) <= inside {
            texts.extend(
                (!room.detail.is_empty()).then(|| Text::new(1 + used, top + 20, SMALL, &room.detail, inside - used)),
            );
            self.y = top + 30;
        } else {
            texts.push(Text::new(PAD + 1, top + 20 + LINE, SMALL, &room.detail, inside));
            self.y = top + 30 + LINE;
        }
        let role = if room.is_vpc { Role::Vpc } else { Role::Room };
        let own = self.push(Rect { x: 1, y: top, w: main, h: 0 }, role, None, texts);
        for tier in &room.tiers {
            self.tier(tier, own, Rect { x: 1 + PAD, y: self.y, w: inside, h: 0 });
        }
        self.shapes[own].rect.h = self.y - top;
        self.y += GAP;
    }

    /// Lanes first, then what lies across them; a lane is as high as all of that.
    fn tier(&mut self, tier: &Tier, parent: usize, area: Rect) {
        let top = self.y;
        if let Some(name) = &tier.name {
            let text = Text::new(area.x, top + 12, SMALL, name, area.w);
            self.shapes[parent].texts.push(text);
            self.y = top + 20;
        }
        let xs = lane_edges(tier.lanes.len(), area);
        let lanes: Vec<usize> =
            tier.lanes.iter().zip(&xs).map(|(lane, (x, right))| self.lane(lane, parent, *x, *right, top)).collect();
        if !tier.lanes.is_empty() {
            let lines = tier.lanes.iter().map(|it| it.detail.len()).max().unwrap_or(0);
            self.y = top + 22 + i32::try_from(lines).unwrap_or(0) * LINE + 4;
        }
        for frame in &tier.frames {
            self.frame(frame, parent, &xs, area);
        }
        let bottom = self.y;
        for lane in lanes {
            self.shapes[lane].rect.h = bottom - top;
        }
        self.y = bottom + GAP;
    }

    fn lane(&mut self, lane: &Lane, parent: usize, x: i32, right: i32, top: i32) -> usize {
        let room = right - x - 2 * PAD;
        let mut texts = vec![Text::new(x + PAD, top + 18, SMALL, &signed(lane.fate, &lane.name), room)];
        for (number, line) in (1..).zip(&lane.detail) {
            texts.push(Text::new(x + PAD, top + 18 + number * LINE, SMALL, line, room));
        }
        self.push(Rect { x, y: top, w: right - x, h: 0 }, Role::Lane, Some(parent), texts)
    }

    fn frame(&mut self, frame: &Frame, parent: usize, lanes: &[(i32, i32)], area: Rect) {
        let Some(name) = &frame.name else {
            for band in &frame.bands {
                self.band(band, parent, lanes, 1);
            }
            return;
        };
        let top = self.y;
        let (x, w) = (area.x + PAD, area.w - 2 * PAD);
        let mut texts = vec![Text::new(x + PAD, top + 18, NAME, &signed(frame.fate, name), w - 2 * PAD)];
        self.y = top + 28;
        if let Some(note) = &frame.note {
            texts.push(Text::new(x + PAD, top + 18 + LINE, SMALL, note, w - 2 * PAD));
            self.y += LINE;
        }
        let own = self.push(Rect { x, y: top, w, h: 0 }, Role::Cluster, Some(parent), texts);
        for band in &frame.bands {
            self.band(band, own, lanes, 2);
        }
        self.shapes[own].rect.h = self.y - top;
        self.y += GAP;
    }

    /// `depth` boxes are around it between its lanes' edges and its own.
    fn band(&mut self, band: &Band, parent: usize, lanes: &[(i32, i32)], depth: i32) {
        let top = self.y;
        let inset = depth * PAD;
        let (x, right) = match (lanes.get(band.lanes.0), lanes.get(band.lanes.1)) {
            (Some(first), Some(last)) => (first.0 + inset, last.1 - inset),
            _ => (lanes[0].0 + inset, lanes[0].1 - inset),
        };
        let spot = &self.scene.spots[band.spot];
        let texts = band_texts(spot, x + PAD, top, right - x - 2 * PAD);
        let own = self.push(Rect { x, y: top, w: right - x, h: 0 }, Role::Spot(band.spot), Some(parent), texts);
        self.at[band.spot] = Some(own);
        self.y = top + self.ports.height(band.spot);
        for inner in &band.inner {
            self.band(inner, own, lanes, depth + 1);
        }
        self.shapes[own].rect.h = self.y - top;
        self.y += GAP;
    }
}

fn signed(fate: Fate, name: &str) -> String {
    format!("{}{name}", fate.sign())
}

fn band_texts(spot: &Spot, x: i32, top: i32, room: i32) -> Vec<Text> {
    let name = Text::new(x, top + 20, NAME, &signed(spot.fate, &spot.name), room);
    vec![name, Text::new(x, top + 20 + LINE, SMALL, &spot.detail, room)]
}

/// The left and right edges of lanes that share an area; without lanes it is one.
fn lane_edges(count: usize, area: Rect) -> Vec<(i32, i32)> {
    let count = i32::try_from(count).unwrap_or(1).max(1);
    let each = (area.w - (count - 1) * GAP) / count;
    (0..count)
        .map(|it| {
            let x = area.x + it * (each + GAP);
            (x, if it == count - 1 { area.right() } else { x + each })
        })
        .collect()
}

// --- wires ------------------------------------------------------------------------------------------------------------

/// Wires, and how far right they reach.
fn wires(scene: &Scene, ports: &Ports, shapes: &[Shape], at: &[Option<usize>], left: i32) -> (Vec<Wire>, i32) {
    let labels: Vec<String> = scene.nets.iter().map(label).collect();
    let label_width = labels.iter().map(|it| width(it, SMALL)).max().unwrap_or(0).min(MOST_LABEL);
    let first_track = left + ARROW + label_width + 2 * PAD;
    let rect = |spot: usize| at[spot].map(|it| shapes[it].rect).unwrap_or_default();
    let port = |spot: usize, y: i32| (rect(spot).right(), rect(spot).y + y);
    let mut all: Vec<Wire> = Vec::new();
    for (number, net) in scene.nets.iter().enumerate() {
        let end = port(net.to, ports.end(number, net.to));
        let starts: Vec<(i32, i32)> = net.from.iter().map(|from| port(*from, ports.start(net, *from))).collect();
        let label = Text::new(left + ARROW + PAD, end.1 - 4, SMALL, &labels[number], label_width);
        all.push(Wire { starts, track: 0, end, label });
    }
    let tracks = choose_tracks(&all);
    let mut right = first_track;
    for (wire, track) in all.iter_mut().zip(tracks) {
        wire.track = first_track + i32::try_from(track).unwrap_or(0) * TRACK;
        right = right.max(wire.track);
    }
    (all, right)
}

/// From which height to which a wire runs up and down.
pub fn span(wire: &Wire) -> (i32, i32) {
    let heights = || wire.starts.iter().map(|it| it.1).chain([wire.end.1]);
    (heights().min().unwrap_or(0), heights().max().unwrap_or(0))
}

/// A track for each wire, the short ones nearest to the boxes; no two lie on each other.
fn choose_tracks(wires: &[Wire]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wires.len()).collect();
    order.sort_by_key(|it| {
        let (top, bottom) = span(&wires[*it]);
        (bottom - top, top, *it)
    });
    let mut tracks: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut chosen = vec![0; wires.len()];
    for wire in order {
        let (top, bottom) = span(&wires[wire]);
        let is_free = |taken: &Vec<(i32, i32)>| taken.iter().all(|(from, to)| bottom + 4 < *from || to + 4 < top);
        let track = tracks.iter().position(is_free).unwrap_or(tracks.len());
        if track == tracks.len() {
            tracks.push(Vec::new());
        }
        tracks[track].push((top, bottom));
        chosen[wire] = track;
    }
    chosen
}

#[cfg(test)]
mod tests;
