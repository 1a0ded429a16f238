//! Keys that a kind of fault has in a scenario, and what each of them means.

/// A key that a kind of fault has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Name in scenarios.
    pub name: &'static str,
    /// What its value is.
    pub role: Role,
    /// The value when it is absent, as a user would write it; for a key that must be given an
    /// example.
    pub text: &'static str,
    /// Whether it must be given.
    pub required: bool,
}

/// What the value of a key is. Each has its field in [`Fault`](crate::model::scenario::Fault).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Name of the region that is hit; absent: all.
    Region,
    /// Number of the zone that is hit, from 1.
    Zone,
    /// Name of the service that is hit; absent: all.
    Service,
    /// Name of the market that is hit; absent: all.
    Market,
    /// Name of the domain that is hit; absent: all.
    Domain,
    /// The two regions between which something is hit.
    Between,
    /// `"refuse"` or `"hang"`: what becomes of connections.
    Mode,
    /// So many times as much: `Fault::factor`.
    Factor,
    /// A share: `Fault::share`.
    Share,
    /// How many: `Fault::count`.
    Count,
    /// An additional time: `Fault::extra`.
    Extra,
    /// Mean time between repetitions; zero: there are none: `Fault::every`.
    Every,
    /// Hours of the day, UTC, `["09:00", "15:00"]`; absent: all: `Fault::hours`.
    Hours,
    /// `"instance"`, `"zone"` or `"region"`: what fails at random, `Fault::of`.
    Of,
    /// Mean time between random failures of one element: `Fault::mtbf`.
    Mtbf,
    /// Time to repair, a distribution; absent: nothing is repaired: `Fault::mttr`.
    Mttr,
    /// Repairs that can go on at once; 0: any number: `Fault::repairers`.
    Repairers,
    /// Share of failures that hit all elements at once: `Fault::common_cause`.
    CommonCause,
    /// Whether as many are down at first as usually are: `Fault::stationary`.
    Stationary,
}

/// Whether a kind of fault has a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// `for` must be given.
    Always,
    /// `for` is given where the fault repeats.
    Repeated,
    /// It happens at one instant: there is no `for`.
    Never,
}

/// A key that must be given, with an example.
pub const fn must(name: &'static str, role: Role, example: &'static str) -> Key {
    Key {
        name,
        role,
        text: example,
        required: true,
    }
}

/// A key that may be given, with its default; names of what is hit have none.
pub const fn may(name: &'static str, role: Role, default: &'static str) -> Key {
    Key {
        name,
        role,
        text: default,
        required: false,
    }
}
