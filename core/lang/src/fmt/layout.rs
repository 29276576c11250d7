//! How many spaces stand before each token.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::tokens::{Kind, Token};

/// A line as the cells that are aligned with those of its neighbours: what is first, an argument's value with its equals
/// sign, a comment at the end. A heredoc belongs to the line that opens it, as far as no sequence in it breaks the line.
struct Line {
    lead: Range<usize>,
    assign: Range<usize>,
    comment: Range<usize>,
}

pub(super) fn arrange(tokens: &mut [Token]) {
    let lines = lines(tokens);
    for line in &lines {
        space(tokens, line.lead.start..line.assign.end);
    }
    indent(tokens, &lines);
    // The equals signs first, because they move the comments.
    align(tokens, &lines, |line| &line.assign);
    align(tokens, &lines, |line| &line.comment);
}

fn lines(tokens: &[Token]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (i, token) in tokens.iter().enumerate() {
        if token.ends_line() || i + 1 == tokens.len() {
            lines.push(cells(tokens, start..i + 1));
            start = i + 1;
        }
    }
    lines
}

fn cells(tokens: &[Token], all: Range<usize>) -> Line {
    let trailing = all.len() > 1 && tokens[all.end - 1].kind == Kind::Comment;
    let comment = if trailing { all.end - 1..all.end } else { all.end..all.end };
    let equals = (all.start + 1..comment.start).find(|i| tokens[*i].kind == Kind::Equal);
    // A value that goes on in the next line moves no other.
    let complete = |from: usize| tokens[from..comment.start].iter().map(Token::brackets).sum::<isize>() == 0;
    let assign = equals.filter(|i| complete(*i)).unwrap_or(comment.start);
    Line { lead: all.start..assign, assign: assign..comment.start, comment }
}

fn space(tokens: &mut [Token], line: Range<usize>) {
    for i in line.clone().skip(1) {
        let before = (i - 1 > line.start).then(|| &tokens[i - 2]);
        let wanted = space_between(before, &tokens[i - 1], &tokens[i]);
        tokens[i].spaces = usize::from(wanted);
    }
}

/// Whether a space stands between two tokens; `before` is the one before both, on the same line.
#[expect(clippy::match_same_arms, reason = "the first rule that fits counts")]
fn space_between(before: Option<&Token>, left: &Token, right: &Token) -> bool {
    use Kind as K;
    match (left.kind, right.kind) {
        (_, K::Newline | K::Comma | K::Ellipsis | K::Dot)
        | (K::Ident, K::OpenParen | K::DoubleColon)
        | (K::DoubleColon, K::Ident)
        | (K::Dot, _) => false,
        (K::Comma, _) => true,
        // Text is never touched.
        (K::QuotedLit | K::HeredocLit | K::OpenQuote | K::OpenHeredoc, _)
        | (_, K::QuotedLit | K::HeredocLit | K::CloseQuote | K::CloseHeredoc) => false,
        // `in` is no name that an index could follow, in `for x in [...]`.
        (K::Ident, _) if left.text == "in" && before.is_some_and(|t| t.kind == K::Ident) => true,
        (K::Ident | K::Number, K::OpenBracket) => false,
        (_, K::OpenBracket) if left.brackets() < 0 => false,
        (K::Bang, _) => false,
        (K::Minus, _) => before.is_some_and(ends_operand),
        (K::OpenBrace, K::CloseBrace) => false,
        (K::OpenBrace, _)
        | (_, K::CloseBrace)
        | (K::OpenSequence, K::OpenBrace)
        | (K::CloseBrace, K::CloseSequence) => true,
        (K::CloseSequence, K::OpenSequence) => false,
        _ => left.brackets() <= 0 && right.brackets() >= 0,
    }
}

/// Whether a minus after this token is a subtraction rather than a sign.
fn ends_operand(token: &Token) -> bool {
    !matches!(
        token.kind,
        Kind::OpenParen
            | Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::Equal
            | Kind::Colon
            | Kind::Comma
            | Kind::Question
            | Kind::Operator
            | Kind::Minus
            | Kind::Bang
    )
}

/// Two spaces for each line that opened more brackets than it closed, until as many are closed again.
fn indent(tokens: &mut [Token], lines: &[Line]) {
    let mut opened: Vec<isize> = Vec::new();
    for line in lines {
        let first = line.lead.start;
        if tokens[first].kind == Kind::Newline {
            tokens[first].spaces = 0;
            continue;
        }
        let mut net = net_brackets(&tokens[line.lead.clone()]) + net_brackets(&tokens[line.assign.clone()]);
        let deeper = net > 0;
        let depth = opened.len();
        while net < 0 {
            let Some(last) = opened.last_mut() else { break };
            if *last + net > 0 {
                *last += net;
                net = 0;
            } else {
                net += *last;
                opened.pop();
            }
        }
        tokens[first].spaces = 2 * if deeper { depth } else { opened.len() };
        if deeper {
            opened.push(net);
        }
    }
}

/// Brackets up to the heredoc that begins here. One that breaks its line within a sequence closes more than it opened
/// then, and what follows stands further left: a known weakness of the reference, and part of what it gives.
fn net_brackets(tokens: &[Token]) -> isize {
    tokens.iter().take_while(|t| t.kind != Kind::OpenHeredoc).map(Token::brackets).sum()
}

/// Puts one cell of consecutive lines that have it into one column.
fn align(tokens: &mut [Token], lines: &[Line], cell: fn(&Line) -> &Range<usize>) {
    let mut chain: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        let cell = cell(line);
        if cell.is_empty() {
            close_chain(tokens, &mut chain);
        } else {
            chain.push((cell.start, columns(&tokens[line.lead.start..cell.start])));
        }
    }
    close_chain(tokens, &mut chain);
}

fn close_chain(tokens: &mut [Token], chain: &mut Vec<(usize, usize)>) {
    let widest = chain.iter().map(|(_, columns)| *columns).max().unwrap_or(0);
    for (first, columns) in chain.drain(..) {
        tokens[first].spaces = widest - columns + 1;
    }
}

/// Characters as people see them.
fn columns(tokens: &[Token]) -> usize {
    tokens.iter().map(|t| t.spaces + t.text.graphemes(true).count()).sum()
}
