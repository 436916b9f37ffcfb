//! One line over a stream, within a time and a size: whoever is at the other end may dribble, flood or fall asleep.

use interprocess::local_socket::Stream;
use interprocess::local_socket::traits::Stream as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::time::{Duration, Instant};

/// The most bytes of a request.
pub(crate) const REQUEST_MAX: usize = 64 << 10;

/// The most bytes of an answer: four thousand workers and a thousand tasks take a tenth of it.
pub(crate) const ANSWER_MAX: usize = 16 << 20;

/// Reads up to a line end, which is not among what is answered, or to the end of what comes.
///
/// # Errors
/// `TimedOut` at the deadline, `InvalidData` beyond `most`, and what the stream says.
pub(crate) fn read_line(stream: &Stream, most: usize, until: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        stream.set_recv_timeout(Some(left(until)?))?;
        let count = match (&mut &*stream).read(&mut bytes) {
            Ok(0) => return Ok(line),
            Ok(count) => count,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => continue,
                ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                _ => return Err(error),
            },
        };
        let come = &bytes[..count];
        let end = come.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&come[..end.unwrap_or(count)]);
        if line.len() > most {
            return Err(ErrorKind::InvalidData.into());
        }
        if end.is_some() {
            return Ok(line);
        }
    }
}

/// Writes a line and its end.
///
/// # Errors
/// `TimedOut` at the deadline, and what the stream says.
pub(crate) fn write_line(stream: &Stream, mut line: Vec<u8>, until: Instant) -> io::Result<()> {
    line.push(b'\n');
    let mut rest = &line[..];
    while !rest.is_empty() {
        stream.set_send_timeout(Some(left(until)?))?;
        match (&mut &*stream).write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => return Err(ErrorKind::TimedOut.into()),
                _ => return Err(error),
            },
        }
    }
    Ok(())
}

/// The time that is left, which is never none: that would be no limit.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}
