use super::check;

#[rustfmt::skip]
pub(super) const ROWS: &[(&str, &str)] = &[
    (r#"upper("a","b")"#, r#"error: Function "upper" expects only 1 argument(s)."#),
    (r#"substr("abc",1.5,1)"#, r#"error: Call to function "substr" failed: value must be a whole number, between -9223372036854775808 and 9223372036854775807."#),
    (r#"substr("abc",1e30,1)"#, r#"error: Call to function "substr" failed: value must be a whole number, between -9223372036854775808 and 9223372036854775807."#),
    ("upper(null)", r#"error: Invalid value for "str" parameter: argument must not be null."#),
    (r#"join(",",["a",sensitive("b")])"#, "(sensitive value)"),
    (r#"chomp("a\r\n\n\r")"#, r#""a""#),
    (r#"indent(2,"a\nb\n\nc")"#, r#""a\n  b\n  \n  c""#),
    (r#"indent(-1,"a\nb")"#, r#"error: Invalid value for "spaces" parameter: must not be negative."#),
    (r#"title("hello wOrld foo-bar o'neil éa ǆx")"#, r#""Hello WOrld Foo-Bar O'Neil Éa ǅx""#),
    (r#"upper("BAﬄE ß ǆ ᾳ ŉ")"#, r#""BAﬄE ß Ǆ ᾼ ŉ""#),
    (r#"lower("İΣΑΣ ǅ")"#, r#""iσασ ǆ""#),
    (r#"strrev("añ👨‍👩‍👧b")"#, r#""b👨‍👩‍👧ña""#),
    (r#"substr("añ👨‍👩‍👧b",1,2)"#, r#""ñ👨‍👩‍👧""#),
    (r#"substr("abc",-2,1)"#, r#""b""#),
    (r#"substr("abc",1,-1)"#, r#""bc""#),
    (r#"substr("abc",5,1)"#, r#""""#),
    (r#"substr("abc",0,0)"#, r#""""#),
    (r#"substr("abc",-5,2)"#, r#""ab""#),
    (r#"substr("abc",0,-2)"#, r#""abc""#),
    (r#"substr("abc",1,100)"#, r#""bc""#),
    (r#"split(",","a,b,")"#, r#"tolist(["a", "b", ""])"#),
    (r#"split("","abé")"#, r#"tolist(["a", "b", "é"])"#),
    (r#"split(",","")"#, r#"tolist([""])"#),
    (r#"split("","")"#, "tolist([])"),
    (r#"join(",",[])"#, r#""""#),
    (r#"join(",")"#, r#"error: Call to function "join" failed: at least one list is required."#),
    (r#"join(",",null)"#, r#"error: Invalid value for "lists" parameter: argument must not be null."#),
    (r#"join(",",["a",null])"#, r#"error: Invalid value for "lists" parameter: element 1 is null; cannot concatenate null values."#),
    (r#"join(",",toset(["b","a"]),["c"])"#, r#""a,b,c""#),
    (r#"trim("?!hello?!","!?")"#, r#""hello""#),
    (r#"trim("abc","")"#, r#""abc""#),
    (r#"trimprefix("foofoobar","foo")"#, r#""foobar""#),
    (r#"trimsuffix("barfoofoo","foo")"#, r#""barfoo""#),
    (r#"trimspace(" \u00a0\u0085a \u3000")"#, r#""a""#),
    (r#"replace("hello","l","L")"#, r#""heLLo""#),
    (r#"replace("hello","/l+/","<$0>")"#, r#""he<ll>o""#),
    (r#"replace("hello","/(?P<x>l)(l)/","$x-${2}$3-$1a")"#, r#""hel-2-o""#),
    (r#"replace("hello","/[/","x")"#, r#"error: Call to function "replace" failed: invalid regexp pattern: unclosed character class."#),
    (r#"replace("a/b","/","-")"#, r#""a-b""#),
    (r#"replace("abc","","-")"#, r#""-a-b-c-""#),
    (r#"replace("aaa","//","-")"#, r#""-a-a-a-""#),
    (r#"replace("abc","/","")"#, r#""abc""#),
    (r#"startswith("abc","")"#, "true"),
    (r#"endswith("abc","bc")"#, "true"),
    (r#"strcontains("abc","b")"#, "true"),
    (r#"indent(2,"a\n\nb")"#, r#""a\n  \n  b""#),
    (r#"join(",",1)"#, r#"error: Invalid value for "lists" parameter: list of string required."#),
];

#[rustfmt::skip]
pub(super) const PATTERN_ROWS: &[(&str, &str)] = &[
    (r#"regex("[a-z]+","53453453.345345aaabbbccc23454")"#, r#""aaabbbccc""#),
    (r#"regex("(\\d\\d\\d\\d)-(\\d\\d)","2019-02")"#, r#"["2019", "02"]"#),
    (r#"regex("(?P<year>\\d+)-(?P<m>x)?","2019-")"#, r#"{"m" = tostring(null), "year" = "2019"}"#),
    (r#"regex("a","b")"#, r#"error: Call to function "regex" failed: pattern did not match any part of the given string."#),
    (r#"regex("(a","b")"#, r#"error: Invalid value for "pattern" parameter: invalid regexp pattern: unclosed group."#),
    (r#"regex("(?P<a>x)(y)","xy")"#, r#"error: Invalid value for "pattern" parameter: invalid regexp pattern: cannot mix both named and unnamed capture groups."#),
    (r#"regex("(?:https?://)?([^/?]+)","https://ab.c/d")"#, r#"["ab.c"]"#),
    (r#"regex("[[]a","x[a")"#, r#""[a""#),
    (r#"regex("a{,2}","a{,2}")"#, r#""a{,2}""#),
    (r#"regex("[a&&b]+","a&b")"#, r#""a&b""#),
    (r#"regex("\\Qa.b\\E+","a.bb")"#, r#""a.bb""#),
    (r#"regex("\\pL+","1é")"#, r#""é""#),
    (r#"regex("\\p{Greek}","α")"#, r#""α""#),
    (r#"regex("\\w+","é1a_")"#, r#""1a_""#),
    (r#"regex("\\s","\u00a0 ")"#, r#"" ""#),
    (r#"regex("[\\d\\s]+","a1 2")"#, r#""1 2""#),
    (r#"regex("[^\\D]+","a12")"#, r#""12""#),
    (r#"regex("[[:alpha:]]+","1ab")"#, r#""ab""#),
    (r#"regex("(?i)AB","xab")"#, r#""ab""#),
    (r#"regex("x*","aaa")"#, r#""""#),
    (r#"regex("a\\/b","a/b")"#, r#""a/b""#),
    (r#"regex("\\<a","<a")"#, r#""<a""#),
    (r#"regex("(?U)a+","aaa")"#, r#""a""#),
    (r#"regex("\\C","a")"#, r#"error: Invalid value for "pattern" parameter: invalid regexp pattern: unrecognized escape sequence."#),
    (r#"regex("a(?=b)","ab")"#, r#"error: Invalid value for "pattern" parameter: invalid regexp pattern: look-around, including look-ahead and look-behind, is not supported."#),
    (r#"regex("(a)|(b)","b")"#, r#"[tostring(null), "b"]"#),
    (r#"regexall("a","aXaa")"#, r#"tolist(["a", "a", "a"])"#),
    (r#"regexall("(a)(b)?","abaa")"#, r#"tolist([["a", "b"], ["a", tostring(null)], ["a", tostring(null)]])"#),
    (r#"regexall("(?P<k>a)","ba")"#, r#"tolist([{"k" = "a"}])"#),
    (r#"regexall("z","a")"#, "tolist([])"),
    (r#"regexall("a*","baac")"#, r#"tolist(["", "aa", ""])"#),
];

#[test]
fn rows() {
    check(ROWS);
}

#[test]
fn pattern_rows() {
    check(PATTERN_ROWS);
}
