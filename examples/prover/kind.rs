//! A goal for one solver as a kind: what the master sends and makes of answers, and what a worker does.
//!
//! A solver's death is not its worker's, which knows what it was taught and starts another one. The farm hears of a
//! failure that is a crash, and tries the goal again.

use crate::goals::{Goal, Goals, hash};
use crate::solver::{SOLVERS, Solver};
use farm::{Affinity, AffinityKey, Cause, Fallback, Outcome, prelude::*};
use std::collections::BTreeSet;
use std::sync::mpsc::Sender;

/// For the solver `S` of [`SOLVERS`]: a kind each, so that both can race for one goal.
#[derive(Default)]
pub(crate) struct Prove<const S: usize> {
    goals: Goals,                    // in the master
    taught: Vec<Goal>,               // in a worker, like the rest: whose definitions came
    solver: Option<(Solver, usize)>, // it, and how many of those it was told
    state: (String, String, String), // the goal it judged last, the verdict, how to ask why
}

/// A verdict, and why it is so: `proved`, `refuted`, `vacuous` (what it assumes contradicts itself), `unknown`,
/// `crashed`, or how the farm calls an end without an answer.
pub(crate) type Said = (String, String);

/// A goal, whether it is the follow-up that says why the goal does not hold, and who is told of it.
pub(crate) type Task = (Goal, bool, Sender<Said>);

type Request = (Goal, bool, Vec<Goal>); // and the definitions to be learnt
type Status = WorkerStatus<BTreeSet<String>>; // whose definitions it has learnt

impl<const S: usize> Wire for Prove<S> {
    const NAME: &'static str = SOLVERS[S].0;
    const VERSION: u32 = 1;
    type Request = Request;
    type Response = Said;
    type Feedback = Never;
    type Context = Never;
}

impl<const S: usize> TaskKind for Prove<S> {
    type Wire = Self;
    type Task = Task;
    type Competence = BTreeSet<String>;
    type Output = ();
    type Failure = ();

    fn affinity(&self, (goal, ..): &Task) -> Affinity {
        let key = |lemma| Affinity::Prefers(AffinityKey(hash(lemma)));
        goal.needs().last().map_or(Affinity::Any, key)
    }

    fn keys_of(&self, taught: &BTreeSet<String>) -> Vec<AffinityKey> {
        taught.iter().map(|name| AffinityKey(hash(name))).collect()
    }

    fn request_of_task(&mut self, worker: &Status, (goal, why, _): &Task) -> Option<Request> {
        let knows = |n: &str| matches!(worker, Status::Old(taught) if taught.contains(n));
        let new = goal.needs().filter(|name| !knows(name));
        let teach = new.map(|name| self.goals[name].clone()).collect();
        Some((goal.clone(), *why, teach))
    }

    fn use_response(&mut self, worker: &Status, task: &Task, said: Said) -> Verdict<Self> {
        let (goal, why, tell) = task;
        let mut taught: BTreeSet<_> = goal.needs().map(str::to_owned).collect();
        if let Status::Old(before) = worker {
            taught.extend(before.iter().cloned());
        }
        let follow_up = (goal.clone(), true, tell.clone());
        let verdict = match &*said.0 {
            "crashed" => Verdict::failed((), taught).because(Cause::Crash),
            // It would say the same again.
            "unknown" => Verdict::failed((), taught).fatal(),
            // Its solver is in the state to say why. Any other would have to get there first.
            "refuted" | "vacuous" if !why => {
                Verdict::done((), taught).pin(follow_up, Fallback::AnyWorker)
            }
            _ => Verdict::done((), taught),
        };
        let _nobody_waits = tell.send(said);
        verdict
    }

    fn on_lost(&mut self, (.., tell): &Task, outcome: &Outcome) {
        let _nobody_waits = tell.send((outcome.status().to_owned(), String::new()));
    }
}

impl<const S: usize> Perform for Prove<S> {
    type Wire = Self;

    fn perform(&mut self, request: Request, context: &Context<'_, Self>) -> Said {
        let (goal, explain, mut teach) = request;
        // What was taught for a goal that was cancelled comes again.
        teach.retain(|new| self.taught.iter().all(|old| old.name != new.name));
        self.taught.extend(teach);
        self.judge(&goal, explain, context).unwrap_or_else(|words| {
            self.solver = None;
            let erred = words.contains("(error");
            let verdict = if erred { "unknown" } else { "crashed" };
            (verdict.to_owned(), words)
        })
    }
}

impl<const S: usize> Prove<S> {
    pub(crate) fn new(goals: &Goals) -> Self {
        let mut kind = Self::default();
        goals.clone_into(&mut kind.goals);
        kind
    }

    fn judge(&mut self, goal: &Goal, why: bool, on: &Context<'_, Self>) -> Result<Said, String> {
        if !why || self.solver.is_none() || self.state.0 != goal.name {
            self.check(goal, on)?;
        }
        let (_, verdict, question) = &self.state;
        let detail = match &mut self.solver {
            Some((solver, _)) if why => solver.ask(question, on)?,
            _ => String::new(),
        };
        Ok((verdict.clone(), detail))
    }

    /// Has the solver say whether it holds, and leaves it in the state in which it did.
    fn check(&mut self, goal: &Goal, on: &Context<'_, Self>) -> Result<(), String> {
        let (solver, told) = match &mut self.solver {
            Some(running) => running,
            none => none.insert((Solver::start(SOLVERS[S]).map_err(|e| e.to_string())?, 0)),
        };
        let mut before = if *told > 0 { "(pop 1)\n" } else { "" }.to_owned();
        before.extend(self.taught[*told..].iter().map(Goal::definitions));
        *told = self.taught.len();
        solver.ask(&(before + "\n(push 1)"), on)?;
        let (show, checks) = (goal.said("show"), goal.text.matches("(check-sat)").count());
        for (number, part) in (1..).zip(goal.text.split("(check-sat)").take(checks)) {
            let said = solver.ask(&format!("{part}(check-sat)"), on)?;
            let (verdict, why) = match &*said {
                // Before the last check there are assumptions alone.
                "unsat" if number < checks => ("vacuous", "(get-unsat-core)".to_owned()),
                _ if number < checks => continue,
                "unsat" => ("proved", String::new()),
                "sat" if show.is_empty() => ("refuted", "(get-model)".to_owned()),
                "sat" => ("refuted", format!("(get-value ({show}))")),
                _ => ("unknown", String::new()),
            };
            self.state = (goal.name.clone(), verdict.to_owned(), why);
            return Ok(());
        }
        Err("(error no check-sat)".to_owned())
    }
}
