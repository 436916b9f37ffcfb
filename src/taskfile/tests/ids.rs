//! The table of ids: exact in all orders, and small.

use super::super::ids::{Bits, IdTable, Owner, Refusal};

#[test]
fn clashes_in_all_orders() {
    let taken = |seq, column| Err(Refusal::Taken(Owner { seq, column }));
    let mut ids = IdTable::default();
    assert_eq!(ids.claim(1, Some(("a", 4))), Ok(()));
    assert_eq!(ids.claim(2, Some(("a", 9))), taken(1, Some(4)));
    assert_eq!(ids.claim(3, None), Ok(()));
    assert_eq!(ids.claim(4, Some(("3", 9))), taken(3, None));
    assert_eq!(ids.claim(5, Some(("6", 9))), Ok(()));
    assert_eq!(ids.claim(6, None), taken(5, Some(9)));
    assert_eq!(ids.claim(7, Some(("7", 1))), Ok(()));
    assert_eq!(
        ids.claim(8, Some(("2", 1))),
        Ok(()),
        "task 2 has no id that counts, and is not called `2`"
    );
    ids.skip(9);
    assert_eq!(ids.claim(10, Some(("9", 1))), Ok(()));
    assert_eq!(
        ids.find("3"),
        Some(Owner {
            seq: 3,
            column: None
        })
    );
    assert_eq!(ids.find("6").map(|owner| owner.seq), Some(5));
    for absent in ["4", "11", "03", "", "-3", "18446744073709551616", "A"] {
        assert_eq!(ids.find(absent), None, "{absent}");
    }
}

#[test]
fn every_id_is_found_again_among_many() {
    let mut ids = IdTable::default();
    let id = |seq: u64| format!("{:0>1$}", seq * 7, (seq % 1000) as usize + 8);
    for seq in 1..=20_000 {
        assert_eq!(ids.claim(seq, Some((&id(seq), seq))), Ok(()));
    }
    for seq in 1..=20_000 {
        assert_eq!(
            ids.find(&id(seq)),
            Some(Owner {
                seq,
                column: Some(seq)
            })
        );
    }
    assert_eq!(
        ids.claim(20_001, Some((&id(10_000), 1))),
        Err(Refusal::Taken(ids.find(&id(10_000)).unwrap()))
    );
}

#[test]
fn a_million_ids_are_small() {
    let mut ids = IdTable::default();
    let mut peak = 0;
    for seq in 1..=1_000_000 {
        ids.claim(seq, Some((&format!("task-{seq:0>11}"), 8)))
            .unwrap();
        if seq.is_power_of_two() {
            peak = peak.max(ids.allocated());
        }
    }
    // While the table doubles, the old one (half the size) is there, too.
    let worst = ids.allocated() + 6 * 1024 * 1024;
    assert!(worst < 45_000_000, "{worst} bytes");
    assert!(peak <= ids.allocated());
    let mut ids = IdTable::default();
    for seq in 1..=1_000_000 {
        ids.claim(seq, None).unwrap();
    }
    assert!(ids.allocated() < 300_000, "{} bytes", ids.allocated());
}

#[test]
fn bits_are_counted() {
    let mut bits = Bits::default();
    for index in 0..200 {
        bits.push(index % 3 == 1);
    }
    assert_eq!(bits.find_nth(1), Some(1));
    assert_eq!(bits.find_nth(40), Some(118));
    assert_eq!(bits.find_nth(0), None);
    assert_eq!(bits.find_nth(67), Some(199));
    assert_eq!(bits.find_nth(68), None);
    assert!(bits.get(199) && !bits.get(198) && !bits.get(1_000_000));
}
