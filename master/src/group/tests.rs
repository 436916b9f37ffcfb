//! Every rule, every tie rule, up to five members, every order of their ends, against a naive reading of the
//! rules: which members are to be cancelled at each moment, and what comes out.

use super::*;

/// What a member does when nobody cancels it.
const WAYS: [MemberEnd; 3] = [MemberEnd::Done, MemberEnd::Error, MemberEnd::Neutral];

fn task(index: u32) -> TaskId {
    TaskId::new(index, 7)
}

fn rules(members: u32) -> Vec<Rule> {
    let quorums = (1..=members + 1).map(|n| Rule::Quorum(NonZeroU32::new(n).expect("not 0")));
    let mut rules = vec![Rule::All, Rule::FirstError, Rule::FirstSuccess];
    rules.extend(quorums);
    rules
}

fn orders(members: u32) -> Vec<Vec<u32>> {
    let Some(last) = members.checked_sub(1) else {
        return vec![vec![]];
    };
    let mut all = vec![];
    for order in orders(last) {
        for place in 0..=order.len() {
            let mut order = order.clone();
            order.insert(place, last);
            all.push(order);
        }
    }
    all
}

/// The rules once more, by looking at everything every time.
struct Naive {
    rule: Rule,
    ties: Ties,
    members: u32,
    closed: bool,
    /// In the order of the ends; whether it had been given up is in the third place.
    ends: Vec<(u32, MemberEnd, bool)>,
    cancelled: BTreeSet<u32>,
    broke_off: bool,
}

impl Naive {
    fn ended(&self, index: u32) -> bool {
        self.ends.iter().any(|(other, ..)| *other == index)
    }

    fn successes(&self) -> Vec<u32> {
        let done = |(index, end, late): &(u32, MemberEnd, bool)| {
            (*end == MemberEnd::Done && !late).then_some(*index)
        };
        self.ends.iter().filter_map(done).collect()
    }

    fn lowest_error(&self) -> Option<u32> {
        let errors = self.ends.iter().filter(|end| end.1 == MemberEnd::Error);
        errors.map(|end| end.0).min()
    }

    fn winners(&self) -> Option<Vec<u32>> {
        let wanted = self.rule.wanted()?.get() as usize;
        let mut winners = self.successes();
        match self.ties {
            Ties::Arrival => {}
            Ties::Lowest => winners.sort_unstable(),
        }
        winners.truncate(wanted);
        winners.sort_unstable();
        (winners.len() == wanted).then_some(winners)
    }

    /// Who is to be cancelled now.
    fn cancel(&mut self) {
        let open: Vec<u32> = (0..self.members).filter(|i| !self.ended(*i)).collect();
        let open = || open.iter().copied();
        let hopeful = open()
            .filter(|index| !self.cancelled.contains(index))
            .count();
        let doomed: BTreeSet<u32> = match self.rule {
            Rule::All => BTreeSet::new(),
            Rule::FirstError => match (self.lowest_error(), self.ties) {
                (None, _) => BTreeSet::new(),
                (Some(_), Ties::Arrival) => open().collect(),
                (Some(error), Ties::Lowest) => open().filter(|index| *index > error).collect(),
            },
            Rule::FirstSuccess | Rule::Quorum(_) => {
                let wanted = self.rule.wanted().expect("these do").get() as usize;
                if self.broke_off {
                    open().collect()
                } else if self.winners().is_some() {
                    let below = |j: u32| self.successes().iter().filter(|i| **i < j).count();
                    open()
                        .filter(|j| self.ties == Ties::Arrival || below(*j) >= wanted)
                        .collect()
                } else if self.closed && self.successes().len() + hopeful < wanted {
                    self.broke_off = true;
                    open().collect()
                } else {
                    BTreeSet::new()
                }
            }
        };
        self.cancelled.extend(doomed);
    }

    fn verdict(&self) -> Verdict {
        match self.rule {
            Rule::All => Verdict::AllEnded,
            Rule::FirstError => self.lowest_error().map_or(Verdict::AllEnded, |index| {
                let task = task(index);
                Verdict::FirstError { index, task }
            }),
            Rule::FirstSuccess | Rule::Quorum(_) => match self.winners() {
                Some(indexes) => Verdict::Succeeded { indexes },
                None => Verdict::TooFew {
                    done: self.ends.iter().filter(|e| e.1 == MemberEnd::Done).count() as u32,
                    wanted: self.rule.wanted().expect("these do").get(),
                },
            },
        }
    }
}

/// One story: members end in `order`, each in its way; one that was given up ends in its way all the same
/// when its bit is set in `stubborn`. The group is closed after `closed_after` ends.
fn play(
    (rule, ties): (Rule, Ties),
    ways: &[MemberEnd],
    order: &[u32],
    closed_after: usize,
    stubborn: u32,
) -> Verdict {
    let members = ways.len() as u32;
    let mut group = Group::new(rule, ties);
    let mut naive = Naive {
        rule,
        ties,
        members,
        closed: false,
        ends: vec![],
        cancelled: BTreeSet::new(),
        broke_off: false,
    };
    for index in 0..members {
        assert_eq!(group.join(), index);
    }
    let mut given_up = BTreeSet::new();
    for step in 0..=order.len() {
        if step == closed_after {
            group.close();
            naive.closed = true;
        }
        let new: Vec<u32> = group.give_up().into_iter().flatten().collect();
        for index in new.into_iter().filter(|index| !naive.ended(*index)) {
            assert!(given_up.insert(index), "{index} is given up twice");
        }
        naive.cancel();
        let story = || {
            format!(
                "{rule:?} {ties:?} {ways:?} {order:?} closed after {closed_after} step {step} stubborn {stubborn:b}"
            )
        };
        assert_eq!(given_up, naive.cancelled, "{}", story());
        assert!(given_up.iter().all(|index| group.is_given_up(*index)));
        assert_eq!(group.give_up(), None, "asked twice, {}", story());
        let Some(&index) = order.get(step) else { break };
        let late = given_up.contains(&index);
        let heeds = late && stubborn & (1 << index) == 0;
        let end = if heeds {
            MemberEnd::Neutral
        } else {
            ways[index as usize]
        };
        assert_eq!(group.verdict(), None);
        group.ended(index, task(index), end);
        naive.ends.push((index, end, late));
    }
    let verdict = group.verdict().expect("all are at rest and it is closed");
    assert!(group.is_decided());
    assert_eq!(
        verdict,
        naive.verdict(),
        "{rule:?} {ties:?} {ways:?} {order:?} closed after {closed_after} stubborn {stubborn:b}"
    );
    verdict
}

fn all_ways(members: u32) -> Vec<Vec<MemberEnd>> {
    (0..members).fold(vec![vec![]], |lists, _| {
        let longer = |list: &Vec<MemberEnd>, way| [list.clone(), vec![way]].concat();
        let all = lists.iter();
        all.flat_map(|list| WAYS.map(|way| longer(list, way)))
            .collect()
    })
}

fn every_story(members: u32, stubborn: impl Fn(u32) -> Vec<u32>) {
    let (orders, ways) = (orders(members), all_ways(members));
    for rule in rules(members) {
        for ties in [Ties::Arrival, Ties::Lowest] {
            for ways in &ways {
                for order in &orders {
                    for closed_after in [0, members as usize / 2, members as usize] {
                        for stubborn in stubborn(members) {
                            play((rule, ties), ways, order, closed_after, stubborn);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn up_to_three_members_in_every_story() {
    for members in 0..=3 {
        every_story(members, |members| (0..1 << members).collect());
    }
}

#[test]
fn four_members_heeding_or_all_stubborn() {
    every_story(4, |_| vec![0, 0b1111, 0b0101]);
}

#[test]
fn lowest_does_not_depend_on_the_order_of_ends() {
    const MEMBERS: u32 = 5;
    let orders = orders(MEMBERS);
    for rule in [
        Rule::FirstError,
        Rule::FirstSuccess,
        Rule::Quorum(NonZeroU32::new(2).expect("not 0")),
        Rule::Quorum(NonZeroU32::new(3).expect("not 0")),
    ] {
        for ways in all_ways(MEMBERS) {
            let play = |order: &Vec<u32>| play((rule, Ties::Lowest), &ways, order, 0, 0);
            let first = play(&orders[0]);
            // How many were done before what was left was given up is no part of the decision.
            let decision = |verdict: Verdict| match verdict {
                Verdict::TooFew { wanted, .. } => Verdict::TooFew { done: 0, wanted },
                verdict @ (Verdict::AllEnded
                | Verdict::FirstError { .. }
                | Verdict::Succeeded { .. }) => verdict,
            };
            let first = decision(first);
            for order in &orders {
                assert_eq!(decision(play(order)), first, "{rule:?} {ways:?} {order:?}");
            }
        }
    }
}

#[test]
fn several_ends_at_once_give_the_lowest_error() {
    let mut group = Group::new(Rule::FirstError, Ties::Arrival);
    for _ in 0..3 {
        group.join();
    }
    group.ended(2, task(2), MemberEnd::Error);
    group.ended(1, task(1), MemberEnd::Error);
    assert_eq!(group.give_up(), Some(0..3));
    assert!(group.is_given_up(group.ends.len() as u32), "who comes late");
    let late = group.join();
    group.ended(late, task(late), MemberEnd::Neutral);
    group.ended(0, task(0), MemberEnd::Neutral);
    group.close();
    let (index, task) = (1, task(1));
    assert_eq!(group.verdict(), Some(Verdict::FirstError { index, task }));
}

#[test]
fn a_member_is_one_byte() {
    assert_eq!(size_of::<Option<MemberEnd>>(), 1);
}
