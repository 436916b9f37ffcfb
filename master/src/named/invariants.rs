//! What must hold after every call, told by the books alone.

use super::{At, Phase, Stage, Table};

impl Table {
    /// # Panics
    /// When the books contradict each other.
    pub fn check_invariants(&self) {
        assert_eq!(
            self.last_request,
            self.resolved + self.requests.len() as u64,
            "each request that was issued is open or was resolved"
        );
        assert_eq!(self.names.len(), self.workers.len(), "a name for each");
        for (name, id) in &self.names {
            assert_eq!(&self.workers[id].name, name, "and the right one");
        }
        for (id, request) in &self.requests {
            let worker = &self.workers[&request.worker];
            match request.at {
                At::Blocked => assert!(worker.mailbox.is_blocked(*id), "{id:?} waits for room"),
                At::Lane(key) => assert_eq!(worker.mailbox.request(key), Some(*id), "by its key"),
                At::Merged(into) => {
                    let into = &self.requests[&into];
                    assert!(into.merged.contains(id), "{id:?} shares an answer");
                    assert!(!matches!(into.at, At::Merged(_)), "one level deep");
                }
            }
        }
        for worker in self.workers.values() {
            worker.mailbox.check();
            let closing = matches!(worker.phase, Phase::Closing { .. });
            let queued = worker.mailbox.counts().queued;
            assert!(
                !closing || queued == 0 && worker.mailbox.blocked() == 0,
                "all were told"
            );
            let occupied = worker.mailbox.counts().occupied;
            assert_eq!(
                occupied,
                usize::from(worker.treats.is_some()),
                "one at a time"
            );
            if let Some(treats) = &worker.treats {
                let open = self.requests.contains_key(&treats.request);
                assert_eq!(
                    open,
                    treats.stage != Stage::Void,
                    "who waits for it is told once"
                );
            }
            let running = matches!(worker.phase, Phase::Running { .. });
            assert!(
                !running || worker.treats.is_some() || queued == 0,
                "nobody idles while one waits"
            );
        }
    }
}
