//! temporary
pub mod monitor {
    use crate::model::scenario::*;
    use crate::units::*;
    /// t
    pub struct Change {
        /// t
        pub at: Time,
        /// t
        pub region: usize,
        /// t
        pub dead: bool,
    }
    /// t
    pub struct Monitor {
        due: Vec<(Time, usize, bool)>,
        dead: Vec<bool>,
        since: Vec<Time>,
        c: Control,
    }
    impl Monitor {
        /// t
        pub fn new(c: &Control, names: &[String], _s: u64, _r: u64) -> Monitor {
            Monitor {
                due: vec![],
                dead: vec![false; names.len()],
                since: vec![Time::ZERO; names.len()],
                c: c.clone(),
            }
        }
        /// t
        pub fn condition_changed(&mut self, now: Time, region: usize, dark: bool, _h: bool) {
            self.due.push((
                now + Span::from_secs(self.c.interval.secs() * (self.c.threshold as f64 - 0.5)),
                region,
                dark,
            ));
        }
        /// t
        pub fn next_time(&self) -> Time {
            self.due.iter().map(|d| d.0).min().unwrap_or(Time::NEVER)
        }
        /// t
        pub fn advance(&mut self, to: Time) -> Vec<Change> {
            let mut out = vec![];
            let due = std::mem::take(&mut self.due);
            for (at, region, dead) in due {
                if at <= to {
                    self.dead[region] = dead;
                    self.since[region] = at;
                    out.push(Change { at, region, dead });
                } else {
                    self.due.push((at, region, dead));
                }
            }
            out
        }
        /// t
        pub fn dead(&self, r: usize) -> Option<bool> {
            Some(self.dead[r])
        }
        /// t
        pub fn dead_since(&self, r: usize) -> Time {
            self.since[r]
        }
    }
}
pub mod operator {
    use crate::units::*;
    /// t
    pub struct Operator;
    impl Operator {
        /// t
        pub fn new(_d: &Dist, _n: &[String], _s: u64, _r: u64) -> Operator {
            Operator
        }
        /// t
        pub fn believes(&mut self, _r: usize, _d: bool, _n: Time) {}
        /// t
        pub fn next_time(&self) -> Time {
            Time::NEVER
        }
        /// t
        pub fn shown(&self, _r: usize, d: Option<bool>, _n: Time) -> Option<bool> {
            d
        }
    }
}
pub mod actuator {
    use crate::model::action::Action;
    use crate::model::telemetry::Telemetry;
    use crate::units::*;
    /// t
    pub struct Actuator {
        push: Dist,
        n: u64,
        s: crate::engine::stream::Stream,
    }
    /// t
    pub struct Order {
        /// t
        pub effective: Time,
        /// t
        pub action: Action,
    }
    /// t
    pub struct Refusal {
        /// t
        pub action: Action,
        /// t
        pub why: String,
    }
    /// t
    pub struct Submitted {
        /// t
        pub accepted: Vec<Order>,
        /// t
        pub refused: Vec<Refusal>,
    }
    impl Actuator {
        /// t
        pub fn new(p: &Dist, _c: Span, _n: &[String], s: u64, r: u64) -> Actuator {
            Actuator {
                push: p.clone(),
                n: 0,
                s: crate::engine::stream::Stream::new(s, r, "push", "x"),
            }
        }
        /// t
        pub fn submit(&mut self, now: Time, a: Vec<Action>, _t: &Telemetry) -> Submitted {
            let mut d = self.s.draws(self.n, 0);
            self.n += 1;
            let e = now + Span::from_secs(crate::engine::sampling::sample(&mut d, &self.push));
            Submitted {
                accepted: a
                    .into_iter()
                    .map(|action| Order {
                        effective: e,
                        action,
                    })
                    .collect(),
                refused: vec![],
            }
        }
    }
}
