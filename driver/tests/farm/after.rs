//! After the end of a farm: whatever still comes in goes back.

use crate::Test;
use crate::stage::{Orders, farm, order, pool};
use farm_driver::TaskQueue;
use farm_master::{Receive, Refusal, Settled, Shut};
use std::sync::{Arc, Mutex, mpsc};

pub(crate) const TESTS: &[Test] = &[(
    "a_waiter_may_submit_again_after_the_end",
    again_after_the_end,
)];

/// Submits the task again as often as it is handed back, three times.
struct Stubborn {
    queue: TaskQueue<Orders>,
    left: Mutex<u32>,
    told: mpsc::Sender<u32>,
    me: std::sync::Weak<Self>,
}

impl Receive<Orders> for Stubborn {
    fn settled(&self, _: Settled<Orders>) {}

    fn refused(&self, task: (String, u64), _: Refusal) {
        let left = {
            let mut left = self.left.lock().expect("no panic holds it");
            *left -= 1;
            *left
        };
        if left > 0 {
            let me = self.me.upgrade().expect("somebody waits");
            self.queue.submit_with(task, None, me);
        }
        self.told.send(left).expect("the test listens");
    }
}

fn again_after_the_end() {
    let (farm, _, queue) = farm(pool("", 1));
    farm.shut(Shut::Drain);
    farm.wait_stopped();
    let (told, heard) = mpsc::channel();
    let stubborn = Arc::new_cyclic(|me| Stubborn {
        queue: queue.clone(),
        left: Mutex::new(3),
        told,
        me: me.clone(),
    });
    queue.submit_with(order("double", 1), None, stubborn);
    let mut told: Vec<u32> = heard.iter().take(3).collect();
    told.sort_unstable();
    assert_eq!(told, [0, 1, 2]);
}
