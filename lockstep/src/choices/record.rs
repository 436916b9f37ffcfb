//! The noted decisions of a run, and how they are written as bytes. It does not know what was decided.
//!
//! ```text
//! format: 1 byte | steps: varint | last digest: 8 bytes | number of decisions: varint | decisions
//!                | number of digests: varint | digests: 8 bytes each
//! decisions: varints; even: a value, (value − 1) · 2; odd: a run of zeros, (length − 1) · 2 + 1
//! varint: seven bits per byte, the lowest first, the top bit set on all bytes but the last
//! all else: lowest byte first
//! ```

/// The format written, and the only one read.
const FORMAT: u8 = 1;

/// The decisions of a run, enough to repeat it and to notice that it was not repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// In the order of deciding.
    pub choices: Vec<u32>,
    /// The digest after every [`Record::DIGEST_EVERY`]th step.
    pub digests: Vec<u64>,
    /// How many steps the run took.
    pub steps: u64,
    /// The digest after the last step; 0 if there was none.
    pub last_digest: u64,
}

/// Why bytes are not a record. Nothing is kept of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is of another format, or no record at all.
    #[error(
        "cannot read the record: its format is {found}, and this program reads only format {FORMAT}"
    )]
    Format {
        /// Its first byte.
        found: u8,
    },
    /// The bytes end too early.
    #[error("cannot read the record: it is cut off within its {part}")]
    Short {
        /// What was being read.
        part: &'static str,
    },
    /// A number is larger than it can be.
    #[error("cannot read the record: a number in its {part} is too large")]
    TooLarge {
        /// What was being read.
        part: &'static str,
    },
    /// The number of digests does not follow from the number of steps.
    #[error("cannot read the record: {steps} steps do not give {digests} digests")]
    Digests {
        /// How many steps it names.
        steps: u64,
        /// How many digests it names.
        digests: u64,
    },
    /// Something follows the record.
    #[error("cannot read the record: {bytes} bytes follow it")]
    Trailing {
        /// How many bytes.
        bytes: usize,
    },
}

const STEPS: &str = "number of steps";
const LAST_DIGEST: &str = "last digest";
const CHOICES: &str = "decisions";
const DIGESTS: &str = "digests";

impl Record {
    /// The most decisions a record holds: 16 MiB in memory. As a run of zeros takes no room in bytes, this is what
    /// bounds the memory that hostile bytes can ask for.
    pub const CHOICES_MAX: usize = 1 << 22;

    /// A digest is noted after every so many steps: often enough to find where a replay goes another way, seldom
    /// enough that a noted step costs next to nothing.
    pub const DIGEST_EVERY: u64 = 256;

    /// The record as bytes: the same ones for the same record.
    ///
    /// # Panics
    /// If there are more than [`Record::CHOICES_MAX`] decisions, or other than one digest for every
    /// [`Record::DIGEST_EVERY`] steps: nobody could read it back.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        assert!(
            self.choices.len() <= Self::CHOICES_MAX,
            "a record has no more decisions than can be read back"
        );
        assert_eq!(
            self.digests.len() as u64,
            self.steps / Self::DIGEST_EVERY,
            "a record has all digests of its steps"
        );
        let mut out = vec![FORMAT];
        put_varint(&mut out, self.steps);
        out.extend_from_slice(&self.last_digest.to_le_bytes());
        put_varint(&mut out, self.choices.len() as u64);
        let mut rest = self.choices.as_slice();
        while let [first, tail @ ..] = rest {
            if let Some(less) = first.checked_sub(1) {
                put_varint(&mut out, u64::from(less) << 1);
                rest = tail;
            } else {
                let more = tail.iter().take_while(|&&value| value == 0).count();
                put_varint(&mut out, (more as u64) << 1 | 1);
                rest = &tail[more..];
            }
        }
        put_varint(&mut out, self.digests.len() as u64);
        for digest in &self.digests {
            out.extend_from_slice(&digest.to_le_bytes());
        }
        out
    }

    /// Reads what [`Record::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut input = Input { rest: bytes };
        let found = input.byte("format")?;
        if found != FORMAT {
            return Err(RecordError::Format { found });
        }
        let steps = input.varint(STEPS)?;
        let last_digest = input.word(LAST_DIGEST)?;
        let choices = input.choices()?;
        let digests = input.digests(steps)?;
        if !input.rest.is_empty() {
            return Err(RecordError::Trailing {
                bytes: input.rest.len(),
            });
        }
        Ok(Self {
            choices,
            digests,
            steps,
            last_digest,
        })
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes from anywhere, still to be read.
struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn byte(&mut self, part: &'static str) -> Result<u8, RecordError> {
        let (&byte, rest) = self.rest.split_first().ok_or(RecordError::Short { part })?;
        self.rest = rest;
        Ok(byte)
    }

    fn word(&mut self, part: &'static str) -> Result<u64, RecordError> {
        let (&word, rest) = self
            .rest
            .split_first_chunk()
            .ok_or(RecordError::Short { part })?;
        self.rest = rest;
        Ok(u64::from_le_bytes(word))
    }

    fn varint(&mut self, part: &'static str) -> Result<u64, RecordError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte(part)?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(RecordError::TooLarge { part });
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RecordError::TooLarge { part })
    }

    fn choices(&mut self) -> Result<Vec<u32>, RecordError> {
        const TOO_LARGE: RecordError = RecordError::TooLarge { part: CHOICES };
        let count = usize::try_from(self.varint(CHOICES)?).map_err(|_| TOO_LARGE)?;
        if count > Record::CHOICES_MAX {
            return Err(TOO_LARGE);
        }
        let mut choices = Vec::new();
        while choices.len() < count {
            let token = self.varint(CHOICES)?;
            if token & 1 == 0 {
                let value = u32::try_from((token >> 1) + 1).map_err(|_| TOO_LARGE)?;
                choices.push(value);
                continue;
            }
            // Compared before adding and before growing: the length may be anything.
            let more = token >> 1;
            if more >= (count - choices.len()) as u64 {
                return Err(TOO_LARGE);
            }
            choices.resize(choices.len() + more as usize + 1, 0);
        }
        Ok(choices)
    }

    fn digests(&mut self, steps: u64) -> Result<Vec<u64>, RecordError> {
        let digests = self.varint(DIGESTS)?;
        if digests != steps / Record::DIGEST_EVERY {
            return Err(RecordError::Digests { steps, digests });
        }
        // Before anything is reserved for them.
        if digests > self.rest.len() as u64 / 8 {
            return Err(RecordError::Short { part: DIGESTS });
        }
        (0..digests).map(|_| self.word(DIGESTS)).collect()
    }
}

#[cfg(test)]
mod tests;
