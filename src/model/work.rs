//! What worker services do at leisure.

/// A service that has a backlog instead of callers: nothing waits for its answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Worker {
    /// Where its work comes from.
    pub source: WorkSource,
    /// It has fallen behind when its oldest item has waited for longer, in seconds.
    pub late_secs: f64,
    /// Whether the backlog of a dark region is lost; otherwise it waits.
    pub lost_in_dark: bool,
}

/// Where work comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkSource {
    /// Requests of some kinds, once answered, bring so many items each.
    Requests {
        /// The kinds, by their numbers.
        from: Vec<usize>,
        /// Items per answered request.
        each: f64,
    },
    /// So many items per second in every region that has the service.
    Rate {
        /// Items per second.
        per_sec: f64,
    },
}

/// Items of one worker. Over windows and regions, counts add up and of the rest the largest stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkObservation {
    /// Items that arrived.
    pub arrived: f64,
    /// Items that were done.
    pub done: f64,
    /// Items that were lost in a dark region.
    pub lost: f64,
    /// Items that wait, the most in any region at the end of a step.
    pub backlog: f64,
    /// Age of the oldest item, the largest at the end of a step, in seconds.
    pub age_secs: f64,
}

impl WorkObservation {
    /// Adds another.
    pub fn merge(&mut self, other: &WorkObservation) {
        self.arrived += other.arrived;
        self.done += other.done;
        self.lost += other.lost;
        self.backlog = self.backlog.max(other.backlog);
        self.age_secs = self.age_secs.max(other.age_secs);
    }
}

/// What became of the work of one worker, all regions together: what arrived is done, waits or is lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkOutcome {
    /// Name of the service.
    pub service: String,
    /// Items that arrived.
    pub arrived: f64,
    /// Items that were done.
    pub done: f64,
    /// Items that wait at the end.
    pub waiting: f64,
    /// Items that were lost in dark regions.
    pub lost: f64,
}
