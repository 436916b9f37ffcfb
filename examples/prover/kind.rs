//! A goal for one solver as a kind: what the master sends and makes of answers, and what a worker does.
//!
//! A solver's death is not its worker's, which knows what it was taught and starts another one. The farm hears of a
//! failure that is a crash, and tries the goal again.

use crate::goals::{Goal, Goals};
use crate::solver::{SOLVERS, Solver};
use farm::prelude::*;
use farm::{Affinity, AffinityKey, Cause, Fallback};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::mpsc::Sender;

/// For the solver `S` of [`SOLVERS`]: a kind each, so that both can race for one goal.
#[derive(Default)]
pub(crate) struct Prove<const S: usize> {
    goals: Goals,         // in the master
    taught: Vec<Goal>,               // in a worker, like the rest: whose definitions it was sent
    solver: Option<(Solver, usize)>, // with how many of those it was told
    state: (String, String),         // the goal that the solver judged last, and how to ask why
}

pub(crate) struct Task {
    pub(crate) goal: Goal,
    /// Whether it is the follow-up that asks why the goal does not hold; and who wants to know.
    pub(crate) explain: bool,
    pub(crate) tell: Sender<Said>,
}

/// A verdict (`proved`, `refuted`, `vacuous`: it assumes what contradicts itself, `unknown`, `crashed`) and why it is so.
/// To a follow-up also `kept`: the solver was still in the state to say why.
pub(crate) type Said = (String, String);

type Taught = BTreeSet<String>;

pub(crate) fn hash(text: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(text)
}

impl<const S: usize> Prove<S> {
    pub(crate) fn new(goals: &Goals) -> Self {
        Self { goals: goals.clone(), ..Self::default() }
    }
}

impl<const S: usize> Wire for Prove<S> {
    const NAME: &'static str = SOLVERS[S].0;
    const VERSION: u32 = 1;
    type Request = (Goal, bool, Vec<Goal>); // the goal, whether to explain it, what to learn before
    type Response = Said;
    type Feedback = Never;
    type Context = Never;
}

impl<const S: usize> TaskKind for Prove<S> {
    type Wire = Self;
    type Task = Task;
    type Competence = Taught; // the prelude and the lemmas that a worker knows
    type Output = Said;
    type Failure = Said;

    fn affinity(&self, task: &Task) -> Affinity {
        let key = |lemma| Affinity::Prefers(AffinityKey(hash(lemma)));
        task.goal.needs().last().map_or(Affinity::Any, key)
    }

    fn keys_of(&self, taught: &Taught) -> Vec<AffinityKey> {
        taught.iter().map(|name| AffinityKey(hash(name))).collect()
    }

    fn request_of_task(
        &mut self,
        worker: &WorkerStatus<Taught>,
        task: &Task,
    ) -> Option<(Goal, bool, Vec<Goal>)> {
        let knows = |n: &&str| matches!(worker, WorkerStatus::Old(taught) if taught.contains(*n));
        let new = task.goal.needs().filter(|name| !knows(name));
        let teach = new.map(|name| self.goals[name].clone()).collect();
        Some((task.goal.clone(), task.explain, teach))
    }

    fn use_response(
        &mut self,
        worker: &WorkerStatus<Taught>,
        task: &Task,
        said: Said,
    ) -> Verdict<Self> {
        let mut taught: Taught = task.goal.needs().map(str::to_owned).collect();
        if let WorkerStatus::Old(before) = worker {
            taught.extend(before.iter().cloned());
        }
        match &*said.0 {
            "proved" => Verdict::done(said, taught),
            "crashed" => Verdict::failed(said, taught).because(Cause::Crash),
            // It would say the same again.
            "unknown" => Verdict::failed(said, taught).fatal(),
            _ if task.explain => {
                let _nobody_waits = task.tell.send(said.clone());
                Verdict::done(said, taught)
            }
            // Its solver is in the state to say why. Any other would have to get there first.
            _ => {
                let (goal, tell, explain) = (task.goal.clone(), task.tell.clone(), true);
                Verdict::done(said, taught).pin(
                    Task {
                        goal,
                        explain,
                        tell,
                    },
                    Fallback::AnyWorker,
                )
            }
        }
    }
}

impl<const S: usize> Perform for Prove<S> {
    type Wire = Self;

    fn perform(
        &mut self,
        (goal, explain, teach): (Goal, bool, Vec<Goal>),
        context: &Context<'_, Self>,
    ) -> Said {
        for lemma in teach {
            // What was taught for a goal that was cancelled comes again.
            if self.taught.iter().all(|known| known.name != lemma.name) {
                self.taught.push(lemma);
            }
        }
        let kept = explain && self.solver.is_some() && self.state.0 == goal.name;
        let found = if kept {
            Ok("kept".to_owned())
        } else {
            self.check(&goal, context)
        };
        let said = found.and_then(|found| match &mut self.solver {
            Some((solver, _)) if explain => Ok((found, solver.ask(&self.state.1, context)?)),
            _ => Ok((found, String::new())),
        });
        said.unwrap_or_else(|words| {
            self.solver = None;
            let verdict = if words.contains("(error") {
                "unknown"
            } else {
                "crashed"
            };
            (verdict.to_owned(), words)
        })
    }
}

impl<const S: usize> Prove<S> {
    /// Has the solver judge a goal, and leaves it in the state in which it did.
    fn check(&mut self, goal: &Goal, context: &Context<'_, Self>) -> Result<String, String> {
        if self.solver.is_none() {
            let started = Solver::start(SOLVERS[S]).map_err(|error| error.to_string())?;
            self.solver = Some((started, 0));
        }
        let (solver, told) = self.solver.as_mut().expect("started above");
        let mut before = if *told > 0 { "(pop 1)\n" } else { "" }.to_owned();
        before.extend(self.taught[*told..].iter().map(Goal::definitions));
        before += "\n(push 1)\n";
        *told = self.taught.len();
        let (show, checks) = (goal.said("show"), goal.text.matches("(check-sat)").count());
        for (number, part) in (1..).zip(goal.text.split("(check-sat)").take(checks)) {
            let said = solver.ask(&format!("{before}{part}(check-sat)"), context)?;
            before.clear();
            let (verdict, why) = match &*said {
                // Before the last check there are assumptions alone.
                "unsat" if number < checks => ("vacuous", "(get-unsat-core)".to_owned()),
                _ if number < checks => continue,
                "unsat" => ("proved", String::new()),
                "sat" if show.is_empty() => ("refuted", "(get-model)".to_owned()),
                "sat" => ("refuted", format!("(get-value ({show}))")),
                other => (other, String::new()),
            };
            self.state = (goal.name.clone(), why);
            return Ok(verdict.to_owned());
        }
        Err("(error no check-sat)".to_owned())
    }
}
