//! Many schedules of a kind, one after the other, up to the first that fails; and that one again, with its trace.

use super::hush::Hush;
use super::play::Played;
use super::report::{Again, Failed};
use super::{SimFailure, SimRun, SimSettings, SimSummary, SimToken};
use crate::columns::columns;
use crate::ledger::names;
use crate::token::BUILD;
use farm_lockstep::{End, Failure, Plan};
use farm_master::TaskKind;
use farm_protocol::Wire;

impl<K: TaskKind> SimRun<K> {
    /// Makes the schedules.
    ///
    /// # Panics
    /// With a report for people when one of them fails, as a test does; and when there are no tasks.
    #[track_caller]
    pub fn check(&self) {
        if let Err(failure) = self.run() {
            panic!("{failure}");
        }
    }

    /// Makes the schedules.
    ///
    /// # Errors
    /// The first that fails, made again with its trace. Those after it were not made.
    ///
    /// # Panics
    /// When there are no tasks.
    pub fn run(&self) -> Result<SimSummary, SimFailure> {
        self.has_tasks();
        let _hush = Hush::begin();
        let settings = self.settings.settled();
        let plan = Plan::new(settings.strategy, settings.seed, |start| {
            self.play(&settings, start, false).report
        });
        let mut summary = SimSummary {
            kind: K::Wire::NAME.to_owned(),
            schedules: 0,
            steps: 0,
            faults: 0,
            deterministic: true,
            notes: self.notes(),
        };
        let numbers = match &settings.replay {
            None => 0..settings.schedules,
            Some(token) => token.number..token.number + 1,
        };
        for number in numbers {
            let played = self.play(&settings, plan.start(number, false), false);
            summary.schedules += 1;
            summary.steps += played.report.steps;
            summary.faults += u64::from(played.report.faults);
            if let End::Failed(failure) = &played.report.end {
                let failure = failure.clone();
                return Err(self.failed(&settings, &plan, number, &played, failure));
            }
            if summary.schedules == 1 {
                let again = self.play(&settings, plan.start(number, false), false);
                summary.deterministic = again.report.digest == played.report.digest;
            }
        }
        Ok(summary)
    }

    fn has_tasks(&self) {
        let name = K::Wire::NAME;
        assert!(
            self.tasks.is_some(),
            "there is nothing to simulate: give the kind `{name}` tasks, with `.tasks(vec![…])` or `.tasks_with(|draw| …)`"
        );
    }

    /// What is to be said before anything has run.
    fn notes(&self) -> Vec<String> {
        let Some(token) = &self.settings.replay else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        if token.build != BUILD {
            notes.push(format!(
                "the token is of build {}, and this is {BUILD}: it may be another schedule now",
                token.build
            ));
        }
        if token.kind != K::Wire::NAME {
            notes.push(format!(
                "the token is of the kind `{}`, and this is `{}`",
                token.kind,
                K::Wire::NAME
            ));
        }
        notes
    }

    fn failed(
        &self,
        settings: &SimSettings,
        plan: &Plan,
        number: u64,
        first: &Played,
        failure: Failure,
    ) -> SimFailure {
        let again = self.play(settings, plan.start(number, false), true);
        let same = again.report.digest == first.report.digest
            && matches!(&again.report.end, End::Failed(other) if *other == failure);
        let mut notes = self.notes();
        let token = SimToken {
            kind: K::Wire::NAME.to_owned(),
            strategy: settings.strategy,
            seed: settings.seed,
            number,
            tasks: first.tasks,
            workers: settings.workers,
            faults: settings.faults,
            build: BUILD,
        };
        if let Some(replayed) = &settings.replay
            && replayed.tasks != first.tasks
        {
            notes.push(format!(
                "the token is of {} tasks, and there are {}: it is another schedule",
                replayed.tasks, first.tasks
            ));
        }
        SimFailure::new(Failed {
            kind: K::Wire::NAME.to_owned(),
            ours: ours(failure.name),
            violation: failure.name,
            detail: failure.detail,
            token,
            steps: first.report.steps,
            again: if same { Again::Same } else { Again::Other },
            trace: columns(&again.report, settings.rows),
            notes,
        })
    }
}

/// Whether it is a rule of the farm and not of the kind.
fn ours(name: &str) -> bool {
    let theirs = [
        names::KIND,
        names::PERFORM,
        names::WIRE,
        names::NO_MATCH,
        names::VERIFY,
        names::I7,
    ];
    !theirs.contains(&name)
}
