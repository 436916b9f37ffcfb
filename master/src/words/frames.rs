//! The frames in a piece of a pipe, in words. A piece that does not begin with a frame is only counted.

use super::quoted;
use farm_protocol::{
    AttemptHeader, FrameDecoder, FrameKind, FrameLimit, Hello, PREAMBLE, Progress, ReplyHeader,
    RequestHeader, decode, decode_prefix,
};

/// So many frames of one piece are shown.
const SHOWN: usize = 6;

/// What these bytes are: their frames, or their number.
pub(super) fn words(bytes: &[u8]) -> String {
    read(bytes).unwrap_or_else(|| format!("{} bytes", bytes.len()))
}

fn read(bytes: &[u8]) -> Option<String> {
    let mut shown = Vec::new();
    let mut count = 0_usize;
    let frames = match bytes.strip_prefix(PREAMBLE.as_slice()) {
        Some(frames) => {
            shown.push("preamble".to_string());
            frames
        }
        None => bytes,
    };
    let mut decoder = FrameDecoder::new(FrameLimit(u32::MAX));
    decoder.push(frames);
    while let Some(frame) = decoder.next_frame().ok()? {
        count += 1;
        if count <= SHOWN {
            shown.push(one(frame.kind, frame.body)?);
        }
    }
    if shown.is_empty() {
        return None;
    }
    if count > SHOWN {
        shown.push(format!("{} more frames", count - SHOWN));
    }
    if decoder.pending() > 0 {
        shown.push(format!("{} bytes of the next", decoder.pending()));
    }
    Some(shown.join(", "))
}

/// How far an attempt is.
pub(super) fn progress(progress: &Progress) -> String {
    let mut said = format!(" {}", progress.done);
    if let Some(total) = progress.total {
        said.push_str(&format!(" of {total}"));
    }
    if !progress.note.is_empty() {
        said.push_str(&format!(" {}", quoted(&progress.note)));
    }
    said
}

/// One frame; `None` when its head is not that of its kind.
fn one(kind: FrameKind, body: &[u8]) -> Option<String> {
    let word = match kind {
        FrameKind::Request => {
            let (header, payload) = decode_prefix::<RequestHeader>(body).ok()?;
            return Some(format!("request {} {} bytes", header.id, payload.len()));
        }
        FrameKind::Reply => {
            let (header, payload) = decode_prefix::<ReplyHeader>(body).ok()?;
            let mut said = format!("reply {}", header.id);
            if header.flags.heeded_cancel {
                said.push_str(" heeded");
            }
            if header.flags.left_behind {
                said.push_str(" left-behind");
            }
            return Some(format!("{said} {} bytes", payload.len()));
        }
        FrameKind::Hello => {
            let hello = decode::<Hello>(body).ok()?;
            return Some(format!(
                "hello pid {} of {}",
                hello.pid,
                quoted(&hello.build)
            ));
        }
        FrameKind::Stop => return body.is_empty().then(|| "stop".to_string()),
        FrameKind::Cancel => "cancel",
        FrameKind::Revoke => "revoke",
        FrameKind::Feedback => "feedback",
        FrameKind::Revoked => "revoked",
        FrameKind::Refused => "refused",
        FrameKind::Unmarshallable => "unmarshallable",
        FrameKind::Panicked => "panicked",
        FrameKind::Progress => "progress",
    };
    let (header, rest) = decode_prefix::<AttemptHeader>(body).ok()?;
    let said = match kind {
        FrameKind::Refused | FrameKind::Unmarshallable | FrameKind::Panicked => {
            format!(" {}", quoted(decode::<&str>(rest).ok()?))
        }
        FrameKind::Feedback => format!(" {} bytes", rest.len()),
        FrameKind::Progress => progress(&decode(rest).ok()?),
        FrameKind::Cancel
        | FrameKind::Revoke
        | FrameKind::Revoked
        | FrameKind::Request
        | FrameKind::Stop
        | FrameKind::Hello
        | FrameKind::Reply => String::new(),
    };
    Some(format!("{word} {}{said}", header.id))
}
