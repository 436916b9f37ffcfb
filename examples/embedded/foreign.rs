//! The library as C sees it: one function. The only place with unsafe code: a name that a linker finds, and pointers of
//! a caller who cannot be checked.
#![expect(
    unsafe_code,
    reason = "a function for C has an exported name and is given pointers"
)]

use super::Counter;
use std::ffi::{CStr, c_char};
use std::panic::catch_unwind;

/// How many words `text` has, counted by a worker that runs the program at `worker`:
/// `long long embedded_words(const char *worker, const char *text);`. Less than 0 when that is not to be had: -1 when it
/// could not be counted, -2 when the arguments are not text in UTF-8.
///
/// # Safety
/// Both point to bytes that end with a zero, and stay as they are until this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn embedded_words(worker: *const c_char, text: *const c_char) -> i64 {
    if worker.is_null() || text.is_null() {
        return -2;
    }
    // SAFETY: neither is null, and the caller has promised the rest.
    let (worker, text) = unsafe { (CStr::from_ptr(worker), CStr::from_ptr(text)) };
    let (Ok(worker), Ok(text)) = (worker.to_str(), text.to_str()) else {
        return -2;
    };
    // A panic must not unwind into C, where it would end the program.
    let counted = catch_unwind(|| {
        let counter = Counter::start(worker).ok()?;
        let words = counter.count([text]).ok()?;
        counter.finish();
        words.first().and_then(|words| i64::try_from(*words).ok())
    });
    counted.ok().flatten().unwrap_or(-1)
}
