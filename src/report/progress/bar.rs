//! The bar and the oldest running tasks below it, drawn by `indicatif`.
//!
//! Its own timers and limits are not used: the caller draws when a drawing is due, and hiding is cheap when nothing is
//! on the screen, so that output in quick succession does not redraw the bar each time.

use super::super::plain::{clock_face, harmless, shortened};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::{self, Debug, Formatter, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The width taken where none is known.
const USUAL_WIDTH: u16 = 80;
/// Faster than the caller ever draws, so that no drawing is held back.
const DRAWINGS_PER_SECOND: u8 = 255;

/// The terminal on which a bar is drawn.
pub struct BarPlace {
    target: ProgressDrawTarget,
    width: Box<dyn Fn() -> Option<u16> + Send>,
}

impl BarPlace {
    /// Our standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self {
            target: ProgressDrawTarget::stderr_with_hz(DRAWINGS_PER_SECOND),
            width: Box::new(|| {
                let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok()?;
                (size.ws_col > 0).then_some(size.ws_col)
            }),
        }
    }

    /// Another one, such as a test's; `width` is asked before each drawing.
    #[must_use]
    pub fn new(target: ProgressDrawTarget, width: Box<dyn Fn() -> Option<u16> + Send>) -> Self {
        Self { target, width }
    }
}

impl Debug for BarPlace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarPlace").finish_non_exhaustive()
    }
}

/// What the bar's own line says.
pub(crate) struct Counts {
    pub(crate) total: Option<u64>,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) running: usize,
    pub(crate) eta: Option<Duration>,
    pub(crate) paused: bool,
}

pub(crate) struct Bar {
    bar: ProgressBar,
    width: Box<dyn Fn() -> Option<u16> + Send>,
    text: Arc<Mutex<String>>,
    with_length: ProgressStyle,
    without_length: ProgressStyle,
    hidden: ProgressStyle,
    visible: bool,
}

impl Bar {
    pub(crate) fn new(place: BarPlace) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let style = |template: &str| {
            let text = Arc::clone(&text);
            ProgressStyle::with_template(template)
                .expect("the template is ours")
                .progress_chars("=> ")
                .with_key("text", move |_: &ProgressState, out: &mut dyn Write| {
                    // A terminal that cannot be written to shows no bar, which is no trouble.
                    let _written =
                        out.write_str(&text.lock().unwrap_or_else(PoisonError::into_inner));
                })
        };
        Self {
            with_length: style("[{bar:24}] {text}"),
            without_length: style("{text}"),
            hidden: ProgressStyle::with_template("").expect("nothing is a template"),
            bar: ProgressBar::with_draw_target(None, place.target),
            width: place.width,
            text,
            visible: false,
        }
    }

    /// Draws the bar, and below it each of `oldest`: how long it has run, and its name.
    pub(crate) fn draw<'a>(
        &mut self,
        counts: &Counts,
        oldest: impl Iterator<Item = (Duration, &'a str)>,
    ) {
        // One column stays free, because some terminals wrap when the last one is written.
        let width = usize::from((self.width)().unwrap_or(USUAL_WIDTH)).saturating_sub(1);
        let bar_takes = if counts.total.is_some() { 27 } else { 0 };
        // A narrow terminal shows the numbers rather than a bar that wraps.
        let with_bar = counts.total.is_some() && width >= 2 * bar_takes;
        let first = first_line(counts);
        {
            let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
            text.clear();
            text.push_str(&shortened(
                &first,
                if with_bar { width - bar_takes } else { width },
            ));
            for (elapsed, label) in oldest {
                let line = format!(
                    "  {}  {}",
                    clock_face(elapsed),
                    harmless(label).replace('\t', " ")
                );
                text.push('\n');
                text.push_str(&shortened(&line, width));
            }
        }
        let style = if with_bar {
            &self.with_length
        } else {
            &self.without_length
        };
        self.bar.set_style(style.clone());
        self.visible = true;
        self.bar.update(|state| {
            state.set_pos(counts.done);
            if let Some(total) = counts.total {
                state.set_len(total);
            }
        });
    }

    /// Takes it off the screen, if it is there.
    pub(crate) fn hide(&mut self) {
        if self.visible {
            self.visible = false;
            self.bar.set_style(self.hidden.clone());
            self.bar.force_draw();
        }
    }
}

fn first_line(counts: &Counts) -> String {
    let mut line = match counts.total {
        Some(total) => format!("{}/{total}", counts.done),
        None => format!("{} done", counts.done),
    };
    if counts.failed > 0 {
        write!(line, "  {} failed", counts.failed).expect("a String takes every byte");
    }
    write!(line, "  {} running", counts.running).expect("a String takes every byte");
    if counts.paused {
        line.push_str("  paused");
    }
    if let Some(eta) = counts.eta {
        write!(line, "  {} left", clock_face(eta)).expect("a String takes every byte");
    }
    line
}
