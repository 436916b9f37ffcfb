//! Who starts the workers of a pool: a program, each time anew, or this process itself.

use crate::in_process::InProcess;
use crate::program::Program;

/// Where the workers of a pool come from.
#[derive(Clone, Debug)]
pub enum Launcher {
    /// Each is a process that runs this program.
    Program(Program),
    /// Each is a thread of this process: the same protocol and the same rules, but nobody can kill it, and what it
    /// prints is not captured.
    InProcess(InProcess),
}

impl From<Program> for Launcher {
    fn from(program: Program) -> Self {
        Self::Program(program)
    }
}

impl From<InProcess> for Launcher {
    fn from(in_process: InProcess) -> Self {
        Self::InProcess(in_process)
    }
}
