//! What a full pool refuses, by priority.

use super::{Flow, Graph};
use crate::model::policy::Shed;

impl Flow {
    /// Splits what a pool refuses over the priority classes.
    pub(super) fn share_refusals(
        &mut self,
        graph: &Graph,
        v: usize,
        total: f64,
        refused: f64,
        shed: Shed,
    ) {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let mine = &mut self.refused[v * classes..(v + 1) * classes];
        if refused <= 0.0 || shed == Shed::Uniform {
            mine.fill(refused.max(0.0));
            return;
        }
        let whole = 1.0 - self.broken[v];
        let mut left = refused * total;
        for p in (0..classes).rev() {
            let from = (v * classes + p) * markets;
            let rate = self.rate[from..from + markets].iter().sum::<f64>() * whole;
            let share = if rate > 0.0 {
                (left / rate).min(1.0)
            } else {
                0.0
            };
            mine[p] = share;
            left -= share * rate;
        }
    }
}
