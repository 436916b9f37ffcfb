//! The command kind's worker half: starts a command, reads what it says, and tells how it ended.
//!
//! Written against the public traits alone, as any kind outside this repository would be. The command stays in the
//! worker's process group, so that whoever kills the group kills it too; where the worker has none, it leads its own. Knows no task, no retry and no ladder: on a
//! cancellation it signals the command once and goes on waiting.

mod capture;
mod own_group;
mod plumbing;
mod pump;
mod refusal;

use super::wire::{Captured, CommandRequest, CommandResponse, CommandWire, Ended};
use capture::Capture;
use farm_driver::{DEPTH_VARIABLE, Memory, depth};
use farm_master::evidence::{MemoryEvidence, out_of_memory};
use farm_protocol::Termination;
use farm_worker::child::{Usage, has_other_children, kill_children, reap};
use farm_worker::{Context, Perform, Stream};
use plumbing::{Plumbing, path_of};
use pump::Pump;
use refusal::Refusal;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

/// Bytes read at a time: as much as a pipe holds.
const READ_BYTES: usize = 64 << 10;

/// How much of the end of a command's errors is looked at for words about memory, in bytes.
const LAST_WORDS: usize = 4 << 10;

const SIGKILL: i32 = 9;

/// The most a request may ask to be kept of each stream, in bytes: two heads fit in one frame with room to spare.
pub const HEAD_MAX: usize = 16 << 20;

/// Performs commands, one at a time. Owns one read buffer, whatever the commands write.
#[derive(Debug)]
pub struct Commands {
    buffer: Box<[u8]>,
    memory: Memory,
    /// Our own stdin reads nothing, so a command may inherit it instead of opening the null device each time.
    stdin_is_null: bool,
}

impl Default for Commands {
    fn default() -> Self {
        Self::new()
    }
}

impl Commands {
    /// Ready to perform.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: Memory::look(),
            buffer: vec![0; READ_BYTES].into_boxed_slice(),
            stdin_is_null: plumbing::stdin_is_null(),
        }
    }

    fn run(
        &mut self,
        request: &CommandRequest,
        context: &Context<'_, CommandWire>,
    ) -> Result<CommandResponse, Refusal> {
        self.memory.begin();
        let mut plumbing = Plumbing::lay(request, context, self.stdin_is_null)?;
        let begun = Instant::now();
        let own_group = !context.owns_children();
        let Started { pid, pidfd, ends } = start(request, &mut plumbing, own_group)?;
        let ward = own_group.then(|| context.ward(pid));
        let pump = Pump::new(pidfd, plumbing.feed, plumbing.stdout, plumbing.stderr);
        let mut pump = pump.with_signs(request.signs);
        pump.until_exit(context, &mut self.buffer);
        drop(ends);
        let (collected, left_in_group) = match ward {
            Some(ward) => own_group::collect(pid, ward),
            None => (reap(pid), false),
        };
        let (ended, usage) = match collected {
            Ok((termination, usage)) => (ended(termination), usage),
            Err(error) => {
                let message = format!("the exit status of process {pid} cannot be had: {error}");
                (Ended::Lost { message }, Usage::default())
            }
        };
        let wall = begun.elapsed();
        // Asked after the reaping: what is left now is what the command left.
        let left_behind = !own_group && has_other_children().unwrap_or(true);
        if left_behind {
            // The worker is replaced for it. What left the worker's group would outlive that.
            let _some_refuse_to_die = kill_children();
        }
        let left_behind = left_behind || left_in_group;
        if left_behind {
            context.mark_left_behind();
        }
        let (stdout, stderr, trouble) = pump.into_captured();
        let out_of_memory = self.out_of_memory(&ended, &usage, &stderr.head);
        Ok(CommandResponse {
            ended,
            out_of_memory,
            pid,
            stdout,
            stderr,
            wall_nanos: nanos(wall),
            user_nanos: nanos(usage.user),
            system_nanos: nanos(usage.system),
            peak_bytes: usage.peak_bytes,
            left_behind,
            trouble,
        })
    }
}

impl Commands {
    /// Whether memory ran out, as far as anybody can tell: in words.
    fn out_of_memory(&mut self, ended: &Ended, usage: &Usage, stderr: &[u8]) -> Option<String> {
        let termination = match *ended {
            Ended::Exited(0) | Ended::NotStarted { .. } | Ended::Lost { .. } => return None,
            Ended::Exited(code) => Termination::Exited(code),
            Ended::Signaled {
                signal,
                core_dumped,
            } => Termination::Signaled {
                signal,
                core_dumped,
            },
        };
        // Only a kill can be the group's doing, and asking takes longer than a short command.
        let group_kills = match termination.signal() {
            Some(SIGKILL) => self.memory.new_kills(),
            Some(_) | None => 0,
        };
        let evidence = MemoryEvidence {
            group_kills,
            peak_bytes: Some(usage.peak_bytes),
            allowed_bytes: self.memory.allowed_bytes(),
            last_words: &stderr[stderr.len().saturating_sub(LAST_WORDS)..],
            // Whoever kills on the farm's behalf kills this worker with it.
            our_kill: false,
        };
        out_of_memory(termination, &evidence)
            .words()
            .map(str::to_string)
    }
}

impl Perform for Commands {
    type Wire = CommandWire;

    fn perform(
        &mut self,
        request: CommandRequest,
        context: &Context<'_, CommandWire>,
    ) -> CommandResponse {
        self.run(&request, context)
            .unwrap_or_else(Refusal::into_response)
    }
}

/// A command that runs.
struct Started {
    pid: u32,
    pidfd: OwnedFd,
    /// Holds the command's ends of the pipes open until it has ended. Otherwise its exit would wake us twice, once for
    /// the closing of the pipes and once for its end, and the end is all we ask for.
    ends: Command,
}

/// Starts the command. Ours of the pipes stay in `plumbing`.
fn start(
    request: &CommandRequest,
    plumbing: &mut Plumbing,
    own_group: bool,
) -> Result<Started, Refusal> {
    let Some((program, arguments)) = request.argv.split_first() else {
        return Err(Refusal::said("the command is empty: it has no program"));
    };
    let [stdin, stdout, stderr] = plumbing.take_stdio();
    // No `pre_exec`: the standard library then uses posix_spawn, which copies nothing of the worker's memory, however
    // large that is.
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr);
    if own_group {
        command.process_group(0);
        // A worker process has it in its environment.
        command.env(DEPTH_VARIABLE, depth().to_string());
    }
    if request.clear_env {
        command.env_clear();
    }
    command.envs(request.env.iter().map(|(name, value)| (name, value)));
    if let Some(cwd) = &request.cwd {
        command.current_dir(path_of(cwd));
    }
    let child = command
        .spawn()
        .map_err(|error| refusal::of_spawn(request, program, &error))?;
    let pid = child.id();
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let raw = raw.expect("a started process has a positive id");
    match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Started {
            pid,
            pidfd,
            ends: command,
        }),
        Err(error) => {
            // Without it we could not wait and listen at once. The pid is still ours: it is not reaped yet.
            let _ = kill_process(raw, Signal::KILL);
            drop(reap(pid));
            let what = format!("cannot watch \"{program}\" after starting it");
            Err(Refusal::of(&what, &error.into()))
        }
    }
}

fn ended(termination: Termination) -> Ended {
    match termination {
        Termination::Exited(code) => Ended::Exited(code),
        Termination::Signaled {
            signal,
            core_dumped,
        } => Ended::Signaled {
            signal,
            core_dumped,
        },
        Termination::Lost => Ended::Lost {
            message: termination.to_string(),
        },
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
