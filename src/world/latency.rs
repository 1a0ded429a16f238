//! Response times when nobody waits: the law of each kind of request over its calls, by which of
//! its caches hit, and sums of such a law with a constant.
//!
//! The law is that of a fixed sample of paths through the graph; it is the same in every
//! replication, so it adds no noise.

use crate::engine::law;
use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::model::histogram::{BINS, Histogram};
use crate::model::scenario::{Edge, Scenario};
use crate::world::graph::{Graph, POINTS};

/// Paths that are sampled per law.
const PATHS: u64 = 4096;
/// Services that one path visits at most; what lies beyond adds nothing to its time.
const VISITS: u64 = 2_000;
/// Caches on a request's path whose hits and misses are told apart; beyond, a cache counts as hit.
const APART: usize = 4;

/// A law over the bins of [`Histogram`], stored from its first to its last weight.
#[derive(Clone, Debug)]
pub struct Law {
    first: usize,
    weights: Vec<f64>,
}

impl Law {
    fn of(histogram: &Histogram) -> Law {
        let total = histogram.total().max(f64::MIN_POSITIVE);
        let first = histogram.weights.iter().position(|&w| w > 0.0).unwrap_or(0);
        let last = histogram
            .weights
            .iter()
            .rposition(|&w| w > 0.0)
            .unwrap_or(0);
        Law {
            first,
            weights: histogram.weights[first..=last]
                .iter()
                .map(|w| w / total)
                .collect(),
        }
    }

    /// The law of the sum with a constant.
    pub fn plus(&self, secs: f64) -> Law {
        if secs <= 0.0 {
            return self.clone();
        }
        let mut shifted = Histogram::default();
        for (i, &weight) in self.weights.iter().enumerate() {
            let bin = (self.first + i) as f64;
            let from = Histogram::position(Histogram::value(bin) + secs);
            let to = Histogram::position(Histogram::value(bin + 1.0) + secs).max(from);
            // The bin's weight lies evenly between the ends' new positions.
            let width = to - from;
            let mut at = from as usize;
            while at <= to as usize && at < BINS {
                let inside = if width > 0.0 {
                    ((at as f64 + 1.0).min(to) - (at as f64).max(from)) / width
                } else {
                    1.0
                };
                shifted.weights[at] += weight * inside.max(0.0);
                at += 1;
            }
        }
        Law::of(&shifted)
    }

    /// Adds `weight` times the law to a histogram.
    pub fn add_to(&self, histogram: &mut Histogram, weight: f64) {
        for (bin, share) in histogram.weights[self.first..]
            .iter_mut()
            .zip(&self.weights)
        {
            *bin += weight * share;
        }
    }

    /// Mean and variance, with each bin at its middle.
    pub fn moments(&self) -> (f64, f64) {
        let (mut mean, mut square) = (0.0, 0.0);
        for (i, &weight) in self.weights.iter().enumerate() {
            let value = Histogram::value((self.first + i) as f64 + 0.5);
            mean += weight * value;
            square += weight * value * value;
        }
        (mean, (square - mean * mean).max(0.0))
    }
}

/// Response times of one kind of request in its region, the proxy's time included.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Caches told apart.
    pub caches: Vec<usize>,
    /// Expected lookups of each per request.
    pub lookups: Vec<f64>,
    /// Law by pattern: bit `i` set means that cache `caches[i]` missed.
    pub laws: Vec<Law>,
}

/// Mean response times of one kind of request, in seconds, the proxy's time included.
#[derive(Clone, Debug)]
pub struct Means {
    /// When all caches hit.
    hit_secs: f64,
    /// What a miss adds, and the cache and its expected lookups.
    misses: Vec<(f64, usize, f64)>,
}

impl Means {
    /// The mean when such shares of lookups miss.
    pub fn secs(&self, miss: &dyn Fn(usize) -> f64) -> f64 {
        let more =
            |&(secs, cache, lookups): &(f64, usize, f64)| (miss(cache) * lookups).min(1.0) * secs;
        self.hit_secs + self.misses.iter().map(more).sum::<f64>()
    }
}

impl Paths {
    /// The means of the laws.
    pub fn means(&self) -> Means {
        let mean = |pattern: usize| self.laws[pattern].moments().0;
        let caches = self.caches.iter().zip(&self.lookups).enumerate();
        Means {
            hit_secs: mean(0),
            misses: caches
                .map(|(i, (&cache, &lookups))| (mean(1 << i) - mean(0), cache, lookups))
                .collect(),
        }
    }

    /// Share of a market's requests with each pattern of hits and misses, into `out`.
    pub fn patterns(&self, miss: &dyn Fn(usize) -> f64, out: &mut [f64]) {
        out[..self.laws.len()].fill(0.0);
        out[0] = 1.0;
        for (i, (&cache, &count)) in self.caches.iter().zip(&self.lookups).enumerate() {
            let share = miss(cache);
            let missed = if count <= 1.0 {
                share * count
            } else {
                1.0 - libm::pow(1.0 - share, count)
            };
            for pattern in (0..1 << i).rev() {
                out[pattern | 1 << i] = out[pattern] * missed;
                out[pattern] *= 1.0 - missed;
            }
        }
    }
}

/// Samples the paths of every kind of request, and fills in the response times of the graph's calls.
pub fn prepare(scenario: &Scenario, graph: &mut Graph) -> Vec<Paths> {
    for v in 0..graph.nodes.len() {
        for j in 0..graph.nodes[v].calls.len() {
            let link = &graph.nodes[v].calls[j];
            let stream = Stream::new(0, 0, "response time", &scenario.services[link.to].name);
            let times = responses(scenario, graph, stream, link.to);
            let timeout = link.timeout_secs;
            let slow = times.iter().filter(|&&t| t > timeout).count() as f64 / times.len() as f64;
            let link = &mut graph.nodes[v].calls[j];
            link.response_secs = quantiles(&times);
            // The sample cannot see rarer ones; a response is then never too slow by itself.
            link.slow = slow;
            graph.slow |= slow > 0.0;
        }
    }
    for (q, request) in scenario.requests.iter().enumerate() {
        let stream = Stream::new(0, 0, "response time", &scenario.services[request.to].name);
        graph.entry_secs[q] = quantiles(&responses(scenario, graph, stream, request.to));
    }
    find_patience(scenario, graph);
    scenario
        .requests
        .iter()
        .map(|request| {
            let mut found = reachable(graph, request.to);
            found.truncate(APART);
            let caches: Vec<usize> = found.iter().map(|f| f.0).collect();
            let stream = Stream::new(0, 0, "request time", &request.name);
            let laws = (0..1usize << caches.len())
                .map(|pattern| {
                    let mut histogram = Histogram::default();
                    for i in 0..PATHS {
                        let mut path =
                            Path::new(scenario, graph, stream.draws(i, 0), &caches, pattern);
                        let proxy = path.proxy(&scenario.edge);
                        histogram.add(proxy + path.service(request.to), 1.0);
                    }
                    Law::of(&histogram)
                })
                .collect();
            Paths {
                caches,
                lookups: found.iter().map(|f| f.1).collect(),
                laws,
            }
        })
        .collect()
}

/// Response times of a service when nobody waits and every cache hits, sampled and sorted.
fn responses(scenario: &Scenario, graph: &Graph, stream: Stream, service: usize) -> Vec<f64> {
    let respond = |i| Path::new(scenario, graph, stream.draws(i, 0), &[], 0).service(service);
    let mut times: Vec<f64> = (0..PATHS / 4).map(respond).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

/// The middle of each of [`POINTS`] equal parts.
fn quantiles(times: &[f64]) -> [f64; POINTS] {
    std::array::from_fn(|i| times[(2 * i + 1) * times.len() / (2 * POINTS)])
}

/// How long clients wait at least, and how long those wait at most whose work is dropped when they give
/// up: the callers of a service, and the clients where it answers them itself.
fn find_patience(scenario: &Scenario, graph: &mut Graph) {
    let timeouts = || scenario.devices.iter().map(|class| class.timeout.secs());
    let rtts = || scenario.markets.iter().map(|market| market.rtt_secs);
    let (nearest, farthest) = (
        rtts().fold(f64::INFINITY, f64::min),
        rtts().fold(0.0, f64::max),
    );
    graph.least_patient_secs = timeouts().fold(f64::INFINITY, f64::min) - farthest;
    let mut patience = vec![0.0_f64; graph.nodes.len()];
    for (&(entry, _), response) in graph.entries.iter().zip(&graph.entry_secs) {
        let most = timeouts().fold(0.0, f64::max) - nearest;
        patience[entry] = patience[entry].max(most - response[POINTS - 1]);
    }
    for link in graph.nodes.iter().flat_map(|node| &node.calls) {
        let most = link.timeout_secs - link.response_secs[POINTS - 1];
        patience[link.to] = patience[link.to].max(most);
    }
    for (node, secs) in graph.nodes.iter_mut().zip(patience) {
        node.patience_secs = node.patience_secs.map(|_| secs);
    }
}

/// Caches on the way of a request and the expected lookups of each, every other cache hitting.
fn reachable(graph: &Graph, entry: usize) -> Vec<(usize, f64)> {
    let mut visits = vec![0.0; graph.nodes.len()];
    visits[entry] = 1.0;
    let mut found = Vec::new();
    for &v in &graph.order {
        for link in &graph.nodes[v].calls {
            let count = visits[v] * link.count;
            if count <= 0.0 {
                continue;
            }
            match link.cache {
                Some(cache) => found.push((cache, count)),
                None => visits[link.to] += count,
            }
        }
    }
    found
}

/// One sampled path.
struct Path<'a> {
    scenario: &'a Scenario,
    graph: &'a Graph,
    draws: Draws,
    caches: &'a [usize],
    pattern: usize,
    visits: u64,
}

impl<'a> Path<'a> {
    fn new(
        scenario: &'a Scenario,
        graph: &'a Graph,
        draws: Draws,
        caches: &'a [usize],
        pattern: usize,
    ) -> Path<'a> {
        Path {
            scenario,
            graph,
            draws,
            caches,
            pattern,
            visits: 0,
        }
    }

    fn proxy(&mut self, edge: &Edge) -> f64 {
        sampling::sample(&mut self.draws, &edge.time)
    }

    fn service(&mut self, v: usize) -> f64 {
        self.visits += 1;
        if self.visits > VISITS {
            return law::mean(&self.scenario.services[v].time);
        }
        let mut total = sampling::sample(&mut self.draws, &self.scenario.services[v].time);
        let (mut together, mut after) = (0.0_f64, 0.0);
        for j in 0..self.graph.nodes[v].calls.len() {
            let link = &self.graph.nodes[v].calls[j];
            let made = whole(link.count, &mut self.draws);
            let fetch = link.cache.is_none_or(|cache| {
                self.caches
                    .iter()
                    .position(|&c| c == cache)
                    .is_some_and(|i| self.pattern >> i & 1 == 1)
            });
            let (to, parallel, timeout) = (link.to, link.parallel, link.timeout_secs);
            // Of the lookups of a request that misses, one misses.
            let made = if fetch && link.cache.is_some() {
                1
            } else {
                made
            };
            if !fetch {
                continue;
            }
            for _ in 0..made {
                if self.visits > VISITS {
                    break;
                }
                let time = self.service(to).min(timeout);
                if parallel {
                    together = together.max(time);
                } else {
                    after += time;
                }
            }
        }
        total += together + after;
        total
    }
}

/// A whole number of calls with the given mean; at most a thousand are followed.
fn whole(count: f64, draws: &mut Draws) -> u64 {
    let below = count.floor();
    let one_more = count > below && draws.uniform() < count - below;
    (below as u64 + u64::from(one_more)).min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(values: &[f64]) -> Law {
        let mut histogram = Histogram::default();
        for &value in values {
            histogram.add(value, 1.0);
        }
        Law::of(&histogram)
    }

    #[test]
    fn a_constant_moves_the_mean_and_little_else() {
        let base = law(&[0.01, 0.02, 0.03, 0.05, 0.2]);
        let moved = base.plus(0.063);
        let ((mean, variance), (mean_moved, variance_moved)) = (base.moments(), moved.moments());
        assert!(
            (mean_moved - mean - 0.063).abs() < 0.002,
            "{mean_moved} {mean}"
        );
        assert!((variance_moved / variance - 1.0).abs() < 0.1);
        assert!((moved.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn patterns_of_misses_are_a_law() {
        let paths = Paths {
            caches: vec![3, 5],
            lookups: vec![1.0, 2.0],
            laws: vec![law(&[0.1]), law(&[0.1]), law(&[0.1]), law(&[0.1])],
        };
        let mut out = [0.0; 16];
        paths.patterns(&|cache| if cache == 3 { 0.1 } else { 0.2 }, &mut out);
        let second = 1.0 - 0.8 * 0.8;
        for (got, want) in out.iter().zip([
            0.9 * (1.0 - second),
            0.1 * (1.0 - second),
            0.9 * second,
            0.1 * second,
        ]) {
            assert!((got - want).abs() < 1e-12);
        }
    }
}
