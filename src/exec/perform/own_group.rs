//! The end of a command that leads a process group of its own, because there is no worker's group for it to be in.
//!
//! What it leaves behind in that group is found, told and killed. What has left the group as well is nobody's here.

use farm_protocol::Termination;
use farm_worker::Ward;
use farm_worker::child::{Usage, reap};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::fs;
use std::io;

/// Collects the exited leader of a group, and kills whoever is left of the group. Whether anybody was.
pub(super) fn collect(pid: u32, ward: Ward<'_>) -> (io::Result<(Termination, Usage)>, bool) {
    let leader = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let leader = leader.expect("a started process has a positive id");
    // As long as the leader is not collected the number is the group's. Who is stopped stays where it is, so that the
    // number is the group's afterwards as well if anybody is left. It fails when nobody is.
    let _nobody = kill_process_group(leader, Signal::STOP);
    drop(ward);
    let collected = reap(pid);
    // Zombies of the group may stand around until their new parent collects them.
    let left_behind = test_kill_process_group(leader).is_ok() && lives(leader);
    if left_behind {
        let _gone_meanwhile = kill_process_group(leader, Signal::KILL);
    }
    (collected, left_behind)
}

/// Whether anybody of the group lives. A look at every process of the system: only asked when something is left.
fn lives(group: Pid) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.map(|entry| fs::read_to_string(entry.path().join("stat")));
    stats.flatten().any(|stat| {
        // The name may hold anything, also brackets.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
        let mut fields = fields.unwrap_or_default().split_whitespace();
        let (state, of) = (fields.next(), fields.nth(1));
        let of = of.and_then(|number| number.parse().ok());
        of == Some(group.as_raw_nonzero().get()) && !matches!(state, Some("Z" | "X") | None)
    })
}
