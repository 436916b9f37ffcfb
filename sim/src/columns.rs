//! A trace as text: one row per thing that happened, in the column of the process that did it.
//!
//! Each row holds one text, which may run on over the columns to its right; to its left, a bar stands for each process
//! that is heard of again later. It does not know what the texts mean. The same trace gives the same bytes.

use farm_lockstep::{End, Line, RunReport, Trace, VTime};

/// The most columns. More processes than this take over those of the ended, or share the last.
const LANES_MAX: usize = 12;

/// The width of a column: a short name fits.
const LANE: usize = 8;

/// Where the columns begin, behind the time and the step.
const MARGIN: usize = 21;

/// Where texts are continued on the next row, in characters from the left edge.
const EDGE: usize = 150;

/// The shared column's name.
const OTHERS: &str = "others";

/// Writes the trace of a run, and what it ended with.
///
/// `most` is how many rows of the trace are written at most, the last ones. Empty when the run was not traced.
#[must_use]
pub fn columns(report: &RunReport, most: usize) -> String {
    let Some(trace) = &report.trace else {
        return String::new();
    };
    let end = match &report.end {
        End::Passed => None,
        End::Failed(failure) => Some(failure.to_string()),
        End::Inconclusive => Some("inconclusive: the step limit came first".into()),
    };
    let mut sheet = Sheet::new(trace, most);
    sheet.rows();
    if let Some(end) = end {
        sheet.end(report.now, report.steps, &end);
    }
    sheet.out
}

/// Who is seen from which line to which, of those shown.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: usize,
    last: usize,
}

/// A column: its owners one after the other, by their places in the trace's names.
#[derive(Clone, Debug, Default)]
struct Lane {
    owners: Vec<usize>,
}

struct Sheet<'a> {
    trace: &'a Trace,
    lines: &'a [Line],
    /// By pid; none: not among the lines shown.
    seen: Vec<Option<Seen>>,
    lanes: Vec<Lane>,
    /// By pid: its column. [`Self::lanes`] has one more, shared, when somebody has none.
    lane_of: Vec<Option<usize>>,
    out: String,
}

impl<'a> Sheet<'a> {
    fn new(trace: &'a Trace, most: usize) -> Self {
        let left_out = trace.lines.len().saturating_sub(most);
        let lines = &trace.lines[left_out..];
        let mut seen: Vec<Option<Seen>> = vec![None; trace.names.len()];
        for (place, line) in lines.iter().enumerate() {
            if let Some(pid) = line.who {
                let seen = &mut seen[pid.0 as usize];
                let first = seen.map_or(place, |seen| seen.first);
                *seen = Some(Seen { first, last: place });
            }
        }
        let (lanes, lane_of) = lanes(&seen);
        let mut out = String::new();
        if left_out > 0 {
            out.push_str(&format!("({left_out} earlier rows are left out)\n"));
        }
        Self {
            trace,
            lines,
            seen,
            lanes,
            lane_of,
            out,
        }
    }

    fn rows(&mut self) {
        let mut head = None;
        let mut moment = None;
        for (place, line) in self.lines.iter().enumerate() {
            let wanted: Vec<Option<usize>> = (0..self.lanes.len())
                .map(|lane| self.owner(lane, place))
                .collect();
            if head.as_ref() != Some(&wanted) {
                self.head(&wanted);
                head = Some(wanted);
                moment = None;
            }
            let now = (line.at, line.step);
            let left = if moment == Some(now) {
                " ".repeat(MARGIN)
            } else {
                margin(' ', line.at, line.step)
            };
            moment = Some(now);
            self.row(place, line, &left);
        }
    }

    /// Whose a column is at this line: of its owners the last that has begun, or the first of all.
    fn owner(&self, lane: usize, place: usize) -> Option<usize> {
        let owners = &self.lanes.get(lane)?.owners;
        let begun = |pid: &&usize| self.seen[**pid].is_some_and(|seen| seen.first <= place);
        owners.iter().rfind(begun).or(owners.first()).copied()
    }

    fn head(&mut self, owners: &[Option<usize>]) {
        let mut row = format!("{:>11} {:>7}  ", "time ms", "step");
        for owner in owners {
            let name = owner.map_or(OTHERS, |pid| &self.trace.names[pid]);
            let name: String = name.chars().take(LANE - 1).collect();
            row.push_str(&format!("{name:<LANE$}"));
        }
        self.out.push_str(row.trim_end());
        self.out.push('\n');
    }

    fn row(&mut self, place: usize, line: &Line, left: &str) {
        let (lane, text) = match line.who.map(|pid| pid.0 as usize) {
            None => (0, format!("-- {}", line.text)),
            Some(pid) => match self.lane_of[pid] {
                Some(lane) => (lane, line.text.clone()),
                None => {
                    let name = &self.trace.names[pid];
                    (self.lanes.len() - 1, format!("{name}: {}", line.text))
                }
            },
        };
        let bars: String = (0..lane).map(|lane| self.bar(lane, place)).collect();
        let width = EDGE - MARGIN - bars.len();
        for (nth, part) in wrapped(&text, width).iter().enumerate() {
            let left = if nth == 0 { left } else { &" ".repeat(MARGIN) };
            let row = format!("{left}{bars}{part}");
            self.out.push_str(row.trim_end());
            self.out.push('\n');
        }
    }

    /// A bar while the owner is yet to be heard of.
    fn bar(&self, lane: usize, place: usize) -> String {
        let on = self
            .owner(lane, place)
            .and_then(|pid| self.seen[pid])
            .is_some_and(|seen| (seen.first..=seen.last).contains(&place));
        let mark = if on { "|" } else { "" };
        format!("{mark:<LANE$}")
    }

    fn end(&mut self, at: VTime, step: u64, text: &str) {
        let first = margin('!', at, step);
        let next = format!("!{}", " ".repeat(MARGIN - 1));
        for (nth, part) in wrapped(text, EDGE - MARGIN).iter().enumerate() {
            let left = if nth == 0 { &first } else { &next };
            self.out.push_str(format!("{left}{part}").trim_end());
            self.out.push('\n');
        }
    }
}

fn margin(mark: char, at: VTime, step: u64) -> String {
    format!("{mark}{at:>10} {step:>7}  ")
}

/// Gives everybody seen a column, in the order of spawning. Nobody has one, and the last column is everybody's, where
/// there are too many at a time.
fn lanes(seen: &[Option<Seen>]) -> (Vec<Lane>, Vec<Option<usize>>) {
    let count = seen.iter().flatten().count();
    let own = if count <= LANES_MAX {
        LANES_MAX
    } else {
        LANES_MAX - 1
    };
    let mut lanes: Vec<Lane> = Vec::new();
    let mut lane_of = vec![None; seen.len()];
    let mut shared = false;
    for (pid, here) in seen.iter().enumerate() {
        let Some(here) = here else { continue };
        let free = if lanes.len() < own {
            lanes.push(Lane::default());
            Some(lanes.len() - 1)
        } else {
            // The one that has been free longest: its last owner is out of the reader's mind.
            let ended = |lane: &Lane| {
                let last = lane.owners.last().and_then(|owner| seen[*owner]);
                last.map_or(0, |last| last.last)
            };
            let free = (0..own).filter(|lane| ended(&lanes[*lane]) < here.first);
            free.min_by_key(|lane| ended(&lanes[*lane]))
        };
        match free {
            Some(lane) => lanes[lane].owners.push(pid),
            None => shared = true,
        }
        lane_of[pid] = free;
    }
    if shared {
        lanes.push(Lane::default());
    }
    (lanes, lane_of)
}

/// The text in parts of at most `width` characters, cut at blanks where there are any; at least one part.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    for line in text.split('\n') {
        let mut part = String::new();
        let mut length = 0;
        for word in line.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            if length > 0 && length + 1 + word.len() > width {
                parts.push(std::mem::take(&mut part));
                length = 0;
            }
            if length > 0 || !part.is_empty() {
                part.push(' ');
                length += 1;
            }
            while word.len() > width {
                parts.push(word.drain(..width).collect());
            }
            length += word.len();
            part.extend(word);
        }
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests;
