//! The order in which tasks can run, and the circles that forbid one.
//!
//! Owns sorting by needs. It sees tasks as indexes and needs as positions (index + 1), nothing else.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An order of all tasks (indexes from 0) in which every needed task comes before those that need it. Among the tasks
/// that could come next, the first of the file does, so that a file without forward needs keeps its order.
///
/// # Errors
/// Circles of tasks, each of which needs the next and the last the first; no task is in two of them, and each starts
/// with its first task of the file. There may be further ones through the same tasks.
pub(super) fn order<'n, I>(
    count: usize,
    needs: impl Fn(usize) -> I,
) -> Result<Vec<u32>, Vec<Vec<usize>>>
where
    I: Iterator<Item = u64> + 'n,
{
    let index_of =
        |seq: u64| usize::try_from(seq - 1).expect("a need was resolved to a task of the file");
    let number = |index: usize| u32::try_from(index).expect("a text below 4 GiB has fewer tasks");
    if (0..count).all(|task| needs(task).all(|seq| index_of(seq) < task)) {
        return Ok((0..count).map(number).collect());
    }
    // Who waits for whom, as one flat table: a list per task would cost more than the tasks.
    let mut starts = vec![0_u32; count + 1];
    let mut waits = vec![0_u32; count];
    for (task, waiting) in waits.iter_mut().enumerate() {
        for seq in needs(task) {
            starts[index_of(seq) + 1] += 1;
            *waiting += 1;
        }
    }
    for index in 0..count {
        starts[index + 1] += starts[index];
    }
    let mut filled = starts.clone();
    let mut waiters = vec![0_u32; starts[count] as usize];
    for task in 0..count {
        for seq in needs(task) {
            let slot = &mut filled[index_of(seq)];
            waiters[*slot as usize] = number(task);
            *slot += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<u32>> = (0..count)
        .filter(|&task| waits[task] == 0)
        .map(|task| Reverse(number(task)))
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(task)) = ready.pop() {
        order.push(task);
        let task = task as usize;
        for &waiter in &waiters[starts[task] as usize..starts[task + 1] as usize] {
            waits[waiter as usize] -= 1;
            if waits[waiter as usize] == 0 {
                ready.push(Reverse(waiter));
            }
        }
    }
    if order.len() == count {
        return Ok(order);
    }
    Err(circles(&waits, |task| {
        needs(task)
            .map(index_of)
            .find(|&need| waits[need] > 0)
            .expect("a task that still waits needs one that does")
    }))
}

/// The circles met by going from each task that still waits to `next`, one that it waits for.
fn circles(waits: &[u32], next: impl Fn(usize) -> usize) -> Vec<Vec<usize>> {
    // 0: not visited; otherwise the number of the walk that came by.
    let mut visited = vec![0_u32; waits.len()];
    let mut circles = Vec::new();
    let mut walk = 0;
    for start in (0..waits.len()).filter(|&task| waits[task] > 0) {
        walk += 1;
        let mut at = start;
        while visited[at] == 0 {
            visited[at] = walk;
            at = next(at);
        }
        if visited[at] != walk {
            continue;
        }
        let mut circle = vec![at];
        let mut member = next(at);
        while member != at {
            circle.push(member);
            member = next(member);
        }
        let first = (0..circle.len())
            .min_by_key(|&place| circle[place])
            .unwrap_or_default();
        circle.rotate_left(first);
        circles.push(circle);
    }
    circles
}
