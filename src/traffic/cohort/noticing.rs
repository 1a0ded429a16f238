//! Sessions that are served in another region than before, without a new connection.

use super::{Cohort, View};
use crate::model::request::When;

impl Cohort {
    /// Sessions whose serving region has changed notice it with their next request.
    pub(super) fn notice_changes(&mut self, view: &View) {
        let scenario = view.scenario;
        let (regions, markets) = (scenario.regions.len(), scenario.markets.len());
        let lanes = &view.plan.lanes;
        let group = |lane: usize| lane.min(lanes.groups() - 1);
        let per_session = |lane: usize| -> f64 {
            let requests = scenario.requests.iter().enumerate();
            let taken = requests.filter(|(q, _)| lanes.of(*q, group(lane)) == lane);
            taken
                .map(|(_, request)| match request.when {
                    When::Every { period_secs, .. } => 1.0 / period_secs,
                    When::Rate { per_sec } => per_sec,
                    _ => 0.0,
                })
                .sum()
        };
        let per_session: Vec<f64> = (0..lanes.count()).map(per_session).collect();
        for e in 0..regions {
            for m in 0..markets {
                // A session whose requests of both lanes move at once moves once.
                let mut seen = 0.0;
                for (lane, &rate) in per_session.iter().enumerate() {
                    let row = self.serving.row(lane, e, m);
                    let served = self.serving.served(lane, e, m);
                    let known = &mut self.routes[row..row + regions];
                    let moved: f64 = served
                        .iter()
                        .zip(&*known)
                        .map(|(a, b)| (a - b).max(0.0))
                        .sum();
                    let playing: u64 = (0..scenario.devices.len())
                        .filter(|&k| !scenario.devices[k].direct && lanes.group(k) == group(lane))
                        .map(|k| self.sessions.count(m, k, e))
                        .sum();
                    let newly = moved - if group(lane) == lane { 0.0 } else { seen };
                    if rate > 0.0 {
                        seen = moved;
                    }
                    let unaware = &mut self.unaware[(lane * markets + m) * regions + e];
                    if newly > 1e-9 && known.iter().sum::<f64>() > 0.0 {
                        *unaware += newly * playing as f64;
                    }
                    known.copy_from_slice(&served);
                    if *unaware > 0.0 {
                        let notice = -libm::expm1(-rate * self.dt_secs);
                        let aware = *unaware * notice;
                        *unaware -= aware;
                        if *unaware < 0.5 {
                            *unaware = 0.0;
                        }
                        self.changes[(group(lane) * markets + m) * regions + e] += aware;
                    }
                }
            }
        }
    }
}
