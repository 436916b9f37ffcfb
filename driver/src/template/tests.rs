//! What a template may say, and what it may not; its time; what is withdrawn. The process is a `sleep`.

use super::*;
use crate::process::Role;
use crate::spawn::open_ends;
use farm_protocol::{Session, SlotId, Termination};
use mio::{Events, Poll};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

const ID: TemplateId = TemplateId {
    kind: KindId(3),
    generation: 1,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn at(second: u64) -> Instant {
    Instant::from_millis(second * 1000)
}

const fn place(number: u32) -> Place {
    Place {
        slot: SlotId(number),
        session: Session(number as u64),
    }
}

/// The other side: the process, and its end of the socket. Both are gone with it.
struct Theirs {
    pid: Pid,
    handle: Handle,
    _socket: OwnedFd,
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // By its descriptor: it may have been collected.
        let _gone = self.handle.signal_group(self.pid, Signal::KILL);
        self.handle.wait();
        let _how = crate::reap::try_reap(self.pid);
    }
}

fn template() -> (Template, Theirs) {
    let child = Command::new("/bin/sleep")
        .arg("1000")
        .process_group(0)
        .spawn();
    template_of(Pid::from_child(&child.expect("sleep")))
}

fn template_of(pid: Pid) -> (Template, Theirs) {
    let (link, theirs) = TemplateLink::pair().expect("a socket");
    let (output, _) = os_pipe::pipe().expect("a pipe");
    let parts = TemplateParts {
        pid,
        handle: Handle::open(pid).expect("it lives"),
        link,
        output: Incoming::new(output.into()).expect("a pipe"),
    };
    let theirs = Theirs {
        pid,
        handle: Handle::open(pid).expect("it lives"),
        _socket: theirs,
    };
    (Template::new(ID, parts, at(0), PATIENCE), theirs)
}

/// One that is warm, and has been asked for the workers of so many places.
fn asked(places: u32) -> (Template, Theirs) {
    let (mut template, theirs) = template();
    assert!(matches!(
        template.understand(&PREAMBLE, Ok(None)),
        Heard::Warm
    ));
    for number in 0..places {
        let (theirs, ours) = open_ends(false).expect("pipes");
        let place = place(number);
        template.order(Order::Fork(Box::new(Expected {
            place,
            name: WorkerName {
                farm: 1,
                session: place.session,
            },
            theirs: Some(theirs),
            ours,
            unwanted: false,
        })));
    }
    assert!(template.pump(at(1)).is_empty());
    (template, theirs)
}

fn said(template: &mut Template, answer: &TemplateAnswer, fd: bool) -> Heard {
    let bytes = encode(answer, TEMPLATE_MESSAGE_MAX).expect("it is short");
    let fd = fd.then(|| {
        let stderr = io::stderr();
        stderr.as_fd().try_clone_to_owned().expect("a descriptor")
    });
    template.understand(&bytes, Ok(fd))
}

const FORKED: TemplateAnswer = TemplateAnswer::Forked {
    pid: 4711,
    shared_bytes: 1,
};

#[test]
fn tokens_are_no_workers() {
    for kind in [KindId(0), KindId(1), KindId(u16::MAX)] {
        for part in Part::ALL {
            let token = part.token(kind);
            assert_eq!(Part::of(token), Some((kind, part)));
            assert_eq!(Role::of(token), None);
        }
    }
    assert_eq!(Part::of(Token(usize::MAX)), None);
    assert_eq!(Part::of(Role::Exit.token(SlotId(7))), None);
}

#[test]
fn it_is_given_its_time() {
    let (mut template, _theirs) = template();
    assert_eq!(template.deadline(), Some(at(60)));
    assert!(template.overdue().contains("hello_timeout"));
    assert!(matches!(
        template.understand(&PREAMBLE, Ok(None)),
        Heard::Warm
    ));
    assert_eq!(template.deadline(), None, "it owes nothing");
    let (template, _theirs) = asked(2);
    assert_eq!(template.deadline(), Some(at(1).after(ANSWERS_WITHIN)));
}

#[test]
fn one_order_at_a_time() {
    let (mut template, theirs) = asked(2);
    let why = "no memory".to_owned();
    let heard = said(&mut template, &TemplateAnswer::NotForked { why }, false);
    assert!(matches!(heard, Heard::NotForked(expected, _) if expected.place == place(0)));
    assert!(template.pump(at(2)).is_empty());
    let heard = said(&mut template, &FORKED, true);
    assert!(matches!(heard, Heard::Forked(expected, ..) if expected.place == place(1)));
    assert_eq!(template.deadline(), None);
    drop(theirs);
    assert!(matches!(template.hear(), Heard::HungUp));
}

#[test]
fn nonsense_is_not_believed() {
    let (mut cold, _theirs) = template();
    assert!(matches!(
        cold.understand(b"Usage: nothing", Ok(None)),
        Heard::Nonsense(_)
    ));
    let (mut idle, _theirs) = asked(0);
    assert!(matches!(said(&mut idle, &FORKED, true), Heard::Nonsense(_)));
    let collected = TemplateAnswer::Collected {
        termination: Termination::Lost,
        peak_bytes: 0,
    };
    let nobody = TemplateAnswer::Forked {
        pid: 0,
        shared_bytes: 0,
    };
    for (answer, fd) in [(collected, false), (FORKED, false), (nobody, true)] {
        let (mut template, _theirs) = asked(1);
        assert!(matches!(
            said(&mut template, &answer, fd),
            Heard::Nonsense(_)
        ));
        let remains = template.end(None);
        assert_eq!(
            remains.orders.len(),
            1,
            "it is told that there is no worker"
        );
    }
}

#[test]
fn what_is_with_the_template_cannot_be_withdrawn() {
    let (mut template, _theirs) = asked(2);
    assert!(template.withdraw(place(1)), "it was not sent");
    assert!(!template.withdraw(place(1)), "once");
    assert!(!template.withdraw(place(0)), "it is with the template");
    let heard = said(&mut template, &FORKED, true);
    assert!(matches!(heard, Heard::Forked(expected, ..) if expected.unwanted));
}

/// A template, and the other end of what it prints to.
fn printing() -> (Template, os_pipe::PipeWriter, Theirs) {
    let (mut template, theirs) = template();
    let (output, words) = os_pipe::pipe().expect("a pipe");
    template.output = Incoming::new(output.into()).expect("a pipe");
    (template, words, theirs)
}

#[test]
fn its_last_words_are_the_last_that_it_has_printed() {
    let (template, mut theirs, _process) = printing();
    theirs
        .write_all(&vec![b'-'; 2 * OUTPUT_AT_ONCE])
        .expect("there is room");
    theirs.write_all(b"what it died of").expect("there is room");
    drop(theirs);
    let why = template.end(None).why;
    assert!(why.ends_with("what it died of"), "{why}");
}

#[test]
fn one_that_prints_more_at_once_than_a_pipe_holds_is_not_kept_waiting() {
    let (mut template, mut theirs, _process) = printing();
    let mut poll = Poll::new().expect("a poll");
    template.register(poll.registry()).expect("registered");
    let writer = std::thread::spawn(move || theirs.write_all(&vec![b'-'; 1 << 20]));
    let (mut events, mut over) = (Events::with_capacity(8), false);
    while !over {
        let long = Some(Duration::from_secs(10));
        poll.poll(&mut events, long).expect("a poll");
        assert!(!events.is_empty(), "it waits for somebody to read");
        for event in &events {
            if Part::of(event.token()) == Some((ID.kind, Part::Output)) {
                template.listen(poll.registry());
                over |= event.is_read_closed();
            }
        }
    }
    writer.join().expect("no panic").expect("all is read");
}

/// The group that it should lead is not there, so nobody can kill it that way: it stands for one that does not die.
#[test]
fn one_that_does_not_die_is_not_waited_for() {
    let child = Command::new("/bin/sleep").arg("5").spawn();
    let mut child = child.expect("sleep");
    let (template, theirs) = template_of(Pid::from_child(&child));
    let mut remains = template.end(Some("it was late".to_owned()));
    assert_eq!(remains.why, "it was late");
    assert!(!theirs.handle.has_exited(), "it was waited for");
    assert_eq!(remains.dying.collect(), None);
    child.kill().expect("it lives");
    theirs.handle.wait();
    let how = remains.dying.collect().expect("it has ended");
    assert_eq!(how.termination.signal(), Some(9));
    assert!(child.wait().is_err(), "it is collected");
}

#[test]
fn a_farm_that_is_killed_waits_less() {
    let (mut template, _theirs) = asked(1);
    template.hurry(Duration::from_secs(1));
    assert_eq!(template.deadline(), Some(at(2)));
    assert!(template.overdue().contains("1s"));
}

#[test]
fn a_worker_whose_descriptor_is_lost_has_not_started() {
    let (mut template, _theirs) = asked(1);
    let bytes = encode(&FORKED, TEMPLATE_MESSAGE_MAX).expect("it is short");
    let heard = template.understand(&bytes, Err(Lost));
    let Heard::Unheld(expected, pid) = heard else {
        panic!("{heard:?}")
    };
    assert_eq!(expected.place, place(0));
    // Nobody of that number is its child, so nobody is killed.
    template.bury(pid, None);
    assert!(template.pump(at(2)).is_empty());
    assert_eq!(template.deadline(), Some(at(2).after(ANSWERS_WITHIN)));
    let collected = TemplateAnswer::Collected {
        termination: Termination::Lost,
        peak_bytes: 0,
    };
    let heard = said(&mut template, &collected, false);
    assert!(matches!(heard, Heard::Buried));
    assert_eq!(template.deadline(), None);
}

#[test]
fn a_descriptor_of_another_process_is_nonsense() {
    for own in [true, false] {
        let (mut template, theirs) = asked(1);
        let pid = theirs.pid.as_raw_nonzero().get().unsigned_abs() + u32::from(!own);
        let answer = TemplateAnswer::Forked {
            pid,
            shared_bytes: 0,
        };
        let bytes = encode(&answer, TEMPLATE_MESSAGE_MAX).expect("it is short");
        let pidfd = theirs.handle.copy().expect("a descriptor");
        let heard = template.understand(&bytes, Ok(Some(pidfd)));
        if own {
            assert!(matches!(heard, Heard::Forked(..)), "{heard:?}");
        } else {
            assert!(matches!(heard, Heard::Nonsense(_)), "{heard:?}");
        }
    }
}
