//! What those who attend to named workers ask of the farm, and what they hear of it, in the order in which it is said.

use super::{MasterProcess, World};
use crate::message::Message;
use crate::named::{Ended, NAMED, News, ToFarm};
use crate::nature::{Errand, Nature, Suits};
use farm_master::lane::Entry;
use farm_master::{Affinity, Event, Gone, Settlement, TaskOptions};
use farm_protocol::{Session, SlotId, TaskId};

impl MasterProcess {
    pub(super) fn is_asked(&mut self, cx: &mut World<'_>, ask: ToFarm) {
        match ask {
            ToFarm::Errand {
                ticket,
                to,
                options,
            } => self.errand(cx, ticket, to, options),
            ToFarm::Stop(ticket) => {
                let task = crate::named::desk(cx).task_of(ticket);
                if let Some(task) = task {
                    self.cancel(cx, task);
                }
            }
            ToFarm::EndWorker(slot, session) => {
                crate::named::desk(cx).end_arrived();
                self.tell(cx, Event::EndWorker { slot, session });
            }
        }
    }

    fn errand(
        &mut self,
        cx: &mut World<'_>,
        ticket: u64,
        to: Option<(SlotId, Session)>,
        options: Box<TaskOptions>,
    ) {
        let (affinity, suits, errand) = match to {
            None => (Affinity::Any, Suits::Fresh, Errand::Launch),
            Some((slot, session)) => (
                Affinity::Worker { slot, session },
                Suits::Old,
                Errand::Request,
            ),
        };
        let nature = Nature {
            affinity,
            suits,
            errand: Some(errand),
            ..Nature::default()
        };
        let now = cx.now();
        let ledger = &mut cx.shared().ledger;
        ledger.now = now;
        let (entry, kind) = (Entry::Push, NAMED);
        let task = ledger.enter(kind, entry, Some(&options));
        ledger.is_of(task, Some(Box::new(nature)));
        crate::named::desk(cx).arrived(ticket, task);
        self.tell(
            cx,
            Event::Submit {
                task,
                kind,
                entry,
                options: Some(options),
                scope: None,
            },
        );
    }

    fn tells(cx: &mut World<'_>, news: News) {
        let named = cx.shared().named.as_mut();
        let attendant = named.and_then(|desk| desk.tells());
        if let Some(attendant) = attendant {
            cx.send(attendant, Message::News(news));
        }
    }

    fn take_errand(cx: &mut World<'_>, task: TaskId) -> Option<u64> {
        cx.shared().named.as_mut()?.take_errand(task)
    }

    pub(super) fn errand_ends(cx: &mut World<'_>, settlement: &Settlement) {
        let Some(ticket) = Self::take_errand(cx, settlement.task) else {
            return;
        };
        let letter = cx.shared().ledger.take_said(settlement.task);
        let last = settlement.attempts.last();
        let place = last.map(|last| (last.slot, last.session));
        let ended = Ended::new(settlement.outcome.clone(), letter, place);
        let how = Some(Box::new(ended));
        Self::tells(cx, News::Ended { ticket, how });
    }

    pub(super) fn errand_is_refused(cx: &mut World<'_>, task: TaskId) {
        if let Some(ticket) = Self::take_errand(cx, task) {
            Self::tells(cx, News::Ended { ticket, how: None });
        }
    }

    pub(super) fn tells_of_gone(cx: &mut World<'_>, place: (SlotId, Session), gone: &Gone) {
        if cx.shared().named.is_some() {
            let gone = Box::new(gone.clone());
            Self::tells(cx, News::Gone { place, gone });
        }
    }

    /// The loop has ended: what comes too late is handed back, and then it is said.
    pub(super) fn tells_of_end(cx: &mut World<'_>) {
        let Some(desk) = cx.shared().named.as_mut() else {
            return;
        };
        for ticket in desk.take_posted() {
            Self::tells(cx, News::Ended { ticket, how: None });
        }
        Self::tells(cx, News::FarmOver);
    }
}
