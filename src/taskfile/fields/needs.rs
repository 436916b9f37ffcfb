//! Reads `needs`: which tasks must end first.
//!
//! Owns both forms of an element, repeats, and a task that needs itself by its written id. It does not know which
//! ids exist.

use std::collections::BTreeSet;

use jsonc_parser::ast::Value;

use super::Draft;
use crate::taskfile::spec::Need;
use crate::taskfile::suggest::Where;
use crate::taskfile::values::{Reading, Trail};
use farm_master::When;

impl Reading<'_> {
    /// Fills the draft's needs; their positions are left 0 for whoever knows the ids.
    pub(super) fn needs(&mut self, value: &Value<'_>, trail: &Trail<'_>, draft: &mut Draft) {
        let Some(elements) = self.list(value, trail, "ids") else {
            return;
        };
        let mut seen: BTreeSet<Box<str>> = BTreeSet::new();
        for (index, element) in elements.iter().enumerate() {
            let trail = Trail::Index(trail, index);
            let Some((id, when, at)) = self.need(element, &trail) else {
                continue;
            };
            if seen.insert(id.clone()) {
                draft.need_spans.push(self.span(at));
                draft.spec.needs.push(Need { id, seq: 0, when });
            } else {
                self.wrong(
                    at,
                    &trail,
                    format!("`{}` is needed twice", id.escape_debug()),
                );
            }
        }
    }

    fn need<'v, 't>(
        &mut self,
        value: &'v Value<'t>,
        trail: &Trail<'_>,
    ) -> Option<(Box<str>, When, &'v Value<'t>)> {
        let Value::Object(object) = value else {
            return self
                .id_text(value, trail)
                .map(|(id, _)| (id, When::Success, value));
        };
        let (mut id, mut when, mut named) = (None, When::Success, false);
        for member in self.members(object, trail, &["id", "when"], Where::Elsewhere) {
            let (value, trail) = (&member.prop.value, Trail::Key(trail, member.key));
            if member.key == "id" {
                named = true;
                id = self.id_text(value, &trail).map(|(id, _)| (id, value));
            } else {
                let words = [
                    ("success", When::Success),
                    ("failure", When::Failure),
                    ("always", When::Always),
                ];
                when = self.word(value, &trail, &words).unwrap_or_default();
            }
        }
        if !named {
            self.wrong(value, trail, "a need without `id`");
        }
        id.map(|(id, at)| (id, when, at))
    }
}
