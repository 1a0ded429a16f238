//! What was asked for and did not happen is asked for again, if it is still wanted. How often that is
//! told decides how often it is asked.

use super::Incident;
use crate::model::action::Action;
use crate::model::policy::Phase;

/// What is to be ordered anew as it is wanted now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Anew {
    /// The routes of the region.
    pub routes: bool,
    /// Answers of DNS.
    pub answers: bool,
}

impl Incident<'_> {
    /// Asks again for what is wanted as it was; says what else is wanted, but may be different now.
    pub(super) fn ask_again(&mut self) -> Anew {
        let view = self.view;
        let region = view.region;
        let memory = *self.memory;
        let leaves = view.evacuates(region) && memory.phase != Phase::Normal;
        let moves = leaves || memory.phase == Phase::GradualReturn;
        let alive = |r: usize| {
            let known = view.telemetry.regions.get(r);
            known.is_some_and(|known| known.dead == Some(false))
        };
        let mut anew = Anew::default();
        for action in &view.telemetry.undone {
            let wanted = match *action {
                Action::SetRoutes { from, .. } => {
                    anew.routes |= from == region && memory.stage > 0 && moves;
                    false
                }
                Action::SetDns { market, .. } => {
                    let market = view.telemetry.markets.iter().find(|m| m.market == market);
                    let served = market.is_some_and(|market| {
                        let weights = [&market.dns, &market.planned];
                        weights
                            .iter()
                            .any(|w| w.get(region).is_some_and(|w| *w > 0.0))
                    });
                    anew.answers |= served && memory.stage > 0 && moves;
                    false
                }
                Action::ActivateDark { region: target } => {
                    leaves
                        && memory.capacity_called
                        && self.targets.contains(&target)
                        && alive(target)
                }
                Action::Scale { region: target, .. } => {
                    leaves
                        && memory.scaled_at.is_some()
                        && self.targets.contains(&target)
                        && alive(target)
                }
                Action::Prewarm { region: target, .. } if leaves => {
                    memory.prewarmed && self.targets.contains(&target) && alive(target)
                }
                Action::Prewarm { region: own, .. } => {
                    own == region && memory.return_warmed && alive(own)
                }
                Action::FreezeScaleIn { region: own, on } => {
                    own == region && on == memory.frozen && alive(own)
                }
                Action::Isolate { region: own, on } => own == region && on == self.is_isolated(),
                Action::ReleaseDark { region: target } => {
                    alive(target) && self.away.iter().all(|away| *away <= 0.0)
                }
                Action::EnterPhase { .. } => false,
            };
            if wanted && !self.actions.contains(action) {
                self.actions.push(action.clone());
            }
        }
        anew
    }

    /// Whether the region was isolated and still is.
    fn is_isolated(&self) -> bool {
        let isolated = matches!(self.memory.phase, Phase::Isolation | Phase::Stabilized);
        self.view.knobs.isolate && isolated && self.memory.well_since.is_none()
    }
}
