#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use regex::Regex;

use super::*;

fn formatted(text: &str) -> String {
    format(text).unwrap_or_else(|d| panic!("{}: {}\n{text}", d.summary, d.detail))
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let once = formatted(text);
    assert_eq!(once, expected);
    assert_eq!(formatted(&once), once, "a second time changes something");
}

/// A file in canonical form with a bit of everything.
const CANONICAL: &str = include_str!("tests/canonical.tf");
/// The same file as people type it.
const UNTIDY: &str = include_str!("tests/untidy.tf");

#[test]
fn an_untidy_file_becomes_tidy() {
    check(UNTIDY, CANONICAL);
    check(CANONICAL, CANONICAL);
}

#[test]
fn operators_and_brackets() {
    for (text, expected) in [
        ("x=a?-b:- c", "x = a ? -b : -c"),
        ("x=[-1,- 2,a%-1]", "x = [-1, -2, a % -1]"),
        ("x=a == - b", "x = a == -b"),
        ("x=1 -2", "x = 1 - 2"),
        ("x=a-b", "x = a-b"),
        ("x=! a&&!( b)||c", "x = !a && !(b) || c"),
        ("x=(a)[0].b [ 1 ] . c", "x = (a)[0].b[1].c"),
        ("x=f(a) [0]", "x = f(a)[0]"),
        ("x=a . * . b [*] . c", "x = a.*.b[*].c"),
        ("x=core::upper (a ,b ...)", "x = core::upper(a, b...)"),
        ("x={a=1,\"b\":2}", "x = { a = 1, \"b\" : 2 }"),
        ("x=[for k,v in {a=1}:k if v!=null]", "x = [for k, v in { a = 1 } : k if v != null]"),
        ("x=[for v in [1]:v]", "x = [for v in [1] : v]"),
        ("x={for k,v in m:k=>v...}", "x = { for k, v in m : k => v... }"),
        ("x=\"a${ b }c${~ d ~}%{ if e }f%{ endif }\"", "x = \"a${b}c${~d~}%{if e}f%{endif}\""),
        ("x=\"-${ {a=1} }\"", "x = \"-${ { a = 1 } }\""),
        ("x=\"$${ a }%%{ b }\\\"${ c }\"", "x = \"$${ a }%%{ b }\\\"${c}\""),
        ("a{}\nb \"c\"   {\n}\nd{ e=1 }", "a {}\nb \"c\" {\n}\nd { e = 1 }"),
        ("x=f(\n)\ny=[ ]\nz={ }", "x = f(\n)\ny = []\nz = {}"),
        ("x=1.5e-3 *2", "x = 1.5e-3 * 2"),
        ("", ""),
        ("\u{feff}a=1", "a = 1"),
        ("a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"),
        ("x=f (a)[ 0 ].b\ny=a.b [ * ]", "x = f(a)[0].b\ny = a.b[*]"),
        ("x=foo :: bar(y ...)\nz=[for k,v in[1]:v]", "x = foo::bar(y...)\nz = [for k, v in [1] : v]"),
        ("x={for k,v in y:k=>- v}\nz=\"${-1}\"+-a", "x = { for k, v in y : k => - v }\nz = \"${- 1}\" + -a"),
        ("a=1/* b */+/* c */-/* d */2", "a = 1 /* b */ + /* c */ - /* d */ 2"),
    ] {
        check(text, expected);
    }
}

#[test]
fn lines_that_open_brackets_indent_those_that_follow() {
    check(
        "a={\nb=[{\nc=1\n},{\nd=2\n}]\ne=f({\ng=1\n})\nh=(i?\nj:\nk)\n}\n",
        "a = {\n  b = [{\n    c = 1\n    }, {\n    d = 2\n  }]\n  e = f({\n    g = 1\n  })\n  h = (i ?\n    j :\n  k)\n}\n",
    );
    check("a=[\n[ 1,\n2 ], [\n3 ] ]\n", "a = [\n  [1,\n    2], [\n3]]\n");
}

#[test]
fn neighbours_are_aligned() {
    check(
        "a=1 # x\nbbb=22 // y\n# alone\ncc=[ # z\n1, # q\n]\n\ndddd=1\ne=2/* r */\n",
        "a   = 1  # x\nbbb = 22 // y\n# alone\ncc = [ # z\n  1,   # q\n]\n\ndddd = 1\ne    = 2 /* r */\n",
    );
    check("b=\"日本\" # c\nlonger=1 # d\n", "b      = \"日本\" # c\nlonger = 1    # d\n");
}

#[test]
fn heredocs_are_left_alone_but_for_their_sequences() {
    check(
        "a=<<EOT\n  x   ${ y  }\n   EOT\nlonger=<<-E\n    q\n   E\nb=f(<<EOT\nx\nEOT\n,1)\n",
        "a      = <<EOT\n  x   ${y}\n   EOT\nlonger = <<-E\n    q\n   E\nb = f(<<EOT\nx\nEOT\n, 1)\n",
    );
    // Spaces after the marker stay, and so do those in the text.
    check("a=<<EOT\r\n\tx ${ b } \r\n  EOT  \r\nbb=1\r\n", "a  = <<EOT\r\n\tx ${b} \r\n  EOT  \r\nbb = 1\r\n");
    check("a=[<<E\n$${ x } ${ y }\nE\n,2]\n", "a = [<<E\n$${ x } ${y}\nE\n, 2]\n");
    // A sequence over several lines closes a bracket more than the line opened.
    check("a {\nx=<<EOT\n y ${\n b\n } c\nEOT\nz=1\n}\n", "a {\n  x = <<EOT\n y ${\n  b\n} c\nEOT\nz = 1\n}\n");
}

#[test]
fn comments_of_all_kinds() {
    check("#a\n//b\n/*c*/d=1\n", "#a\n//b\n/*c*/ d = 1\n");
    check(
        "a{\n#b\n  c=1#d\n\n\t/* e\n f */\nlong=2   //g\n}\n",
        "a {\n  #b\n  c = 1 #d\n\n  /* e\n f */\n  long = 2 //g\n}\n",
    );
    // A comment in asterisks is at the end of a line only at the end of the file.
    check("a=1/*x*/\nbb=22/*y*/", "a  = 1 /*x*/\nbb = 22 /*y*/");
    check("a=1#x\nbb=22/*y*/", "a  = 1  #x\nbb = 22 /*y*/");
    check("a=/* b */1\nc /* d */=2\n", "a         = /* b */ 1\nc /* d */ = 2\n");
    check("x=[#a\n1#b\n,22#c\n]\n", "x = [  #a\n  1    #b\n  , 22 #c\n]\n");
}

#[test]
fn the_end_of_the_file_stays_as_it_is() {
    for (text, expected) in [
        ("a=1  ", "a = 1  "),
        ("a=1\n\t ", "a = 1\n  "),
        ("  ", "  "),
        ("\n\n", "\n\n"),
        ("a{\n}", "a {\n}"),
        ("# x", "# x"),
    ] {
        check(text, expected);
    }
    assert_eq!(formatted("\u{feff}"), "   ", "the reference counts bytes, and a byte order mark has three");
}

#[test]
fn blank_lines_stay() {
    check("\n\na {\n\n\nb=1\n  \n\nc=2\n\n}\n\n\n", "\n\na {\n\n\n  b = 1\n\n\n  c = 2\n\n}\n\n\n");
}

#[test]
fn legacy_syntax_is_brought_up_to_date() {
    check(
        "variable a {\ntype=\"string\"\ndefault=\"${b}\"\n}\nvariable \"c\" {\ntype=\"list\"\n}\n",
        "variable \"a\" {\n  type    = string\n  default = b\n}\nvariable \"c\" {\n  type = list(string)\n}\n",
    );
    check(
        "c=[\"${d}\"]\ne=\"${f}${g}\"\nh=\"%{if i}%{endif}\"\n",
        "c = [\"${d}\"]\ne = \"${f}${g}\"\nh = \"%{if i}%{endif}\"\n",
    );
    check("a=\"${f(\nb\n)}\"\n", "a = (f(\n  b\n))\n");
    check("a=\"${(\nb\n)}\"\n", "a = (\n  b\n)\n");
    check("a=\"${\n  b\n}\" # c\n", "a = b # c\n");
    check("a=\"${<<E\nx\nE\n}\"\n", "a = <<E\nx\nE\n");
    check("a=\"${b # c\n}\"\n", "a = b # c\n\n");
    check("a=\"${ b[\"${c}\"] }\"\n", "a = b[\"${c}\"]\n");
    check("a=\"${~ b ~}\"\n", "a = b\n");
    // One layer at a time.
    assert_eq!(formatted("a=\"${\"${b}\"}\"\n"), "a = \"${b}\"\n");
}

#[test]
fn types_of_variables_say_what_is_in_them() {
    for (text, expected) in [
        ("list", "list(any)"),
        ("map", "map(any)"),
        ("set", "set(any)"),
        ("\"map\"", "map(string)"),
        ("\"set\"", "\"set\""),
        ("\"number\"", "\"number\""),
        ("string", "string"),
        ("list(map)", "list(map)"),
        ("\"${list}\"", "\"${list}\""),
    ] {
        check(
            &format!("variable \"a\" {{\ntype={text}\n}}\n"),
            &format!("variable \"a\" {{\n  type = {expected}\n}}\n"),
        );
    }
    // Only there.
    check(
        "output \"a\" {\ntype=list\n}\nvariable \"b\" {\nc {\ntype=list\n}\n}\n",
        "output \"a\" {\n  type = list\n}\nvariable \"b\" {\n  c {\n    type = list\n  }\n}\n",
    );
}

#[test]
fn labels_stand_between_quotes() {
    for (text, expected) in [
        ("a b c {}", "a \"b\" \"c\" {}"),
        ("a /* x */ \"b\" /* y */ c /* z */ {}", "a \"b\" \"c\" /* z */ {}"),
        ("a /* z */ {}", "a /* z */ {}"),
        ("a \"\" {}", "a \"\" {}"),
        ("a \"\u{200d}\u{a0}é\" {}", "a \"\\u200d\\u00a0é\" {}"),
        ("a \"b\\u0063\\n\\\"\" {}", "a \"bc\\n\\\"\" {}"),
        // The reference takes such labels away.
        ("a \"$b%c$${\" {}", "a \"$b%c$${\" {}"),
    ] {
        check(text, expected);
    }
}

#[test]
fn syntax_errors_are_told_with_their_place() {
    let error = format_file(&Arc::from("main.tf"), "a = [1,\nb = 2\n").unwrap_err();
    assert_eq!(error.span.map(|s| s.file.to_string()).as_deref(), Some("main.tf"));
}

/// The syntax tree without places.
fn tree(text: &str) -> String {
    let (body, diagnostics) = syntax::parse_body(&Arc::from("t"), text);
    assert!(!diagnostics.has_errors());
    let span = Regex::new(r#"Span \{\s*file: "t",\s*range: \d+\.\.\d+,?\s*\}"#).unwrap();
    span.replace_all(&format!("{body:?}"), "_").into_owned()
}

#[test]
fn formatting_keeps_the_meaning() {
    // Without the lines that are legacy syntax, which become another tree.
    let text: String = UNTIDY.split_inclusive('\n').filter(|l| !l.contains("legacy")).collect();
    assert_eq!(tree(&text), tree(&formatted(&text)));
}

/// The canonical file with other spaces wherever there are some, and before each line.
fn untidied(spaces: &[usize]) -> String {
    let mut numbers = spaces.iter().copied().cycle();
    let mut tokens = tokens::scan(CANONICAL);
    let mut end = 0;
    for token in &mut tokens {
        let before = &CANONICAL[end..token.at];
        let line_start = CANONICAL[..end].ends_with('\n') || end == 0;
        let free = !matches!(token.kind, Kind::HeredocLit | Kind::CloseHeredoc | Kind::Newline);
        token.spaces = match numbers.next() {
            Some(n) if free && line_start => n,
            Some(n) if free && !before.is_empty() => n + 1,
            _ => before.len(),
        };
        end = token.at + token.text.len();
    }
    tokens.iter().map(|t| " ".repeat(t.spaces) + &t.text).collect()
}

proptest! {
    #[test]
    fn spaces_do_not_matter(spaces in prop::collection::vec(0usize..5, 1..80)) {
        prop_assert_eq!(formatted(&untidied(&spaces)), CANONICAL);
    }

    #[test]
    fn any_text_is_formatted_or_refused_and_then_stays(text in "[a-b =\\[\\]{}()\"$%~.,:?!<>\n#/*E-]{0,40}") {
        if let Ok(once) = format(&text) {
            prop_assert_eq!(format(&once).map_err(|d| d.detail), Ok(once));
        }
    }

    #[test]
    fn tokens_are_the_text(text in "\\PC{0,60}") {
        let joined: String = tokens::scan(&text).iter().map(|t| t.text.as_ref()).collect();
        let bare = |s: &str| s.replace([' ', '\t'], "");
        prop_assert_eq!(bare(&joined), bare(&text));
    }
}
