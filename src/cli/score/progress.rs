//! What a run says of itself: a bar on a terminal while it goes on, a line at its end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, HumanFloatCount, ProgressBar, ProgressStyle};

use crate::score::run::tally::{Counter, Tally};

/// A bar over all inputs. Hidden where standard error is no terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Comments that an earlier run scored.
    rows_before: u64,
    /// Bytes of the inputs that are done.
    bytes_before: u64,
}

impl Progress {
    /// Over inputs of any kind: with the share that is read and the time that is left where all have a size.
    pub(super) fn new(files: &[PathBuf], rows_before: u64, is_quiet: bool) -> Self {
        let size = |path: &PathBuf| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|file| file.len());
        let sizes: Option<u64> = files.iter().map(size).sum();
        let (bar, template) = match sizes.filter(|size| *size > 0) {
            _ if is_quiet => (ProgressBar::hidden(), ""),
            Some(size) => (ProgressBar::new(size), "{bar:24} {percent}%, {msg}, {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, started: Instant::now(), rows_before, bytes_before: 0 }
    }

    /// So much of an input is read, and so much is counted.
    pub(super) fn update(&self, bytes: u64, counter: &Counter) {
        if self.bar.is_hidden() {
            return;
        }
        let rate = self.rate(counter.rows());
        let [rows, uncivil] = [counter.rows(), counter.uncivil()].map(HumanCount);
        if self.bar.length().is_some() {
            self.bar.set_position(self.bytes_before + bytes);
        } else {
            self.bar.tick();
        }
        self.bar.set_message(format!("{rows} comments, {rate}/s, {uncivil} uncivil"));
    }

    /// An input of this many bytes is done.
    pub(super) fn next_input(&mut self, bytes: u64) {
        self.bytes_before += bytes;
    }

    /// The bar, for whoever else writes to the terminal.
    pub(super) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Comments a second of this run.
    fn rate(&self, rows: u64) -> HumanFloatCount {
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        HumanFloatCount((rows.saturating_sub(self.rows_before) as f64 / seconds).round())
    }

    /// The line at the end.
    pub(super) fn summary(&self, tally: &Tally) -> String {
        let rate = self.rate(tally.rows);
        let [rows, uncivil, unscored] = [tally.rows, tally.uncivil, tally.unscored()].map(HumanCount);
        let took = self.started.elapsed();
        // Shorter runs say nothing about speed.
        let speed = if took > Duration::from_secs(1) {
            format!(" in {} ({rate}/s)", HumanDuration(took))
        } else {
            String::new()
        };
        format!("{rows} comments{speed}: {uncivil} uncivil, {unscored} without scores")
    }
}
