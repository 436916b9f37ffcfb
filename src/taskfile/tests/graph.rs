//! Orders and circles.

use super::super::graph::order;

fn sorted(needs: &[&[u64]]) -> Result<Vec<u32>, Vec<Vec<usize>>> {
    order(needs.len(), |task| needs[task].iter().copied())
}

#[test]
fn orders() {
    let cases: [(&[&[u64]], &[u32]); 6] = [
        (&[], &[]),
        (&[&[], &[], &[]], &[0, 1, 2]),
        (&[&[], &[1], &[1, 2]], &[0, 1, 2]),
        (&[&[3], &[], &[]], &[1, 2, 0]),
        (&[&[2], &[3], &[], &[1]], &[2, 1, 0, 3]),
        (&[&[4], &[], &[1], &[]], &[1, 3, 0, 2]),
    ];
    for (needs, expected) in cases {
        assert_eq!(sorted(needs).as_deref(), Ok(expected), "{needs:?}");
    }
}

/// The needs of each task, and the circles among them.
type Case<'c> = (&'c [&'c [u64]], &'c [&'c [usize]]);

#[test]
fn circles() {
    let cases: [Case<'_>; 5] = [
        (&[&[1]], &[&[0]]),
        (&[&[2], &[1]], &[&[0, 1]]),
        (&[&[3], &[1], &[2]], &[&[0, 2, 1]]),
        (&[&[], &[1, 3], &[2, 1], &[2]], &[&[1, 2]]),
        (&[&[2], &[1], &[4], &[3], &[1, 3]], &[&[0, 1], &[2, 3]]),
    ];
    for (needs, expected) in cases {
        let expected: Vec<Vec<usize>> = expected.iter().map(|circle| circle.to_vec()).collect();
        assert_eq!(sorted(needs), Err(expected), "{needs:?}");
    }
}

/// A chain backwards is the worst for recursion and for repeated passes: neither may exist.
#[test]
fn a_long_chain_backwards() {
    let count = 200_000_u64;
    let needs = |task: usize| {
        (task as u64 + 1 < count)
            .then_some(task as u64 + 2)
            .into_iter()
    };
    let order = order(count as usize, needs).unwrap();
    assert!(order.iter().rev().copied().eq(0..count as u32));
    let circle = super::super::graph::order(count as usize, |task| {
        std::iter::once((task as u64 + 1) % count + 1)
    });
    assert_eq!(circle.unwrap_err()[0].len(), count as usize);
}
