//! Why a pod has its groups, or has not, as people read it.

use std::fmt::Write as _;

use sgp_analysis::explain::{Explanation, State};
use sgp_model::symbol::readable;

use super::paint::Paint;

/// The steps up to the one that failed, what to do about that, and the answer.
pub fn render(told: &Explanation, paint: Paint) -> String {
    let mut out = format!("{}\n\n", paint.bold(&told.of));
    for step in &told.steps {
        let mark = match step.state {
            State::Fine => paint.green("✓"),
            State::Told => "·".to_owned(),
            State::Failed => paint.red("✗"),
        };
        let _ = writeln!(out, "  {mark} {}", readable(&step.what));
        for line in step.remedy.iter().flat_map(|remedy| paint.wrap(remedy, 4)) {
            let _ = writeln!(out, "    {line}");
        }
    }
    let verdict = readable(&told.verdict);
    let _ = writeln!(out, "\n{}", if told.has_failed() { paint.red(&verdict) } else { paint.green(&verdict) });
    out
}
