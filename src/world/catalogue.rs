//! A catalogue with Zipf popularity: how many distinct objects `n` requests touch, and how likely
//! the next request is for one of them.

/// Ranks that are kept apart; beyond them ranks share a bin.
const SINGLE: usize = 64;
/// Bins of the other ranks, at equal ratios of rank.
const SHARED: usize = 192;
/// Points of the tables per factor of e.
const PER_E: f64 = 8.0;
/// Smallest number of requests in the tables.
const LEAST: f64 = 1e-5;
/// Points of the tables: up to 1e17 requests.
const POINTS: usize = 406;

/// Popularity and what follows from it.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Number of objects.
    pub objects: f64,
    /// Per bin: number of objects, and the mean probability of a request for one of them.
    pub bins: Vec<(f64, f64)>,
    table: Vec<Point>,
}

/// What a number of requests does.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    distinct: f64,
    hit: f64,
    /// Slopes in the logarithm of the number of requests.
    distinct_slope: f64,
    hit_slope: f64,
}

impl Catalogue {
    /// `objects` objects, the i-th most popular asked for in proportion to `i^-zipf`.
    pub fn new(objects: f64, zipf: f64) -> Catalogue {
        let objects = objects.max(1.0).floor();
        let mut bins = Vec::new();
        // Half the squared variation of the probabilities within each bin.
        let mut uneven = Vec::new();
        let singles = (objects as usize).min(SINGLE);
        for rank in 1..=singles {
            bins.push((1.0, libm::pow(rank as f64, -zipf)));
            uneven.push(0.0);
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
                let mean = mass(first, last, zipf) / count;
                let square = mass(first, last, 2.0 * zipf) / count;
                bins.push((count, mean));
                uneven.push(if count > 1.0 {
                    0.5 * (square / (mean * mean) - 1.0).max(0.0)
                } else {
                    0.0
                });
                first = last + 1.0;
            }
        }
        let total: f64 = bins.iter().map(|(count, weight)| count * weight).sum();
        for (_, weight) in &mut bins {
            *weight /= total;
        }
        let table = (0..POINTS)
            .map(|i| exactly(&bins, &uneven, LEAST * libm::exp(i as f64 / PER_E)))
            .collect();
        Catalogue {
            objects,
            bins,
            table,
        }
    }

    /// Expected distinct objects among `n` requests: `sum 1 - exp(-p n)`.
    pub fn distinct(&self, n: f64) -> f64 {
        if n <= LEAST {
            return self.table[0].distinct * (n / LEAST).max(0.0);
        }
        let (a, b, inside) = self.around(n);
        hermite(
            inside,
            (a.distinct, b.distinct),
            (a.distinct_slope / PER_E, b.distinct_slope / PER_E),
        )
        .min(self.objects)
    }

    /// Chance that the next request is for an object among those of the last `n`:
    /// `sum p (1 - exp(-p n))`.
    pub fn hit(&self, n: f64) -> f64 {
        if n <= LEAST {
            return self.table[0].hit * (n / LEAST).max(0.0);
        }
        let (a, b, inside) = self.around(n);
        hermite(
            inside,
            (a.hit, b.hit),
            (a.hit_slope / PER_E, b.hit_slope / PER_E),
        )
        .clamp(0.0, 1.0)
    }

    /// Mean miss ratio while the number of requests in sight goes from `from` to `to`.
    pub fn miss_between(&self, from: f64, to: f64) -> f64 {
        if (to - from).abs() <= 1e-4 * from.max(to).max(LEAST) {
            return 1.0 - self.hit(0.5 * (from + to));
        }
        ((self.distinct(to) - self.distinct(from)) / (to - from)).clamp(0.0, 1.0)
    }

    /// The points of the table around a number of requests, and where it lies between them. What is
    /// beyond the table counts as its end.
    fn around(&self, n: f64) -> (&Point, &Point, f64) {
        let at = (libm::log(n / LEAST) * PER_E).clamp(0.0, (POINTS - 1) as f64);
        let i = (at as usize).min(POINTS - 2);
        (&self.table[i], &self.table[i + 1], at - i as f64)
    }
}

/// The sums over all objects. Objects of a bin are not quite alike: second-order terms in their
/// variation make up for it.
fn exactly(bins: &[(f64, f64)], uneven: &[f64], n: f64) -> Point {
    let mut point = Point::default();
    for (&(count, p), &uneven) in bins.iter().zip(uneven) {
        let x = p * n;
        let present = -libm::expm1(-x);
        let absent = 1.0 - present;
        let (all, alike) = (count * p, uneven * absent);
        point.distinct += count * (present - alike * x * x);
        point.hit += all * (present - alike * (x * x - 2.0 * x));
        point.hit_slope += all * x * (absent + alike * (2.0 - 4.0 * x + x * x));
        // The slope of the distinct count is the miss ratio.
        point.distinct_slope += n * all * (absent + alike * (x * x - 2.0 * x));
    }
    point
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

/// Cubic between two values with given slopes per unit.
fn hermite(t: f64, (a, b): (f64, f64), (slope_a, slope_b): (f64, f64)) -> f64 {
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
            (100_000, 0.0),
            (200_000, 3.0),
            (100_000, 2.0),
        ] {
            let catalogue = Catalogue::new(objects as f64, zipf);
            for n in [0.001, 0.5, 3.0, 77.0, 1234.0, 1e5, 3e6, 1e9] {
                let (distinct, hit) = exactly(objects, zipf, n);
                let near = |got: f64, want: f64| (got - want).abs() <= 2e-5 * want + 1e-12;
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
    fn the_largest_catalogues_stay_smooth_beyond_the_table() {
        for zipf in [0.0, 0.9, 3.0, 5.0] {
            let catalogue = Catalogue::new(1e10, zipf);
            let (mut distinct, mut hit) = (catalogue.distinct(0.9), catalogue.hit(0.9));
            for i in 0..400 {
                let n = libm::exp(f64::from(i) / 8.0);
                let (more, better) = (catalogue.distinct(n), catalogue.hit(n));
                assert!(
                    more >= distinct * (1.0 - 1e-9) && more <= 1.2 * distinct + 2.0,
                    "{zipf} {n}"
                );
                assert!(better >= hit - 1e-9 && better - hit < 0.2, "{zipf} {n}");
                assert!(more <= n * (1.0 + 1e-9) && better <= 1.0);
                (distinct, hit) = (more, better);
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
