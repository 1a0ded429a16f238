//! Whether a claim holds in a replication.

use crate::model::measure::{Claim, Measured, Operand, Subject};

/// Whether all terms of a claim hold, given the value of each measure that it names.
///
/// A censored time is longer than any value. A term over an absent measure does not hold, whatever
/// it says: nothing shows that it does. Neither does one between two censored times, of which none
/// is known to be the longer.
pub fn holds(claim: &Claim, value: impl Fn(&Subject) -> Measured) -> bool {
    claim.terms.iter().all(|term| {
        let left = value(&term.left);
        let right = match &term.right {
            Operand::Value(number) => Measured::Value(*number),
            Operand::Subject(subject) => value(subject),
        };
        match (left, right) {
            (Measured::Absent, _) | (_, Measured::Absent) => false,
            (Measured::Censored, Measured::Censored) => false,
            _ => term.op.holds(left.as_f64(), right.as_f64()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::measure::{Measure, Op, Term, TimeMeasure};

    fn check(left: Measured, op: Op, right: Measured) -> bool {
        let claim = Claim {
            terms: vec![Term {
                left: Measure::Time(TimeMeasure::Rto).into(),
                op,
                right: match right {
                    Measured::Value(value) => Operand::Value(value),
                    _ => Operand::Subject(Measure::Time(TimeMeasure::Warm).into()),
                },
            }],
            text: String::new(),
        };
        holds(&claim, |subject| match subject.measure {
            Measure::Time(TimeMeasure::Rto) => left,
            _ => right,
        })
    }

    #[test]
    fn censored_is_longer_than_any_value() {
        let value = Measured::Value(180.0);
        assert!(check(value, Op::AtMost, value));
        assert!(!check(Measured::Censored, Op::AtMost, value));
        assert!(check(Measured::Censored, Op::Greater, value));
        assert!(check(value, Op::Less, Measured::Censored));
    }

    #[test]
    fn what_is_not_known_does_not_hold() {
        let value = Measured::Value(180.0);
        for op in [
            Op::Less,
            Op::AtMost,
            Op::Greater,
            Op::AtLeast,
            Op::Equal,
            Op::NotEqual,
        ] {
            assert!(!check(Measured::Absent, op, value));
            assert!(!check(value, op, Measured::Absent));
            assert!(!check(Measured::Censored, op, Measured::Censored));
        }
    }

    #[test]
    fn every_term_must_hold() {
        let term = |op| Term {
            left: Measure::Time(TimeMeasure::Rto).into(),
            op,
            right: Operand::Value(60.0),
        };
        let claim = |terms| Claim {
            terms,
            text: String::new(),
        };
        let one = |_: &Subject| Measured::Value(60.0);
        assert!(holds(
            &claim(vec![term(Op::AtMost), term(Op::AtLeast)]),
            one
        ));
        assert!(!holds(&claim(vec![term(Op::AtMost), term(Op::Less)]), one));
    }
}
