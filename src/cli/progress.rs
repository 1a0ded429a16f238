//! How far a study has come, on standard error and only where somebody looks at it.

use crate::cli::interrupt;
use crate::study::Watch;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// Follows a study.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar for so many replications of all variants together.
    pub fn new(total: u64, quiet: bool) -> Progress {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template(
                "{bar:40} {human_pos}/{human_len} replications, {per_sec}, {eta} left",
            );
            ProgressBar::new(total).with_style(style.expect("the template is well-formed"))
        });
        Progress { bar }
    }
}

impl Watch for Progress {
    fn finished(&self, done: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
