//! Pipes: bytes in order in any pieces, an end behind them, room that is told, and what happens when one side is gone.

use crate::worlds::{
    DONE, Hands, Log, World, acts, before, both_ways, millis, passed, quiescent, say, spawn,
};
use farm_lockstep::{Config, Event, Part, Pid, PipeId, SpawnOptions};

const TEXT: &[u8] = b"abcdefgh";

/// The first pipe of a world.
const PIPE: PipeId = PipeId(0);

fn cutting() -> Config {
    Config {
        split_per_mille: 500,
        ..Config::default()
    }
}

fn child(world: &mut Hands<'_>, step: impl FnMut(&mut Hands<'_>, Event<'_, u32>) + 'static) -> Pid {
    let options = SpawnOptions {
        watched: true,
        ..SpawnOptions::new("child", 1)
    };
    world.spawn(acts(step), options)
}

fn said(bytes: &[u8]) -> String {
    format!("+{}", str::from_utf8(bytes).expect("the text is ASCII"))
}

/// The bytes that a log tells of.
fn bytes_of(log: &Log) -> String {
    log.iter()
        .filter_map(|line| line.strip_prefix('+'))
        .collect()
}

#[test]
fn bytes_come_in_order_then_the_end_and_the_exit_when_it_likes() {
    let logs = passed(cutting(), 400, |world| {
        spawn(world, |cx, event| match event {
            Event::Start => {
                let writer = child(cx, |cx, _| {
                    cx.write(PIPE, TEXT);
                    cx.exit(DONE);
                });
                cx.pipe(0, writer, cx.me(), 100);
            }
            Event::Bytes { bytes, .. } => say(cx, said(bytes)),
            Event::Eof { .. } | Event::Ended { .. } => {
                say(
                    cx,
                    if matches!(event, Event::Eof { .. }) {
                        "eof"
                    } else {
                        "exit"
                    },
                );
                if cx
                    .shared()
                    .iter()
                    .filter(|line| !line.starts_with('+'))
                    .count()
                    == 2
                {
                    cx.exit(DONE);
                }
            }
            other => panic!("{other:?}"),
        });
    });
    for log in &logs {
        assert_eq!(bytes_of(log).as_bytes(), TEXT);
        assert_eq!(
            bytes_of(&log[..crate::worlds::place(log, "eof").unwrap()].to_vec()).len(),
            8
        );
    }
    both_ways(&logs, |log| before(log, "eof", "exit"));
    both_ways(&logs, |log| log[0] == "exit");
    both_ways(&logs, |log| log.len() > 3);
}

/// A writer with more than there is room for; `reader` gets its events.
fn narrow(world: &mut World, reader: impl FnMut(&mut Hands<'_>, Event<'_, u32>) + Clone + 'static) {
    spawn(world, move |cx, _| {
        let mut written = 0;
        let writer = child(cx, move |cx, event| {
            assert!(
                matches!(event, Event::Start | Event::Writable { .. }),
                "{event:?}"
            );
            let count = cx.write(PIPE, &TEXT[written..]);
            assert!(count <= 3 || written + count == TEXT.len());
            written += count;
            if written == TEXT.len() {
                say(cx, "written");
                cx.exit(DONE);
            }
        });
        let reader = child(cx, reader.clone());
        cx.pipe(0, writer, reader, 3);
        cx.exit(DONE);
    });
}

#[test]
fn a_full_pipe_tells_when_there_is_room() {
    for log in passed(cutting(), 200, |world| {
        narrow(world, |cx, event| match event {
            Event::Bytes { bytes, .. } => say(cx, said(bytes)),
            Event::Eof { .. } => cx.exit(DONE),
            _ => {}
        });
    }) {
        assert_eq!(bytes_of(&log).as_bytes(), TEXT);
    }
}

#[test]
fn what_is_read_at_once_makes_room_as_well() {
    for log in passed(quiescent(), 50, |world| {
        narrow(world, |cx, event| match event {
            Event::Start | Event::Wake => {
                cx.listen(PIPE, false);
                let mut bytes = b"+".to_vec();
                cx.read_now(PIPE, &mut bytes);
                assert!(bytes.len() <= 4);
                say(cx, String::from_utf8(bytes).unwrap());
                cx.alarm(Some(cx.now().after(millis(1))));
                if bytes_of(cx.shared()).len() == TEXT.len() {
                    cx.exit(DONE);
                }
            }
            other => panic!("nothing is told while it does not listen: {other:?}"),
        });
    }) {
        assert_eq!(bytes_of(&log).as_bytes(), TEXT);
    }
}

/// Otherwise the writer would wait for room that nobody makes.
#[test]
fn a_writer_is_let_go_when_its_reader_dies() {
    let logs = passed(Config::default(), 50, |world| {
        // Without a look at what is there: reading makes room, and would let the writer go by itself.
        narrow(world, |cx, _| cx.exit(DONE));
    });
    assert!(logs.iter().all(|log| *log == ["written"]), "{logs:?}");
}

#[test]
fn a_pipe_whose_writer_is_dead_already_ends_at_once() {
    passed(Config::default(), 10, |world| {
        spawn(world, |cx, event| match event {
            Event::Start => {
                let writer = child(cx, |_, _| panic!("it was killed before it began"));
                cx.kill(writer, DONE);
                cx.pipe(0, writer, cx.me(), 1);
            }
            Event::Eof { .. } => cx.exit(DONE),
            _ => {}
        });
    });
}

#[test]
fn who_does_not_listen_is_told_nothing() {
    for log in passed(Config::default(), 100, |world| {
        spawn(world, |cx, event| match event {
            Event::Start => {
                let options = SpawnOptions {
                    part: Part::Background,
                    ..SpawnOptions::new("writer", 1)
                };
                let step = |cx: &mut Hands<'_>, _: Event<'_, u32>| {
                    cx.write(PIPE, TEXT);
                    cx.close(PIPE);
                };
                let writer = cx.spawn(acts(step), options);
                let pipe = cx.pipe(0, writer, cx.me(), 100);
                cx.listen(pipe, false);
                cx.alarm(Some(cx.now().after(millis(5_000))));
            }
            Event::Wake => {
                say(cx, "listens");
                cx.listen(PIPE, true);
            }
            Event::Bytes { bytes, .. } => say(cx, said(bytes)),
            Event::Eof { .. } => cx.exit(DONE),
            _ => {}
        });
    }) {
        assert_eq!(log, ["listens", "+abcdefgh"]);
    }
}

/// Bytes that go round and round through a pipe that is never empty: it must not grow (nor lose its place).
#[test]
fn a_pipe_that_never_runs_dry_goes_on() {
    let config = Config {
        split_per_mille: 1_000,
        ..Config::default()
    };
    passed(config, 3, |world| {
        let (mut next, mut expected) = (0_u8, 0_u8);
        spawn(world, move |cx, event| {
            match event {
                Event::Start => {
                    cx.pipe(0, cx.me(), cx.me(), 50);
                }
                Event::Bytes { bytes, .. } => {
                    for &byte in bytes {
                        assert_eq!(byte, expected);
                        expected = expected.wrapping_add(1);
                    }
                }
                Event::Writable { .. } => {}
                other => panic!("{other:?}"),
            }
            if cx.step() > 2_000 {
                return cx.exit(DONE);
            }
            while cx.write(PIPE, &[next]) == 1 {
                next = next.wrapping_add(1);
            }
        });
    });
}
