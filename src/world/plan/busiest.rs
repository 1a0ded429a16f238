//! When load is highest: the hour that deployments are planned for.

use super::{COARSE, Load, Plan};
use crate::model::request::{Request, When};
use crate::model::scenario::Scenario;
use crate::model::series::Series;

/// Times of day at which the busiest planned hour is looked for.
const TIMES_OF_DAY: usize = 96;
const DAY_SECS: f64 = 86_400.0;

/// Requests per second of each market at the moments that may be the busiest.
pub struct Days {
    /// In seconds from the beginning.
    moments: Vec<f64>,
    /// `[market][moment]`.
    requests: Vec<Vec<f64>>,
}

impl Plan {
    /// The load over all moments that may be the busiest.
    pub(super) fn days(&self, scenario: &Scenario) -> Days {
        // Sessions in progress lag behind starts: the busiest hour is that of all requests.
        let requests = |m: usize, secs: f64| {
            let starts = self.demand[m].rate(secs);
            let playing: f64 = self.in_progress(scenario, m, secs, COARSE).iter().sum();
            let of = |request: &Request| match request.when {
                When::Start { .. } => starts * request.per_start(),
                When::Every { period_secs, .. } => playing / period_secs,
                When::Rate { per_sec } => playing * per_sec,
                When::Reconnect | When::RegionChange => 0.0,
            };
            scenario.requests.iter().map(of).sum::<f64>()
        };
        let moments = self.moments(scenario);
        Days {
            requests: (0..scenario.markets.len())
                .map(|m| moments.iter().map(|&secs| requests(m, secs)).collect())
                .collect(),
            moments,
        }
    }

    /// A day, or the whole run where there are waves; and of measured rates the busiest days of every
    /// region and of all together.
    fn moments(&self, scenario: &Scenario) -> Vec<f64> {
        let waves = scenario.markets.iter().any(|m| m.wave.is_some());
        let span = if waves {
            scenario.horizon.secs()
        } else {
            DAY_SECS
        };
        let through = |from: f64, span: f64| {
            (0..TIMES_OF_DAY).map(move |i| from + span * i as f64 / TIMES_OF_DAY as f64)
        };
        let mut moments: Vec<f64> = through(0.0, span).collect();
        let mut middles: Vec<f64> = Vec::new();
        for region in (0..scenario.regions.len()).map(Some).chain([None]) {
            let home =
                |m: &usize| region.is_none_or(|r| scenario.markets[*m].near.first() == Some(&r));
            let markets: Vec<usize> = (0..scenario.markets.len()).filter(home).collect();
            if let Some(middle) = self.most_starts(scenario, &markets)
                && !middles.contains(&middle)
            {
                moments.extend(through(middle - 0.5 * DAY_SECS, DAY_SECS));
                middles.push(middle);
            }
        }
        moments
    }

    /// When measured rates bring some markets together the most starts, about.
    fn most_starts(&self, scenario: &Scenario, markets: &[usize]) -> Option<f64> {
        let measured = || {
            markets
                .iter()
                .filter_map(|&m| scenario.markets[m].series.as_ref())
        };
        let middles = |series: &Series| {
            let (first, every) = (series.first_secs, series.every_secs);
            (0..series.factors.len()).map(move |i| first + every * i as f64)
        };
        let own = measured().map(Series::busiest_secs);
        let candidates = measured().next().into_iter().flat_map(middles).chain(own);
        let starts = |secs: f64| {
            markets
                .iter()
                .map(|&m| self.demand[m].rate(secs))
                .sum::<f64>()
        };
        candidates
            .map(|secs| (secs, starts(secs)))
            .fold(None, |best: Option<(f64, f64)>, next| match best {
                Some(best) if next.1 <= best.1 => Some(best),
                _ => Some(next),
            })
            .map(|(secs, _)| secs)
    }

    /// The common busiest hour of all markets, in seconds from the beginning, if the time of day decides
    /// their demand and nothing else: no wave, no measured rates.
    pub fn busiest_of_day(&self, scenario: &Scenario) -> Option<f64> {
        let markets = || scenario.markets.iter();
        let other = markets().any(|market| market.wave.is_some() || market.series.is_some());
        let follows = !other && markets().any(|market| market.profile.len() > 1);
        follows.then(|| self.days(scenario).busiest_secs(&|_| true))
    }

    /// The common busiest hour of all markets, in seconds from the beginning.
    pub fn common_busiest_secs(&self, scenario: &Scenario) -> f64 {
        self.days(scenario).busiest_secs(&|_| true)
    }

    /// The load of some markets at their common busiest hour.
    pub(super) fn busiest(
        &self,
        scenario: &Scenario,
        days: &Days,
        home: &dyn Fn(usize) -> bool,
    ) -> Load {
        self.load_of(scenario, home, days.busiest_secs(home))
    }
}

impl Days {
    /// The common busiest hour of some markets, in seconds from the beginning.
    pub(super) fn busiest_secs(&self, home: &dyn Fn(usize) -> bool) -> f64 {
        let sum = |i: usize| {
            let at_home = (0..self.requests.len()).filter(|&m| home(m));
            at_home.map(|m| self.requests[m][i]).sum::<f64>()
        };
        let later = |best: (usize, f64), next: (usize, f64)| match next.1 > best.1 {
            true => next,
            false => best,
        };
        let moments = 0..self.moments.len();
        let busiest = moments.map(|i| (i, sum(i))).fold((0, 0.0), later);
        self.moments[busiest.0]
    }
}
