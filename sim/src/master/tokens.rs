//! What the master wants of the jobserver, and what it hears of it.

use super::{MasterProcess, World};
use crate::message::{Message, TokenAsk, TokenTold};
use farm_master::{Event, TokenAction};

impl MasterProcess {
    pub(super) fn asks_jobserver(cx: &mut World<'_>, action: &TokenAction) {
        let ask = match action {
            TokenAction::Want => TokenAsk::Want,
            TokenAction::WantNone => TokenAsk::WantNone,
            TokenAction::GiveBack => TokenAsk::Back,
            TokenAction::Count => TokenAsk::Count,
            TokenAction::Lost { .. } => return,
        };
        if let Some(jobserver) = cx.shared().jobserver {
            cx.send(jobserver, Message::Jobserver(ask));
        }
    }

    pub(super) fn hears_of_tokens(&mut self, cx: &mut World<'_>, told: TokenTold) {
        cx.shared().ledger.tokens_told(told);
        let event = match told {
            TokenTold::Came => Event::TokenCame,
            TokenTold::Counted => Event::TokensCounted,
            TokenTold::Lost => Event::TokensLost {
                error: "the jobserver is gone".to_owned(),
            },
        };
        self.tell(cx, event);
    }
}
