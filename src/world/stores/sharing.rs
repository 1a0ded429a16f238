//! What links with a capacity leave to replication, shared among the senders of all domains.
//!
//! A sender asks for the writes of its last step and, per second, all that wait. A write goes to all
//! replicas at once, so the scarcest of a sender's links decides its pace. Replicas that are dark or
//! cut off are sent nothing meanwhile.

use super::domain::DomainState;
use crate::model::domain::Store;
use crate::model::scenario::{RegionId, Scenario};
use crate::world::condition::Condition;
use crate::world::links::Links;

/// Most writes that a sender sends per second over links that leave it more.
const MOST_PER_SEC: f64 = 1e9;

/// Gives each sender its pace.
pub fn share(
    scenario: &Scenario,
    condition: &Condition,
    links: &mut Links,
    domains: &mut [DomainState],
) {
    let regions = scenario.regions.len();
    let receivers = |store: &Store, s: RegionId| -> Vec<RegionId> {
        let dark = |r: RegionId| condition.dark(r).is_some();
        let open = |&r: &RegionId| r != s && !dark(s) && !dark(r) && !condition.cut(s, r);
        store.replicas.iter().copied().filter(open).collect()
    };
    let mut asked = vec![0.0; regions * regions];
    for domain in domains.iter().filter(|d| d.shares_links) {
        let store = &scenario.domains[domain.domain].store;
        for s in 0..regions {
            for r in receivers(store, s) {
                asked[s * regions + r] += domain.wanted(s) * store.bytes;
            }
        }
    }
    links.ask_replicated(&asked);
    for domain in domains.iter_mut().filter(|d| d.shares_links) {
        let store = &scenario.domains[domain.domain].store;
        for s in 0..regions {
            let own = domain.wanted(s) * store.bytes;
            let left = receivers(store, s)
                .into_iter()
                .map(|r| links.share_of_left(s, r, own))
                .fold(f64::INFINITY, f64::min);
            let per_sec = (left / store.bytes).min(MOST_PER_SEC);
            domain.regions[s].per_sec = per_sec.min(store.throughput);
        }
    }
}

impl DomainState {
    /// Writes per second that a region would send.
    fn wanted(&self, sender: RegionId) -> f64 {
        let sender = &self.regions[sender];
        let taken = sender.history.pieces.back().map_or(0.0, |piece| {
            let secs = piece.until.since(piece.from).secs();
            piece.writes as f64 / secs.max(f64::MIN_POSITIVE)
        });
        taken + sender.waiting as f64
    }
}
