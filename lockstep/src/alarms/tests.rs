//! The earliest alarm, against a list without a memory.

use super::*;

/// Against a plain list without a memory.
#[test]
fn the_earliest_is_always_known() {
    let mut random = crate::random::Random::derive(1, 0, 0);
    let (mut alarms, mut plain) = (Alarms::default(), [NEVER; 5]);
    for _ in 0..10_000 {
        let pid = random.below(5);
        let at = if random.below(3) == 0 {
            NEVER
        } else {
            VTime(random.below(9).into())
        };
        alarms.set(Pid(pid), at);
        plain[pid as usize] = at;
        assert_eq!(Some(&alarms.next()), plain.iter().min());
        if random.below(4) == 0 {
            let now = VTime(random.below(9).into());
            let due = plain.iter().position(|at| *at <= now);
            assert_eq!(alarms.take_due(now), due.map(|pid| Pid(pid as u32)));
            plain[due.unwrap_or(pid as usize)] = if due.is_some() { NEVER } else { at };
        }
    }
}
