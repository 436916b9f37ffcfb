//! Reads one task, or the `defaults`, from parsed JSON.
//!
//! Owns which fields there are and what each may hold. It does not know other tasks: whether ids are unique and
//! whether needs exist is checked by whoever reads the file.

mod exits;
mod kind;
mod limits;
mod needs;
mod retries;
mod run;
mod streams;

use std::ops::Range;
use std::sync::Arc;

use jsonc_parser::ast::{Object, Value};

use super::findings::{Also, Finding};
use super::spec::{Settings, TaskSpec};
use super::suggest::{Where, closest};
use super::values::{Member, Reading, Trail};
use farm_master::{CrashLimit, OnLost};

/// Every field of a task. The first [`OWN_FIELDS`] cannot have a default.
const TASK_FIELDS: [&str; 27] = [
    "id",
    "name",
    "command",
    "shell",
    "needs",
    "env",
    "clear_env",
    "cwd",
    "stdin",
    "timeout",
    "stall",
    "cpu",
    "memory",
    "grace",
    "retries",
    "crash_limit",
    "on_lost",
    "ok_exit",
    "fatal_exit",
    "priority",
    "limit",
    "stdout",
    "stderr",
    "tags",
    "meta",
    "kind",
    "input",
];
const OWN_FIELDS: usize = 5;

/// The last [`KIND_FIELDS`] are known only where there are kinds.
const KIND_FIELDS: usize = 2;

/// What only a command can heed.
pub(super) const COMMAND_FIELDS: [&str; 10] = [
    "command",
    "shell",
    "env",
    "clear_env",
    "cwd",
    "stdin",
    "stdout",
    "stderr",
    "ok_exit",
    "fatal_exit",
];

/// One task as read, with the places that later checks point at.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) spec: TaskSpec,
    /// Where its id stands; the whole task when it has none.
    pub(super) id_span: Range<usize>,
    /// Whether the id is fit to be claimed.
    pub(super) id_is_sound: bool,
    /// Where each need's id stands.
    pub(super) need_spans: Vec<Range<usize>>,
}

impl Reading<'_> {
    /// Reads the task at position `seq` (from 1). What is wrong is noted; the draft is then only good for finding
    /// more errors.
    pub(super) fn task(&mut self, value: &Value<'_>, seq: u64, defaults: &Arc<Settings>) -> Draft {
        let trail = Trail::Task(seq - 1);
        let mut draft = Draft {
            spec: TaskSpec::unread(seq, Arc::clone(defaults)),
            id_span: self.span(value),
            id_is_sound: true,
            need_spans: Vec::new(),
        };
        match value {
            Value::StringLit(_) | Value::Array(_) if !self.shapes.commands => {
                self.unexpected(value, &trail, "a task (an object)", Some(kind::LOOKS));
            }
            Value::StringLit(_) => {
                draft.spec.run = self.shell(value, &trail).unwrap_or(draft.spec.run);
            }
            Value::Array(_) => draft.spec.run = self.argv(value, &trail).unwrap_or(draft.spec.run),
            Value::Object(object) => self.task_object(object, &trail, &mut draft),
            Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {
                let help = if self.shapes.commands {
                    "a task is a string (a line for the shell), an array (program and arguments) or an object"
                } else {
                    kind::LOOKS
                };
                self.unexpected(value, &trail, "a task", Some(help));
            }
        }
        if draft.spec.explicit_id.is_none() {
            draft.spec.id = seq.to_string().into_boxed_str();
        }
        draft
    }

    /// Reads the settings that all tasks of a document start from.
    pub(super) fn defaults(&mut self, value: &Value<'_>) -> Arc<Settings> {
        let trail = Trail::Key(&Trail::Document, "defaults");
        let mut settings = Arc::new(Settings::default());
        let Value::Object(object) = value else {
            self.unexpected(value, &trail, "an object", None);
            return settings;
        };
        let members = self.members(object, &trail, self.task_fields(), Where::Task);
        if !self.shapes.commands {
            self.no_commands(&members, &trail);
        }
        for member in members {
            let trail = Trail::Key(&trail, member.key);
            if !self.shapes.commands && COMMAND_FIELDS.contains(&member.key) {
                continue;
            }
            if TASK_FIELDS[..OWN_FIELDS].contains(&member.key) || member.key == "input" {
                self.wrong(
                    &member.prop.name,
                    &trail,
                    format!("`{}` cannot have a default", member.key),
                );
            } else {
                self.setting(&member, &trail, Arc::make_mut(&mut settings));
            }
        }
        self.exit_codes_agree(object, &trail, &settings);
        self.signs_are_seen(object, &trail, &settings);
        settings
    }

    fn task_object(&mut self, object: &Object<'_>, trail: &Trail<'_>, draft: &mut Draft) {
        let members = self.members(object, trail, self.task_fields(), Where::Task);
        let mut runs: Option<&Member<'_, '_>> = None;
        for member in &members {
            let value = &member.prop.value;
            let field = Trail::Key(trail, member.key);
            match member.key {
                "id" => self.id(value, &field, draft),
                "name" => draft.spec.name = self.plain_text(value, &field).map(Box::from),
                "command" | "shell" if self.shapes.commands => {
                    let run = if member.key == "shell" {
                        self.shell(value, &field)
                    } else {
                        self.argv(value, &field)
                    };
                    if let Some(first) = runs {
                        let also = Also::Offset(self.span(&first.prop.name).start);
                        let message = "a task has either `command` or `shell`, not both";
                        let finding =
                            Finding::new(self.span(&member.prop.name), field.to_string(), message);
                        self.findings.push(finding.also(also));
                    }
                    runs = Some(member);
                    if let Some(run) = run {
                        draft.spec.run = run;
                    }
                }
                "needs" => self.needs(value, &field, draft),
                // Looked at below, once it is known what the task is.
                "kind" | "input" => {}
                key if !self.shapes.commands && COMMAND_FIELDS.contains(&key) => {}
                _ => self.setting(member, &field, Arc::make_mut(&mut draft.spec.settings)),
            }
        }
        match runs {
            Some(command) => self.not_of_a_kind(command, &members, trail),
            None => self.not_a_command(object, &members, trail, draft),
        }
        // Without own fields the defaults' codes were compared already.
        if members.iter().any(|member| member.key.ends_with("_exit")) {
            self.exit_codes_agree(object, trail, &draft.spec.settings);
        }
        let streams = ["stall", "stdout", "stderr"];
        let command = runs.is_some();
        if command && members.iter().any(|member| streams.contains(&member.key)) {
            self.signs_are_seen(object, trail, &draft.spec.settings);
        }
    }

    /// The fields that a task may have.
    fn task_fields(&self) -> &'static [&'static str] {
        if self.shapes.kinds.is_empty() {
            &TASK_FIELDS[..TASK_FIELDS.len() - KIND_FIELDS]
        } else {
            &TASK_FIELDS
        }
    }

    /// A task without `command` and `shell`.
    fn not_a_command(
        &mut self,
        object: &Object<'_>,
        members: &[Member<'_, '_>],
        trail: &Trail<'_>,
        draft: &mut Draft,
    ) {
        let shapes = self.shapes;
        let has = |key: &str| members.iter().any(|member| member.key == key);
        if !shapes.commands && (has("command") || has("shell")) {
            self.no_commands(members, trail);
        } else if !shapes.commands
            || has("kind")
            || has("input")
            || draft.spec.settings.kind.is_some()
        {
            self.task_of_kind(object, members, trail, draft);
        } else if !self.findings.is_full() && !looks_like_misspelt_run(object) {
            let message = if shapes.kinds.is_empty() {
                "a task needs `command` (an array) or `shell` (a line for the shell)"
            } else {
                "a task needs `kind` and `input`, or `command` (an array), or `shell` (a line for the shell)"
            };
            self.at_brace(object, trail, message, None);
        }
    }

    /// One of the fields that `defaults` may have, too.
    fn setting(&mut self, member: &Member<'_, '_>, trail: &Trail<'_>, settings: &mut Settings) {
        let value = &member.prop.value;
        match member.key {
            "env" => self.env(value, trail, &mut settings.env),
            "clear_env" => settings.clear_env = self.flag(value, trail).unwrap_or_default(),
            "cwd" => settings.cwd = self.path(value, trail),
            "stdin" => settings.stdin = self.stdin(value, trail),
            "timeout" => settings.timeout = self.time_limit(value, trail, "timeout"),
            "stall" => settings.stall = self.time_limit(value, trail, "stall limit"),
            "cpu" => settings.cpu = self.time_limit(value, trail, "limit of processor time"),
            "memory" => settings.memory = self.memory(value, trail),
            "grace" => settings.grace = self.duration(value, trail),
            "retries" => settings.retries = self.retries(value, trail),
            "crash_limit" => settings.crash_limit = self.crash_limit(value, trail),
            "on_lost" => {
                settings.on_lost = self.word(
                    value,
                    trail,
                    &[("retry", OnLost::Retry), ("fail", OnLost::Fail)],
                );
            }
            "ok_exit" => settings.ok_exit = self.exit_codes(value, trail),
            "fatal_exit" => settings.fatal_exit = self.exit_codes(value, trail),
            "priority" => {
                let number = self.integer(value, trail, (i32::MIN.into(), i32::MAX.into()));
                settings.priority = number
                    .and_then(|number| i32::try_from(number).ok())
                    .unwrap_or_default();
            }
            "limit" => settings.limit = self.limit(value, trail),
            "stdout" => settings.stdout = self.stdout(value, trail),
            "stderr" => settings.stderr = self.stderr(value, trail),
            "kind" => self.default_kind(value, trail, settings),
            "tags" => settings.tags = self.tags(value, trail),
            "meta" => settings.meta = Some(self.compact(value, trail).into_boxed_str()),
            other => unreachable!("`{other}` is a field of tasks only"),
        }
    }

    fn id(&mut self, value: &Value<'_>, trail: &Trail<'_>, draft: &mut Draft) {
        draft.id_span = self.span(value);
        match self.id_text(value, trail) {
            Some((id, kind)) => (draft.spec.id, draft.spec.explicit_id) = (id, Some(kind)),
            None => draft.id_is_sound = false,
        }
    }

    fn crash_limit(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<CrashLimit> {
        if matches!(value, Value::NumberLit(_)) {
            let deaths = self.integer(value, trail, (0, u32::MAX.into()))?;
            return u32::try_from(deaths).ok().map(CrashLimit::Deaths);
        }
        match value {
            Value::StringLit(literal) if literal.value == "unlimited" => {
                Some(CrashLimit::Unlimited)
            }
            Value::StringLit(literal) if literal.value == "never" => {
                self.wrong(
                    value,
                    trail,
                    "expected a number of deaths, found `never` — did you mean `unlimited`?",
                );
                None
            }
            _ => {
                self.unexpected(value, trail, "a number of deaths or \"unlimited\"", None);
                None
            }
        }
    }

    fn limit(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Option<Box<str>> {
        let name = self.text(value, trail)?;
        if self.limits.contains(name) {
            return Some(Box::from(name));
        }
        let mut message = format!("no limit is called `{}`", name.escape_debug());
        if let Some(meant) = closest(name, self.limits.iter().map(AsRef::as_ref)) {
            message.push_str(&format!(" — did you mean `{meant}`?"));
        }
        let help =
            "declare it in the document's `limits`, or by `--limit NAME=COUNT` on the command line";
        self.wrong_but(value, trail, message, help);
        None
    }

    fn tags(&mut self, value: &Value<'_>, trail: &Trail<'_>) -> Vec<String> {
        let Some(elements) = self.list(value, trail, "strings") else {
            return Vec::new();
        };
        let mut tags = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let trail = Trail::Index(trail, index);
            match self.plain_text(element, &trail) {
                Some("") => self.wrong(element, &trail, "an empty tag"),
                Some(tag) => tags.push(tag.to_owned()),
                None => {}
            }
        }
        tags
    }
}

/// Whether an unknown key of `object`, reported already, was meant to say what to run.
fn looks_like_misspelt_run(object: &Object<'_>) -> bool {
    let unknown = object
        .properties
        .iter()
        .map(|prop| prop.name.as_str())
        .filter(|key| !TASK_FIELDS.contains(key));
    unknown
        .map(|key| super::suggest::suggest(key, Where::Task, &TASK_FIELDS))
        .any(|suggestion| {
            matches!(
                suggestion.meant,
                Some("command" | "shell" | "kind" | "input")
            )
        })
}
