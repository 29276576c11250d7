//! Functions that read files, and those on their names. Paths are relative to the working directory; what is read comes
//! through [`crate::source::Files`].

use base64::Engine;
use sgp_model::{Type, Value};
use std::collections::BTreeSet;

use super::{
    digest,
    encoding::BASE64,
    spec::{Args, Fail, Function, Outcome, Param, Ty, arg_error, error, param, text},
};
use crate::source::{BUNDLED, clean, join};

const fn of_path(name: &'static str, returns: Ty, run: fn(&Args) -> Outcome) -> Function {
    const PARAMS: &[Param] = &[param("path", Ty::String)];
    Function { name, params: PARAMS, rest: None, returns, run }
}

pub(super) const TABLE: &[Function] = &[
    of_path("abspath", Ty::String, |a| Ok(text(&join(&a.cx.files.cwd(), a.str(0))))),
    of_path("basename", Ty::String, |a| Ok(text(base_name(a.str(0))))),
    of_path("dirname", Ty::String, |a| Ok(text(&dir_name(a.str(0))))),
    of_path("file", Ty::String, |a| read_text(a).map(|s| text(&s))),
    of_path("filebase64", Ty::String, |a| Ok(BASE64.encode(read(a)?).into())),
    of_path("filebase64sha256", Ty::String, |a| Ok(digest::base64_sha256(&read(a)?).into())),
    of_path("filebase64sha512", Ty::String, |a| Ok(digest::base64_sha512(&read(a)?).into())),
    of_path("fileexists", Ty::Bool, exists),
    of_path("filemd5", Ty::String, |a| Ok(digest::md5(&read(a)?).into())),
    Function {
        name: "fileset",
        params: &[param("path", Ty::String), param("pattern", Ty::String)],
        rest: None,
        returns: Ty::SetOfString,
        run: file_set,
    },
    of_path("filesha1", Ty::String, |a| Ok(digest::sha1(&read(a)?).into())),
    of_path("filesha256", Ty::String, |a| Ok(digest::sha256(&read(a)?).into())),
    of_path("filesha512", Ty::String, |a| Ok(digest::sha512(&read(a)?).into())),
    of_path("pathexpand", Ty::String, |a| expand(a).map(|s| text(&s))),
    Function {
        name: "templatefile",
        params: &[param("path", Ty::String), param("vars", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: template_file,
    },
    Function {
        name: "templatestring",
        params: &[param("template", Ty::String), param("vars", Ty::Any).unknown().marks()],
        rest: None,
        returns: Ty::Any,
        run: |a| render(a, "<templatestring argument>", a.str(0)),
    },
];

/// The path with the home directory in place of a leading `~`.
fn expand(a: &Args) -> Result<String, Fail> {
    let path = a.str(0);
    let Some(rest) = path.strip_prefix('~') else { return Ok(path.to_owned()) };
    if !(rest.is_empty() || rest.starts_with('/')) {
        return Err(error("cannot expand user-specific home dir"));
    }
    let home = a.cx.files.home().ok_or_else(|| error("the home directory is not known"))?;
    Ok(clean(&format!("{home}{rest}")))
}

fn read(a: &Args) -> Result<Vec<u8>, Fail> {
    let path = expand(a)?;
    a.cx.files.read(&path).map_err(|e| {
        arg_error(
            0,
            if e.not_found {
                format!(
                    "no file exists at {path:?}; this function works only with files that are distributed as part of \
                     the configuration source code, so if this file will be created by a resource in this \
                     configuration you must instead obtain this result from an attribute of that resource"
                )
            } else {
                format!("failed to read {path:?}: {}", e.reason)
            },
        )
    })
}

fn read_text(a: &Args) -> Result<String, Fail> {
    String::from_utf8(read(a)?).map_err(|_| {
        arg_error(
            0,
            format!(
                "contents of {:?} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded \
                 contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead",
                a.str(0)
            ),
        )
    })
}

fn exists(a: &Args) -> Outcome {
    let path = match expand(a)? {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    };
    if a.cx.files.is_file(&path) {
        return Ok(true.into());
    }
    if a.cx.files.list(&path).is_ok() {
        return Err(error(format!("{path:?} is a directory, not a file")));
    }
    Ok(false.into())
}

fn base_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => {
            if path.is_empty() {
                "."
            } else {
                "/"
            }
        }
        Some(last) => last,
    }
}

fn dir_name(path: &str) -> String {
    match path.rfind('/') {
        None => ".".into(),
        Some(slash) => clean(&path[..=slash]),
    }
}

/// Files below the path that match a pattern of `*`, `**`, `?`, `[...]` and `{a,b}`, as paths relative to it.
fn file_set(a: &Args) -> Outcome {
    let (root, pattern) = (a.str(0).to_owned(), clean(a.str(1)));
    let glob = globset::GlobBuilder::new(&pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build();
    let matcher =
        glob.map_err(|e| error(format!("failed to glob pattern {:?}: {}", a.str(1), e.kind())))?.compile_matcher();
    // Only a pattern that climbs looks outside of the root.
    let climbs = pattern.split('/').take_while(|part| *part == "..").count();
    let mut found = BTreeSet::new();
    let start = "../".repeat(climbs);
    let depth = if pattern.contains("**") { DEPTH_LIMIT } else { pattern.split('/').count() - climbs };
    collect(a, &root, start.trim_end_matches('/'), depth, &mut |path| {
        if matcher.is_match(path) {
            found.insert(text(path));
        }
    });
    Ok(Value::set(Type::String, found))
}

/// Deeper than any source tree; a loop of symbolic links ends here.
const DEPTH_LIMIT: usize = 64;

fn collect(a: &Args, root: &str, below: &str, depth: usize, visit: &mut dyn FnMut(&str)) {
    let dir = match (root.starts_with(BUNDLED), below) {
        (_, "") => root.to_owned(),
        _ => join(root, below),
    };
    // A directory that cannot be read holds nothing that matches.
    for entry in a.cx.files.list(&dir).unwrap_or_default() {
        let path = if below.is_empty() { entry.name } else { format!("{below}/{}", entry.name) };
        if !entry.is_dir {
            visit(&path);
        } else if depth > 1 {
            collect(a, root, &path, depth - 1, visit);
        }
    }
}

fn template_file(a: &Args) -> Outcome {
    let source = read_text(a)?;
    render(a, a.str(0), &source)
}

fn render(a: &Args, name: &str, template: &str) -> Outcome {
    let vars = a.value(1);
    if !vars.is_known() {
        return Ok(Value::unknown(Type::Dynamic).mark(vars.marks()));
    }
    let Some(fields) = vars.as_fields() else { return Err(arg_error(1, "invalid vars value: must be a map")) };
    if let Some(bad) = fields.keys().find(|k| !is_identifier(k)) {
        return Err(arg_error(
            1,
            format!(
                "invalid template variable name {bad:?}: must start with a letter, followed by zero or more letters, \
                 digits, and underscores"
            ),
        ));
    }
    let rendered = (a.cx.render_template)(name, template, fields).map_err(error)?;
    Ok(rendered.mark(vars.marks()))
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
