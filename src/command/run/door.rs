//! A kind of a run without its types: how it is listed, how it gets into the farm and into a worker.
//!
//! Owns the seam between a list of kinds of any types and the run, which knows places in that list only.

use super::desk::{Ears, SharedDesk};
use super::end::{Filed, Product};
use super::feed::{Feed, SharedHopper};
#[cfg(feature = "sim")]
use crate::command::tool::{Play, Played};
use crate::exec::{CommandKind, CommandResponse, CommandWire, Commands, Settings};
use crate::taskfile::{InputShape, TaskSpec};
use farm_driver::{Farm, FarmBuilder, KindRef, Pool, SourceWaker};
use farm_master::lane::Gate;
use farm_protocol::Wire;
use farm_worker::Worker;
use postcard_schema::schema::NamedType;
use std::sync::Arc;

/// What people and programs are told of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    /// How its input is read, and what it looks like; `None` for commands, which have fields of their own.
    pub(crate) input: Option<(InputShape, &'static NamedType)>,
}

/// A kind in a program's list.
pub(crate) trait Listed {
    /// What is told of it.
    fn card(&self) -> Card;

    /// Gives a worker process the ability to perform it.
    fn sit(self: Box<Self>, worker: Worker) -> Worker;

    /// Makes it a kind of the farm that is being built.
    fn enter(self: Box<Self>, farm: &mut FarmBuilder, pool: Pool, stage: &Stage) -> Box<dyn Door>;

    /// Simulates it with these tasks; `None`: it cannot be.
    #[cfg(feature = "sim")]
    fn simulate(&self, play: Play) -> Option<Played>;

    /// Itself, for who knows its type.
    #[cfg(feature = "sim")]
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any>;
}

/// What a run lends to its kinds.
pub(crate) struct Stage {
    pub(super) desk: SharedDesk,
    /// For commands.
    pub(super) settings: Settings,
}

/// The way of one kind's tasks into the farm.
pub(crate) trait Door {
    /// Has the farm pull tasks from the hopper. `place` is the kind's place there.
    fn feed(&self, farm: &Farm, hopper: SharedHopper, place: usize) -> SourceWaker;

    /// Opens or closes the kind's lane.
    fn set_gate(&self, farm: &Farm, gate: Gate);
}

/// The door of a kind that is in the farm.
pub(crate) struct Lane<K>(pub(crate) KindRef<K>);

impl<K: Filed> Door for Lane<K> {
    fn feed(&self, farm: &Farm, hopper: SharedHopper, place: usize) -> SourceWaker {
        farm.feed(self.0, Feed::<K>::new(hopper, place))
    }

    fn set_gate(&self, farm: &Farm, gate: Gate) {
        farm.set_gate(self.0, gate);
    }
}

/// Commands in a list.
pub(crate) struct ListedCommands;

impl Listed for ListedCommands {
    fn card(&self) -> Card {
        Card {
            name: CommandWire::NAME,
            version: CommandWire::VERSION,
            input: None,
        }
    }

    fn sit(self: Box<Self>, worker: Worker) -> Worker {
        worker.with(Commands::new())
    }

    fn enter(self: Box<Self>, farm: &mut FarmBuilder, pool: Pool, stage: &Stage) -> Box<dyn Door> {
        let ears = Ears(Arc::clone(&stage.desk), stage.settings.live);
        let kind = CommandKind::new(stage.settings.clone(), Box::new(ears));
        Box::new(Lane(farm.kind(kind, pool)))
    }

    /// Performing one is starting a process.
    #[cfg(feature = "sim")]
    fn simulate(&self, _: Play) -> Option<Played> {
        None
    }

    #[cfg(feature = "sim")]
    fn into_any(self: Box<Self>) -> Box<dyn std::any::Any> {
        self
    }
}

impl Filed for CommandKind {
    fn task(spec: &Arc<TaskSpec>) -> Result<Arc<TaskSpec>, String> {
        Ok(Arc::clone(spec))
    }

    fn done(output: Box<CommandResponse>) -> Product {
        Product::Command(output)
    }

    fn failed(failure: Box<CommandResponse>) -> Product {
        Product::Command(failure)
    }
}
