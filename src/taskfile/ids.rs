//! The ids of all tasks read so far, exactly and compactly.
//!
//! Owns which task has which id. A task without an id has its position as id, which is kept as one bit; the id of
//! any other is kept once, in a byte arena, behind a table of 32-bit addresses: a million ids of 16 bytes cost about
//! 35 MB at the worst moment (while the table doubles) and a million tasks without ids a few hundred kilobytes.
//! It does not know lines of text, nor whether an id is well formed.

use hashbrown::HashTable;

/// Bytes per chunk of the arena. Chunks never move, so growing never holds two copies.
const CHUNK_BYTES: usize = 64 * 1024;
/// The most chunks that 32-bit addresses reach: 4 GiB of ids.
const MAX_CHUNKS: usize = 1 << 16;

/// The longest id accepted, in bytes.
pub const MAX_ID_BYTES: usize = 1024;

/// Why an id cannot be given to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An earlier task has it.
    Taken(Owner),
    /// The table is full.
    Full,
}

/// The task that has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its position, from 1.
    pub(super) seq: u64,
    /// The column in which its id stands; `None` when its position is its id.
    pub(super) column: Option<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct IdTable {
    arena: Arena,
    /// Addresses of the entries, by the hash of their ids.
    table: HashTable<u32>,
    /// Bit `seq - 1`: whether that task's id is its position.
    by_position: Bits,
}

impl IdTable {
    /// Gives the next task its id: `explicit`, standing in `column`, or its position when `None`. Tasks come in order,
    /// `seq` from 1 without gaps. A refused task still counts as read, without an id.
    pub(super) fn claim(&mut self, seq: u64, explicit: Option<(&str, u64)>) -> Result<(), Refusal> {
        assert_eq!(
            self.by_position.len + 1,
            seq,
            "tasks claim their ids in order"
        );
        let id = explicit.map_or_else(|| position_text(seq), |(id, _)| Text::Given(id));
        let owner = self.find(id.as_str());
        self.by_position.push(explicit.is_none() && owner.is_none());
        if let Some(owner) = owner {
            return Err(Refusal::Taken(owner));
        }
        if let Some((id, column)) = explicit {
            let address = self.arena.push(seq, column, id).ok_or(Refusal::Full)?;
            let arena = &self.arena;
            self.table
                .insert_unique(hash(id.as_bytes()), address, |&at| hash(arena.entry(at).2));
        }
        Ok(())
    }

    /// Counts the next task as read, without an id: its own was bad.
    pub(super) fn skip(&mut self, seq: u64) {
        assert_eq!(
            self.by_position.len + 1,
            seq,
            "tasks claim their ids in order"
        );
        self.by_position.push(false);
    }

    /// The task read so far that has `id`.
    pub(super) fn find(&self, id: &str) -> Option<Owner> {
        if !self.table.is_empty() {
            let bytes = id.as_bytes();
            let found = self
                .table
                .find(hash(bytes), |&at| self.arena.entry(at).2 == bytes);
            if let Some(&address) = found {
                let (seq, column, _) = self.arena.entry(address);
                return Some(Owner {
                    seq,
                    column: Some(column),
                });
            }
        }
        let seq = position_of(id)?;
        self.by_position
            .get(seq - 1)
            .then_some(Owner { seq, column: None })
    }

    /// Bytes allocated, to check what the module promises.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.arena.chunks.len() * CHUNK_BYTES
            + self.table.allocation_size()
            + self.by_position.words.capacity() * 8
    }
}

/// The position that `id` spells exactly as a default id would.
fn position_of(id: &str) -> Option<u64> {
    if id.starts_with('0') || !id.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    id.parse().ok()
}

/// An id as text, without an allocation for a position.
enum Text<'t> {
    Given(&'t str),
    Position([u8; 20], usize),
}

impl Text<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Given(text) => text,
            Self::Position(digits, start) => {
                std::str::from_utf8(&digits[*start..]).expect("ASCII digits")
            }
        }
    }
}

fn position_text(seq: u64) -> Text<'static> {
    let (mut digits, mut start, mut rest) = ([b'0'; 20], 20, seq);
    while rest > 0 {
        start -= 1;
        digits[start] = b'0' + u8::try_from(rest % 10).expect("one digit");
        rest /= 10;
    }
    Text::Position(digits, start)
}

/// A fixed hash (FNV-1a, then one mixing step, because the table looks at the upper bits): the same everywhere, so a
/// run can be repeated. Who can choose ids that collide can choose the commands, too.
fn hash(bytes: &[u8]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in bytes {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (sum ^ (sum >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Entries (position, column, length, id; numbers in groups of seven bits) one after the other.
#[derive(Debug, Default)]
struct Arena {
    chunks: Vec<Box<[u8]>>,
    /// Bytes used of the last chunk.
    used: usize,
}

impl Arena {
    /// The address of the new entry; `None` when there is no room.
    fn push(&mut self, seq: u64, column: u64, id: &str) -> Option<u32> {
        assert!(
            id.len() <= MAX_ID_BYTES,
            "the length of an id is checked before"
        );
        // Three numbers of at most ten bytes each.
        let needed = 30 + id.len();
        if self.chunks.is_empty() || self.used + needed > CHUNK_BYTES {
            if self.chunks.len() == MAX_CHUNKS {
                return None;
            }
            self.chunks.push(vec![0; CHUNK_BYTES].into_boxed_slice());
            self.used = 0;
        }
        let chunk = self.chunks.len() - 1;
        let address = u32::try_from(chunk * CHUNK_BYTES + self.used)
            .expect("MAX_CHUNKS keeps addresses in 32 bits");
        let bytes = &mut self.chunks[chunk];
        for number in [seq, column, id.len() as u64] {
            let mut rest = number;
            while rest >= 0x80 {
                bytes[self.used] = u8::try_from(rest & 0x7f).expect("seven bits") | 0x80;
                self.used += 1;
                rest >>= 7;
            }
            bytes[self.used] = u8::try_from(rest).expect("seven bits");
            self.used += 1;
        }
        bytes[self.used..self.used + id.len()].copy_from_slice(id.as_bytes());
        self.used += id.len();
        Some(address)
    }

    /// Position, column and id of the entry at an address that [`Self::push`] gave.
    fn entry(&self, address: u32) -> (u64, u64, &[u8]) {
        let address = address as usize;
        let bytes = &self.chunks[address / CHUNK_BYTES];
        let mut at = address % CHUNK_BYTES;
        let mut number = || {
            let (mut sum, mut shift) = (0_u64, 0);
            loop {
                let byte = bytes[at];
                at += 1;
                sum |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    return sum;
                }
                shift += 7;
            }
        };
        let (seq, column) = (number(), number());
        let length = usize::try_from(number()).expect("at most MAX_ID_BYTES");
        (seq, column, &bytes[at..at + length])
    }
}

/// A growing row of bits.
#[derive(Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    len: u64,
}

impl Bits {
    pub(super) fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(bit) << (self.len % 64);
        }
        self.len += 1;
    }

    /// The bit at `index`, from 0; false beyond the end.
    pub(super) fn get(&self, index: u64) -> bool {
        let word = usize::try_from(index / 64)
            .ok()
            .and_then(|word| self.words.get(word));
        word.is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// The index of the `nth` set bit, counted from 1. Takes time: only for a report.
    pub(super) fn find_nth(&self, nth: u64) -> Option<u64> {
        let mut left = nth;
        for (index, word) in self.words.iter().enumerate() {
            let ones = u64::from(word.count_ones());
            if left <= ones {
                let base = index as u64 * 64;
                return (base..base + 64)
                    .filter(|&bit| self.get(bit))
                    .nth(usize::try_from(left.checked_sub(1)?).ok()?);
            }
            left -= ones;
        }
        None
    }
}
