//! Real worker processes over real pipes: this program is its own worker, its own master and, once, its own dying master.
//!
//! Without a harness, because a worker must be a program whose `main` begins with `run_if_asked`. Nothing here waits
//! for time to pass: every wait is for a frame, an exit or an end of file.

#[path = "pipes/kind.rs"]
mod kind;
#[path = "pipes/master.rs"]
mod master;
#[path = "pipes/named.rs"]
mod named;
#[path = "pipes/template.rs"]
mod template;

use farm_protocol::{AffinityKey, ContextBody, FrameKind, Progress, ReplyHeader, signal_name};
use farm_worker::{Host, Worker, exit, run_if_asked};
use kind::{Ask, Asks, held};
use master::{Master, Update, said};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// The argument that makes this program a master to be killed.
const DOOMED: &str = "doomed-master";

/// The variable that makes a worker one that is never ready.
const STUCK: &str = "FARM_TEST_STUCK";

fn main() {
    run_if_asked(make);
    if std::env::args().nth(1).as_deref() == Some(DOOMED) {
        return doomed_master();
    }
    a_request_is_answered();
    a_thousand_at_once_are_answered_in_order();
    what_a_kind_says_meanwhile_comes_first();
    progress_is_told_first_last_and_seldom();
    a_panic_is_told_and_ends_the_worker();
    an_undecodable_request_is_refused_and_ends_the_worker();
    a_response_that_cannot_be_encoded_costs_only_itself();
    a_context_is_taken_once_and_changed_by_differences();
    a_context_that_cannot_be_taken_costs_its_attempt();
    a_held_request_is_revoked_while_another_executes();
    an_answer_does_not_wait_behind_a_long_attempt();
    what_executes_is_cancelled();
    a_signal_of_a_living_master_cancels_nothing();
    a_slow_reader_does_not_stop_a_cancellation();
    a_mad_master_is_left();
    the_page_names_what_executes();
    the_end_of_the_pipes_kills_the_group();
    a_worker_that_is_still_being_made_can_be_ended();
    a_killed_master_takes_everything_along();
    named::somebody_is_launched_asked_and_closed();
    named::a_request_before_a_launch_costs_the_worker();
    template::a_template_forks_workers_and_collects_them();
    template::a_template_and_its_worker_end_apart();
}

/// Makes the worker, or with [`STUCK`] never comes to an end of it.
fn make() -> Worker {
    if std::env::var_os(STUCK).is_some() {
        drop(std::io::stdout().write_all(b"making\n"));
        loop {
            std::thread::park();
        }
    }
    Worker::new()
        .with_lazy(Asks::default)
        .with_lazy(Host::<named::Diary>::new)
}

fn a_request_is_answered() {
    let mut master = Master::start();
    assert_eq!(master.hello.kinds.len(), 2);
    assert_eq!(master.hello.pid, master.pid());
    for n in 1..=3 {
        master.send(n, &Ask::Echo(n));
        assert_eq!(master.replied(n), n);
    }
    assert_eq!(master.stop().code(), Some(0));
}

fn a_thousand_at_once_are_answered_in_order() {
    let mut master = Master::start();
    for n in 1..=1000 {
        master.append(n, &Ask::Echo(n * 3));
    }
    master.write();
    for n in 1..=1000 {
        assert_eq!(master.replied(n), n * 3);
    }
    assert_eq!(master.stop().code(), Some(0));
}

fn what_a_kind_says_meanwhile_comes_first() {
    let mut master = Master::start();
    master.send(1, &Ask::Say(3));
    for n in 1..=3 {
        let (kind, head, rest) = master.about();
        assert_eq!((kind, head.number), (FrameKind::Feedback, 1));
        assert_eq!(farm_protocol::decode::<Vec<u64>>(&rest), Ok(vec![n]));
    }
    assert_eq!(master.replied(1), 3);
}

fn progress_is_told_first_last_and_seldom() {
    let mut master = Master::start();
    master.send(1, &Ask::Progress);
    let mut told = vec![];
    loop {
        let (kind, head, rest) = master.about();
        assert_eq!((kind, head.number), (FrameKind::Progress, 1));
        let progress: Progress = farm_protocol::decode(&rest).expect("progress");
        assert_eq!(
            (progress.total, progress.note.as_str()),
            (Some(1000), "counting")
        );
        told.push(progress.done);
        if progress.is_complete() {
            break;
        }
    }
    assert_eq!((told[0], told.last()), (1, Some(&1000)));
    assert!(told.len() < 500, "it held back: {}", told.len());
    assert_eq!(master.replied(1), 1000);
}

fn a_panic_is_told_and_ends_the_worker() {
    let mut master = Master::start();
    master.append(1, &Ask::Echo(5));
    master.append(2, &Ask::Panic("no such luck".to_owned()));
    master.append(3, &Ask::Echo(6));
    master.write();
    assert_eq!(master.replied(1), 5);
    let (kind, head, rest) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Panicked, 2));
    assert_eq!(said(&rest), "no such luck");
    assert!(master.ended(), "nothing follows");
    assert_eq!(master.wait().code(), Some(exit::PANICKED));
    assert!(master.last_words().contains("no such luck"));
}

fn an_undecodable_request_is_refused_and_ends_the_worker() {
    // No context, then no request; and what is no context.
    for payload in [[0, 250, 2], [250, 1, 2]] {
        let mut master = Master::start();
        master.append_raw(1, &payload);
        refuses(&mut master, 1, "cannot be decoded");
    }
}

fn a_response_that_cannot_be_encoded_costs_only_itself() {
    let mut master = Master::start();
    master.send(1, &Ask::Unencodable);
    let (kind, head, rest) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Unmarshallable, 1));
    assert!(!said(&rest).is_empty());
    master.send(2, &Ask::Echo(7));
    assert_eq!(master.replied(2), 7);
}

#[track_caller]
fn refuses(master: &mut Master, number: u64, why: &str) {
    master.write();
    let (kind, head, rest) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Refused, number));
    assert!(said(&rest).contains(why), "{}", said(&rest));
    assert_eq!(master.wait().code(), Some(exit::REFUSED));
}

fn update(key: u64, held: Option<u64>, body: ContextBody<Vec<u64>>) -> Update {
    Update {
        key: AffinityKey(key),
        held: held.map(AffinityKey),
        body,
    }
}

fn a_context_is_taken_once_and_changed_by_differences() {
    let mut master = Master::start();
    let first = update(1, None, ContextBody::Whole(vec![5, 6]));
    let second = update(2, Some(1), ContextBody::Difference(vec![9]));
    let again = update(2, Some(7), ContextBody::Difference(vec![900]));
    let other = update(3, None, ContextBody::Whole(vec![1]));
    let tell = [
        (Some(&first), held(11, 1)),
        (None, held(11, 1)),
        (Some(&first), held(11, 1)),
        (Some(&second), held(20, 2)),
        (Some(&again), held(20, 2)),
        (Some(&other), held(1, 3)),
    ];
    for (n, (told, answer)) in (1..).zip(tell) {
        master.append_told(n, told, &Ask::Held);
        master.write();
        assert_eq!(master.replied(n), answer, "after {told:?}");
    }
}

fn a_context_that_cannot_be_taken_costs_its_attempt() {
    let stray = update(8, Some(1), ContextBody::Difference(vec![1]));
    let mut master = Master::start();
    master.append_told(1, Some(&stray), &Ask::Held);
    refuses(
        &mut master,
        1,
        "a difference to a1, and this worker holds nothing",
    );

    let mut master = Master::start();
    master.append_told(
        1,
        Some(&update(2, None, ContextBody::Whole(vec![]))),
        &Ask::Held,
    );
    master.write();
    assert_eq!(master.replied(1), held(0, 1));
    master.append_told(2, Some(&stray), &Ask::Held);
    refuses(
        &mut master,
        2,
        "a difference to a1, and this worker holds a2",
    );

    let mut master = Master::start();
    master.append_told(
        1,
        Some(&update(2, None, ContextBody::Whole(vec![]))),
        &Ask::Held,
    );
    master.write();
    assert_eq!(master.replied(1), held(0, 1));
    let empty = update(3, Some(2), ContextBody::Difference(vec![]));
    master.append_told(2, Some(&empty), &Ask::Held);
    master.write();
    let (kind, head, rest) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Panicked, 2));
    assert_eq!(said(&rest), "a difference that is none");
    assert_eq!(master.wait().code(), Some(exit::PANICKED));
}

fn a_held_request_is_revoked_while_another_executes() {
    let mut master = Master::start();
    master.append(1, &Ask::UntilCancelled);
    master.append(2, &Ask::Panic("must not begin".to_owned()));
    master.append(3, &Ask::Echo(3));
    master.write();
    assert_eq!(master.about().0, FrameKind::Feedback, "the first executes");
    master.control(FrameKind::Revoke, 1);
    master.control(FrameKind::Revoke, 2);
    let (kind, head, _) = master.about();
    assert_eq!((kind, head.number), (FrameKind::Revoked, 2));
    master.control(FrameKind::Cancel, 1);
    assert_eq!(master.replied(1), 0);
    assert_eq!(master.replied(3), 3);
}

fn an_answer_does_not_wait_behind_a_long_attempt() {
    let mut master = Master::start();
    master.append(1, &Ask::Echo(1));
    // Says nothing by itself: the first answer can only come from the watcher.
    master.append(2, &Ask::SilentUntilCancelled);
    master.write();
    assert_eq!(master.replied(1), 1);
    master.control(FrameKind::Cancel, 2);
    // Whether it had begun or not, it is settled exactly once.
    assert!(matches!(
        master.frame().0,
        FrameKind::Reply | FrameKind::Revoked
    ));
}

fn heeded(master: &mut Master) -> bool {
    let (kind, body) = master.frame();
    assert_eq!(kind, FrameKind::Reply);
    let (head, _): (ReplyHeader, _) = farm_protocol::decode_prefix(&body).expect("a reply's head");
    head.flags.heeded_cancel
}

fn what_executes_is_cancelled() {
    let mut master = Master::start();
    for n in [1, 3] {
        master.send(n, &Ask::UntilCancelled);
        assert_eq!(master.about().0, FrameKind::Feedback);
        master.control(FrameKind::Cancel, n);
        assert!(heeded(&mut master));
        // The flag is down again for the next.
        master.send(n + 1, &Ask::Cancelled);
        assert_eq!(master.replied(n + 1), 0);
    }
}

fn a_signal_of_a_living_master_cancels_nothing() {
    let mut master = Master::start();
    // It names no attempt, and may be noticed by the one after that which was meant.
    master.signal(rustix::process::Signal::TERM);
    master.send(1, &Ask::UntilCancelled);
    assert_eq!(master.about().0, FrameKind::Feedback);
    master.signal(rustix::process::Signal::TERM);
    master.control(FrameKind::Cancel, 1);
    assert!(heeded(&mut master));
    // The flag is as it was for the next, whenever the signal is noticed.
    master.send(2, &Ask::Cancelled);
    assert_eq!(master.replied(2), 0);
    assert_eq!(master.stop().code(), Some(0));
}

fn a_slow_reader_does_not_stop_a_cancellation() {
    let mut master = Master::start();
    // More than a pipe holds, and nobody reads: the worker is stuck in the middle of a frame until it is cancelled.
    master.send(1, &Ask::FloodUntilCancelled);
    assert_eq!(master.about().0, FrameKind::Feedback);
    master.control(FrameKind::Cancel, 1);
    let mut floods = 0;
    while master.peek() == FrameKind::Feedback {
        master.frame();
        floods += 1;
    }
    assert_eq!(master.replied(1), floods);
}

fn a_mad_master_is_left() {
    let mut master = Master::start();
    master.send(1, &Ask::Echo(1));
    assert_eq!(master.replied(1), 1);
    master.send(1, &Ask::Echo(1));
    assert!(master.ended());
    assert_eq!(master.wait().code(), Some(exit::FAULT));
    assert!(master.last_words().contains("numbered upwards"));

    let mut master = Master::start();
    master.control(FrameKind::Stop, 1);
    assert!(master.ended());
    assert_eq!(master.wait().code(), Some(exit::FAULT));
    assert!(master.last_words().contains("control pipe"));
}

fn the_page_names_what_executes() {
    let mut master = Master::start();
    assert_eq!(master.page().executing, None);
    master.send(1, &Ask::UntilCancelled);
    assert_eq!(master.about().0, FrameKind::Feedback);
    let noted = master.page();
    assert_eq!(noted.executing, Some(master::id(1)));
    assert!(noted.started_nanos > 0);
    master.signal(rustix::process::Signal::KILL);
    let signal = master.wait().signal();
    assert_eq!(signal.and_then(signal_name), Some("SIGKILL"));
    assert_eq!(master.page(), noted, "the note outlives its writer");
}

fn the_end_of_the_pipes_kills_the_group() {
    for control in [false, true] {
        let mut master = Master::start();
        master.send(1, &Ask::Background);
        master.replied(1);
        if control {
            master.close_control();
        } else {
            master.close_requests();
        }
        // The grandchild holds the worker's standard output: its end of file says that both are dead.
        master.last_words();
        assert_eq!(master.wait().signal(), Some(9));
    }
}

fn a_worker_that_is_still_being_made_can_be_ended() {
    for signal in [false, true] {
        let mut master = Master::spawn(Stdio::piped(), &[(STUCK, "1")]);
        assert_eq!(master.first_line(), "making");
        if signal {
            master.signal(rustix::process::Signal::TERM);
        } else {
            master.close_control();
        }
        assert_eq!(master.wait().signal(), Some(9));
    }
}

/// Starts a worker with a grandchild, both holding this process's standard output, then waits to be killed.
fn doomed_master() {
    let mut master = Master::start_with(Stdio::inherit());
    master.send(1, &Ask::Background);
    master.replied(1);
    // A whole line: the test reads until it comes.
    master.send(2, &Ask::Print("ready\n".to_owned()));
    master.replied(2);
    master.ended();
}

fn a_killed_master_takes_everything_along() {
    let own = std::env::current_exe().expect("a path of this program");
    let mut doomed = Command::new(own)
        .arg(DOOMED)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let mut out = BufReader::new(doomed.stdout.take().expect("piped above"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the master's output");
    assert_eq!(line, "ready\n");
    doomed.kill().expect("it lives");
    doomed.wait().expect("it was killed");
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("the end of all three");
    assert!(rest.is_empty());
}
