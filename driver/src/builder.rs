//! The settings of a farm, and its start.

use crate::depth::{DEPTH_MAX, DEPTH_VARIABLE, depth};
use crate::farm::Farm;
use crate::jobserver::{Jobserver, JobserverError};
use crate::mailbox::Mailbox;
use crate::observer::Observer;
use crate::pool::{Origin, Pool};
use crate::record::RunRecord;
use crate::resize::Kept;
use crate::shared::Shared;
use crate::sync::{Poll, Waker, thread};
use crate::system::{MEASURES, TEMPLATES};
use crate::turn::{Loop, WAKER};
use farm_master::{Config, KindConfig, Registry, StartFailures, TaskKind};
use farm_protocol::{FrameLimit, KindId};
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The next farm's number in this program.
static FARMS: AtomicU64 = AtomicU64::new(0);

/// A kind of a farm that is being built or runs.
pub struct KindRef<K> {
    pub(crate) id: KindId,
    pub(crate) farm: u64,
    /// The most workers that a resize may give it.
    pub(crate) ceiling: u32,
    of: PhantomData<fn(K)>,
}

impl<K> KindRef<K> {
    /// The kind's number in traces and for observers.
    #[must_use]
    pub const fn id(self) -> KindId {
        self.id
    }
}

impl<K> Clone for KindRef<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for KindRef<K> {}

impl<K> fmt::Debug for KindRef<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KindRef")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Why a farm could not be started. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The poll of the loop could not be opened.
    #[error(
        "cannot open the farm's poll: {0}; if the limit of open files is reached, raise it (`ulimit -n`)"
    )]
    Poll(#[source] io::Error),
    /// The loop's thread could not be started.
    #[error(
        "cannot start the farm's thread: {0}; if the limit of threads is reached, raise it (`ulimit -u`)"
    )]
    Thread(#[source] io::Error),
    /// A kind's tasks or workers are limited in what they use, and that cannot be measured on this system.
    #[error(
        "kind `{kind}`: its defaults limit processor time or memory, or its workers are replaced by the memory they \
         hold, and neither can be measured on this system; leave the limits out"
    )]
    Unmeasured {
        /// The kind's name.
        kind: String,
    },
    /// A kind has no worker, and no resize could give it one: its tasks would wait for ever.
    #[error(
        "kind `{kind}` has no worker: give its pool one at least (`Pool::new`), or room for a resize (`ceiling`)"
    )]
    NoWorkers {
        /// The kind's name.
        kind: String,
    },
    /// More workers are to be kept than there may be.
    #[error(
        "{least} workers are to be kept, and the farm may have {most} at once (`workers`): keep fewer, or allow more"
    )]
    TooManyKept {
        /// How many are to be kept, over all kinds.
        least: u64,
        /// How many there may be.
        most: u32,
    },
    /// It would be inside of too many others.
    #[error(
        "cannot start a farm inside of {depth} others, one in a worker of the next: at most {DEPTH_MAX} may be inside of \
         each other, because a task that starts a farm whose tasks do the same never ends; if it is meant, set the \
         variable `{DEPTH_VARIABLE}` to 0 for the program that starts this one"
    )]
    TooDeep {
        /// How many farms it would be inside of.
        depth: u32,
    },
    /// A kind's workers are to be forked from a template, which this system does not offer.
    #[error(
        "kind `{kind}`: its workers are to be forked from a template, which needs Linux; leave `Pool::template` out"
    )]
    NoTemplates {
        /// The kind's name.
        kind: String,
    },
}

/// Collects kinds and settings.
pub struct FarmBuilder {
    farm: u64,
    config: Config,
    registry: Registry,
    origins: Vec<Origin>,
    through: bool,
    observer: Option<Box<dyn Observer>>,
    record: Option<Box<dyn Write + Send>>,
    jobserver: Option<Jobserver>,
    name: String,
}

impl FarmBuilder {
    pub(crate) fn new() -> Self {
        Self {
            farm: FARMS.fetch_add(1, Ordering::Relaxed),
            config: Config::default(),
            registry: Registry::new(),
            origins: Vec::new(),
            through: false,
            observer: None,
            record: None,
            jobserver: None,
            name: "farm".to_owned(),
        }
    }

    /// Adds a kind with its pool of workers.
    ///
    /// # Panics
    /// With more than `u16::MAX` kinds.
    pub fn kind<K: TaskKind>(&mut self, kind: K, pool: Pool) -> KindRef<K> {
        let id = self.registry.register(kind);
        let config = pool.config::<K>();
        let ceiling = config.numbered();
        self.config.kinds.push(config);
        self.origins.push(pool.origin::<K>());
        KindRef {
            id,
            farm: self.farm,
            ceiling,
            of: PhantomData,
        }
    }

    /// How many workers there may be at once, over all kinds; those that are kept may be no more, also after a resize. The next place is for the kind with the fewest workers
    /// that wants one; a kind with more than an equal share gives a worker up for another that has none. Without this
    /// each kind may have as many as its pool says.
    pub fn workers(&mut self, most: NonZeroU32) -> &mut Self {
        self.config.workers = Some(most);
        self
    }

    /// How long a worker may take from its start to its hello, unless its pool says otherwise. One that takes longer
    /// is killed, which is a start failure.
    pub fn hello_timeout(&mut self, span: Duration) -> &mut Self {
        self.config.hello_timeout = span;
        self
    }

    /// What happens when workers cannot be started.
    pub fn start_failures(&mut self, policy: StartFailures) -> &mut Self {
        self.config.start_failures = policy;
        self
    }

    /// The capacities of the named limits, in the order of their `LimitId`s.
    pub fn limits(&mut self, capacities: Vec<NonZeroU32>) -> &mut Self {
        self.config.limits = capacities;
        self
    }

    /// The largest frame sent or accepted.
    pub fn frame_limit(&mut self, limit: FrameLimit) -> &mut Self {
        self.config.frame_limit = limit;
        self
    }

    /// How long an idle worker may take to end after it was asked.
    pub fn close_budget(&mut self, span: Duration) -> &mut Self {
        self.config.close_budget = span;
        self
    }

    /// The seed of the jitter of delays.
    pub fn seed(&mut self, seed: u64) -> &mut Self {
        self.config.seed = seed;
        self
    }

    /// Whether workers are given the farm's own stdout and stderr, for tasks that write through.
    pub fn through(&mut self, through: bool) -> &mut Self {
        self.through = through;
        self
    }

    /// Whoever watches.
    pub fn observer(&mut self, observer: Box<dyn Observer>) -> &mut Self {
        self.observer = Some(observer);
        self
    }

    /// Has the run recorded: everything the machine is told and the kinds answer is written to
    /// `out`, as [`farm_master::record`] describes, so that the run replays without its kinds.
    ///
    /// The loop writes, in large pieces and before it sleeps, and waits for `out`: give it a file, not
    /// a pipe whose reader may be slow. What cannot be written ends the record and never the run;
    /// [`Farm::take_record_trouble`] tells.
    pub fn record(&mut self, out: impl Write + Send + 'static) -> &mut Self {
        self.record = Some(Box::new(out));
        self
    }

    /// Limits the workers that are at work at once, of all kinds together, by the tokens of a jobserver. Without this
    /// the farm takes no tokens, and what the environment says of a jobserver reaches its workers as it is.
    pub fn jobserver(&mut self, jobserver: Jobserver) -> &mut Self {
        self.config.tokens = jobserver.tokens();
        self.jobserver = Some(jobserver);
        self
    }

    /// Takes part in the jobserver that the environment names, if it names one ([`Jobserver::from_environment`]: to be
    /// called early). One that cannot be used is hidden from the workers, and the answer is why: worth a line to the
    /// user, as the farm then has as many workers as its pools say.
    #[must_use = "a jobserver that is named and not used is worth a word"]
    pub fn jobserver_of_environment(&mut self) -> Option<JobserverError> {
        let (found, trouble) = match Jobserver::from_environment() {
            Ok(found) => (found, None),
            Err(error) => (Some(Jobserver::hidden()), Some(error)),
        };
        if let Some(jobserver) = found {
            self.jobserver(jobserver);
        }
        trouble
    }

    /// The name of the loop's thread.
    ///
    /// # Panics
    /// With a zero byte in it.
    pub fn name(&mut self, name: &str) -> &mut Self {
        assert!(!name.contains('\0'), "a thread's name has no zero byte");
        name.clone_into(&mut self.name);
        self
    }

    /// Starts the farm's loop. Workers are started when there is work for them; those that a pool keeps, at once.
    ///
    /// # Errors
    /// [`StartError`]: the system refuses the loop what it needs.
    pub fn start(mut self) -> Result<Farm, StartError> {
        let depth = depth();
        if depth >= DEPTH_MAX {
            return Err(StartError::TooDeep { depth });
        }
        self.config.measures = MEASURES;
        let limited = |kind: &&KindConfig| {
            (kind.defaults.is_measured() || kind.staffing.recycle.weighs()) && !MEASURES
        };
        // Tasks with limits of their own are refused one by one; follow-up tasks have nobody to be refused to.
        if let Some(kind) = self.config.kinds.iter().find(limited) {
            let kind = kind.hello.name.clone();
            return Err(StartError::Unmeasured { kind });
        }
        if let Some(kind) = self.config.kinds.iter().find(|kind| kind.numbered() == 0) {
            let kind = kind.hello.name.clone();
            return Err(StartError::NoWorkers { kind });
        }
        let kept = Kept::of(&self.config);
        if let Some((least, most)) = kept.too_many() {
            return Err(StartError::TooManyKept { least, most });
        }
        if let Some(origin) = self
            .origins
            .iter()
            .find(|origin| origin.template && !TEMPLATES)
        {
            let kind = origin.kind.clone();
            return Err(StartError::NoTemplates { kind });
        }
        let poll = Poll::new().map_err(StartError::Poll)?;
        let waker = Waker::new(poll.registry(), WAKER).map_err(StartError::Poll)?;
        let post = Arc::new(Mailbox::new(waker));
        let lanes = self.config.kinds.iter().map(|kind| &kind.boundary);
        let shared = Arc::new(Shared::new(post, self.farm).with_lanes(lanes));
        let of_loop = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(self.name)
            .spawn(move || {
                let record = self.record.map(|out| RunRecord::new(out, &self.config));
                Loop::new(of_loop, poll, self.config, self.registry)
                    .with(self.origins, depth, self.through, self.observer)
                    .limited_by(self.jobserver)
                    .recorded_by(record)
                    .run();
            })
            .map_err(StartError::Thread)?;
        Ok(Farm::new(shared, thread, kept))
    }
}

impl fmt::Debug for FarmBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FarmBuilder")
            .field("config", &self.config)
            .field("origins", &self.origins)
            .field("through", &self.through)
            .finish_non_exhaustive()
    }
}
