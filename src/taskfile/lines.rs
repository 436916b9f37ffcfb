//! Reads JSON Lines, one task at a time.
//!
//! Owns lines: their numbers, their cap, and which of them hold tasks. It holds one line and the table of ids, never
//! the tasks, so that a producer may go on for days.

use std::io::{BufRead, Read};
use std::ops::Range;
use std::sync::Arc;

use super::diagnostic::Diagnostics;
use super::fields::Draft;
use super::findings::{Also, Finding, Findings, MAX_DIAGNOSTICS};
use super::ids::{Bits, IdTable};
use super::scan::Scan;
use super::spec::{Settings, TaskSpec};
use super::values::{Reading, Trail};
use super::whole::{id_path, refused};
use super::{ReadOptions, TaskList, text};

/// The longest line accepted, in bytes.
pub const MAX_LINE_BYTES: usize = 16 << 20;
/// A buffer that one long line made larger than this is given back.
const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// The tasks of JSON Lines, in order, each checked against all before it. Ends after the first error: whatever
/// follows a bad line is not read, let alone started.
#[derive(Debug)]
pub struct LineReader<R> {
    input: R,
    name: String,
    options: ReadOptions,
    defaults: Arc<Settings>,
    buffer: Vec<u8>,
    ids: IdTable,
    /// Bit `line - 1`: whether that line holds a task; gives the line of a position, for reports.
    holds_task: Bits,
    line: usize,
    seq: u64,
    ended: bool,
    /// Whether a line could not be parsed, so that ids may be missing.
    torn: bool,
}

impl<R: BufRead> LineReader<R> {
    /// Reads tasks from `input`, which reports call `name`.
    pub fn new(input: R, name: &str, options: ReadOptions) -> Self {
        Self {
            input,
            name: name.to_owned(),
            options,
            defaults: Arc::default(),
            buffer: Vec::new(),
            ids: IdTable::default(),
            holds_task: Bits::default(),
            line: 0,
            seq: 0,
            ended: false,
            torn: false,
        }
    }

    /// The next task, or what is wrong with its line. After an error about one line it can be called again.
    fn read_next(&mut self) -> Option<Result<TaskSpec, Diagnostics>> {
        while !self.ended {
            match self.read_line() {
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Ok(false) => self.ended = true,
                Ok(true) => {
                    let buffer = std::mem::take(&mut self.buffer);
                    let line = if self.line == 1 {
                        text::without_mark(&buffer)
                    } else {
                        &buffer
                    };
                    let blank = text::is_blank(line);
                    self.holds_task.push(!blank);
                    let task = (!blank).then(|| self.task_of(line));
                    self.buffer = buffer;
                    self.buffer.clear();
                    self.buffer.shrink_to(KEPT_BUFFER_BYTES);
                    if task.is_some() {
                        return task;
                    }
                }
            }
        }
        None
    }

    /// Whether there was a further line, now in the buffer.
    fn read_line(&mut self) -> Result<bool, Diagnostics> {
        let mut limited = (&mut self.input).take(MAX_LINE_BYTES as u64 + 1);
        self.line += 1;
        let read = limited
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| {
                let message = format!("cannot read line {} of the task file: {error}", self.line);
                Diagnostics::about_input(&self.name, message, None)
            })?;
        if read > MAX_LINE_BYTES {
            let message = format!(
                "line {} is longer than {} MiB",
                self.line,
                MAX_LINE_BYTES >> 20
            );
            let help =
                "give a command large input through a file: \"stdin\": {\"file\": …}".to_owned();
            return Err(Diagnostics::about_input(&self.name, message, Some(help)));
        }
        Ok(read > 0)
    }

    fn task_of(&mut self, line: &[u8]) -> Result<TaskSpec, Diagnostics> {
        self.seq += 1;
        let seq = self.seq;
        let parsed = text::decode(line, &self.name, self.line).and_then(|text| {
            let mut reading = Reading::new(
                &self.options.base_dir,
                &self.options.limits,
                &self.options.shapes,
            );
            match draft(&mut reading, text, seq, &self.defaults) {
                Some(draft) => Ok((text, draft, reading.findings)),
                None => Err(reading
                    .findings
                    .report(&self.name, text, self.line)
                    .expect_err("without a draft an error was noted")),
            }
        });
        let (text, mut draft, mut findings) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                self.torn = true;
                self.ids.skip(seq);
                return Err(error);
            }
        };
        self.resolve_needs(&mut draft, &mut findings);
        self.claim_id(text, &draft, &mut findings);
        findings.report(&self.name, text, self.line)?;
        Ok(draft.spec)
    }

    fn resolve_needs(&self, draft: &mut Draft, findings: &mut Findings) {
        let spec = &mut draft.spec;
        for (index, need) in spec.needs.iter_mut().enumerate() {
            if let Some(owner) = self.ids.find(&need.id) {
                need.seq = owner.seq;
                continue;
            }
            let path = Trail::Key(&Trail::Task(spec.seq - 1), "needs").to_string();
            let id = need.id.escape_debug();
            let span = draft.need_spans[index].clone();
            if need.id == spec.id {
                findings.push(Finding::new(
                    span,
                    path,
                    format!("the task `{id}` needs itself"),
                ));
            } else if !self.torn {
                let finding =
                    Finding::new(span, path, format!("no earlier task has the id `{id}`"));
                let help = "in JSON Lines `needs` names tasks of earlier lines; an array of tasks may also name later ones";
                findings.push(finding.help(help));
            }
        }
    }

    fn claim_id(&mut self, text: &str, draft: &Draft, findings: &mut Findings) {
        let spec = &draft.spec;
        if !draft.id_is_sound {
            self.ids.skip(spec.seq);
            return;
        }
        let column = text[..draft.id_span.start].chars().count() + 1;
        let explicit = spec.explicit_id.map(|_| (spec.id.as_ref(), column as u64));
        if let Err(refusal) = self.ids.claim(spec.seq, explicit) {
            let (message, owner) = refused(spec, refusal);
            let finding = Finding::new(draft.id_span.clone(), id_path(spec), message);
            let also = owner.and_then(|seq| {
                let line = usize::try_from(self.holds_task.find_nth(seq)? + 1).ok()?;
                let owner = self.ids.find(&spec.id)?;
                let column = usize::try_from(owner.column.unwrap_or(1)).ok()?;
                Some(Also::Place(line, column))
            });
            findings.push(match also {
                Some(also) => finding.also(also),
                None => finding,
            });
        }
    }
}

impl<R: BufRead> Iterator for LineReader<R> {
    type Item = Result<TaskSpec, Diagnostics>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read_next();
        self.ended |= matches!(next, Some(Err(_)));
        next
    }
}

/// The task on one line, which is not blank; `None` after noting that it is not JSON.
fn draft(
    reading: &mut Reading<'_>,
    text: &str,
    seq: u64,
    defaults: &Arc<Settings>,
) -> Option<Draft> {
    let trail = Trail::Task(seq - 1);
    let mut scan = Scan::new(text, 0);
    let span: Result<Range<usize>, _> = scan.value().and_then(|span| match scan.peek() {
        None => Ok(span),
        Some(_) => Err(scan.expected("the end of the line after a task")),
    });
    let help = "in JSON Lines every line is one task: a string, an array or an object";
    match span {
        Ok(span) => reading
            .parse(text, span, &trail)
            .map(|value| reading.task(&value, seq, defaults)),
        Err(flaw) => {
            reading
                .findings
                .push(Finding::syntax(flaw, trail.to_string()).help(help));
            None
        }
    }
}

/// Reads and checks all lines; unlike the reader, goes on after a bad one to find all errors.
pub(super) fn read_all(
    name: &str,
    bytes: &[u8],
    options: &ReadOptions,
) -> Result<TaskList, Diagnostics> {
    let mut reader = LineReader::new(bytes, name, options.clone());
    let mut list = TaskList::default();
    let mut errors = Diagnostics {
        shown: Vec::new(),
        more: 0,
    };
    while let Some(next) = reader.read_next() {
        match next {
            Ok(task) => {
                list.order
                    .push(u32::try_from(list.tasks.len()).map_err(|_| {
                        Diagnostics::about_input(
                            name,
                            "too many tasks to check at once".to_owned(),
                            None,
                        )
                    })?);
                list.tasks.push(task);
            }
            Err(found) => {
                errors.more += found.more;
                for diagnostic in found.shown {
                    if errors.shown.len() < MAX_DIAGNOSTICS {
                        errors.shown.push(diagnostic);
                    } else {
                        errors.more += 1;
                    }
                }
            }
        }
    }
    if errors.shown.is_empty() {
        Ok(list)
    } else {
        Err(errors)
    }
}
