//! A goal for one solver as a kind: what the master sends and makes of answers, and what a worker does.
//!
//! A solver's death is not its worker's, which knows what it was taught and starts another one. The farm hears of a
//! failure that is a crash, and tries the goal again.

use crate::goals::{Goal, Goals};
use farm::{Affinity, AffinityKey, Cause, Fallback::AnyWorker, Outcome, prelude::*, worker::Kept};
use std::{collections::BTreeSet, process::Command, sync::mpsc::Sender};

/// Name and arguments of each solver.
pub(crate) const SOLVERS: [(&str, &str); 2] = [
    ("z3", "-in smt.core.minimize=true"),
    ("cvc5", "--incremental --lang smt2 -q --minimal-unsat-cores"),
];

/// The master's half, for the solver `S` of these: a kind each, so that both can race for one goal.
pub(crate) struct Prove<const S: usize>(pub(crate) Goals);

/// A worker's half.
pub(crate) struct Prover<const S: usize> {
    solver: Kept,
    taught: Vec<Goal>,               // whose definitions came
    told: usize,                     // how many of those the solver was told
    state: (String, String, String), // the goal it judged last, the verdict, how to ask why
}

/// A verdict, and why it is so: `proved`, `refuted`, `vacuous` (what it assumes contradicts itself), `unknown`,
/// `crashed`, or how the farm calls an end without an answer.
pub(crate) type Said = (String, String);

/// A goal, whether it is the follow-up that says why the goal does not hold, and who is told of it.
pub(crate) type Task = (Goal, bool, Sender<Said>);

type Request = (Goal, bool, Vec<Goal>); // and the definitions to be learnt
type Answer = (Said, Taught);
type Taught = BTreeSet<String>; // whose definitions a worker has learnt
type Status = WorkerStatus<Taught>;

impl<const S: usize> Wire for Prove<S> {
    const NAME: &'static str = SOLVERS[S].0;
    const VERSION: u32 = 1;
    type Request = Request;
    type Response = Answer;
    type Feedback = Never;
    type Context = Never;
}

impl<const S: usize> TaskKind for Prove<S> {
    type Wire = Self;
    type Task = Task;
    type Competence = Taught;
    type Output = ();
    type Failure = ();

    fn affinity(&self, (goal, ..): &Task) -> Affinity {
        let lemma = goal.needs().last().expect("the prelude at least");
        Affinity::Prefers(AffinityKey::of(lemma))
    }

    fn keys_of(&self, taught: &Taught) -> Vec<AffinityKey> {
        taught.iter().map(|name| AffinityKey::of(name)).collect()
    }

    fn request_of_task(&mut self, worker: &Status, (goal, why, _): &Task) -> Option<Request> {
        let knows = |n: &str| matches!(worker, Status::Old(taught) if taught.contains(n));
        let new = goal.needs().filter(|name| !knows(name));
        let teach = new.map(|name| self.0[name].clone()).collect();
        Some((goal.clone(), *why, teach))
    }

    fn use_response(&mut self, _: &Status, task: &Task, answer: Answer) -> Verdict<Self> {
        let ((goal, why, tell), (said, taught)) = (task, answer);
        let ask = (goal.clone(), true, tell.clone());
        let verdict = match &*said.0 {
            "crashed" => Verdict::failed((), taught).because(Cause::Crash),
            // It would say the same again.
            "unknown" => Verdict::failed((), taught).fatal(),
            // Its solver is in the state to say why. Any other would have to get there first.
            "refuted" | "vacuous" if !why => Verdict::done((), taught).pin(ask, AnyWorker),
            _ => Verdict::done((), taught),
        };
        let _nobody_waits = tell.send(said);
        verdict
    }

    fn on_lost(&mut self, (.., tell): &Task, outcome: &Outcome) {
        let _nobody_waits = tell.send((outcome.status().to_owned(), String::new()));
    }
}

impl<const S: usize> Perform for Prover<S> {
    type Wire = Prove<S>;

    fn perform(&mut self, request: Request, on: &Context<'_, Prove<S>>) -> Answer {
        let (goal, explain, mut teach) = request;
        // What was taught for a goal that was cancelled comes again.
        teach.retain(|new| self.taught.iter().all(|old| old.name != new.name));
        self.taught.extend(teach);
        let said = self.judge(&goal, explain, on);
        let names = self.taught.iter().map(|goal| goal.name.clone());
        (said.unwrap_or_else(|failed| failed), names.collect())
    }
}

impl<const S: usize> Prover<S> {
    pub(crate) fn new() -> Self {
        let (name, arguments) = SOLVERS[S];
        let mut command = Command::new(name);
        command.args(arguments.split(' '));
        Self {
            solver: Kept::new(command),
            taught: Vec::new(),
            told: 0,
            state: <_>::default(),
        }
    }

    fn judge(&mut self, goal: &Goal, why: bool, on: &Context<'_, Prove<S>>) -> Result<Said, Said> {
        if !why || !self.solver.runs() || self.state.0 != goal.name {
            self.check(goal, on)?;
        }
        let (_, verdict, question) = self.state.clone();
        let detail = why.then(|| self.ask(&question, on)).transpose()?;
        Ok((verdict, detail.unwrap_or_default()))
    }

    /// Has the solver say whether it holds, and leaves it in the state in which it did.
    fn check(&mut self, goal: &Goal, on: &Context<'_, Prove<S>>) -> Result<(), Said> {
        let mut before = "(pop 1)\n".to_owned();
        if !self.solver.runs() {
            (self.told, before) = (0, String::new());
        }
        before.extend(self.taught[self.told..].iter().map(Goal::definitions));
        self.told = self.taught.len();
        self.ask(&(before + "\n(push 1)"), on)?;
        let (show, checks) = (goal.said("show"), goal.text.matches("(check-sat)").count());
        for (number, part) in (1..).zip(goal.text.split("(check-sat)").take(checks)) {
            let said = self.ask(&format!("{part}(check-sat)"), on)?;
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
        Err(("unknown".to_owned(), "it has no check-sat".to_owned()))
    }

    /// What the solver says, in one line. With no answer, or an error, it is of no use any more.
    fn ask(&mut self, text: &str, on: &Context<'_, Prove<S>>) -> Result<String, Said> {
        // What ends an answer: no solver says it by itself.
        const OVER: &str = "that-was-all";
        let question = format!("{text}\n(echo \"{OVER}\")\n");
        let is_over = |line: &str| line.trim_matches('"') == OVER;
        let answer = self.solver.ask(&question, is_over, on);
        let crashed = answer.is_err();
        let said = answer.unwrap_or_else(|why| why.to_string());
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let verdict = match line.contains("(error") {
            true => "unknown",
            false if crashed => "crashed",
            false => return Ok(line),
        };
        self.solver.stop();
        Err((verdict.to_owned(), line))
    }
}
