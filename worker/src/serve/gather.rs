//! Gathers a template's memory in large pages, so that forking it costs little.
//!
//! A fork copies an entry for each page that is there: of 200 MB in pages of 4 KiB some 50,000, for which it takes
//! milliseconds; in pages of 2 MiB a hundred. It is a gain and no need: whatever the system refuses stays as it is.

use crate::raw;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// What the system says of large pages.
const SETTINGS: &str = "/sys/kernel/mm/transparent_hugepage";

/// Bytes per page in the list of what is there.
const ENTRY: usize = 8;

/// The bit of such an entry that says that the page is in memory, in the last of its bytes.
const PRESENT: u8 = 1 << 7;

/// How many places for large pages are looked at: 128 GB of pages of 2 MiB. Whoever has reserved more has not filled it.
const LOOKS: usize = 64 << 10;

/// Gathers what is nearly whole: a large page takes its whole size, also where nothing was before.
pub(super) fn gather() {
    let setting = |name: &str| fs::read_to_string(format!("{SETTINGS}/{name}")).unwrap_or_default();
    // Whoever has switched them off for the machine does not want them here.
    let never = setting("enabled").contains("[never]");
    let large: Option<usize> = setting("hpage_pmd_size").trim().parse().ok();
    let small = rustix::param::page_size();
    let large = large.filter(|large| large.is_power_of_two() && *large > small);
    let (false, Some(large)) = (never, large) else {
        return;
    };
    let Ok(pagemap) = File::open("/proc/self/pagemap") else {
        return;
    };
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut entries = vec![0; large / small * ENTRY];
    let mut looks = 0;
    for area in maps.lines().filter_map(anonymous) {
        let mut start = area
            .start
            .checked_next_multiple_of(large)
            .unwrap_or(area.end);
        while looks < LOOKS && start.checked_add(large).is_some_and(|end| end <= area.end) {
            looks += 1;
            let at = (start / small * ENTRY) as u64;
            if pagemap.read_exact_at(&mut entries, at).is_ok() && is_nearly_whole(&entries) {
                raw::make_large(start, large);
            }
            start += large;
        }
    }
}

/// The memory of a line of the map, if it is this process's alone, of no file, and may be written.
fn anonymous(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_whitespace();
    let (range, access) = (fields.next()?, fields.next()?);
    let inode = fields.nth(2)?;
    let (start, end) = range.split_once('-')?;
    let address = |text: &str| usize::from_str_radix(text, 16).ok();
    let area = address(start)?..address(end)?;
    // A stack grows downwards and is never large.
    let stack = fields.next() == Some("[stack]");
    (access == "rw-p" && inode == "0" && !stack).then_some(area)
}

/// Whether seven eighths of the pages are there.
fn is_nearly_whole(entries: &[u8]) -> bool {
    let (entries, _) = entries.as_chunks::<ENTRY>();
    // The system writes them in its own order of bytes.
    let there = |entry: &&[u8; ENTRY]| u64::from_ne_bytes(**entry).to_be_bytes()[0] & PRESENT != 0;
    let count = entries.iter().filter(there).count();
    count * 8 >= entries.len() * 7
}

#[cfg(test)]
mod tests {
    //! Which lines of the map count, and that gathered memory holds what it held.
    use super::*;

    #[test]
    fn lines() {
        let line = "7f0000000000-7f0000400000 rw-p 00000000 00:00 0 ";
        assert_eq!(anonymous(line), Some(0x7f00_0000_0000..0x7f00_0040_0000));
        let heap = "5500000000-5500400000 rw-p 00000000 00:00 0                  [heap]";
        assert!(anonymous(heap).is_some());
        for line in [
            "",
            "nonsense",
            "7f0000000000-7f0000400000 r--p 00000000 00:00 0",
            "7f0000000000-7f0000400000 rw-s 00000000 00:00 0",
            "7f0000000000-7f0000400000 rw-p 00000000 fe:00 42 /lib/x.so",
            "7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0 [stack]",
        ] {
            assert_eq!(anonymous(line), None, "{line}");
        }
    }

    #[test]
    fn nearly_whole() {
        let present = (1_u64 << 63).to_ne_bytes();
        assert!(is_nearly_whole(&[present; 8].concat()));
        assert!(is_nearly_whole(
            &[[present; 7].concat(), vec![0; 8]].concat()
        ));
        assert!(!is_nearly_whole(
            &[[present; 6].concat(), vec![0; 16]].concat()
        ));
    }

    #[test]
    fn nothing_is_lost() {
        let table: Vec<u64> = (0..2_000_000).collect();
        gather();
        assert!(table.iter().copied().eq(0..2_000_000));
    }
}
