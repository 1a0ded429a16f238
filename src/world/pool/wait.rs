//! How long accepted requests wait.

/// Law of the wait of accepted requests: `fixed`, and for a share of them an exponential on top,
/// cut off at `cap`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wait {
    /// Share that waits (beyond `fixed`).
    pub share: f64,
    /// Everybody waits so long behind a backlog, in seconds.
    pub fixed: f64,
    /// Mean of the exponential part of those who wait, in seconds.
    pub mean: f64,
    /// Nobody waits longer, in seconds.
    pub cap: f64,
    /// How the wait of a step's arrivals differs where the queue moves far within the step.
    pub drift: Option<Drift>,
}

/// A queue that moves far within a step: who comes first waits otherwise than who comes last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// Share of the accepted requests that come while it moves.
    pub part: f64,
    /// Their wait at the beginning, in seconds; in between it is uniform.
    pub from: f64,
    /// Their wait at the end, in seconds.
    pub to: f64,
    /// The others' `share`, `fixed`, `mean` and `cap`.
    pub rest: [f64; 4],
}

impl Wait {
    /// Share that waits longer than `secs`.
    pub fn tail(&self, secs: f64) -> f64 {
        let Some(Drift {
            part,
            from,
            to,
            rest,
        }) = self.drift
        else {
            return beyond([self.share, self.fixed, self.mean, self.cap], secs);
        };
        let (low, high) = (from.min(to), from.max(to));
        let moving = if high > low {
            ((high - secs) / (high - low)).clamp(0.0, 1.0)
        } else if secs < low {
            1.0
        } else {
            0.0
        };
        part * moving + (1.0 - part) * beyond(rest, secs)
    }

    /// The same when everybody waits so much longer.
    pub fn longer(&self, secs: f64) -> Wait {
        let mut wait = *self;
        wait.fixed += secs;
        wait.cap += secs;
        if let Some(drift) = &mut wait.drift {
            drift.from += secs;
            drift.to += secs;
            drift.rest[1] += secs;
            drift.rest[3] += secs;
        }
        wait
    }

    /// The same with every time as `told` to who comes so much later than the middle of a step that is
    /// `step_secs` long; it never falls with the time.
    pub fn told(&self, step_secs: f64, told: &dyn Fn(f64, f64) -> f64) -> Wait {
        let law = |[share, fixed, mean, cap]: [f64; 4]| {
            let begin = told(0.0, fixed);
            let mean = (told(0.0, fixed + mean) - begin).max(0.0);
            [share, begin, mean, told(0.0, cap).max(begin)]
        };
        let [share, fixed, mean, cap] = law([self.share, self.fixed, self.mean, self.cap]);
        Wait {
            share,
            fixed,
            mean,
            cap,
            drift: self.drift.map(|drift| Drift {
                part: drift.part,
                from: told(-0.5 * step_secs, drift.from),
                to: told(0.5 * step_secs, drift.to),
                rest: law(drift.rest),
            }),
        }
    }

    /// Mean wait of all accepted requests, in seconds.
    pub fn mean(&self) -> f64 {
        self.fixed + self.share * self.mean
    }
}

/// Share beyond `secs` of `share`, `fixed`, `mean` and `cap`.
fn beyond([share, fixed, mean, cap]: [f64; 4], secs: f64) -> f64 {
    if secs < fixed {
        1.0
    } else if share <= 0.0 || mean <= 0.0 || secs >= cap {
        0.0
    } else {
        share * libm::exp(-(secs - fixed) / mean)
    }
}
