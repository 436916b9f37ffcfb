//! The tasks of a file that is held whole, checked against each other.
//!
//! Owns the checks that need all tasks: ids, needs, circles. It does not know the fields of a task, nor what stands
//! around the array of tasks. The text is cut into tasks first and each is parsed by itself, so memory holds the text
//! and the finished tasks, never a tree of the file.

use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use super::TaskList;
use super::diagnostic::Diagnostics;
use super::findings::{Also, Finding};
use super::graph;
use super::ids::{IdTable, Refusal};
use super::scan::{ArrayWalk, Flaw, Scan};
use super::spec::{Settings, TaskSpec};
use super::suggest::closest;
use super::values::{Reading, Trail};

/// Tasks up to which a missing id is compared with all others for a suggestion.
const MAX_SUGGESTED_FROM: usize = 10_000;
/// Tasks of a circle that a report names.
const MAX_NAMED_IN_CIRCLE: usize = 12;

/// The tasks of a whole file, with the places that the later checks point at (in a text below 4 GiB).
pub(super) struct Whole<'t, 'r> {
    text: &'t str,
    reading: Reading<'r>,
    ids: IdTable,
    tasks: Vec<TaskSpec>,
    id_places: Vec<u32>,
    /// One for each need of each task, in order.
    need_places: Vec<u32>,
    /// Whether a task could not be parsed, so that ids are missing.
    torn: bool,
}

impl<'t, 'r> Whole<'t, 'r> {
    pub(super) fn new(text: &'t str, reading: Reading<'r>) -> Self {
        Self {
            text,
            reading,
            ids: IdTable::default(),
            tasks: Vec::new(),
            id_places: Vec::new(),
            need_places: Vec::new(),
            torn: false,
        }
    }

    /// Reads the array of tasks that is next.
    pub(super) fn tasks(
        &mut self,
        scan: &mut Scan<'t>,
        defaults: &Arc<Settings>,
    ) -> Result<(), Flaw> {
        let mut walk = ArrayWalk::enter(scan)?;
        while let Some(span) = walk.next(scan)? {
            let seq = self.tasks.len() as u64 + 1;
            let start = place(span.start);
            let Some(value) = self.reading.parse(self.text, span, &Trail::Task(seq - 1)) else {
                // The cut was sound, so the tasks after it can be read; but ids may be missing from now on.
                self.torn = true;
                self.ids.skip(seq);
                self.id_places.push(start);
                self.tasks.push(TaskSpec::unread(seq, Arc::clone(defaults)));
                continue;
            };
            let draft = self.reading.task(&value, seq, defaults);
            self.id_places.push(place(draft.id_span.start));
            self.need_places
                .extend(draft.need_spans.iter().map(|span| place(span.start)));
            let explicit = draft.spec.explicit_id.map(|_| (draft.spec.id.as_ref(), 0));
            if !draft.id_is_sound {
                self.ids.skip(seq);
            } else if let Err(refusal) = self.ids.claim(seq, explicit) {
                let (message, owner) = refused(&draft.spec, refusal);
                let also = owner.and_then(|seq| usize::try_from(seq - 1).ok());
                let finding = Finding::new(draft.id_span, id_path(&draft.spec), message);
                self.reading.findings.push(match also {
                    Some(index) => finding.also(Also::Offset(self.id_places[index] as usize)),
                    None => finding,
                });
            }
            self.tasks.push(draft.spec);
        }
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        name: &str,
        read: Result<(), Flaw>,
        limits: Vec<(Box<str>, NonZeroU32)>,
    ) -> Result<TaskList, Diagnostics> {
        let mut order = Vec::new();
        match read {
            Err(flaw) => {
                let path = if self.tasks.is_empty() {
                    String::new()
                } else {
                    format!("after tasks[{}]", self.tasks.len() - 1)
                };
                self.reading.findings.push(Finding::syntax(flaw, path));
            }
            Ok(()) if self.torn => {}
            Ok(()) => {
                self.resolve_needs();
                order = self.sort();
            }
        }
        self.reading.findings.report(name, self.text, 1)?;
        Ok(TaskList {
            tasks: self.tasks,
            limits,
            order,
        })
    }

    fn resolve_needs(&mut self) {
        let mut places = self.need_places.iter();
        let mut missing = Vec::new();
        for (index, task) in self.tasks.iter_mut().enumerate() {
            for (number, need) in task.needs.iter_mut().enumerate() {
                let at = *places.next().expect("every need has its place");
                match self.ids.find(&need.id) {
                    Some(owner) if owner.seq != task.seq => need.seq = owner.seq,
                    Some(_) => missing.push((index, number, at, true)),
                    None => missing.push((index, number, at, false)),
                }
            }
        }
        for (index, number, at, is_self) in missing {
            if self.reading.findings.count_if_full() {
                continue;
            }
            let task = &self.tasks[index];
            let id = &task.needs[number].id;
            let path = Trail::Key(&Trail::Task(task.seq - 1), "needs").to_string();
            let mut message = if is_self {
                format!("the task `{}` needs itself", id.escape_debug())
            } else {
                format!("no task has the id `{}`", id.escape_debug())
            };
            if !is_self && self.tasks.len() <= MAX_SUGGESTED_FROM {
                let others = self
                    .tasks
                    .iter()
                    .filter(|other| other.explicit_id.is_some() && other.seq != task.seq);
                if let Some(meant) = closest(id, others.map(|other| other.id.as_ref())) {
                    message.push_str(&format!(" — did you mean `{}`?", meant.escape_debug()));
                }
            }
            let finding = Finding::new(self.value_at(at), path, message);
            self.reading.findings.push(finding);
        }
    }

    /// The order of the tasks; circles are noted. Needs that do not exist are noted already, and left out.
    fn sort(&mut self) -> Vec<u32> {
        let tasks = &self.tasks;
        let needs = |index: usize| {
            tasks[index]
                .needs
                .iter()
                .map(|need| need.seq)
                .filter(|seq| *seq > 0)
        };
        let circles = match graph::order(tasks.len(), needs) {
            Ok(order) => return order,
            Err(circles) => circles,
        };
        for circle in circles {
            let mut names: Vec<String> = circle
                .iter()
                .take(MAX_NAMED_IN_CIRCLE)
                .map(|&index| tasks[index].id.escape_debug().to_string())
                .collect();
            if circle.len() > names.len() {
                names.push(format!("… ({} more)", circle.len() - names.len()));
            }
            let first = &tasks[circle[0]];
            names.push(first.id.escape_debug().to_string());
            let message = format!("tasks need each other in a circle: {}", names.join(" -> "));
            let finding = Finding::new(
                self.value_at(self.id_places[circle[0]]),
                id_path(first),
                message,
            )
            .help("`a -> b` reads: a needs b");
            let second = circle
                .get(1)
                .map(|&index| Also::Offset(self.id_places[index] as usize));
            self.reading.findings.push(match second {
                Some(also) => finding.also(also),
                None => finding,
            });
        }
        Vec::new()
    }

    /// The bytes of the value that starts at a place noted before.
    fn value_at(&self, place: u32) -> Range<usize> {
        let start = place as usize;
        Scan::new(self.text, start)
            .value()
            .unwrap_or(start..start + 1)
    }
}

fn place(offset: usize) -> u32 {
    u32::try_from(offset).expect("MAX_INPUT_BYTES is below 4 GiB")
}

/// The path of a task's id, or of the task when it gives none.
pub(super) fn id_path(spec: &TaskSpec) -> String {
    let trail = Trail::Task(spec.seq - 1);
    if spec.explicit_id.is_some() {
        Trail::Key(&trail, "id").to_string()
    } else {
        trail.to_string()
    }
}

/// What to say about a task whose id was refused, and the position of the task that has it.
pub(super) fn refused(spec: &TaskSpec, refusal: Refusal) -> (String, Option<u64>) {
    let id = spec.id.escape_debug();
    match refusal {
        Refusal::Full => (
            "too many ids: they take more than 4 GiB together".to_owned(),
            None,
        ),
        Refusal::Taken(owner) => {
            let why = match (spec.explicit_id, owner.column) {
                (Some(_), Some(_)) => String::new(),
                (Some(_), None) => {
                    format!(": task number {id} has no id of its own, so its position is its id")
                }
                (None, _) => {
                    ": this task has no id of its own, so its position is its id".to_owned()
                }
            };
            (format!("duplicate id `{id}`{why}"), Some(owner.seq))
        }
    }
}
