//! What the writer of an unknown name probably meant.
//!
//! Owns the habits people bring from other tools and the measure of likeness. It does not know where a name stood.

/// A name that other tools use, and what to say about it.
struct Habit {
    written: &'static [&'static str],
    /// The field of ours that it means, when there is exactly one.
    meant: Option<&'static str>,
    help: &'static str,
}

const HABITS: [Habit; 13] = [
    Habit {
        written: &["deps", "after", "depends_on", "depends", "dependencies"],
        meant: Some("needs"),
        help: "`needs` is a list of ids, or of {\"id\": …, \"when\": …}",
    },
    Habit {
        written: &["cmd", "argv", "exec"],
        meant: Some("command"),
        help: "`command` is an array: the program and its arguments; a line for the shell goes into `shell`",
    },
    Habit {
        written: &["args", "arguments"],
        meant: Some("command"),
        help: "`command` is an array that holds the program and its arguments together",
    },
    Habit {
        written: &["script", "run", "sh"],
        meant: Some("shell"),
        help: "`shell` is one line for the shell; `command` is an array without a shell",
    },
    Habit {
        written: &["group", "groups", "limits", "pool"],
        meant: Some("limit"),
        help: "`limit` names one of the document's `limits`",
    },
    Habit {
        written: &["dir", "directory", "workdir", "working_directory"],
        meant: Some("cwd"),
        help: "",
    },
    Habit {
        written: &["environment"],
        meant: Some("env"),
        help: "",
    },
    Habit {
        written: &["depend", "requires"],
        meant: Some("needs"),
        help: "",
    },
    Habit {
        written: &["kind", "input"],
        meant: None,
        help: "`farm` runs commands; a program made with `farm::main!` runs tasks of its own kinds",
    },
    Habit {
        written: &[
            "memory_limit",
            "mem",
            "mem_limit",
            "max_memory",
            "ram",
            "rss",
        ],
        meant: Some("memory"),
        help: "`memory` is the most a task may hold, like \"2GB\" or \"512MiB\"",
    },
    Habit {
        written: &["cpu_limit", "cpu_time", "max_cpu"],
        meant: Some("cpu"),
        help: "`cpu` is the processor time that a task may use, like \"10m\"",
    },
    Habit {
        written: &["cpus", "cores", "threads"],
        meant: None,
        help: "processors cannot be reserved; `limit` names a cap on how many tasks run at once, `cpu` is a processor time",
    },
    Habit {
        written: &["idle_timeout", "silence", "no_output_timeout", "inactivity"],
        meant: Some("stall"),
        help: "`stall` is how long a task may go on without writing anything",
    },
];

const DOCUMENT_HABITS: [Habit; 2] = [
    Habit {
        written: &["groups", "group", "limit", "pools"],
        meant: Some("limits"),
        help: "`limits` maps names to how many may run at once",
    },
    Habit {
        written: &["jobs", "commands", "task"],
        meant: Some("tasks"),
        help: "",
    },
];

/// Which names were possible where an unknown one stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// In a task or in `defaults`.
    Task,
    /// At the top of a document.
    Document,
    /// In some smaller object or list of words.
    Elsewhere,
}

/// What was meant: a name of ours, and more to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) meant: Option<&'static str>,
    pub(super) help: Option<&'static str>,
}

/// What `written` most probably means among `possible`.
pub(super) fn suggest(written: &str, place: Where, possible: &[&'static str]) -> Suggestion {
    let habits: &[Habit] = match place {
        Where::Task => &HABITS,
        Where::Document => &DOCUMENT_HABITS,
        Where::Elsewhere => &[],
    };
    let lower = written.to_lowercase().replace('-', "_");
    let habit = habits
        .iter()
        .find(|habit| habit.written.contains(&lower.as_str()))
        .filter(|habit| habit.meant.is_none_or(|meant| possible.contains(&meant)));
    match habit {
        Some(habit) => Suggestion {
            meant: habit.meant.filter(|meant| possible.contains(meant)),
            help: Some(habit.help).filter(|help| !help.is_empty()),
        },
        None => Suggestion {
            meant: closest(&lower, possible.iter().copied()),
            help: None,
        },
    }
}

/// The candidate most like `written`, if any is like enough.
pub(crate) fn closest<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    let length = written.chars().count();
    // Long names are never a slip of the finger away from each other, and the measure is quadratic.
    if length > 64 {
        return None;
    }
    let worst = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates.filter(|candidate| candidate.len() <= 256 && *candidate != written)
    {
        // A name of one letter is one slip away from every other such name, which says nothing.
        if candidate.chars().count().max(length) < 2 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(written, candidate);
        if distance <= worst && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
