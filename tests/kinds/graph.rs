//! Tasks that need each other by their places, submitted at once.

use super::Test;
use super::noop::{Behave, Noop};
use farm::master::SkippedBy;
use farm::{Farm, Outcome, Pool, Program, Settled, Shut, TaskOptions, TaskQueue};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) const TESTS: &[Test] = &[
    ("a_graph_starts_nothing_before_what_it_needs", in_order),
    ("what_needs_a_broken_task_is_skipped_by_name", broken),
    (
        "a_graph_with_a_need_that_comes_later_is_a_mistake",
        backwards,
    ),
    ("a_graph_for_a_farm_that_is_over_is_handed_back", over),
];

type Planned = (Behave, TaskOptions, Vec<usize>);

fn echo(number: u64, needs: &[usize]) -> Planned {
    let options = TaskOptions::default();
    (Behave::Echo(number), options, needs.to_vec())
}

fn with_queue(test: impl FnOnce(&Farm, &TaskQueue<Noop>)) {
    let mut builder = Farm::builder();
    let kind = builder.kind(Noop, Pool::new(Program::this_executable(), 2));
    let farm = builder.start().expect("a farm");
    test(&farm, &farm.queue(kind));
}

/// The ends by place. Everything is admitted.
fn ends(queue: &TaskQueue<Noop>, graph: Vec<Planned>) -> Vec<Settled<Noop>> {
    let ends = queue.submit_graph(graph).in_order();
    ends.map(|end| end.expect("admitted")).collect()
}

/// Many more than workers: short ones end while later ones come in, and must be known as needs all the same.
fn in_order() {
    with_queue(|_, queue| {
        let needs = |n: usize| [n / 2, n.saturating_sub(1)];
        let later = (1..400_usize).map(|n| echo(n as u64, &needs(n)));
        let graph = std::iter::once(echo(0, &[])).chain(later);
        let ends = ends(queue, graph.collect());
        for (n, end) in ends.iter().enumerate().skip(1) {
            assert!(end.outcome.is_done());
            for need in needs(n) {
                assert!(
                    ends[need].finished <= end.started.expect("it ran"),
                    "{n} before {need}"
                );
            }
        }
    });
}

fn broken() {
    with_queue(|_, queue| {
        let broken = (Behave::Unencodable, TaskOptions::default(), vec![0]);
        let graph = vec![
            echo(0, &[]),
            broken,
            echo(2, &[0, 1]),
            echo(3, &[2]),
            echo(4, &[0]),
        ];
        let ends = ends(queue, graph);
        let by = |place: usize| match &ends[place].outcome {
            Outcome::Skipped(SkippedBy::Need(id)) => *id,
            other => panic!("{other:?}"),
        };
        assert_eq!((by(2), by(3)), (ends[1].id, ends[2].id));
        assert!(ends[0].outcome.is_done() && ends[4].outcome.is_done());
    });
}

fn backwards() {
    with_queue(|farm, queue| {
        let graph = vec![echo(0, &[]), echo(1, &[2]), echo(2, &[])];
        let tried = catch_unwind(AssertUnwindSafe(|| queue.submit_graph(graph)));
        assert!(tried.is_err());
        assert_eq!(farm.outstanding(), 0, "nothing has come in");
    });
}

fn over() {
    with_queue(|farm, queue| {
        farm.shut(Shut::Drain);
        farm.wait_stopped();
        let ends = queue.submit_graph(vec![echo(7, &[]), echo(8, &[0])]);
        let numbers = ends.in_order().map(|end| match end {
            Err(refused) => match refused.task {
                Behave::Echo(number) => number,
                other => panic!("{other:?}"),
            },
            Ok(settled) => panic!("{:?}", settled.outcome),
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [7, 8]);
    });
}
