//! The loop and its templates: what it orders of them, what they answer, and what becomes of it when one ends.

use crate::body::{Body, Forked, TemplateId};
use crate::dying::{DYING_MOST, DYING_WITHIN, Deathbeds};
use crate::launcher::Launcher;
use crate::process::{Place, Process};
use crate::spawn::{SpawnFault, open_ends, spawn_template};
use crate::template::{Expected, Heard, Order, Part, Remains, Template};
use crate::turn::{Loop, Spawned};
use farm_protocol::{Instant, KindId, WorkerName};
use mio::Token;
use rustix::process::{Pid, Signal};
use std::collections::BTreeMap;
use std::time::Duration;

/// The templates that live, by kind.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    living: BTreeMap<KindId, Template>,
    /// Those that were killed.
    dying: Deathbeds,
    /// How many there were.
    generations: u64,
}

impl Templates {
    /// Whether this very one lives.
    fn is_this(&self, id: TemplateId) -> bool {
        let living = self.living.get(&id.kind);
        living.is_some_and(|template| template.id() == id)
    }

    /// When one of them has taken too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.living.values().filter_map(Template::deadline).min()
    }

    /// The farm is to be killed: none of them is waited for any longer than this.
    pub(crate) fn hurry(&mut self, span: Duration) {
        for template in self.living.values_mut() {
            template.hurry(span);
        }
    }

    /// The farm is over: kills them, and waits a while for their ends.
    pub(crate) fn end(self) {
        let Self {
            living, mut dying, ..
        } = self;
        for template in living.into_values() {
            dying.add(template.end(None).dying);
        }
        let _said = dying.end(DYING_WITHIN);
    }
}

impl Loop {
    /// Has a worker forked by the template of its kind, which is started if there is none. What comes of it is told
    /// later.
    pub(crate) fn order_fork(&mut self, place: Place, kind: KindId) -> Result<(), SpawnFault> {
        if !self.templates.living.contains_key(&kind) {
            let template = self.start_template(kind)?;
            self.templates.living.insert(kind, template);
        }
        let (theirs, ours) = open_ends(self.through)?;
        let expected = Expected {
            place,
            name: self.name_of(place),
            theirs: Some(theirs),
            ours,
            unwanted: false,
        };
        if let Some(template) = self.templates.living.get_mut(&kind) {
            template.order(Order::Fork(Box::new(expected)));
        }
        self.pump(kind);
        Ok(())
    }

    pub(crate) fn name_of(&self, place: Place) -> WorkerName {
        WorkerName {
            farm: self.nonce,
            session: place.session,
        }
    }

    fn start_template(&mut self, kind: KindId) -> Result<Template, SpawnFault> {
        if self.templates.dying.are_full() {
            return Err(SpawnFault::Template {
                kind: self.origins[kind.0 as usize].kind.clone(),
                why: format!(
                    "{DYING_MOST} templates that were killed have not ended yet, because the system holds them: look at \
                     what they wait for (`ps` shows state D), such as a file system that does not answer"
                ),
            });
        }
        self.templates.generations += 1;
        let id = TemplateId {
            kind,
            generation: self.templates.generations,
        };
        let origin = &self.origins[kind.0 as usize];
        let patience = origin.hello_timeout.unwrap_or(self.hello_timeout);
        let Launcher::Program(program) = &origin.launcher else {
            unreachable!("only a program has a template: see `Pool::origin`")
        };
        let parts = spawn_template(program, &origin.kind, self.depth + 1, self.purse.server())?;
        let mut template = Template::new(id, parts, self.now, patience);
        let registry = self.poll.registry();
        if let Err(source) = template.register(registry) {
            template.leave(registry);
            // Nothing will report its exit: it is looked at in each turn.
            self.templates.dying.add(template.end(None).dying);
            return Err(SpawnFault::Watch { source });
        }
        Ok(template)
    }

    /// Has this template collect a process that it has forked, and that has exited. The exit is told then.
    pub(crate) fn order_collect(&mut self, id: TemplateId, mut process: Process) {
        let template = self.templates.living.get_mut(&id.kind);
        if let Some(template) = template.filter(|template| template.id() == id) {
            template.order(Order::Collect(Box::new(process)));
            self.pump(id.kind);
            self.tell_spawned();
        } else {
            let reaped = process.body.collect_inherited();
            self.tell_exit(&process, reaped);
        }
    }

    /// The machine wants the end of a worker that is not there yet.
    pub(crate) fn withdraw(&mut self, place: Place) {
        if self.starter.withdraw(place) {
            return;
        }
        let withdrawn = self
            .templates
            .living
            .iter_mut()
            .find_map(|(kind, template)| {
                let alone = template.withdraw(place);
                alone.then(|| (*kind, template.unasked()))
            });
        if let Some((kind, why)) = withdrawn {
            self.not_forked(place, kind, why);
        }
    }

    /// Sends a template what is next.
    fn pump(&mut self, kind: KindId) {
        let now = self.now;
        let template = self.templates.living.get_mut(&kind);
        let failed = template.map(|template| template.pump(now));
        for (place, why) in failed.into_iter().flatten() {
            self.not_forked(place, kind, why);
        }
    }

    /// To be told with what the machine is told next.
    fn not_forked(&mut self, place: Place, kind: KindId, why: String) {
        let kind = self.origins[kind.0 as usize].kind.clone();
        let error = SpawnFault::Template { kind, why }.to_string();
        self.spawned.push_back(Spawned::No { place, error });
    }

    /// The poll has reported something of a template.
    pub(crate) fn template_event(&mut self, token: Token) {
        let Some((kind, part)) = Part::of(token) else {
            return;
        };
        // It may be of one that is gone while another has its place: nothing comes of looking at that.
        let Some(template) = self.templates.living.get_mut(&kind) else {
            return;
        };
        match part {
            Part::Output => template.listen(self.poll.registry()),
            Part::Link => self.hear_template(kind),
            Part::Exit if template.has_exited() => {
                let id = template.id();
                // What it has answered before counts. If that made no sense it is over, and its successor may be here.
                self.hear_template(kind);
                if self.templates.is_this(id) {
                    self.end_template(kind, None);
                }
            }
            Part::Exit => {}
        }
    }

    fn hear_template(&mut self, kind: KindId) {
        while let Some(template) = self.templates.living.get_mut(&kind) {
            match template.hear() {
                Heard::Nothing => return,
                Heard::HungUp => return template.hung_up(self.now),
                Heard::Nonsense(why) => return self.end_template(kind, Some(why)),
                Heard::Warm => {}
                Heard::Forked(expected, pid, forked) => self.forked(kind, *expected, pid, forked),
                Heard::Unheld(expected, pid) => self.unheld(kind, *expected, pid),
                Heard::Buried => {}
                Heard::NotForked(expected, why) => self.not_forked(expected.place, kind, why),
                Heard::Collected(mut process, reaped) => {
                    process.body.collected();
                    self.tell_exit(&process, reaped);
                }
            }
            self.pump(kind);
            self.tell_spawned();
        }
    }

    fn forked(&mut self, kind: KindId, expected: Expected, pid: Pid, forked: Forked) {
        let place = expected.place;
        let parts = expected.ours.of(Body::of_template(pid, forked));
        // It is no copy of ours.
        let process = Process::new(place, parts, 0);
        let spawned = match self.take_in(process) {
            Ok(page) => Spawned::Yes { place, page },
            Err((fault, mut process)) => {
                let given = process.body.give_back();
                // Its pipes end here.
                drop(process);
                let template = self.templates.living.get_mut(&kind);
                if let Some((template, (pid, handle))) = template.zip(given) {
                    template.bury(pid, Some(handle));
                }
                Spawned::No {
                    place,
                    error: fault.to_string(),
                }
            }
        };
        self.spawned.push_back(spawned);
        self.tell_spawned();
        if expected.unwanted
            && let Some(process) = self.workers.get(place)
        {
            process.signal(Signal::KILL);
        }
    }

    /// A worker was forked, and this process has no descriptor left by which it could be known.
    fn unheld(&mut self, kind: KindId, expected: Expected, pid: Pid) {
        let Expected { place, ours, .. } = expected;
        // First, for there may be a descriptor then.
        drop(ours);
        if let Some(template) = self.templates.living.get_mut(&kind) {
            template.bury(pid, None);
        }
        let why = "it has forked one, and no descriptors are left for it, so it was ended; the limit of open files is \
                   reached: use fewer workers or raise it (`ulimit -n`)";
        self.not_forked(place, kind, why.to_owned());
    }

    /// Ends those templates that have taken too long, and collects those that have ended.
    pub(crate) fn mind_templates(&mut self) {
        self.templates.dying.collect(self.poll.registry());
        if self.templates.deadline().is_none_or(|due| due > self.now) || self.clock.stands() {
            return;
        }
        let late = |template: &Template| template.deadline().is_some_and(|due| due <= self.now);
        let living = self.templates.living.iter();
        let overdue: Vec<(KindId, String)> = living
            .filter(|(_, template)| late(template))
            .map(|(kind, template)| (*kind, template.overdue()))
            .collect();
        for (kind, why) in overdue {
            self.end_template(kind, Some(why));
        }
    }

    /// A template is over, or is ended because of `why`: what was ordered of it are failed starts, and nobody knows how
    /// those ended that it was to collect. Those it has forked live on.
    fn end_template(&mut self, kind: KindId, why: Option<String>) {
        let Some(template) = self.templates.living.remove(&kind) else {
            return;
        };
        template.leave(self.poll.registry());
        let Remains { orders, why, dying } = template.end(why);
        self.templates.dying.add(dying);
        log::warn!(
            "the template of kind `{}` is gone ({why}); the next worker has another",
            self.origins[kind.0 as usize].kind
        );
        for order in orders {
            match order {
                Order::Fork(expected) => self.not_forked(expected.place, kind, why.clone()),
                Order::Collect(mut process) => {
                    let reaped = process.body.collect_inherited();
                    self.tell_exit(&process, reaped);
                }
                Order::Bury(_, handle) => {
                    let _how = handle.and_then(|handle| handle.collect_inherited());
                }
            }
        }
        self.tell_spawned();
    }
}
