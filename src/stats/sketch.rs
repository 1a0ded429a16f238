//! A mergeable sketch of many values, for bands over time.

/// Bins of equal ratio: a bin's centre is off by at most 0.5 %.
const RATIO: f64 = (1.0 + ACCURACY) / (1.0 - ACCURACY);
const ACCURACY: f64 = 0.005;

/// Smaller values count as zero.
const SMALLEST: f64 = 1e-12;

/// Counts of non-negative values in bins of equal ratio, with exact count, sum, smallest and
/// largest. Quantiles have a relative error of at most 0.5 %. Only bins in use take memory (16
/// bytes each; a factor of 10 between values is 230 bins). The order of adding and merging does
/// not matter to quantiles.
///
/// The idea is from Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch
/// with relative-error guarantees", PVLDB 12 (2019), <https://doi.org/10.14778/3352063.3352135>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    /// Index of a bin and its count, by index.
    bins: Vec<(i32, u64)>,
    zeros: u64,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Sketch {
    /// Nothing yet.
    pub fn new() -> Sketch {
        Sketch::default()
    }

    /// Adds a value. Negative values count as zero.
    ///
    /// # Panics
    ///
    /// If the value is not a finite number.
    pub fn add(&mut self, value: f64) {
        assert!(
            value.is_finite(),
            "a sketch takes finite values, not {value}"
        );
        let value = value.max(0.0);
        if value < SMALLEST {
            self.zeros += 1;
        } else {
            self.add_to_bin(bin_of(value), 1);
        }
        self.widen(value, value);
        self.count += 1;
        self.sum += value;
    }

    /// Adds all that another sketch has seen.
    pub fn merge(&mut self, other: &Sketch) {
        if other.count == 0 {
            return;
        }
        for &(bin, count) in &other.bins {
            self.add_to_bin(bin, count);
        }
        self.zeros += other.zeros;
        self.widen(other.min, other.max);
        self.count += other.count;
        self.sum += other.sum;
    }

    /// Values added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Sum of the values, up to rounding in the order of adding.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Mean of the values; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Smallest value, exactly; `None` without any.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Largest value, exactly; `None` without any.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// The order statistic `X(ceil(n q))` to within 0.5 %; `None` without values.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let rank = (q * self.count as f64 - 1e-9).ceil().max(1.0) as u64;
        if rank <= self.zeros {
            return Some(self.min);
        }
        let mut seen = self.zeros;
        for &(bin, count) in &self.bins {
            seen += count;
            if seen >= rank {
                return Some(centre_of(bin).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    fn add_to_bin(&mut self, bin: i32, count: u64) {
        match self.bins.binary_search_by_key(&bin, |&(bin, _)| bin) {
            Ok(i) => self.bins[i].1 += count,
            Err(i) => self.bins.insert(i, (bin, count)),
        }
    }

    fn widen(&mut self, min: f64, max: f64) {
        if self.count == 0 {
            (self.min, self.max) = (min, max);
        } else {
            self.min = self.min.min(min);
            self.max = self.max.max(max);
        }
    }
}

/// Bins of shares near one, and of values above one, come after all others.
const NEAR_ONE: i32 = 500_000;
const ONE: i32 = 600_000;
const ABOVE_ONE: i32 = 1_000_000;

/// Bins have equal ratios of the value; between a half and one, of its distance from one, so that
/// 99.9 % and 99.99 % are told apart.
fn bin_of(value: f64) -> i32 {
    if value > 1.0 {
        ABOVE_ONE + ratio_bin(value)
    } else if value <= 0.5 {
        ratio_bin(value)
    } else if 1.0 - value < SMALLEST {
        ONE
    } else {
        NEAR_ONE - ratio_bin(1.0 - value)
    }
}

fn ratio_bin(value: f64) -> i32 {
    (libm::log(value) / libm::log(RATIO)).ceil() as i32
}

fn centre_of(bin: i32) -> f64 {
    if bin > ABOVE_ONE - 1 {
        ratio_centre(bin - ABOVE_ONE)
    } else if bin == ONE {
        1.0
    } else if bin > NEAR_ONE / 2 {
        1.0 - ratio_centre(NEAR_ONE - bin)
    } else {
        ratio_centre(bin)
    }
}

/// The value that is off by the same ratio from both ends of its bin.
fn ratio_centre(bin: i32) -> f64 {
    libm::exp(f64::from(bin) * libm::log(RATIO)) * (1.0 - ACCURACY)
}

#[cfg(test)]
mod tests {
    #[test]
    fn shares_near_one_are_told_apart() {
        let mut sketch = super::Sketch::new();
        for value in [0.9, 0.99, 0.999, 0.9999, 1.0, 1.5, 0.3] {
            sketch.add(value);
        }
        for (i, want) in [0.3, 0.9, 0.99, 0.999, 0.9999, 1.0, 1.5]
            .into_iter()
            .enumerate()
        {
            let got = sketch.quantile((i as f64 + 0.9) / 7.0).unwrap();
            let off = if want < 1.0 {
                (got - want) / (1.0 - want)
            } else {
                got / want - 1.0
            };
            assert!(off.abs() < 0.006, "{got} {want}");
        }
    }

    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::new();
        values.iter().for_each(|&value| sketch.add(value));
        sketch
    }

    #[test]
    fn an_empty_sketch_knows_nothing() {
        let mut sketch = Sketch::new();
        assert_eq!((sketch.mean(), sketch.quantile(0.5)), (None, None));
        assert_eq!((sketch.min(), sketch.max()), (None, None));
        sketch.merge(&Sketch::new());
        assert_eq!(sketch, Sketch::new());
        // The zero that an empty sketch holds for its extremes is not a value.
        sketch.merge(&of(&[3.0]));
        assert_eq!((sketch.min(), sketch.max()), (Some(3.0), Some(3.0)));
    }

    #[test]
    fn memory_depends_on_the_range_and_not_on_the_count() {
        let values: Vec<f64> = (0..100_000).map(|i| 1.0 + f64::from(i) * 9e-5).collect();
        let bins = of(&values).bins.len();
        assert!((225..=235).contains(&bins), "{bins}");
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 1e-9f64..1.0, 0.0f64..1e9]
    }

    proptest! {
        #[test]
        fn quantiles_are_as_accurate_as_promised(
            mut values in prop::collection::vec(value(), 1..300), q in 0.0f64..=1.0
        ) {
            let sketch = of(&values);
            values.sort_by(f64::total_cmp);
            let rank = (q * values.len() as f64 - 1e-9).ceil().max(1.0) as usize;
            let exact = values[rank - 1];
            let got = sketch.quantile(q).unwrap();
            prop_assert!((got - exact).abs() <= 0.005_000_1 * exact + 1e-12, "{} {}", got, exact);
            prop_assert_eq!(sketch.min(), values.first().copied());
            prop_assert_eq!(sketch.max(), values.last().copied());
        }

        #[test]
        fn merging_is_adding_in_any_order(
            a in prop::collection::vec(value(), 0..50), b in prop::collection::vec(value(), 0..50)
        ) {
            let mut ab = of(&a);
            ab.merge(&of(&b));
            let mut ba = of(&b);
            ba.merge(&of(&a));
            let all = of(&[a, b].concat());
            prop_assert_eq!(&ab.bins, &all.bins);
            prop_assert_eq!(&ba.bins, &all.bins);
            prop_assert_eq!(ab.count(), all.count());
            prop_assert!((ab.sum() - all.sum()).abs() <= 1e-9 * all.sum());
            prop_assert_eq!(ab.quantile(0.3), all.quantile(0.3));
        }
    }
}
