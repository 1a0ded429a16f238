//! A catalogue with Zipf popularity: how many distinct objects `n` requests touch, and how likely
//! the next request is for one of them.

/// Ranks that are kept apart; beyond them ranks share a bin.
const SINGLE: usize = 64;
/// Bins of the other ranks, at equal ratios of rank.
const SHARED: usize = 192;
/// Points of the tables per factor of e.
const PER_E: f64 = 12.0;
/// Smallest number of requests in the tables.
const LEAST: f64 = 1e-2;
/// Points of the tables: up to 1e17 requests.
const POINTS: usize = 530;

/// Popularity and what follows from it.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Number of objects.
    pub objects: f64,
    /// Per bin: number of objects, and the probability of a request for one of them.
    pub bins: Vec<(f64, f64)>,
    /// Per point: distinct objects, hit ratio, and the slope of the hit ratio in the logarithm.
    table: Vec<(f64, f64, f64)>,
    square: f64,
}

impl Catalogue {
    /// `objects` objects, the i-th most popular asked for in proportion to `i^-zipf`.
    pub fn new(objects: f64, zipf: f64) -> Catalogue {
        let objects = objects.max(1.0).floor();
        let mut bins = Vec::new();
        let singles = (objects as usize).min(SINGLE);
        for rank in 1..=singles {
            bins.push((1.0, libm::pow(rank as f64, -zipf)));
        }
        if objects > SINGLE as f64 {
            let ratio = libm::log(objects / SINGLE as f64) / SHARED as f64;
            let mut first = SINGLE as f64 + 1.0;
            for i in 1..=SHARED {
                let last = if i == SHARED {
                    objects
                } else {
                    (SINGLE as f64 * libm::exp(ratio * i as f64)).floor()
                };
                if last < first {
                    continue;
                }
                let count = last - first + 1.0;
                bins.push((count, mass(first, last, zipf) / count));
                first = last + 1.0;
            }
        }
        let total: f64 = bins.iter().map(|(count, weight)| count * weight).sum();
        for (_, weight) in &mut bins {
            *weight /= total;
        }
        let mut catalogue = Catalogue {
            objects,
            square: bins.iter().map(|(count, p)| count * p * p).sum(),
            bins,
            table: Vec::new(),
        };
        catalogue.table = (0..POINTS)
            .map(|i| catalogue.exactly(LEAST * libm::exp(i as f64 / PER_E)))
            .collect();
        catalogue
    }

    fn exactly(&self, n: f64) -> (f64, f64, f64) {
        let (mut distinct, mut hit, mut slope) = (0.0, 0.0, 0.0);
        for &(count, p) in &self.bins {
            let absent = libm::exp(-p * n);
            let present = -libm::expm1(-p * n);
            distinct += count * present;
            hit += count * p * present;
            slope += count * p * p * n * absent;
        }
        (distinct, hit, slope)
    }

    /// Expected distinct objects among `n` requests: `sum 1 - exp(-p n)`.
    pub fn distinct(&self, n: f64) -> f64 {
        if n <= LEAST {
            return n.max(0.0) * (1.0 - 0.5 * self.square * n.max(0.0));
        }
        let Some((i, inside)) = position(n) else {
            return self.objects;
        };
        let (a, b) = (&self.table[i], &self.table[i + 1]);
        let at = |i: usize| LEAST * libm::exp(i as f64 / PER_E);
        // The slope of the distinct count is the miss ratio.
        let (left, right) = (at(i) * (1.0 - a.1), at(i + 1) * (1.0 - b.1));
        hermite(inside, a.0, b.0, left / PER_E, right / PER_E).min(self.objects)
    }

    /// Chance that the next request is for an object among those of the last `n`:
    /// `sum p (1 - exp(-p n))`.
    pub fn hit(&self, n: f64) -> f64 {
        if n <= LEAST {
            return self.square * n.max(0.0);
        }
        let Some((i, inside)) = position(n) else {
            return 1.0;
        };
        let (a, b) = (&self.table[i], &self.table[i + 1]);
        hermite(inside, a.1, b.1, a.2 / PER_E, b.2 / PER_E).clamp(0.0, 1.0)
    }

    /// Mean miss ratio while the number of requests in sight goes from `from` to `to`.
    pub fn miss_between(&self, from: f64, to: f64) -> f64 {
        if (to - from).abs() <= 1e-4 * from.max(to).max(LEAST) {
            return 1.0 - self.hit(0.5 * (from + to));
        }
        ((self.distinct(to) - self.distinct(from)) / (to - from)).clamp(0.0, 1.0)
    }
}

/// Sum of `i^-zipf` over ranks, by the midpoint integral with its first correction.
fn mass(first: f64, last: f64, zipf: f64) -> f64 {
    let (a, b) = (first - 0.5, last + 0.5);
    let integral = if (zipf - 1.0).abs() < 1e-9 {
        libm::log(b / a)
    } else {
        (libm::pow(b, 1.0 - zipf) - libm::pow(a, 1.0 - zipf)) / (1.0 - zipf)
    };
    // Euler-Maclaurin at midpoints: minus a twenty-fourth of the difference of the slopes.
    integral + zipf / 24.0 * (libm::pow(b, -zipf - 1.0) - libm::pow(a, -zipf - 1.0))
}

fn position(n: f64) -> Option<(usize, f64)> {
    let at = libm::log(n / LEAST) * PER_E;
    let i = at as usize;
    (i + 1 < POINTS).then(|| (i, at - i as f64))
}

/// Cubic between two values with given slopes per unit.
fn hermite(t: f64, a: f64, b: f64, slope_a: f64, slope_b: f64) -> f64 {
    let s = 1.0 - t;
    a * s * s * (1.0 + 2.0 * t) + b * t * t * (1.0 + 2.0 * s) + t * s * (s * slope_a - t * slope_b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exactly(objects: usize, zipf: f64, n: f64) -> (f64, f64) {
        let weights: Vec<f64> = (1..=objects).map(|i| libm::pow(i as f64, -zipf)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().fold((0.0, 0.0), |(distinct, hit), w| {
            let p = w / total;
            let present = -libm::expm1(-p * n);
            (distinct + present, hit + p * present)
        })
    }

    #[test]
    fn tables_agree_with_the_sums() {
        for (objects, zipf) in [
            (10, 0.8),
            (1000, 0.9),
            (200_000, 0.9),
            (100_000, 1.2),
            (50_000, 1.0),
        ] {
            let catalogue = Catalogue::new(objects as f64, zipf);
            for n in [0.001, 0.5, 3.0, 77.0, 1234.0, 1e5, 3e6, 1e9] {
                let (distinct, hit) = exactly(objects, zipf, n);
                let near = |got: f64, want: f64| (got - want).abs() <= 2e-4 * want + 1e-12;
                assert!(
                    near(catalogue.distinct(n), distinct),
                    "{objects} {zipf} {n}: {} {distinct}",
                    catalogue.distinct(n)
                );
                assert!(
                    near(catalogue.hit(n), hit),
                    "{objects} {zipf} {n}: {} {hit}",
                    catalogue.hit(n)
                );
            }
        }
    }

    #[test]
    fn the_mean_miss_ratio_is_the_slope_of_the_distinct_count() {
        let catalogue = Catalogue::new(1e6, 0.9);
        for (from, to) in [(0.0, 10.0), (1e3, 1.5e3), (1e6, 1.0001e6), (2e5, 1e5)] {
            let steps = 2000;
            let mean: f64 = (0..steps)
                .map(|i| 1.0 - catalogue.hit(from + (to - from) * (i as f64 + 0.5) / steps as f64))
                .sum::<f64>()
                / steps as f64;
            assert!(
                (catalogue.miss_between(from, to) - mean).abs() < 1e-4,
                "{from} {to}"
            );
        }
    }
}
