//! What a region's flow has to do with other regions: calls that leave for services which the region
//! lacks, and calls that come from regions which lack them.

use super::{Flow, Graph, Held, NOTHING};
use crate::model::scenario::RegionId;
use crate::world::pool::{PoolState, Wait};

/// Calls from and to elsewhere, and what becomes of those that leave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// Whether the calls of a service leave the region, `[v]`.
    pub leaves: Vec<bool>,
    /// Calls per second that come from elsewhere, `[v][p][m]`.
    pub arriving: Vec<f64>,
    /// Share of the calls that leave which fail, `[v][p][m]`.
    pub fail: Vec<f64>,
    /// Share of their good answers that contain a fallback, `[v][p][m]`.
    pub degraded: Vec<f64>,
    /// How long they wait for a slot there, `[v]`.
    pub wait: Vec<Wait>,
    /// Their mean wait for that and all behind it, in seconds, `[v]`.
    pub wait_secs: Vec<f64>,
    /// What distance alone costs them, in seconds, `[v]`.
    pub far_secs: Vec<f64>,
    /// What hangs there, `[v]`.
    pub hanging: Vec<Hanging>,
}

/// What hangs at a service and behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hanging {
    /// Share of what arrives that is given to instances that hang.
    share: f64,
    /// Of the good answers, those that have waited, and of the requests, those that fail after it.
    held: Held,
    failing: Held,
}

impl Outside {
    /// Nothing comes yet, and what leaves is answered at once. `None` where every region has every
    /// service.
    pub fn new(graph: &Graph, region: RegionId) -> Option<Outside> {
        let services = graph.nodes.len();
        let cells = services * graph.priorities.len() * graph.markets;
        (!graph.partial.is_empty()).then(|| Outside {
            leaves: (0..services).map(|v| !graph.has(region, v)).collect(),
            arriving: vec![0.0; cells],
            fail: vec![0.0; cells],
            degraded: vec![0.0; cells],
            wait: vec![Wait::default(); services],
            wait_secs: vec![0.0; services],
            far_secs: vec![0.0; services],
            hanging: vec![Hanging::default(); services],
        })
    }

    /// Whether calls that leave fail.
    pub fn hurts(&self) -> bool {
        self.fail.iter().any(|&share| share > NOTHING)
    }
}

impl Flow {
    /// Whether calls to a service leave the region.
    pub fn leaves(&self, service: usize) -> bool {
        self.outside.as_ref().is_some_and(|o| o.leaves[service])
    }

    /// What distance alone costs an answer of a service, in seconds.
    pub fn far(&self, service: usize) -> f64 {
        self.far_secs.get(service).copied().unwrap_or(0.0)
    }

    /// What hangs at a service and behind it.
    pub fn all_hanging(&self, service: usize) -> Hanging {
        Hanging {
            share: self.hang[service],
            held: self.held[service],
            failing: self.held_failing[service],
        }
    }

    /// Takes the calls that come from elsewhere.
    pub(super) fn take_arriving(&mut self) {
        if let Some(outside) = &self.outside {
            for (rate, more) in self.rate.iter_mut().zip(&outside.arriving) {
                *rate += more;
            }
        }
    }

    /// Calls of a service that leave need no slot here.
    pub(super) fn let_leave(&mut self, graph: &Graph, v: usize) {
        let classes = graph.priorities.len();
        self.refused[v * classes..(v + 1) * classes].fill(0.0);
        self.pools[v] = PoolState::default();
        self.pools[v].wait = self.outside.as_ref().map_or(Wait::default(), |o| o.wait[v]);
    }

    /// Notes what becomes of the calls of a service that leave.
    pub(super) fn hear(&mut self, graph: &Graph, v: usize) {
        if let Some(outside) = &self.outside {
            let width = graph.priorities.len() * graph.markets;
            let cells = v * width..(v + 1) * width;
            self.wait_secs[v] = outside.wait_secs[v];
            let Hanging {
                share,
                held,
                failing,
            } = outside.hanging[v];
            (self.hang[v], self.held[v], self.held_failing[v]) = (share, held, failing);
            self.fail[cells.clone()].copy_from_slice(&outside.fail[cells.clone()]);
            self.degraded[cells.clone()].copy_from_slice(&outside.degraded[cells]);
        }
    }

    /// Finds what distance costs an answer of each service: parallel calls are waited for together,
    /// the others one after the other. Only who misses a cache goes far for the store behind it.
    pub(super) fn measure_distance(&mut self, graph: &Graph) {
        let Some(outside) = &self.outside else {
            return;
        };
        let mut far = vec![0.0; graph.nodes.len()];
        for &v in graph.order.iter().rev() {
            if outside.leaves[v] {
                far[v] = outside.far_secs[v];
                continue;
            }
            let (mut together, mut after) = (0.0_f64, 0.0);
            for link in &graph.nodes[v].calls {
                let needed = link.cache.map_or(1.0, |c| self.mean_miss(graph, c));
                let cost = (far[link.to] * needed).min(link.timeout_secs);
                if link.parallel {
                    together = together.max(cost);
                } else {
                    after += cost * link.count;
                }
            }
            far[v] = together + after;
        }
        self.far_secs = far;
    }
}
