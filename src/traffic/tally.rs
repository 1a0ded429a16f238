//! Latencies of a window: weights by kind of request, pattern of cache misses and added delay,
//! turned into histograms when the window ends.

use crate::model::histogram::Histogram;
use crate::world::latency::{Law, Paths};
use std::sync::OnceLock;

/// Added delays are told apart by this many classes per bin of a histogram (0.7 % of the delay).
const PER_BIN: f64 = 3.5;
/// Classes of added delay; the first stands for none.
const DELAYS: usize = 1024;
/// Standard normal quantiles at `(i + 0.5) / 20`.
const NORMAL: [f64; 20] = [
    -1.959_963_985,
    -1.439_531_471,
    -1.150_349_380,
    -0.934_589_291,
    -0.755_415_026,
    -0.597_760_126,
    -0.453_762_190,
    -0.318_639_364,
    -0.189_118_426,
    -0.062_706_778,
    0.062_706_778,
    0.189_118_426,
    0.318_639_364,
    0.453_762_190,
    0.597_760_126,
    0.755_415_026,
    0.934_589_291,
    1.150_349_380,
    1.439_531_471,
    1.959_963_985,
];

/// The class of an added delay.
pub fn delay_class(secs: f64) -> usize {
    if secs < 2e-4 {
        0
    } else {
        ((Histogram::position(secs) * PER_BIN) as usize).clamp(1, DELAYS - 1)
    }
}

fn delay_secs(class: usize) -> f64 {
    if class == 0 {
        0.0
    } else {
        Histogram::value((class as f64 + 0.5) / PER_BIN)
    }
}

/// Weights of one region in one window.
#[derive(Clone, Debug)]
pub struct Tally {
    weights: Vec<f64>,
    touched: Vec<u32>,
    starts: Vec<Delays>,
}

/// Sums over successful starts of a market.
#[derive(Clone, Copy, Debug, Default)]
struct Delays {
    count: f64,
    mean: f64,
    square: f64,
}

impl Tally {
    /// Nothing yet, for so many laws (all patterns of all kinds of request) and markets.
    pub fn new(laws: usize, markets: usize) -> Tally {
        Tally {
            weights: vec![0.0; laws * DELAYS],
            touched: Vec::new(),
            starts: vec![Delays::default(); markets],
        }
    }

    /// Answers under a law, with an added delay.
    pub fn add(&mut self, law: usize, delay_class: usize, weight: f64) {
        let cell = &mut self.weights[law * DELAYS + delay_class];
        if *cell == 0.0 && weight > 0.0 {
            self.touched.push((law * DELAYS + delay_class) as u32);
        }
        *cell += weight;
    }

    /// Successful starts of a market whose delay has this mean and variance.
    pub fn add_starts(&mut self, market: usize, count: f64, mean_secs: f64, variance: f64) {
        let sums = &mut self.starts[market];
        sums.count += count;
        sums.mean += count * mean_secs;
        sums.square += count * (variance + mean_secs * mean_secs);
    }

    /// Turns the weights into histograms and forgets them.
    pub fn flush(&mut self, laws: &Laws, latency: &mut Histogram, start_delay: &mut Histogram) {
        self.touched.sort_unstable();
        for &cell in &self.touched {
            let weight = std::mem::take(&mut self.weights[cell as usize]);
            laws.get(cell as usize / DELAYS, cell as usize % DELAYS)
                .add_to(latency, weight);
        }
        self.touched.clear();
        for sums in &mut self.starts {
            let Delays {
                count,
                mean,
                square,
            } = std::mem::take(sums);
            if count <= 0.0 {
                continue;
            }
            // Several requests in a row and the viewer's own network: the sum is taken as lognormal
            // with its own mean and variance.
            let mean = (mean / count).max(1e-6);
            let variance = (square / count - mean * mean).max(0.0);
            let sigma = libm::sqrt(libm::log(1.0 + variance / (mean * mean)));
            let mu = libm::log(mean) - sigma * sigma / 2.0;
            for z in NORMAL {
                start_delay.add(libm::exp(mu + sigma * z), count / NORMAL.len() as f64);
            }
        }
    }
}

/// Laws with delays added, made when first needed and kept for all replications: each is a pure
/// function of its law and delay.
pub struct Laws {
    bases: Vec<Law>,
    moments: Vec<(f64, f64)>,
    made: Vec<OnceLock<Law>>,
    /// First law of each kind of request.
    pub first: Vec<usize>,
}

impl Laws {
    /// The laws of all kinds of request, one after the other.
    pub fn new(paths: &[Paths]) -> Laws {
        let mut first = Vec::new();
        let mut bases = Vec::new();
        for kind in paths {
            first.push(bases.len());
            bases.extend(kind.laws.iter().cloned());
        }
        Laws {
            moments: bases.iter().map(Law::moments).collect(),
            made: (0..bases.len() * DELAYS).map(|_| OnceLock::new()).collect(),
            bases,
            first,
        }
    }

    /// How many there are without delays.
    pub fn count(&self) -> usize {
        self.bases.len()
    }

    /// Mean and variance of a law without delay.
    pub fn moments(&self, law: usize) -> (f64, f64) {
        self.moments[law]
    }

    fn get(&self, law: usize, delay: usize) -> &Law {
        self.made[law * DELAYS + delay].get_or_init(|| self.bases[law].plus(delay_secs(delay)))
    }
}
