//! What is measured of a run, by name, as rows of tests write it.

use crate::given::over;
use darkregion::model::domain::DomainObservation;
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::model::policy::Phase;
use darkregion::model::scenario::{RegionId, Scenario};
use darkregion::model::work::WorkObservation;
use darkregion::objectives::{self, Columns, Series, budget};
use darkregion::simulate::Simulator;
use darkregion::slis;

/// One replication of a scenario.
pub struct Run {
    scenario: Scenario,
    outcome: Outcome,
}

impl Run {
    /// Runs a replication.
    pub fn new(scenario: &Scenario, seed: u64, replication: u64) -> Run {
        Run {
            outcome: Simulator::new(scenario).run(seed, replication),
            scenario: scenario.clone(),
        }
    }

    /// What it left.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// A measure by its name:
    ///
    /// - `rto`, `before(cpu)`, `rpo(orders)`, … are those of claims;
    /// - `starts_failed in 180-420`, `busy in 180-420 of ash` are sums over windows, from second to second;
    /// - `ledger starts`, `windows`, `breaches`, `alerts` are counts, `burning` is the level of each window
    ///   as a number, summed;
    /// - `log WORDS` is how many lines of the log hold these words, `when WORDS` the second of the first
    ///   of them (or a million, where there is none).
    pub fn measure(&self, name: &str) -> f64 {
        if let Some((what, span)) = name.split_once(" in ") {
            let (span, region) = match span.split_once(" of ") {
                Some((span, region)) => (span, Some(region)),
                None => (span, None),
            };
            let (from, until) = span.split_once('-').expect("from-until");
            let secs = |text: &str| text.parse().expect("seconds");
            return seen(&self.over(secs(from), secs(until), region), what);
        }
        if let Some(words) = name.strip_prefix("log ") {
            let lines = self.outcome.log.iter();
            return lines.filter(|line| line.what.contains(words)).count() as f64;
        }
        if let Some(words) = name.strip_prefix("when ") {
            let line = self.outcome.log.iter().find(|l| l.what.contains(words));
            return line.map_or(1e6, |line| line.at.secs());
        }
        match name {
            "ledger starts" => self.outcome.ledger.starts as f64,
            "ledger sessions" => self.outcome.ledger.sessions_first as f64,
            "ledger retries" => self.outcome.ledger.retries as f64,
            "windows" => self.outcome.windows.len() as f64,
            "breaches" => self.outcome.breaches.len() as f64,
            "holds" => self.row().holds.iter().filter(|held| **held).count() as f64,
            "alerts" => self.row().alerts.len() as f64,
            "burning" => self.burning(),
            "planned" => self.outcome.usage.pools.iter().map(|p| p.planned).sum(),
            "moved bytes" => self.outcome.usage.moved_bytes,
            "shifted at" => self.outcome.marks.shifted.map_or(1e6, |at| at.secs()),
            "isolated" => self.entered(Phase::Isolation),
            "lost work" => self.outcome.work.iter().map(|work| work.lost).sum(),
            "waiting work" => self.outcome.work.iter().map(|work| work.waiting).sum(),
            _ => self.claimed(name),
        }
    }

    fn over(&self, from: f64, until: f64, region: Option<&str>) -> Observation {
        let Some(region) = region else {
            return over(&self.outcome, from, until);
        };
        let region = self.region(region);
        let mut merged = Observation::default();
        for window in &self.outcome.windows {
            if window.from.secs() >= from && window.until.secs() <= until {
                merged.merge(&window.regions[region]);
            }
        }
        merged
    }

    fn region(&self, name: &str) -> RegionId {
        let regions = &self.scenario.regions;
        let found = regions.iter().position(|region| region.name == name);
        found.unwrap_or_else(|| panic!("there is no region {name}"))
    }

    fn entered(&self, phase: Phase) -> f64 {
        let phases = &self.outcome.marks.phases;
        let entry = phases.iter().find(|(_, entered, _)| *entered == phase);
        entry.map_or(1e6, |(.., at)| at.secs())
    }

    fn columns(&self) -> (Columns, Series) {
        let columns = Columns::new(slis::all(), [&self.scenario]);
        let series = Series::of(&self.outcome.windows, columns.slis());
        (columns, series)
    }

    fn row(&self) -> darkregion::model::outcome::Row {
        let (columns, series) = self.columns();
        objectives::measure(&self.scenario, &columns, &series, &self.outcome, 0)
    }

    /// A measure that claims know.
    fn claimed(&self, name: &str) -> f64 {
        let columns = self.columns().0;
        let names = columns.measures().iter().map(|m| m.to_string());
        let place = names.into_iter().position(|known| known == name);
        let place = place.unwrap_or_else(|| panic!("there is no measure {name:?}"));
        self.row().values[place].as_f64()
    }

    fn burning(&self) -> f64 {
        let levels = budget::levels(&self.scenario, &self.outcome.windows);
        levels.into_iter().map(|level| level.number()).sum()
    }
}

/// A count or a quantile of windows merged.
fn seen(o: &Observation, what: &str) -> f64 {
    if let Some(sli) = slis::all().iter().find(|sli| sli.name() == what) {
        return sli.measure(o).unwrap_or(f64::NAN);
    }
    let domain = o.domains.iter().copied().reduce(|mut a, b| {
        a.merge(&b);
        a
    });
    let domain: DomainObservation = domain.unwrap_or_default();
    let work = o.work.iter().cloned().reduce(|mut a, b| {
        a.merge(&b);
        a
    });
    let work: WorkObservation = work.unwrap_or_default();
    match what {
        "starts_ok" => o.starts_ok as f64,
        "starts_failed" => o.starts_failed as f64,
        "starts_ambient" => o.starts_ambient as f64,
        "answered" => o.answered_ok as f64,
        "degraded" => o.answered_degraded as f64,
        "errors" => o.answered_error as f64,
        "asked_failed" => o.asked_failed,
        "unreachable" => o.unreachable as f64,
        "requests" => o.first_attempts as f64,
        "failed_for_good" => o.failed_for_good as f64,
        "playing" => o.playing_secs,
        "stood_still" => o.stood_still,
        "rebuffered" => o.rebuffered,
        "stalled" => o.stalled_secs,
        "lookups" => o.cache_lookups,
        "misses" => o.cache_lookups - o.cache_hits,
        "fetches" => o.cache_fetches,
        "busy" => o.busy_slot_secs,
        "slots" => o.slot_secs,
        "store_busy" => o.store_busy_secs,
        "connections" => o.connections,
        "connection_limit" => o.connection_limit,
        "reads" => domain.reads as f64,
        "reads_answered" => domain.reads_answered as f64,
        "reads_lost" => (domain.reads - domain.reads_answered) as f64,
        "writes" => domain.writes as f64,
        "writes_answered" => domain.writes_answered as f64,
        "writes_lost" => (domain.writes - domain.writes_answered) as f64,
        "age" => domain.age_secs / domain.aged_reads.max(1) as f64,
        "arrived" => work.arrived,
        "done" => work.done,
        "mean_latency_p1" => o.latency.quantile(0.01).unwrap_or(0.0),
        "delay_p1" => o.start_delay.quantile(0.01).unwrap_or(0.0),
        "delay_p50" => o.start_delay.quantile(0.5).unwrap_or(0.0),
        "delay_p99" => o.start_delay.quantile(0.99).unwrap_or(0.0),
        other => panic!("nothing of windows is called {other:?}"),
    }
}
