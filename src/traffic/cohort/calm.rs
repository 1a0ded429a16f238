//! How long a step may be: whether anything moves, and whether what fails comes back as load.

use super::Cohort;
use crate::world::plan::Plan;
use crate::world::state::World;

/// While more than a share of `STORM` fails, the loads of a step follow from its own outcomes: it is
/// cut into so many pieces.
pub const PIECES: u32 = 4;
/// See [`PIECES`].
const STORM: f64 = 1e-3;

impl Cohort {
    /// Whether so much fails that what comes back is load: steps are then cut into pieces.
    pub fn storms(&self, world: &World) -> bool {
        self.serving.worst(world) > STORM
    }

    /// Whether nothing is under way that needs short steps.
    pub fn calm(&self, plan: &Plan) -> bool {
        !self.serving.hurt()
            && self.connections_calm(plan)
            && !self.serving.moving()
            && !self.serving.ejecting()
            && self.sessions.starved.is_empty()
            && self.waiting.iter().flatten().all(|w| w.total() == 0)
            && self.unaware.iter().all(|&n| n == 0.0)
            // A slow drain of connections changes little within a long step.
            && self.reconnects.iter().chain(&self.changes).sum::<f64>()
                <= 1e-3 * self.dt_secs * self.sessions.total() as f64
    }
}
