//! A real run is recorded, and its machine says the same again when nothing real is there any more.

use crate::Test;
use crate::stage::{LONG, Orders, Streamed, builder, order, pool, run};
use farm_driver::Farm;
use farm_master::record::{Replayed, Replayer, Step};
use farm_master::{CrashLimit, Retries, Shut, TaskOptions};
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) const TESTS: &[Test] = &[
    ("a_run_with_deaths_replays", a_run_with_deaths_replays),
    ("a_run_with_credit_replays", a_run_with_credit_replays),
    (
        "a_killed_farm_has_a_whole_record",
        a_killed_farm_has_a_whole_record,
    ),
    (
        "a_full_disk_ends_the_record_and_nothing_else",
        a_full_disk_ends_the_record_and_nothing_else,
    ),
    (
        "a_writer_that_panics_harms_nobody",
        a_writer_that_panics_harms_nobody,
    ),
    (
        "what_was_told_is_written_before_the_loop_sleeps",
        what_was_told_is_written_before_the_loop_sleeps,
    ),
];

/// A file in memory.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Replays, and shows the first difference.
fn replay(bytes: &[u8]) -> (Vec<Step>, Replayed) {
    let mut replayer = Replayer::new(true);
    let mut steps = Vec::new();
    for piece in bytes.chunks(1 << 16) {
        replayer.push(piece);
        while let Some(step) = replayer.next_step().expect("a good record") {
            assert_eq!(step.difference, None);
            steps.push(step);
        }
    }
    (steps, replayer.so_far())
}

fn lines(steps: &[Step]) -> String {
    let lines = steps.iter().flat_map(|step| step.lines.iter());
    lines.map(|line| format!("{line}\n")).collect()
}

fn a_run_with_deaths_replays() {
    let kept = Kept::default();
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 2));
    builder.record(kept.clone());
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let retried = TaskOptions {
        retries: Retries::immediate(1),
        crash_limit: CrashLimit::Deaths(1),
        ..TaskOptions::default()
    };
    let limited = TaskOptions {
        running: Some(Duration::from_millis(30)),
        grace: Some(Duration::from_millis(20)),
        ..TaskOptions::default()
    };
    let tickets = [
        queue.submit(order("double", 4)),
        queue.submit_options(order("kill", 5), retried.clone()),
        queue.submit(order("say", 6)),
        queue.submit_options(order("exit", 3), retried),
        queue.submit_options(order("hang", 0), limited),
        queue.submit(order("big", 1 << 20)),
    ];
    let cancelled = queue.submit(order("hang", 0));
    cancelled.cancel("nobody wants it");
    for ticket in tickets {
        ticket
            .wait_timeout(LONG)
            .expect("an end in time")
            .expect("admitted");
    }
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    assert!(farm.take_record_trouble().is_none());
    let (steps, end) = replay(&kept.bytes());
    assert!(end.whole && !end.diverged, "{end:?}");
    let text = lines(&steps);
    for wanted in [
        "exited        slot ",
        "killed by SIGKILL",
        "exited with code 3",
        "quarantined 2 deaths",
        "settle        t4 timeout running ",
        "decode        slot",
        "\"nobody wants it\"",
        "stdout \"out 6\\n\"",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert_eq!(lines(&replay(&kept.bytes()).0), text);
}

fn a_run_with_credit_replays() {
    let kept = Kept::default();
    let mut builder = builder();
    let kind = builder.kind(Streamed, pool("", 2));
    builder.record(kept.clone());
    let farm = builder.start().expect("a farm");
    let queue = farm.queue(kind);
    let tickets: Vec<_> = (0..2000)
        .map(|n| queue.submit(order("double", n)))
        .collect();
    for ticket in tickets {
        assert!(ticket.wait().expect("admitted").outcome.is_done());
    }
    drop(queue);
    drop(farm);
    let (_, end) = replay(&kept.bytes());
    assert!(end.whole && end.events > 2000, "{end:?}");
}

fn a_killed_farm_has_a_whole_record() {
    let kept = Kept::default();
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 2));
    builder.record(kept.clone());
    let farm = builder.start().expect("a farm");
    let hanging = farm.queue(kind).submit(order("hang", 0));
    run(&farm.queue(kind), "double", 1);
    farm.shut(Shut::Kill);
    farm.wait_stopped();
    assert!(!hanging.wait().expect("admitted").outcome.is_done());
    assert!(replay(&kept.bytes()).1.whole);
}

/// Takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn a_full_disk_ends_the_record_and_nothing_else() {
    // At once, and after a while: every run here writes much more than a kilobyte.
    for room in [0, 1000] {
        let mut builder = builder();
        let kind = builder.kind(Orders, pool("", 1));
        builder.record(Full(room));
        let farm = builder.start().expect("a farm");
        let queue = farm.queue(kind);
        for number in 0..50 {
            assert!(run(&queue, "double", number).outcome.is_done());
        }
        farm.shut(Shut::Drain);
        farm.wait_stopped();
        let trouble = farm.take_record_trouble().expect("it was full");
        assert_eq!(trouble.kind(), ErrorKind::StorageFull);
        assert!(farm.take_record_trouble().is_none(), "once");
    }
}

/// Panics whenever it is used.
struct Bomb;

impl Write for Bomb {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("on purpose, by a test")
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("on purpose, by a test")
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose, by a test")
    }
}

fn a_writer_that_panics_harms_nobody() {
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 1));
    builder.record(Bomb);
    let farm: Farm = builder.start().expect("a farm");
    assert!(run(&farm.queue(kind), "double", 2).outcome.is_done());
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let trouble = farm.take_record_trouble().expect("it panicked");
    assert!(trouble.to_string().contains("panicked"), "{trouble}");
}

/// Tells what was written when.
struct Told(crossbeam_channel::Sender<Vec<u8>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn what_was_told_is_written_before_the_loop_sleeps() {
    let (told, heard) = crossbeam_channel::unbounded();
    let mut builder = builder();
    let kind = builder.kind(Orders, pool("", 1));
    builder.record(Told(told));
    let farm = builder.start().expect("a farm");
    let hanging = farm.queue(kind).submit(order("hang", 7));
    // The farm does nothing more: its record must get to the start of the task all the same.
    let mut bytes = Vec::new();
    loop {
        bytes.extend(heard.recv_timeout(LONG).expect("the record goes on"));
        let (steps, end) = replay(&bytes);
        assert!(!end.whole);
        if lines(&steps).contains("started       slot 0 session 1 t0#1") {
            break;
        }
    }
    drop(hanging);
}
