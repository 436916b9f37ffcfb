//! What makes two digests differ.

use super::*;

fn of(words: &[u64]) -> u64 {
    let mut digest = Digest::new();
    words.iter().for_each(|&word| digest.word(word));
    digest.value()
}

fn of_bytes(pieces: &[&[u8]]) -> u64 {
    let mut digest = Digest::new();
    pieces.iter().for_each(|piece| digest.bytes(piece));
    digest.value()
}

/// Computed apart from this code. Records carry digests, so that a change needs a new format of theirs.
#[test]
fn it_stays_what_it_is() {
    assert_eq!(of(&[1, 2, 3]), 0x3ce6_161c_41ac_9356);
    assert_eq!(of_bytes(&[b""]), 0x3b1b_7a67_3f66_9897);
    assert_eq!(of_bytes(&[b"lockstep"]), 0x6ee1_cfb0_7aca_5fb9);
    assert_eq!(of_bytes(&[b"lockstep, and"]), 0x7e51_c46e_cfd9_b32a);
}

#[test]
fn order_and_number_of_words_matter() {
    assert_ne!(of(&[1, 2]), of(&[2, 1]));
    assert_ne!(of(&[]), of(&[0]));
    assert_ne!(of(&[0]), of(&[0, 0]));
}

#[test]
fn bytes_are_told_from_filling_and_from_other_pieces() {
    assert_ne!(of_bytes(&[b"ab"]), of_bytes(&[b"ab\0"]));
    assert_ne!(of_bytes(&[b"ab", b"c"]), of_bytes(&[b"a", b"bc"]));
    assert_ne!(of_bytes(&[b"12345678", b""]), of_bytes(&[b"12345678"]));
}

#[test]
fn no_two_of_many_small_stories_are_alike() {
    let mut values = Vec::new();
    for a in 0..40 {
        for b in 0..40 {
            for c in 0..40 {
                values.push(of(&[a, b, c]));
            }
        }
    }
    values.sort_unstable();
    values.dedup();
    assert_eq!(values.len(), 64_000);
}
