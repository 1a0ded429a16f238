//! How an autoscaler decides: target tracking as a pure function of what it knows.

use crate::model::scenario::Scaling;
use crate::units::Time;

/// What an autoscaler knows of a pool.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Instances that were kept busy, some time ago.
    pub busy: f64,
    /// Instances that served then.
    pub serving: f64,
    /// Instances that it wants now.
    pub wanted: u64,
    /// When it last wanted more, or fewer.
    pub grown: Option<Time>,
    /// See `grown`.
    pub shrunk: Option<Time>,
    /// Whether it must not take any out.
    pub frozen: bool,
}

/// How many instances an autoscaler wants from now on; `planned` is the size for the busiest hour.
pub fn decide(rules: &Scaling, planned: u64, known: &Known, now: Time) -> u64 {
    let most = most(rules, planned);
    let least = u64::from(rules.least).min(most);
    let bounded = known.wanted.clamp(least, most);
    let load = known.busy / rules.target;
    let near = (load - known.serving).abs() <= rules.tolerance * known.serving;
    if known.serving <= 0.0 || near {
        return bounded;
    }
    let needed = ((load - 1e-9).ceil().max(0.0) as u64).clamp(least, most);
    let rests = |since: Option<Time>, pause| since.is_some_and(|at| now < at + pause);
    let part = |share: f64| (share * bounded as f64).ceil().max(1.0) as u64;
    if needed > bounded && load > known.serving {
        if rests(known.grown, rules.cooldown_out) {
            return bounded;
        }
        needed.min(bounded.saturating_add(part(rules.step_out)))
    } else if needed < bounded && load < known.serving {
        let rests = rests(known.grown, rules.cooldown_in) || rests(known.shrunk, rules.cooldown_in);
        if rests || known.frozen || !rules.scale_in {
            return bounded;
        }
        needed.max(bounded.saturating_sub(part(rules.step_in)))
    } else {
        bounded
    }
}

/// Most instances that an autoscaler wants.
pub fn most(rules: &Scaling, planned: u64) -> u64 {
    (rules.most * planned as f64).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;
    use proptest::prelude::*;

    fn rules() -> impl Strategy<Value = Scaling> {
        let shares = (0.05..1.0f64, 0.0..0.5f64, 0.01..3.0f64, 0.01..1.0f64);
        let rest = (1u32..500, 0.1..5.0f64, 0u64..600, any::<bool>());
        (shares, rest).prop_map(
            |((target, tolerance, out, into), (least, most, rest, scale_in))| Scaling {
                target,
                tolerance,
                delay: Span::ZERO,
                interval: Span::from_secs(60.0),
                cooldown_out: Span::from_secs(rest as f64),
                cooldown_in: Span::from_secs(rest as f64),
                step_out: out,
                step_in: into,
                least,
                most,
                scale_in,
            },
        )
    }

    proptest! {
        #[test]
        fn limits_are_never_exceeded(
            rules in rules(), planned in 1u64..1000, busy in 0.0..2000.0f64,
            serving in 0u64..2000, wanted in 0u64..3000, frozen: bool,
        ) {
            let known = Known {
                busy, serving: serving as f64, wanted, grown: None, shrunk: None, frozen,
            };
            let next = decide(&rules, planned, &known, Time::ZERO);
            let most = most(&rules, planned);
            prop_assert!(next <= most);
            prop_assert!(next >= u64::from(rules.least).min(most));
            let inside = wanted.clamp(u64::from(rules.least).min(most), most);
            if frozen || !rules.scale_in {
                prop_assert!(next >= inside);
            }
            let step = (rules.step_out * inside as f64).ceil().max(1.0) as u64;
            prop_assert!(next <= inside + step);
            let step = (rules.step_in * inside as f64).ceil().max(1.0) as u64;
            prop_assert!(next + step >= inside);
        }

        #[test]
        fn a_busier_pool_is_never_given_less(
            rules in rules(), planned in 1u64..1000, busy in 0.0..2000.0f64, more in 0.0..500.0f64,
            serving in 1u64..2000, wanted in 1u64..3000,
        ) {
            let known = |busy| Known {
                busy, serving: serving as f64, wanted, grown: None, shrunk: None, frozen: false,
            };
            let low = decide(&rules, planned, &known(busy), Time::ZERO);
            let high = decide(&rules, planned, &known(busy + more), Time::ZERO);
            prop_assert!(high >= low);
        }
    }
}
