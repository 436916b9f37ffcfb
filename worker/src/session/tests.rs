//! The session by table and by all interleavings of small scripts.

use super::frames::{Incoming, append_answer, control, incoming};
use super::*;
use farm_protocol::{
    Attempt, DEFAULT_FRAME_LIMIT, Frame, FrameDecoder, FrameKind, FrameLimit, KindId, TaskId,
    attempt_frame, decode_prefix, request_frame,
};

fn id(number: u64) -> AttemptId {
    AttemptId {
        task: TaskId::from_bits(number * 10),
        attempt: Attempt(1),
    }
}

fn at(number: u64) -> AttemptHeader {
    AttemptHeader {
        number,
        id: id(number),
    }
}

fn request(number: u64) -> Event {
    Event::Request(header(number))
}

fn header(number: u64) -> RequestHeader {
    RequestHeader {
        number,
        id: id(number),
        kind: KindId(0),
    }
}

fn over(how: Finish) -> Event {
    Event::Finished(Finished {
        how,
        flags: ReplyFlags::default(),
        ran_nanos: 5,
    })
}

fn reply(number: u64) -> Action {
    Action::Answer(Answer::Reply(ReplyHeader {
        id: id(number),
        flags: ReplyFlags::default(),
        ran_nanos: 5,
    }))
}

fn revoked(number: u64) -> Action {
    Action::Answer(Answer::Revoked(at(number)))
}

fn run(events: impl IntoIterator<Item = Event>) -> (Session, Vec<Action>) {
    let mut session = Session::new(1);
    let mut actions = Vec::new();
    for event in events {
        session.handle(event, &mut actions);
    }
    (session, actions)
}

#[test]
fn one_after_the_other() {
    let (session, actions) = run([
        request(1),
        over(Finish::Replied),
        request(2),
        over(Finish::Unmarshallable("w".into())),
        Event::Stop,
    ]);
    let unmarshallable = Action::Answer(Answer::Unmarshallable(at(2), "w".into()));
    let begin = |n| Action::Begin(header(n));
    let end = Action::End(Ending::Stopped);
    assert_eq!(actions, [begin(1), reply(1), begin(2), unmarshallable, end]);
    assert!(session.ended());
    assert_eq!(session.stale(), 0);
}

#[test]
fn what_has_not_begun_is_handed_back_at_once() {
    for event in [Event::Cancel(at(2)), Event::Revoke(at(2))] {
        let (session, actions) = run([
            request(1),
            event.clone(),
            event,
            over(Finish::Replied),
            request(2),
            request(3),
        ]);
        let skip = Action::Skip(header(2));
        let begin = |n| Action::Begin(header(n));
        assert_eq!(actions, [begin(1), revoked(2), reply(1), skip, begin(3)]);
        assert_eq!(session.stale(), 1, "the second revocation says nothing new");
        assert!(session.withdrawn.is_empty());
    }
}

#[test]
fn what_executes_is_cancelled_once_and_never_revoked() {
    let (session, actions) = run([
        request(1),
        Event::Revoke(at(1)),
        Event::Cancel(AttemptHeader { id: id(9), ..at(1) }),
        Event::Cancel(at(1)),
        Event::Cancel(at(1)),
        over(Finish::Replied),
        Event::Cancel(at(1)),
    ]);
    assert_eq!(
        actions,
        [Action::Begin(header(1)), Action::RaiseCancel, reply(1)]
    );
    assert_eq!(session.stale(), 4);
}

#[test]
fn numbers_passed_over_are_forgotten() {
    let (session, _) = run([
        Event::Revoke(at(1)),
        Event::Revoke(at(2)),
        Event::Revoke(at(9)),
        request(3),
    ]);
    assert_eq!(session.withdrawn.keys().copied().collect::<Vec<_>>(), [9]);
}

#[test]
fn a_refusal_or_a_panic_ends_the_session() {
    for (how, ending) in [
        (Finish::Refused("r".into()), Ending::Refused),
        (Finish::Panicked("p".into()), Ending::Panicked),
    ] {
        let (session, actions) = run([request(1), over(how), request(2), Event::Revoke(at(3))]);
        assert_eq!(actions.last(), Some(&Action::End(ending)));
        assert_eq!(actions.len(), 3);
        assert_eq!(session.stale(), 2);
    }
}

#[test]
fn a_kind_that_is_not_there_is_refused() {
    let mut wrong = header(1);
    wrong.kind = KindId(1);
    let (_, actions) = run([Event::Request(wrong)]);
    assert!(matches!(
        actions[0],
        Action::Answer(Answer::Refused(at_1, _)) if at_1 == at(1)
    ));
    assert_eq!(actions[1], Action::End(Ending::Refused));
}

#[test]
fn a_mad_master_is_a_typed_fault() {
    let fault = |events: Vec<Event>| {
        let (session, mut actions) = run(events);
        assert!(session.ended());
        actions.pop()
    };
    let not_rising = |last, got| {
        let fault = Fault::NumberNotRising { last, got };
        Some(Action::End(Ending::Fault(fault)))
    };
    assert_eq!(fault(vec![request(0)]), not_rising(0, 0));
    let twice = vec![request(4), over(Finish::Replied), request(4)];
    assert_eq!(fault(twice), not_rising(4, 4));
    let other = AttemptHeader { id: id(7), ..at(1) };
    let other = Fault::OtherAttempt {
        number: 1,
        revoked: other.id,
        got: id(1),
    };
    assert_eq!(
        fault(vec![
            Event::Revoke(AttemptHeader {
                number: 1,
                id: id(7)
            }),
            request(1)
        ]),
        Some(Action::End(Ending::Fault(other)))
    );
    let many = (0..=WITHDRAWN_MAX as u64).map(|n| Event::Revoke(at(n + 1)));
    assert_eq!(
        fault(many.collect()),
        Some(Action::End(Ending::Fault(Fault::TooManyWithdrawn)))
    );
}

#[test]
#[should_panic(expected = "when the performer is free")]
fn a_driver_that_begins_two_at_once_is_stopped() {
    run([request(1), request(2)]);
}

/// All interleavings of the performer (reads 1, 2, 3 and finishes each) with control frames in their order.
fn interleave(done: usize, control: &[Event], so_far: &mut Vec<Event>, judge: &dyn Fn(&[Event])) {
    // Steps of the performer: 3 times (read, finish). A skipped request has no finish; `play` leaves it out.
    const STEPS: usize = 6;
    if done == STEPS && control.is_empty() {
        return judge(so_far);
    }
    if done < STEPS {
        let number = done as u64 / 2 + 1;
        so_far.push(if done.is_multiple_of(2) {
            request(number)
        } else {
            over(Finish::Replied)
        });
        interleave(done + 1, control, so_far, judge);
        so_far.pop();
    }
    if let Some((first, rest)) = control.split_first() {
        so_far.push(first.clone());
        interleave(done, rest, so_far, judge);
        so_far.pop();
    }
}

fn play(script: &[Event]) -> Vec<Action> {
    let mut session = Session::new(1);
    let mut actions = Vec::new();
    for event in script {
        if matches!(event, Event::Finished(_)) && session.executing().is_none() {
            continue;
        }
        session.handle(event.clone(), &mut actions);
    }
    assert!(session.withdrawn.is_empty(), "all requests came");
    actions
}

#[test]
fn in_every_interleaving_each_request_is_settled_exactly_once() {
    let menu = |n| [Event::Cancel(at(n)), Event::Revoke(at(n))];
    let all: Vec<Event> = (1..=3).flat_map(menu).collect();
    let mut scripts = 0;
    for first in &all {
        for second in &all {
            for third in &all {
                let control = [first.clone(), second.clone(), third.clone()];
                interleave(0, &control, &mut Vec::new(), &|script| {
                    let actions = play(script);
                    for n in 1..=3 {
                        let count =
                            |action: &Action| actions.iter().filter(|a| *a == action).count();
                        let (replies, back) = (count(&reply(n)), count(&revoked(n)));
                        assert_eq!(replies + back, 1, "{n} in {script:?}");
                        assert_eq!(count(&Action::Begin(header(n))), replies);
                        assert_eq!(count(&Action::Skip(header(n))), back);
                        let named = |e: &Event| matches!(e, Event::Cancel(h) | Event::Revoke(h) if *h == at(n));
                        let early = script.iter().take_while(|e| **e != request(n)).any(named);
                        assert_eq!(back == 1, early, "{n} in {script:?}");
                    }
                });
                scripts += 1;
            }
        }
    }
    assert_eq!(scripts, 216);
}

#[test]
fn frames_are_read_on_their_pipe_alone() {
    let mut bytes = Vec::new();
    request_frame(&mut bytes, &header(1), DEFAULT_FRAME_LIMIT, |out| {
        out.extend_from_slice(b"payload");
        Ok::<(), farm_protocol::FrameError>(())
    })
    .unwrap();
    attempt_frame(&mut bytes, FrameKind::Cancel, &at(2));
    attempt_frame(&mut bytes, FrameKind::Revoke, &at(3));
    let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
    decoder.push(&bytes);
    let frame = decoder.next_frame().unwrap().unwrap();
    assert!(matches!(
        incoming(frame),
        Ok(Incoming::Request(h, b"payload")) if h == header(1)
    ));
    assert!(control(frame).is_err());
    let frame = decoder.next_frame().unwrap().unwrap();
    assert_eq!(control(frame), Ok(Event::Cancel(at(2))));
    assert!(incoming(frame).is_err());
    let frame = decoder.next_frame().unwrap().unwrap();
    assert_eq!(control(frame), Ok(Event::Revoke(at(3))));
    let cut = Frame {
        body: &frame.body[..1],
        ..frame
    };
    assert!(control(cut).is_err());
}

#[test]
fn a_reply_over_the_limit_leaves_no_bytes_and_a_long_message_is_cut() {
    let mut out = vec![1];
    let Action::Answer(answer) = reply(1) else {
        unreachable!("a reply is an answer")
    };
    assert!(append_answer(&mut out, &answer, &[0; 100], FrameLimit(50)).is_err());
    assert_eq!(out, [1]);
    let long = "ü".repeat(frames::MESSAGE_MAX);
    out.clear();
    append_answer(
        &mut out,
        &Answer::Panicked(at(1), long),
        &[],
        FrameLimit(50),
    )
    .unwrap();
    let mut decoder = FrameDecoder::new(DEFAULT_FRAME_LIMIT);
    decoder.push(&out);
    let frame = decoder.next_frame().unwrap().unwrap();
    let (head, rest): (AttemptHeader, _) = decode_prefix(frame.body).unwrap();
    let message: String = farm_protocol::decode(rest).unwrap();
    assert_eq!((frame.kind, head), (FrameKind::Panicked, at(1)));
    assert_eq!(message.len(), frames::MESSAGE_MAX);
}
