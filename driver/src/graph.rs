//! Tasks that need each other, submitted at once: a caller knows their places, only the loop their ids.

use crate::message::{Message, Submission};
use crate::queue::TaskQueue;
use crate::results::Results;
use crate::shared::Shared;
use crate::turn::Loop;
use farm_master::{Need, TaskKind, TaskOptions, When};
use farm_protocol::TaskId;

/// A task on its way in, and the places before it of those that it needs.
pub(crate) struct Node {
    pub(crate) submission: Submission,
    needs: Vec<usize>,
}

impl<K: TaskKind> TaskQueue<K> {
    /// Submits tasks of which later ones need earlier ones, and gives their ends as an iterator: each task with its
    /// options and the places, from 0, of those that must be `Done` before it starts. Its options may name further needs.
    ///
    /// All are taken in at once, so none ends between two of them: a [`Need`] of one's own names a task by its id, which is
    /// known only after it came in, and by then it may have ended. A task whose need does not end well is
    /// [`Outcome::Skipped`](farm_master::Outcome::Skipped), and so is what needs that one. What the lane has no room for is
    /// refused, and with it what needs it ([`Refusal::UnknownNeed`](farm_master::Refusal::UnknownNeed)); so is what needs a
    /// task that ended as it came in: skipped by the kind, or of a kind whose workers cannot be started.
    ///
    /// ```no_run
    /// # use farm_driver::TaskQueue;
    /// # use farm_master::{TaskKind, TaskOptions};
    /// # fn example<K: TaskKind<Task = &'static str>>(queue: &TaskQueue<K>) {
    /// let plain = TaskOptions::default;
    /// let files = [("a.c", plain(), vec![]), ("b.c", plain(), vec![]), ("link", plain(), vec![0, 1])];
    /// for (place, end) in queue.submit_graph(files) {
    ///     println!("{place}: {}", end.map_or("refused", |settled| settled.outcome.status()));
    /// }
    /// # }
    /// ```
    ///
    /// # Panics
    /// When a task needs a place that is not before its own. Nothing has been submitted then.
    pub fn submit_graph(
        &self,
        tasks: impl IntoIterator<Item = (K::Task, TaskOptions, Vec<usize>)>,
    ) -> Results<K> {
        let mut results = Results::none_of(&self.shared);
        let nodes = tasks.into_iter().enumerate();
        let nodes = nodes.map(|(place, (task, options, needs))| {
            if let Some(later) = needs.iter().find(|need| **need >= place) {
                panic!("task {place} of the graph needs task {later}, which is not before it");
            }
            let submission = results.prepare(self.kind, task, Some(options), None);
            Node { submission, needs }
        });
        let nodes = nodes.collect();
        self.shared.submit_graph(nodes);
        results
    }
}

impl Shared {
    /// Sends tasks in together. After the end they are handed back as by [`Shared::submit`].
    fn submit_graph(&self, nodes: Vec<Node>) {
        if let Err(message) = self.post.push(Message::SubmitGraph(nodes)) {
            self.hand_back_message(message);
        }
    }
}

impl Loop {
    /// Takes them in, in their order: what has its place before another has its id before it.
    pub(crate) fn submit_graph(&mut self, nodes: Vec<Node>) {
        let mut ids: Vec<TaskId> = Vec::with_capacity(nodes.len());
        for Node {
            mut submission,
            needs,
        } in nodes
        {
            let needs = needs.into_iter().map(|place| Need {
                task: ids[place],
                when: When::Success,
            });
            let options = submission.options.get_or_insert_default();
            options.needs.extend(needs);
            ids.push(self.submit(submission));
        }
    }
}
