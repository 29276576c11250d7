//! Files that are parsed before somebody asks for them, on all processors: those of a folder, and of the modules it calls.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use sgp_model::Diagnostics;

use super::{Loader, Role, is_config_file};
use crate::{
    module_source::ModuleSource,
    source::join,
    syntax::{self, Body},
};

/// Less text is parsed sooner than a thread has started.
const WORTH_A_THREAD: usize = 64 * 1024;

/// A file that was read.
struct Text {
    path: Arc<str>,
    json: bool,
    content: String,
}

/// A file that was parsed.
pub(super) struct Parsed {
    pub(super) path: Arc<str>,
    pub(super) text: String,
    pub(super) body: Body,
    pub(super) diagnostics: Diagnostics,
}

impl Text {
    fn parse(&self) -> (Body, Diagnostics) {
        let parse = if self.json { syntax::json::parse_body } else { syntax::parse_body };
        parse(&self.path, &self.content)
    }
}

impl Loader<'_> {
    /// Parses files of a folder. What cannot be read is left to whoever asks for it, who tells why.
    pub(super) fn parse_ahead(&mut self, dir: &str, names: &[String]) {
        let texts = names.iter().filter_map(|name| self.text(dir, name)).collect();
        self.parse(texts);
    }

    /// Parses the files of the modules that these bodies call and that are not read yet.
    pub(super) fn parse_called(&mut self, dir: &str, bodies: &[Body]) {
        let sources =
            bodies.iter().flat_map(|body| body.blocks_of("module")).filter_map(|block| block.body.attr("source"));
        let called: BTreeSet<String> = sources
            .filter_map(|source| {
                let source = source.expr.as_literal_str()?;
                match ModuleSource::parse(source).ok()? {
                    ModuleSource::Local(path) => Some(join(dir, &path)),
                    ModuleSource::Bundled(_) => Some(source.to_owned()),
                    _ => None,
                }
            })
            .filter(|dir| !self.modules.contains_key(dir) && !self.open.contains(dir))
            .collect();
        let mut texts = Vec::new();
        for dir in called {
            let entries = self.files.list(&dir).unwrap_or_default();
            let names = entries.into_iter().filter(|e| !e.is_dir && is_config_file(&e.name));
            texts.extend(names.filter_map(|entry| self.text(&dir, &entry.name)));
        }
        self.parse(texts);
    }

    fn text(&self, dir: &str, name: &str) -> Option<Text> {
        let path = join(dir, name);
        if self.ahead.contains_key(&*path) {
            return None;
        }
        let content = String::from_utf8(self.files.read(&path).ok()?).ok()?;
        Some(Text { path: path.into(), json: Role::of(name)?.json, content })
    }

    fn parse(&mut self, texts: Vec<Text>) {
        let bytes: usize = texts.iter().map(|text| text.content.len()).sum();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(texts.len());
        let parsed = if threads < 2 || bytes < WORTH_A_THREAD {
            texts.iter().map(Text::parse).collect()
        } else {
            on_threads(&texts, threads)
        };
        for (text, (body, diagnostics)) in texts.into_iter().zip(parsed) {
            let Text { path, content, .. } = text;
            self.ahead.insert(path.clone(), Parsed { path, text: content, body, diagnostics });
        }
    }
}

/// What each of the texts came to, in their order.
fn on_threads(texts: &[Text], threads: usize) -> Vec<(Body, Diagnostics)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || {
            let at = next.fetch_add(1, Ordering::Relaxed);
            texts.get(at).map(|text| (at, text.parse()))
        };
        std::iter::from_fn(take).collect::<Vec<_>>()
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = |handle: thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        handles.into_iter().flat_map(joined).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, parsed)| parsed).collect()
}
