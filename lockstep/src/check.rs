//! What must hold: after every step, in the end, and sometimes.

use crate::core::Phase;
use crate::report::{Failure, Found};
use crate::time::VTime;
use std::time::Duration;

/// What a check sees.
#[derive(Debug)]
pub struct View<'a, S> {
    /// What the scenario shares.
    pub shared: &'a S,
    /// The time.
    pub now: VTime,
    /// How many steps were taken.
    pub step: u64,
}

type Invariant<S> = Box<dyn FnMut(&View<'_, S>) -> Result<(), String>>;
type Condition<S> = Box<dyn FnMut(&View<'_, S>) -> bool>;

/// All checks of a run.
pub(crate) struct Checks<S> {
    invariants: Vec<(&'static str, Invariant<S>)>,
    /// With the time that is left for each in the calm phase; those that came about are taken out.
    wishes: Vec<(&'static str, Duration, Condition<S>)>,
    sometimes: Vec<(&'static str, Condition<S>)>,
    reached: u64,
}

impl<S> Default for Checks<S> {
    fn default() -> Self {
        Self {
            invariants: Vec::new(),
            wishes: Vec::new(),
            sometimes: Vec::new(),
            reached: 0,
        }
    }
}

/// How many things may be asked to happen sometimes.
const SOMETIMES_MAX: usize = 64;

impl<S> Checks<S> {
    pub(crate) fn invariant(&mut self, name: &'static str, holds: Invariant<S>) {
        self.invariants.push((name, holds));
    }

    pub(crate) fn eventually(&mut self, name: &'static str, within: Duration, holds: Condition<S>) {
        self.wishes.push((name, within, holds));
    }

    pub(crate) fn sometimes(&mut self, name: &'static str, holds: Condition<S>) {
        assert!(
            self.sometimes.len() < SOMETIMES_MAX,
            "at most 64 things happen sometimes"
        );
        self.sometimes.push((name, holds));
    }

    pub(crate) fn sometimes_names(&self) -> Vec<&'static str> {
        self.sometimes.iter().map(|(name, _)| *name).collect()
    }

    pub(crate) const fn reached(&self) -> u64 {
        self.reached
    }

    pub(crate) fn after_step(&mut self, view: &View<'_, S>, phase: Phase) -> Option<Failure> {
        for (name, holds) in &mut self.invariants {
            if let Err(detail) = holds(view) {
                return Some(Failure {
                    found: Found::Invariant,
                    name,
                    detail,
                });
            }
        }
        for (bit, (_, holds)) in self.sometimes.iter_mut().enumerate() {
            if self.reached & 1 << bit == 0 && holds(view) {
                self.reached |= 1 << bit;
            }
        }
        match phase {
            Phase::Rough => None,
            Phase::Calm(since) => self.wish(view, since),
        }
    }

    fn wish(&mut self, view: &View<'_, S>, since: VTime) -> Option<Failure> {
        self.wishes.retain_mut(|(_, _, holds)| !holds(view));
        let late = self
            .wishes
            .iter()
            .find(|(_, within, _)| view.now > since.after(*within))?;
        Some(not_come_about(
            late.0,
            format!("not within {:?} of calm", late.1),
        ))
    }

    /// What is still wished for when the run is over. A run may end before the calm phase, so it is asked once more.
    pub(crate) fn at_end(&mut self, view: &View<'_, S>) -> Option<Failure> {
        self.wishes.retain_mut(|(_, _, holds)| !holds(view));
        let left = self.wishes.first()?;
        Some(not_come_about(
            left.0,
            "not when everything had ended".into(),
        ))
    }
}

const fn not_come_about(name: &'static str, detail: String) -> Failure {
    Failure {
        found: Found::Eventually,
        name,
        detail,
    }
}
