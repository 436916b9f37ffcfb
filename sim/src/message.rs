//! What the simulated processes send each other besides the bytes of the real protocol.

use crate::named::{News, ToFarm};
use crate::nature::Nature;
use farm_master::lane::Gate;
use farm_master::{QueueOrder, Rule, Shut, TaskOptions, Ties, When};
use farm_protocol::{AttemptId, KindId, Session, SlotId};
use std::time::Duration;

/// A task that a caller wants done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// Its kind; the first unless something else is said.
    pub kind: u16,
    /// Its options; none: the kind's.
    pub options: Option<Box<TaskOptions>>,
    /// What it needs, by when it came in: those that are still in the farm then.
    pub needs: Vec<(u32, When)>,
    /// Also those that have ended: then it is refused.
    pub stale: bool,
    /// What it is to its kind; none: a task for any worker.
    pub nature: Option<Box<Nature>>,
    /// The scope it is submitted into, by its number.
    pub scope: Option<u64>,
}

/// What a caller wants of tasks that wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wish {
    /// The task that came in as the so-many-eth is this urgent.
    Priority(u32, i32),
    /// They start in this order.
    Order(QueueOrder),
    /// What the kind looks at has changed.
    Broadcast,
    /// All end.
    CancelAll,
}

/// What the farm asks of the jobserver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokenAsk {
    /// A token, as soon as there is one.
    Want,
    /// None any more.
    WantNone,
    /// It brings one back.
    Back,
    /// All that are missing shall be put back.
    Count,
}

/// What the farm is told by the jobserver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TokenTold {
    /// A token is the farm's.
    Came,
    /// They were counted.
    Counted,
    /// The jobserver is dead.
    Lost,
}

/// A message.
#[derive(Debug)]
pub(crate) enum Message {
    /// A caller submits tasks. The master's loop gives them their ids.
    Submit(Vec<Order>),
    /// A caller cancels the task that came in as the so-many-eth; nothing when it has ended.
    Cancel(u32),
    /// A caller changes what waits.
    Wish(Wish),
    /// A caller opens the scope of this number.
    Open {
        /// Which.
        scope: u64,
        /// In which.
        parent: Option<u64>,
        /// With which rule.
        rule: Option<(Rule, Ties)>,
        /// All of it shall be over after this time.
        limit: Option<Duration>,
    },
    /// A caller closes the scope of this number.
    CloseScope(u64),
    /// A caller cancels the scope of this number.
    CancelScope(u64),
    /// A caller changes the gate of a kind.
    Gate(KindId, Gate),
    /// A caller ends the farm.
    Shut(Shut),
    /// A scripted source has this many tasks more, and is asked when there is room.
    Source(u32),
    /// A large response is decoded.
    Decoded {
        /// From where.
        slot: SlotId,
        /// From which process.
        session: Session,
        /// Whose it is.
        id: AttemptId,
        /// Under which number it lies.
        handle: u64,
    },
    /// A caller wants another number of workers of a kind.
    Resize {
        /// Which.
        kind: KindId,
        /// So many are kept.
        least: u32,
        /// There are no more than so many.
        most: u32,
    },
    /// A worker was measured.
    Weighed {
        /// Where.
        slot: SlotId,
        /// Which process.
        session: Session,
        /// What it held, in bytes.
        memory: u64,
    },
    /// The master wants this of the jobserver.
    Jobserver(TokenAsk),
    /// The jobserver tells the master.
    Tokens(TokenTold),
    /// Who attends to named workers asks this of the master.
    ToFarm(ToFarm),
    /// The master tells it this.
    News(News),
    /// SIGTERM.
    Terminate,
}
