//! The ends of many, whoever is first: who fetches them, who lays them down, who gives up, or the end of the farm.

use super::*;
use crate::models::{farm, task_of};
use crate::sync::{check, thread};
use farm_master::Shut;

#[test]
fn every_end_comes_out_once_while_the_farm_ends() {
    check(|| {
        let (farm, _, queue) = farm();
        let fetching = thread::spawn(move || {
            let results = queue.submit_all([10, 11, 12]);
            results.cancel("enough");
            let mut ends: Vec<_> = results.map(|(index, end)| (index, task_of(end))).collect();
            ends.sort_unstable();
            assert_eq!(ends, [(0, 10), (1, 11), (2, 12)]);
        });
        farm.shut(Shut::Kill);
        fetching.join().expect("it ends well");
        farm.wait_stopped();
    });
}

#[test]
fn who_leaves_at_the_first_end_leaves_no_task() {
    check(|| {
        let (farm, _, queue) = farm();
        let mut results = queue.submit_all([10, 11]);
        let helper = {
            let (farm, id) = (farm.clone(), Arc::clone(&results.open[&1]));
            thread::spawn(move || {
                farm.shared().have_done(move |it| {
                    let task = id.id().expect("submitted before");
                    let reason = "this one".to_owned();
                    it.tell(Event::Cancel { task, reason });
                });
            })
        };
        let (index, end) = results.next().expect("two are there");
        assert_eq!((index, task_of(end)), (1, 11));
        drop(results);
        assert_eq!(farm.join(), crate::Joined::Empty);
        helper.join().expect("it ends well");
        farm.shut(Shut::Kill);
        farm.wait_stopped();
    });
}
