//! A worker process's parent, group and descendants: whether its master is there, and who goes with it when it ends.
//!
//! Knows no session and no pipe.

use crate::child::{children, has_other_children};
use rustix::process::{Pid, Signal, getpgrp, getpid, getppid, kill_process, kill_process_group};
use std::time::{Duration, Instant};

/// How long the descendants of a worker that ends are looked for. One that is killed dies when it gets a processor, which
/// on a busy machine takes longer than any number of looks; less than the two seconds after which nobody is left.
const DESCENDANTS_DYING: Duration = Duration::from_secs(1);
/// The pause between two such looks: those who are to die need the processor.
const DESCENDANTS_PAUSE: Duration = Duration::from_millis(1);

/// Whether `pid` is this process's parent.
pub(super) fn is_parent(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some() && pid == getppid()
}

/// SIGKILL to the own group, or to this process alone where it does not lead its group: started by hand from a shell,
/// it shares the shell's pipeline's group.
pub(super) fn kill_own_group() -> ! {
    if getpgrp() == getpid() {
        // First those that left the group, while they can still be found: they are our children as long as we live.
        end_descendants();
        let _ = kill_process_group(getpid(), Signal::KILL);
    }
    let _ = kill_process(getpid(), Signal::KILL);
    // Not reached: SIGKILL to oneself does not return.
    std::process::abort()
}

/// SIGKILL to every descendant, if this process leads its group: one started by hand ends nobody.
pub(super) fn end_own_descendants() {
    if getpgrp() == getpid() {
        end_descendants();
    }
}

/// SIGKILL to every descendant. What is killed hands its children on to us when it dies, and they have their turn in the
/// next round: whoever left before would leave them to init, where nobody finds them.
fn end_descendants() {
    let deadline = Instant::now() + DESCENDANTS_DYING;
    loop {
        let children = children();
        if children.is_empty() || Instant::now() >= deadline {
            return;
        }
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
        // Collects the dead, so that the next round sees only what is new.
        if matches!(has_other_children(), Ok(true)) {
            std::thread::sleep(DESCENDANTS_PAUSE);
        }
    }
}
