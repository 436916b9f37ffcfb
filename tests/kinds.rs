//! Kinds of one's own, embedded, on real workers: this program is its own worker. One kind of
//! no-ops, one with a competence, one of claims for groups, one with a context, one with a template, one that cannot be marshalled, and what becomes of programs that are no worker.

#![expect(
    clippy::print_stdout,
    reason = "a test program without a harness prints its own verdicts, and one kind prints"
)]

#[path = "kinds/cancels.rs"]
mod cancels;
#[path = "kinds/embed.rs"]
mod embed;
#[path = "kinds/graph.rs"]
mod graph;
#[path = "kinds/groups.rs"]
mod groups;
#[path = "kinds/inside.rs"]
mod inside;
#[path = "kinds/library.rs"]
mod library;
#[path = "kinds/limits.rs"]
mod limits;
#[path = "kinds/marshal.rs"]
mod marshal;
#[path = "kinds/names.rs"]
mod names;
#[path = "kinds/nested.rs"]
mod nested;
#[path = "kinds/noop.rs"]
mod noop;
#[path = "kinds/partials.rs"]
mod partials;
#[path = "kinds/prelude.rs"]
mod prelude;
#[path = "kinds/runner.rs"]
mod runner;
#[path = "kinds/storm.rs"]
mod storm;
#[path = "kinds/strangers.rs"]
mod strangers;
#[path = "kinds/stubborn.rs"]
mod stubborn;
#[path = "kinds/template.rs"]
mod template;
#[path = "kinds/template_trouble.rs"]
mod template_trouble;

use farm::worker::{Worker, run_if_asked};
use runner::Test;
use std::process::ExitCode;
use std::time::Duration;

const STORM: &[Test] = &[("a_respawn_storm_ends_and_leaves_nothing", respawn_storm)];

/// A tenth of the one in `benches/respawn.rs`.
fn respawn_storm() {
    let weather = storm::storm(200);
    assert_eq!(weather.wrong, [""; 0]);
    let (before, after) = (weather.before, weather.after);
    assert!(!after.is_beyond(before), "{before:?}, {after:?}");
    assert!(weather.took < storm::LIMIT);
}

const CANCELS: &[Test] = &[
    (
        "c4_no_more_run_than_may_in_a_storm_of_cancels",
        cancel_storm,
    ),
    (
        "c6_what_ignores_everything_is_killed_with_its_children_at_its_budget",
        stubborn::killed_with_its_children,
    ),
];

/// A small one of those in `benches/storm.rs`, which has the limit: a machine that builds something else meanwhile is
/// later than that.
fn cancel_storm() {
    let size = cancels::Size {
        tasks: 300,
        gap: Duration::from_millis(3),
        one_of: 5,
        killed: 15,
    };
    let weather = cancels::storm(size, 0xC4);
    let (hows, noted) = (&weather.hows, weather.noted);
    assert_eq!(weather.wrong, [""; 0], "{hows:?}, {noted:?}");
    let limit = cancels::BUDGET + 5 * cancels::BEYOND + weather.machine();
    assert!(weather.worst() <= limit, "{:?}, {limit:?}", weather.worst());
}

fn main() -> ExitCode {
    run_if_asked(|| {
        if std::env::args().any(|argument| argument == strangers::OTHER_TYPES) {
            Worker::new().with(strangers::Other)
        } else {
            Worker::new()
                .with(noop::Performer)
                .with(cancels::notes::Noting::default())
                .with(groups::Prover)
                .with(library::Reader)
                .with(prelude::Player::default())
                .with(marshal::Writer)
                .with(names::Namer)
                .with(nested::Nester)
                .with(partials::Teller)
                .with(storm::Victim)
                .with(template::Warm::default())
        }
    });
    match std::env::args().nth(1).as_deref() {
        Some(nested::AS_MASTER) => nested::be_master(),
        Some(inside::AS_ENDING) => inside::end_by_a_task(),
        Some(template::DOOMED) => template::doomed_master(),
        Some(_) | None => {}
    }
    let tests = [
        groups::TESTS,
        graph::TESTS,
        noop::TESTS,
        library::TESTS,
        prelude::TESTS,
        marshal::TESTS,
        names::TESTS,
        partials::TESTS,
        limits::TESTS,
        strangers::TESTS,
        embed::TESTS,
        inside::TESTS,
        nested::TESTS,
        STORM,
        CANCELS,
        template::TESTS,
        template_trouble::TESTS,
    ]
    .concat();
    runner::run(&tests)
}
