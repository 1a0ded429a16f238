//! Comparisons by hand, and what is said of them.

use super::*;
use crate::model::measure::{Measured, TimeMeasure};
use crate::model::money::Money;
use crate::stats::{Paired, holm};
use Measured::{Censored, Value};

/// A comparison of so many tests, all as sure as this one.
fn comparison(of: Measure, a: &[Measured], b: &[Measured], tests: u64) -> Comparison {
    let paired = Paired::of(a, b);
    Comparison {
        a: "flow".into(),
        b: "flow-dark".into(),
        measure: of.to_string(),
        difference: paired.difference,
        relative: paired.relative.map(|relative| relative.mean),
        relative_lo: paired.relative.and_then(|relative| relative.lo),
        relative_hi: paired.relative.and_then(|relative| relative.hi),
        p_adjusted: holm(&vec![paired.p; tests as usize])[0],
        p_discovery: paired.p,
        p_mean: paired.p_mean,
        signed_ranks: paired.ranks,
        correlation: paired.correlation,
        pairing: paired.pairing,
        pairs: paired.pairs,
        censored_a: paired.censored_a,
        censored_b: paired.censored_b,
        less: paired.less,
        more: paired.more,
        p50_a: None,
        p50_b: None,
        of,
        tests,
    }
}

fn rto(a: &[Measured], b: &[Measured]) -> Comparison {
    comparison(Measure::Time(TimeMeasure::Rto), a, b, 4)
}

/// As many values, around a mean.
fn around(mean: f64, spread: f64, n: usize) -> Vec<Measured> {
    (0..n)
        .map(|i| Value(mean + spread * ((i % 3) as f64 - 1.0)))
        .collect()
}

#[test]
fn a_sure_difference_is_said_with_its_interval() {
    let (a, b) = (around(100.0, 0.0, 30), around(59.0, 3.0, 30));
    assert_eq!(
        sentence(&rto(&a, &b)),
        "flow-dark recovers 41 s sooner than flow [40.1, 41.9]"
    );
    assert_eq!(
        sentence(&rto(&b, &a)),
        "flow-dark recovers 41 s later than flow [40.1, 41.9]"
    );
    let cost = Measure::Money(Money::Cost);
    let cost = comparison(cost, &around(200.0, 0.0, 30), &around(222.0, 3.0, 30), 4);
    assert_eq!(
        sentence(&cost),
        "flow-dark costs 11 % more than flow [10.5, 11.5]"
    );
    let starts = Measure::Impact(Impact::FailedStarts);
    let same = comparison(starts, &a, &a, 4);
    assert_eq!(
        sentence(&same),
        "flow-dark and flow have the same failed starts in each of 30 replications"
    );
    assert_eq!(
        together(&[&rto(&a, &b), &cost, &same]),
        "flow-dark recovers 41 s sooner [40.1, 41.9] and costs 11 % more [10.5, 11.5]; \
         the same: failed starts"
    );
}

#[test]
fn what_cannot_be_told_apart_is_not() {
    let found = sentence(&rto(&around(100.0, 9.0, 30), &{
        let mut b = around(100.0, 9.0, 30);
        b.rotate_left(1);
        b
    }));
    assert_eq!(
        found,
        "flow-dark and flow cannot be told apart by RTO: less in 10 and more in 20 of 30 \
         replications, the mean difference is 0 s [-5, 5]"
    );
}

#[test]
fn few_replications_tell_nothing_however_clear_they_look() {
    let found = rto(&around(100.0, 0.0, 3), &around(59.0, 3.0, 3));
    assert_eq!(
        sentence(&found),
        "flow-dark recovers 41 s sooner than flow [33.5, 48.5]; 3 replications are too few to tell"
    );
    assert_eq!(
        together(&[&found]),
        "flow-dark recovers 41 s sooner [33.5, 48.5]; 3 replications are too few to tell"
    );
}

#[test]
fn what_never_recovers_is_counted_and_not_averaged() {
    let known = around(100.0, 0.0, 40);
    let never = vec![Censored; 40];
    assert_eq!(
        sentence(&rto(&known, &never)),
        "flow-dark never recovers in 40 of 40 replications (flow: 0)"
    );
    assert_eq!(
        sentence(&rto(&never, &known)),
        "flow-dark recovers in all 40 replications (flow: in 0)"
    );
    assert_eq!(
        sentence(&rto(&never, &never)),
        "flow-dark never recovers in 40 of 40 replications, nor does flow"
    );
    let mut some = around(141.0, 0.0, 40);
    some[..10].fill(Censored);
    assert_eq!(
        sentence(&rto(&known, &some)),
        "flow-dark recovers 41 s later than flow [41, 41] where both do, in 30 of 40 replications, \
         and never recovers in 10 (flow: 0)"
    );
    // Sooner where both recover, and yet more often not at all.
    let mut faster = around(59.0, 0.0, 40);
    faster[..36].fill(Censored);
    assert_eq!(
        sentence(&rto(&known, &faster)),
        "flow-dark recovers later than flow in 36 of 40 replications; the mean difference is \
         -41 s [-41, -41] where both do, in 4 of 40 replications, and never recovers in 36 (flow: 0)"
    );
}

#[test]
fn what_one_does_not_have_cannot_be_compared() {
    let absent = vec![Measured::Absent; 9];
    assert_eq!(
        sentence(&rto(&absent, &around(1.0, 0.0, 9))),
        "flow-dark and flow cannot be compared by RTO: no replication has both"
    );
}
