//! Drawn orders of everything that can happen: nobody is told twice, nobody is forgotten, and everybody ends.

use super::*;
use proptest::prelude::*;

/// The world below: what it was asked and has not answered.
#[derive(Default)]
struct World {
    launching: Vec<WorkerId>,
    sent: Vec<(WorkerId, RequestId)>,
    judging: Vec<(WorkerId, RequestId)>,
    pulling: Vec<WorkerId>,
    closing: Vec<WorkerId>,
    /// Their processes live.
    living: Vec<WorkerId>,
    /// The farm was asked to end them.
    ending: Vec<WorkerId>,
    open: Vec<RequestId>,
    told: u64,
    closed: Vec<WorkerId>,
    /// Whoever launched them was told how that went.
    answered: Vec<WorkerId>,
}

impl World {
    fn hear(&mut self, table: &mut Table) {
        for action in actions(table) {
            match action {
                Action::Launch { worker } => self.launching.push(worker),
                Action::Send { worker, request } => {
                    assert!(self.sent.iter().all(|(other, _)| *other != worker));
                    assert!(!self.ending.contains(&worker), "it is asked to end");
                    self.sent.push((worker, request));
                }
                Action::Judge {
                    worker, request, ..
                } => self.judging.push((worker, request)),
                Action::Pull { worker } => self.pulling.push(worker),
                Action::Close { worker } => self.closing.push(worker),
                Action::Closed { worker, .. } => {
                    assert!(!self.closed.contains(&worker), "closed once");
                    self.closed.push(worker);
                }
                Action::End { worker } => self.ending.push(worker),
                Action::Resolve { request, .. } => {
                    let before = self.open.len();
                    self.open.retain(|other| *other != request);
                    assert_eq!(self.open.len() + 1, before, "told once");
                    self.told += 1;
                }
                Action::Launched { worker } | Action::NotLaunched { worker } => {
                    assert!(!self.answered.contains(&worker), "told once");
                    self.answered.push(worker);
                }
                Action::Stop { .. }
                | Action::Idle { .. }
                | Action::Admitted { .. }
                | Action::Cancel { .. } => {}
            }
        }
    }
}

fn pick<T: Copy>(from: &[T], which: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(which) % from.len()])
}

fn crash() -> Crash {
    Crash {
        why: "it died".to_owned(),
        during: None,
    }
}

fn treated(which: u8) -> Treated {
    let fault = "a fault".to_owned();
    match which % 8 {
        0..=2 => Treated::Answered {
            ok: which.is_multiple_of(2),
        },
        3 => Treated::Stopped(HowStopped::Acked),
        4 => Treated::Fault { fault, crash: None },
        5 => Treated::Fault {
            fault,
            crash: Some(crash()),
        },
        6 => Treated::Killed(HowStopped::Killed),
        _ => Treated::Died(crash()),
    }
}

fn step(table: &mut Table, world: &mut World, now: Instant, (what, which): (u8, u8)) {
    let everybody: Vec<WorkerId> = table.names().map(|(_, id)| id).collect();
    let somebody = pick(&everybody, which);
    match what % 14 {
        0 => {
            let name = ["a", "b", "c", "d", "e"][usize::from(which) % 5];
            let _refused = table.launch(now, name, Some(Duration::from_millis(5)));
        }
        1..=4 => {
            let Some(worker) = somebody else { return };
            let issued = match table.rule {
                Rule::Unbounded | Rule::Bounded(_) => {
                    let pushed = table.push(now, worker, which.is_multiple_of(3));
                    pushed.ok().map(|(request, _)| request)
                }
                Rule::Dropbox => {
                    let merges = [Merge::Newest, Merge::Oldest, Merge::Combined, Merge::Empty];
                    table.put(now, worker, merges[usize::from(what) % 4]).ok()
                }
                Rule::Pull => return table.pull(now, worker),
            };
            world.open.extend(issued);
        }
        10 => {
            let Some(request) = pick(&world.open, which) else {
                return;
            };
            if which.is_multiple_of(2) {
                table.cancel(now, request, "enough");
            } else if table.withdraw(request) {
                world.open.retain(|other| *other != request);
                world.told += 1;
            }
        }
        11 => {
            let Some(worker) = somebody else { return };
            let until = now.after(Duration::from_millis(7));
            let drain = Shutdown::Drain { until };
            let how = [Shutdown::Drop, drain][usize::from(which) % 2];
            table.shutdown(now, worker, how);
        }
        _ => below(table, world, now, (what % 14, which)),
    }
}

/// What the world below does, of what it was asked; or nothing but the time.
fn below(table: &mut Table, world: &mut World, now: Instant, (what, which): (u8, u8)) {
    match what {
        5 => {
            let Some(worker) = pick(&world.launching, which) else {
                return;
            };
            world.launching.retain(|other| *other != worker);
            if which.is_multiple_of(4) {
                table.launch_failed(now, worker);
            } else {
                // One that was to end before it came up is asked again.
                world.ending.retain(|other| *other != worker);
                world.living.push(worker);
                table.launched(now, worker);
            }
        }
        6 | 7 => {
            let Some((worker, request)) = pick(&world.sent, which) else {
                return;
            };
            world.sent.retain(|(other, _)| *other != worker);
            table.treated(now, worker, request, treated(which));
        }
        8 => {
            let Some((worker, request)) = pick(&world.judging, which) else {
                return;
            };
            world.judging.retain(|(other, _)| *other != worker);
            let verdict = match which % 5 {
                0 => Ok(Verdict::Shutdown),
                1 => Ok(Verdict::Crash("no".to_owned())),
                2 => Err("it panicked".to_owned()),
                _ => Ok(Verdict::Continue),
            };
            table.judged(now, worker, request, verdict);
        }
        9 => {
            let Some(worker) = pick(&world.pulling, which) else {
                return;
            };
            world.pulling.retain(|other| *other != worker);
            world
                .open
                .extend(table.pulled(now, worker, which.is_multiple_of(2)));
        }
        12 => {
            // Mostly those that were asked to go.
            let of = if which.is_multiple_of(8) {
                world.living.clone()
            } else {
                let ends = |worker: &&WorkerId| world.ending.contains(worker);
                world.living.iter().filter(ends).copied().collect()
            };
            let Some(worker) = pick(&of, which) else {
                return;
            };
            world.living.retain(|other| *other != worker);
            if which.is_multiple_of(2) {
                world.sent.retain(|(other, _)| *other != worker);
            }
            table.gone(now, worker, which.is_multiple_of(3).then(crash));
        }
        _ => {
            let Some(worker) = pick(&world.closing, which) else {
                return table.wake(now);
            };
            world.closing.retain(|other| *other != worker);
            table.closed(worker);
        }
    }
}

/// Everybody is shut down, and the world below does what it was asked.
fn end(table: &mut Table, world: &mut World, now: Instant) {
    let everybody: Vec<WorkerId> = table.names().map(|(_, id)| id).collect();
    for worker in everybody {
        table.shutdown(now, worker, Shutdown::Drop);
    }
    world.hear(table);
    for worker in std::mem::take(&mut world.launching) {
        table.launch_failed(now, worker);
    }
    for (worker, request) in std::mem::take(&mut world.judging) {
        table.judged(now, worker, request, Ok(Verdict::Continue));
    }
    for worker in std::mem::take(&mut world.living) {
        table.gone(now, worker, None);
    }
    world.hear(table);
    for worker in std::mem::take(&mut world.closing) {
        table.closed(worker);
    }
    world.hear(table);
}

proptest! {
    #[test]
    fn issued_is_told_once_and_everybody_closes(
        rule in prop_oneof![
            Just(Rule::Unbounded), Just(bounded(1)), Just(bounded(3)), Just(Rule::Dropbox), Just(Rule::Pull)
        ],
        steps in prop::collection::vec((any::<u8>(), any::<u8>()), 0..200),
    ) {
        let mut table = table(rule);
        let mut world = World::default();
        let mut now = at(1);
        for given in steps {
            now = now.after(Duration::from_millis(u64::from(given.1) % 3));
            step(&mut table, &mut world, now, given);
            world.hear(&mut table);
        }
        end(&mut table, &mut world, now);
        prop_assert!(table.is_empty() && world.open.is_empty());
        let (issued, told) = table.ledger();
        prop_assert_eq!((issued, told), (world.told, world.told));
        prop_assert_eq!(world.closed.len() as u64, table.last_worker);
        prop_assert_eq!(world.answered.len() as u64, table.last_worker);
    }
}
