//! What a full pool refuses, by priority, and what is shed before it is full.

use super::{Flow, Graph};
use crate::model::policy::Shed;

/// The highest priority number that is admitted, on a scale from 0 (kept longest) to 100: `x` is the
/// way from the threshold (0) to a full pool (1). Zuul's curve, as Netflix published it,
/// <https://netflixtechblog.com/keeping-netflix-reliable-using-prioritized-load-shedding-6cc827b02f94>.
pub fn admitted_priority(x: f64) -> f64 {
    100.0 * (1.0 - x * x * x)
}

/// Share of a priority class that is shed at `x`. The classes in use divide the scale into equal
/// bands, the most important lowest; a class's requests are spread evenly over its band.
pub fn shed_share(class: usize, classes: usize, x: f64) -> f64 {
    let band = 100.0 / classes as f64;
    let top = band * (class + 1) as f64;
    ((top - admitted_priority(x)) / band).clamp(0.0, 1.0)
}

/// How far a pool is on the way from the threshold to full when what is shed there keeps it there.
/// `load[class]` is what each class would keep busy, as a share of the pool.
fn overload(load: &[f64], from: f64) -> f64 {
    let admitted = |x: f64| -> f64 {
        let kept = |(class, share): (usize, &f64)| share * (1.0 - shed_share(class, load.len(), x));
        load.iter().enumerate().map(kept).sum()
    };
    if admitted(0.0) <= from {
        return 0.0;
    }
    // The more is shed, the less is admitted: there is one point where both agree.
    let (mut lo, mut hi) = (0.0, 1.0);
    for _ in 0..40 {
        let x = 0.5 * (lo + hi);
        if admitted(x) > from + x * (1.0 - from) {
            lo = x;
        } else {
            hi = x;
        }
    }
    hi
}

impl Flow {
    /// Sheds requests of a service before its pool is full; returns the share that is left of
    /// `total`.
    pub(super) fn shed_ahead(&mut self, graph: &Graph, v: usize, total: f64) -> f64 {
        let Some((from, full)) = &self.cubic else {
            return 1.0;
        };
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let (from, full) = (*from, full[v]);
        self.refused[v * classes..(v + 1) * classes].fill(0.0);
        if full <= 0.0 || total <= from * full {
            return 1.0;
        }
        let whole = 1.0 - self.broken[v];
        let load: Vec<f64> = (0..classes)
            .map(|p| {
                let cells = graph.at(v, p, 0)..graph.at(v, p, 0) + markets;
                self.rate[cells].iter().sum::<f64>() * whole / full
            })
            .collect();
        let x = overload(&load, from);
        let mut left = 0.0;
        for (p, share) in load.iter().enumerate() {
            let shed = shed_share(p, classes, x);
            self.refused[v * classes + p] = shed;
            left += share * (1.0 - shed);
        }
        left * full / total
    }

    /// Splits what a pool refuses over the priority classes.
    pub(super) fn share_refusals(
        &mut self,
        graph: &Graph,
        v: usize,
        total: f64,
        refused: f64,
        shed: Shed,
    ) {
        let (classes, markets) = (graph.priorities.len(), graph.markets);
        let mine = &mut self.refused[v * classes..(v + 1) * classes];
        if let Shed::Cubic { .. } = shed {
            // What is too much for the pool all the same is refused alike.
            let left = 1.0 - refused.max(0.0);
            mine.iter_mut()
                .for_each(|share| *share = 1.0 - (1.0 - *share) * left);
            return;
        }
        if refused <= 0.0 || shed == Shed::Uniform {
            mine.fill(refused.max(0.0));
            return;
        }
        let whole = 1.0 - self.broken[v];
        let mut left = refused * total;
        for p in (0..classes).rev() {
            let from = (v * classes + p) * markets;
            let rate = self.rate[from..from + markets].iter().sum::<f64>() * whole;
            let share = if rate > 0.0 {
                (left / rate).min(1.0)
            } else {
                0.0
            };
            mine[p] = share;
            left -= share * rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_admitted_priority_falls_as_published() {
        for (x, admitted) in [
            (0.0, 100.0),
            (0.35, 95.7),
            (0.80, 48.8),
            (0.95, 14.3),
            (1.0, 0.0),
        ] {
            assert!((admitted_priority(x) - admitted).abs() < 0.05, "{x}");
        }
    }

    #[test]
    fn the_least_important_class_is_shed_first_and_the_most_important_last() {
        // Two classes: at x = 0.8 the admitted priority is 48.8 of 100.
        assert!((shed_share(1, 2, 0.8) - 1.0).abs() < 1e-12);
        assert!((shed_share(0, 2, 0.8) - 0.024).abs() < 1e-9);
        assert_eq!(shed_share(0, 2, 0.35), 0.0);
        assert!((shed_share(1, 2, 0.35) - 0.08575).abs() < 1e-9);
    }

    #[test]
    fn what_is_shed_keeps_the_pool_where_it_is_shed() {
        assert_eq!(overload(&[0.3, 0.4], 0.8), 0.0);
        let x = overload(&[0.6, 0.9], 0.8);
        let kept = 0.6 * (1.0 - shed_share(0, 2, x)) + 0.9 * (1.0 - shed_share(1, 2, x));
        assert!((kept - (0.8 + 0.2 * x)).abs() < 1e-9, "{x} {kept}");
        assert!(kept < 1.0);
    }
}
