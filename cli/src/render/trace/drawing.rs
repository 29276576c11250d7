//! The way as a drawing: a box for each place, one under the other, and between them what happens there.

use std::fmt::Write as _;

use sgp_analysis::reach::{Hop, Outcome};
use unicode_width::UnicodeWidthStr as _;

use super::{Paint, shown};

/// What a drawing is made of.
struct Pen {
    top: [char; 3],
    bottom: [char; 3],
    side: char,
    /// Where a line comes into a box and goes out of it.
    into: char,
    out_of: char,
    /// The lines of the way there and of the answer.
    line: char,
    answer: char,
    /// How it ends where it does not go on.
    end: char,
    passes: &'static str,
    partly: &'static str,
    unknown: &'static str,
    stops: &'static str,
}

const UNICODE: Pen = Pen {
    top: ['╭', '─', '╮'],
    bottom: ['╰', '─', '╯'],
    side: '│',
    into: '▼',
    out_of: '┬',
    line: '│',
    answer: '┊',
    end: '╵',
    passes: "✓",
    partly: "~",
    unknown: "?",
    stops: "✗",
};

const ASCII: Pen = Pen {
    top: ['+', '-', '+'],
    bottom: ['+', '-', '+'],
    side: '|',
    into: 'v',
    out_of: '+',
    line: '|',
    answer: ':',
    end: '.',
    passes: "+",
    partly: "~",
    unknown: "?",
    stops: "x",
};

/// Columns before the boxes, and from a box's left side to the line between boxes.
const MARGIN: &str = "  ";
const INDENT: usize = 3;

/// Draws a way from one end to another one.
pub fn draw(from: &str, to: &str, hops: &[Hop], paint: Paint) -> String {
    let pen = if paint.ascii { &ASCII } else { &UNICODE };
    let mut out = String::new();
    let mut at = from.to_owned();
    station(&mut out, &at, pen, paint, true);
    let has_ended = |hop: &Hop| hop.outcome == Outcome::Stops;
    let (there, back): (Vec<&Hop>, Vec<&Hop>) = hops.iter().partition(|hop| !hop.is_answer);
    for hop in &there {
        // A place that was named before the way began is where it begins.
        if hop.at != at {
            at.clone_from(&hop.at);
            station(&mut out, &at, pen, paint, false);
        }
        out.push_str(&event(hop, pen.line, pen, paint));
    }
    if there.iter().any(|hop| has_ended(hop)) {
        let _ = writeln!(out, "{MARGIN}{}{}", " ".repeat(INDENT), pen.end);
        return out;
    }
    if at != to {
        station(&mut out, to, pen, paint, false);
    }
    answer(&mut out, &back, pen, paint);
    out
}

/// The way back, which has no boxes of its own.
fn answer(out: &mut String, hops: &[&Hop], pen: &Pen, paint: Paint) {
    if !hops.is_empty() {
        let _ = writeln!(out, "{MARGIN}{}{} {}", " ".repeat(INDENT), pen.answer, paint.dim("the answer:"));
    }
    for hop in hops {
        let told = Hop { what: format!("{}: {}", shown(&hop.at), hop.what), ..(*hop).clone() };
        out.push_str(&event(&told, pen.answer, pen, paint));
    }
    let _ = writeln!(out, "{MARGIN}{}{}", " ".repeat(INDENT), pen.end);
}

/// A place in a box. The first one has no line that leads to it.
fn station(out: &mut String, name: &str, pen: &Pen, paint: Paint, is_first: bool) {
    if out.trim_end().ends_with(pen.bottom[2]) {
        // Nothing happened in between.
        let _ = writeln!(out, "{MARGIN}{}{}", " ".repeat(INDENT), pen.line);
    }
    let lines = paint.wrap(&shown(name), MARGIN.len() + 4);
    let inner = lines.iter().map(|line| line.width()).max().unwrap_or_default().max(INDENT + 2) + 2;
    let edge = |[left, middle, right]: [char; 3], mark: Option<char>| {
        let mut edge: Vec<char> = vec![middle; inner];
        if let Some(mark) = mark {
            edge[INDENT - 1] = mark;
        }
        let edge: String = edge.into_iter().collect();
        format!("{MARGIN}{left}{edge}{right}")
    };
    let _ = writeln!(out, "{}", edge(pen.top, (!is_first).then_some(pen.into)));
    for line in lines {
        let rest = " ".repeat(inner - 2 - line.width());
        let side = pen.side;
        let _ = writeln!(out, "{MARGIN}{side} {}{rest} {side}", paint.bold(&line));
    }
    let _ = writeln!(out, "{}", edge(pen.bottom, Some(pen.out_of)));
}

/// What happens at a place, beside the line, and what decided it.
fn event(hop: &Hop, line: char, pen: &Pen, paint: Paint) -> String {
    let lead = format!("{MARGIN}{}{line} ", " ".repeat(INDENT));
    let taken = lead.width() + 2;
    let (mark, text) = match hop.outcome {
        Outcome::Passes => (paint.green(pen.passes), shown(&hop.what)),
        Outcome::Partly => {
            (paint.yellow(pen.partly), format!("{} (in some cases, or for some addresses)", shown(&hop.what)))
        }
        Outcome::Unknown => (paint.yellow(pen.unknown), shown(&hop.what)),
        Outcome::Stops => (paint.red(pen.stops), shown(&hop.what)),
    };
    let mut out = String::new();
    for (place, text) in paint.wrap(&text, taken).into_iter().enumerate() {
        let mark = if place == 0 { mark.as_str() } else { " " };
        let _ = writeln!(out, "{lead}{mark} {text}");
    }
    for by in hop.by.iter().flat_map(|by| by.split("; ")) {
        for text in paint.wrap(&shown(by), taken) {
            let _ = writeln!(out, "{lead}  {}", paint.dim(&text));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn hop(at: &str, what: &str, by: Option<&str>, outcome: Outcome, is_answer: bool) -> Hop {
        Hop { at: at.to_owned(), what: what.to_owned(), by: by.map(str::to_owned), outcome, is_answer }
    }

    fn way(last: Outcome) -> Vec<Hop> {
        let balancer = "the load balancer of ingress app/web";
        let rule = "sg-0a1b2c3d4e5f60718 ingress tcp/443 from 0.0.0.0/0 (aws_vpc_security_group_ingress_rule.front)";
        let mut hops = vec![
            hop("igw-1", "comes in from the internet", None, Outcome::Passes, false),
            hop(balancer, "its groups let the ingress pass", Some(rule), Outcome::Passes, false),
            hop(balancer, "sends tcp/443 to port 8443 of a pod", None, Outcome::Passes, false),
            hop("app/backend", "NetworkPolicies select the pod, and no rule lets this ingress pass", None, last, false),
        ];
        if last != Outcome::Stops {
            hops.push(hop(
                "subnet-1",
                "a route leads back",
                Some("rtb-1: 10.0.0.0/16 -> local"),
                Outcome::Passes,
                true,
            ));
        }
        hops
    }

    #[test]
    fn a_way_is_drawn_in_eighty_columns() {
        let paint = Paint { width: Some(80), ..Paint::plain() };
        let drawn = draw("internet", "app/backend", &way(Outcome::Partly), paint);
        assert!(drawn.lines().all(|line| line.width() <= 80), "{drawn}");
        insta::assert_snapshot!(drawn, @r"
        ╭──────────╮
        │ internet │
        ╰──┬───────╯
           │
        ╭──▼────╮
        │ igw-1 │
        ╰──┬────╯
           │ ✓ comes in from the internet
        ╭──▼───────────────────────────────────╮
        │ the load balancer of ingress app/web │
        ╰──┬───────────────────────────────────╯
           │ ✓ its groups let the ingress pass
           │   sg-0a1b2c3d4e5f60718 ingress tcp/443 from 0.0.0.0/0
           │   (aws_vpc_security_group_ingress_rule.front)
           │ ✓ sends tcp/443 to port 8443 of a pod
        ╭──▼──────────╮
        │ app/backend │
        ╰──┬──────────╯
           │ ~ NetworkPolicies select the pod, and no rule lets this ingress pass (in
           │   some cases, or for some addresses)
           ┊ the answer:
           ┊ ✓ subnet-1: a route leads back
           ┊   rtb-1: 10.0.0.0/16 -> local
           ╵
        ");
    }

    #[test]
    fn a_way_that_ends_is_drawn_to_its_end_in_ascii() {
        let paint = Paint { width: Some(60), ascii: true, ..Paint::plain() };
        let drawn = draw("internet", "app/backend", &way(Outcome::Stops), paint);
        assert!(drawn.is_ascii() && drawn.lines().all(|line| line.width() <= 80), "{drawn}");
        insta::assert_snapshot!(drawn, @r"
        +----------+
        | internet |
        +--+-------+
           |
        +--v----+
        | igw-1 |
        +--+----+
           | + comes in from the internet
        +--v-----------------------------------+
        | the load balancer of ingress app/web |
        +--+-----------------------------------+
           | + its groups let the ingress pass
           |   sg-0a1b2c3d4e5f60718 ingress tcp/443 from 0.0.0.0/0
           |   (aws_vpc_security_group_ingress_rule.front)
           | + sends tcp/443 to port 8443 of a pod
        +--v----------+
        | app/backend |
        +--+----------+
           | x NetworkPolicies select the pod, and no rule lets
           |   this ingress pass
           .
        ");
    }

    #[test]
    fn nothing_on_the_way_is_a_line_between_two_boxes() {
        insta::assert_snapshot!(draw("app/a", "app/b", &[], Paint::plain()), @r"
        ╭───────╮
        │ app/a │
        ╰──┬────╯
           │
        ╭──▼────╮
        │ app/b │
        ╰──┬────╯
           ╵
        ");
    }
}
