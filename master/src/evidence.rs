//! Whether memory ran out: a pure classifier over what was seen when a process died.
//!
//! A process killed by the system's out-of-memory killer dies of SIGKILL like any other. It is
//! called out of memory only on evidence, and the verdict says on which.

use farm_protocol::Termination;
use serde::{Deserialize, Serialize};

/// What was seen around a death.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryEvidence<'a> {
    /// Out-of-memory kills that the control group counted during the life of the process.
    pub group_kills: u64,
    /// The most memory the process held, in bytes, when known.
    pub peak_bytes: Option<u64>,
    /// The memory the control group or the machine allows, in bytes, when known.
    pub allowed_bytes: Option<u64>,
    /// The last bytes it wrote.
    #[serde(borrow, with = "serde_bytes")]
    pub last_words: &'a [u8],
    /// Whether we sent the signal ourselves.
    pub our_kill: bool,
}

/// Whether memory ran out, and what says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemoryVerdict {
    /// Nothing says so.
    #[default]
    No,
    /// Killed by SIGKILL, not by us, while the control group counted an out-of-memory kill.
    KilledByGroup,
    /// Killed by SIGKILL, not by us, with a peak of at least nine tenths of what is allowed.
    NearLimit,
    /// It ended by itself or by an abort, and its last words name a failed allocation.
    SaidSo,
}

impl MemoryVerdict {
    /// The verdict in words, `None` when nothing says so.
    #[must_use]
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::KilledByGroup => {
                Some("out of memory (the control group counted an out-of-memory kill)")
            }
            Self::NearLimit => Some("probably out of memory (its peak was at the limit)"),
            Self::SaidSo => Some("out of memory (its last words say so)"),
        }
    }
}

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// What runtimes write when an allocation fails, in lower case: Rust, C++, Python and OCaml, the C library, Java, Go, Node.
const CONFESSIONS: [&str; 8] = [
    "memory allocation of",
    "std::bad_alloc",
    "out of memory",
    "memoryerror",
    "cannot allocate memory",
    "java.lang.outofmemoryerror",
    "out_of_memory",
    "heap out of memory",
];

/// Judges one death.
#[must_use]
pub fn out_of_memory(termination: Termination, evidence: &MemoryEvidence<'_>) -> MemoryVerdict {
    match termination {
        Termination::Signaled {
            signal: SIGKILL, ..
        } => {
            if evidence.our_kill {
                MemoryVerdict::No
            } else if evidence.group_kills > 0 {
                MemoryVerdict::KilledByGroup
            } else if near_limit(evidence) {
                MemoryVerdict::NearLimit
            } else {
                MemoryVerdict::No
            }
        }
        Termination::Signaled {
            signal: SIGABRT, ..
        } => said_so(evidence),
        Termination::Exited(code) if code != 0 => said_so(evidence),
        Termination::Signaled { .. } | Termination::Exited(_) | Termination::Lost => {
            MemoryVerdict::No
        }
    }
}

fn near_limit(evidence: &MemoryEvidence<'_>) -> bool {
    match (evidence.peak_bytes, evidence.allowed_bytes) {
        (Some(peak), Some(allowed)) => peak >= allowed / 10 * 9,
        (None, _) | (_, None) => false,
    }
}

fn said_so(evidence: &MemoryEvidence<'_>) -> MemoryVerdict {
    let words = String::from_utf8_lossy(evidence.last_words).to_lowercase();
    if CONFESSIONS
        .iter()
        .any(|confession| words.contains(confession))
    {
        MemoryVerdict::SaidSo
    } else {
        MemoryVerdict::No
    }
}

#[cfg(test)]
mod tests {
    //! One row per kind of evidence.
    use super::*;

    #[test]
    fn verdicts() {
        let kill = Termination::Signaled {
            signal: 9,
            core_dumped: false,
        };
        let abort = Termination::Signaled {
            signal: 6,
            core_dumped: true,
        };
        let segv = Termination::Signaled {
            signal: 11,
            core_dumped: false,
        };
        let none = MemoryEvidence::default();
        let group = MemoryEvidence {
            group_kills: 1,
            ..none
        };
        let ours = MemoryEvidence {
            our_kill: true,
            ..group
        };
        let peak = |peak| MemoryEvidence {
            peak_bytes: Some(peak),
            allowed_bytes: Some(1000),
            ..none
        };
        let said = |words| MemoryEvidence {
            last_words: words,
            ..none
        };
        let rust = said(b"memory allocation of 17179869184 bytes failed\n");
        let cpp = said(b"terminate called after throwing an instance of 'std::bad_alloc'");
        let python = said(b"Traceback...\nMemoryError\n");
        let table = [
            (kill, none, MemoryVerdict::No),
            (kill, group, MemoryVerdict::KilledByGroup),
            (kill, ours, MemoryVerdict::No),
            (kill, peak(900), MemoryVerdict::NearLimit),
            (kill, peak(899), MemoryVerdict::No),
            (kill, rust, MemoryVerdict::No),
            (abort, rust, MemoryVerdict::SaidSo),
            (abort, cpp, MemoryVerdict::SaidSo),
            (abort, group, MemoryVerdict::No),
            (segv, group, MemoryVerdict::No),
            (Termination::Exited(1), python, MemoryVerdict::SaidSo),
            (Termination::Exited(0), python, MemoryVerdict::No),
            (Termination::Exited(1), none, MemoryVerdict::No),
            (Termination::Lost, group, MemoryVerdict::No),
        ];
        for (termination, evidence, expected) in table {
            assert_eq!(
                out_of_memory(termination, &evidence),
                expected,
                "{termination} {evidence:?}"
            );
        }
    }
}
