//! One command that ignores everything, with a child: it goes at its budget, and its worker's place is taken.

use super::cancels::notes::{prepare, running};
use super::cancels::outside::until_gone;
use super::cancels::process::marked;
use super::cancels::{BEYOND, BUDGET, pool, stubborn};
use farm::exec::{CommandRequest, Runs};
use farm::master::HowStopped;
use farm::{Farm, Outcome};
use std::thread;
use std::time::{Duration, Instant};

/// How much the system may round the moment of a kill, and we that of the call.
const EARLY: Duration = Duration::from_millis(2);

/// The stubborn one; all others are `true`.
const STUBBORN: u64 = 1;

fn request(task: &u64) -> CommandRequest {
    let mut request = stubborn(task);
    if *task != STUBBORN {
        request.argv = vec!["true".to_owned()];
    }
    request
}

fn living() -> usize {
    marked().filter(|(_, task)| *task == STUBBORN).count()
}

pub(crate) fn killed_with_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    prepare(folder.path());
    let mut builder = Farm::builder();
    let kind = builder.kind(Runs::new(request), pool(1, 10, folder.path()));
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let ticket = queue.submit(STUBBORN);
    // The command and its child.
    while living() < 2 {
        thread::yield_now();
    }
    let notes = running(folder.path());
    let [note] = notes[..] else {
        panic!("one runs: {notes:?}")
    };
    let before = farm.worker_pids();
    let next = queue.submit(STUBBORN + 1);
    let since = Instant::now();
    ticket.cancel("enough");
    let gone = until_gone(since, note, folder.path());
    let settled = ticket.wait().expect("admitted");
    let Outcome::Cancelled { how, .. } = settled.outcome else {
        panic!("{:?}", settled.outcome)
    };
    assert_eq!(how, HowStopped::Killed);
    // How late it may be on a machine with other work is asked by the storm, which measures that too.
    assert!(gone + EARLY >= BUDGET, "{gone:?}");
    assert!(gone < BUDGET + 20 * BEYOND, "{gone:?}");
    assert!(next.wait().expect("admitted").outcome.is_done());
    let after = farm.worker_pids();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after, "its worker was replaced");
}
