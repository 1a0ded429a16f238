//! What redundancy costs, what launches cost, and what fails at random, through whole runs.

use crate::given::scenario;
use darkregion::model::outcome::Outcome;
use darkregion::model::scenario::Scenario;
use darkregion::simulate::{Simulator, simulate};

/// So many equal regions, each with a market of its own, and small instances.
fn equal(regions: usize, service: &str, more: &str) -> Scenario {
    scenario(&equal_text(regions, service, more), Some("none"), &[])
}

/// The same as text.
pub fn equal_text(regions: usize, service: &str, more: &str) -> String {
    let mut text = String::from("format = 1\n");
    text += more;
    for r in 0..regions {
        text += &format!(
            "[[region]]\nname = \"r{r}\"\nzones = 2\n\
             [[market]]\nname = \"m{r}\"\nnear = [\"r{r}\"]\nstarts = \"{}/s\"\nrtt = \"20ms\"\n",
            6000 / regions
        );
    }
    for (a, b) in (0..regions).flat_map(|a| (a + 1..regions).map(move |b| (a, b))) {
        text += &format!("[[link]]\nbetween = [\"r{a}\", \"r{b}\"]\nrtt = \"60ms\"\n");
    }
    text += &format!(
        "[[device]]\nname = \"tv\"\nshare = 1\n\
         [[service]]\nname = \"api\"\nslots = 1\ntime = \"50ms\"\n{service}\n\
         [[request]]\nname = \"play\"\nto = \"api\"\nstart = 1\n"
    );
    text
}

/// Instances of the service that were planned, relative to those of one region alone.
pub fn relative(outcome: &Outcome) -> f64 {
    outcome.usage.pools[0].planned / outcome.usage.pools[0].alone
}

#[test]
fn two_regions_that_each_carry_all_cost_twice_as_much_and_three_half_as_much_more() {
    for (regions, headroom, known) in [(2, "1.0", 2.0), (3, "0.5", 1.5)] {
        let service = format!("headroom = {headroom}");
        let outcome = simulate(&equal(regions, &service, "horizon = \"1min\"\n"), 1);
        let found = relative(&outcome);
        assert!((found - known).abs() < 0.1, "{regions} regions: {found}");
    }
}

#[test]
fn launches_beyond_the_plan_are_paid_on_demand() {
    const SURGE: &str = "horizon = \"20min\"\n[[fault]]\nkind = \"demand-surge\"\nfactor = 3\n\
                         at = \"2min\"\nfor = \"15min\"\n";
    let run = |service: &str| simulate(&equal(2, service, SURGE), 1).usage.pools[0];
    let fixed = run("headroom = 0.5");
    assert_eq!(fixed.on_demand_secs, 0.0);
    let pool = run("headroom = 0.5\nscaling = { delay = \"60s\", interval = \"60s\", most = 3 }");
    let secs = 20.0 * 60.0;
    assert!(pool.on_demand_secs > 0.0);
    assert!(pool.on_demand_secs < 2.0 * pool.planned * secs);
    assert_eq!(pool.planned, fixed.planned);
}

/// Two regions for a hundred days, each down a tenth of the time.
fn random(common: f64) -> Scenario {
    equal(
        2,
        "headroom = 1",
        &format!(
            "horizon = \"100d\"\nsample = \"1d\"\nstep = \"1h\"\n\
             [[fault]]\nkind = \"random\"\nof = \"region\"\nat = \"0s\"\nfor = \"100d\"\n\
             mtbf = \"9d\"\nmttr = \"1d\"\nstationary = true\ncommon_cause = {common}\n"
        ),
    )
}

/// Moments at which regions go dark, and the region-days that they are dark.
fn dark(outcome: &Outcome, secs: f64) -> (Vec<f64>, f64) {
    let mut begins = Vec::new();
    let mut days = 0.0;
    for region in ["r0", "r1"] {
        let mut since = None;
        for entry in outcome.log.iter().filter(|entry| entry.part == region) {
            let at = entry.at.secs();
            if entry.what.starts_with("goes dark") {
                begins.push(at);
                since = Some(at);
            } else if entry.what.starts_with("has power again") {
                days += (at - since.take().unwrap_or(at)) / 86_400.0;
            }
        }
        days += since.map_or(0.0, |at| (secs - at) / 86_400.0);
    }
    begins.sort_by(f64::total_cmp);
    (begins, days)
}

#[test]
fn regions_that_fail_at_random_are_down_for_their_share_of_the_time() {
    let scenario = random(0.0);
    let simulator = Simulator::new(&scenario);
    let secs = scenario.horizon.secs();
    let shares: Vec<f64> = (0..40)
        .map(|r| dark(&simulator.run(1, r), secs).1 / 200.0)
        .collect();
    let count = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / count;
    let squares: f64 = shares.iter().map(|s| (s - mean) * (s - mean)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    assert!((mean - 0.1).abs() < 4.0 * error, "{mean} ± {error}");
}

#[test]
fn a_common_cause_takes_all_regions_at_once() {
    let together = |common: f64| {
        let scenario = random(common);
        let (begins, _) = dark(&simulate(&scenario, 3), scenario.horizon.secs());
        let later: Vec<&[f64]> = begins.windows(2).filter(|b| b[1] > 0.0).collect();
        later.iter().filter(|pair| pair[0] == pair[1]).count()
    };
    assert_eq!(together(0.0), 0);
    assert!(together(0.9) >= 3);
}

#[test]
fn a_region_that_reads_data_older_than_its_rpo_raises_the_level() {
    use darkregion::model::money::BurnLevel;
    use darkregion::objectives::budget::levels;
    let worst = |rpo: &str| {
        let scenario = equal(
            2,
            "headroom = 1",
            &format!(
                "horizon = \"20min\"\n\
                 [[domain]]\nname = \"plays\"\nread_rate = \"100/s\"\nwrite_rate = \"100/s\"\n\
                 rpo = \"{rpo}\"\nstore = {{ mode = \"asynchronous\" }}\n\
                 [[fault]]\nkind = \"replication-lag\"\nfactor = 100\nat = \"10min\"\nfor = \"5min\"\n"
            ),
        );
        let outcome = simulate(&scenario, 1);
        levels(&scenario, &outcome.windows).into_iter().max()
    };
    assert_eq!(worst("1h"), Some(BurnLevel::Normal));
    assert_eq!(worst("2s"), Some(BurnLevel::Elevated));
}

/// Every region keeps a copy, the cheapest deployment one.
#[test]
fn data_that_are_kept_cost_in_every_region() {
    use darkregion::model::measure::Measure;
    use darkregion::model::money::Money;
    use darkregion::objectives::{self, Columns, Series};
    let costs = |stored: u32| {
        let prices = format!("[prices]\nstorage = \"0.073 USD/GB/month\"\nstored_gb = {stored}\n");
        let horizon = "horizon = \"1min\"\n";
        let scenario = equal(3, "headroom = 0.5", &format!("{horizon}{prices}"));
        let outcome = simulate(&scenario, 1);
        let columns = Columns::new(&[], [&scenario]);
        let series = Series::of(&outcome.windows, columns.slis());
        let row = objectives::measure(&scenario, &columns, &series, &outcome, 0);
        let value = |money| {
            let position = columns.position(&Measure::Money(money));
            row.values[position.expect("a column")].as_f64()
        };
        [Money::Cost, Money::CostStorage, Money::CostRelative].map(value)
    };
    let ([bare, nothing, _], [cost, storage, relative]) = (costs(0), costs(10_000));
    // 10,000 GB for 730 USD a month, which is one an hour, in each of three regions.
    assert_eq!(nothing, 0.0);
    assert!((storage - 3.0).abs() < 1e-9, "{storage}");
    assert!((cost - bare - 3.0).abs() < 1e-9, "{cost} {bare}");
    let alone = cost / relative;
    let without = costs(0);
    assert!(
        (alone - without[0] / without[2] - 1.0).abs() < 1e-9,
        "{alone}"
    );
}
