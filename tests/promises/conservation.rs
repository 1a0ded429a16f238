//! Nothing is lost or made up: every start, attempt and session is counted once.

use crate::given::{PARTS, drill, outcome, over, policy_names, scenario};
use darkregion::model::observation::Observation;
use darkregion::model::outcome::Outcome;
use darkregion::simulate::Simulator;

/// Shapes of load that bring out different parts of the accounts.
fn loads() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let all_dark = ["ash", "birch", "cedar"].map(|region| {
        format!(
            "[[fault]]\nkind = \"region-dark\"\nregion = \"{region}\"\nat = \"3min\"\n\
             for = \"4min\"\nmode = \"hang\"\n"
        )
    });
    vec![
        ("calm", PARTS.to_string(), vec![]),
        ("drill", drill(), vec![]),
        ("overload", drill(), vec!["service.*.headroom=0.05"]),
        (
            "hang",
            drill(),
            vec!["fault[0].mode=hang", "edge.global=false"],
        ),
        ("all dark", format!("{PARTS}{}", all_dark.concat()), vec![]),
        ("few sessions", drill(), vec!["demand=0.01"]),
        ("half steps", drill(), vec!["step=500ms"]),
        ("dark at the end", drill(), vec!["fault[0].for=20min"]),
        (
            "a gray failure",
            format!(
                "{PARTS}[[fault]]\nkind = \"gray-failure\"\nservice = \"play\"\n\
                 region = \"birch\"\nerrors = 0.7\nat = \"3min\"\nfor = \"4min\"\n"
            ),
            vec!["edge.slots=1", "policy.eject_most=0.7"],
        ),
        (
            "limits",
            drill(),
            vec!["edge.origin_limit=1", "policy.edge_retry=true"],
        ),
        ("announced", drill(), vec!["fault[0].announced=2min"]),
        (
            "some services",
            drill(),
            vec![
                "policy.scope={ services = ['browse'] }",
                "policy.route=['edge']",
            ],
        ),
        (
            "some devices",
            drill(),
            vec!["policy.scope={ devices = ['legacy', 'sticky'] }"],
        ),
    ]
}

/// Panics where an outcome's accounts do not balance.
pub fn assert_balanced(outcome: &Outcome, what: &str) {
    let l = outcome.ledger;
    assert_eq!(
        l.starts,
        l.starts_ok + l.starts_failed + l.starts_ambient + l.starts_waiting,
        "{what}: starts {l:?}"
    );
    assert_eq!(
        l.sessions_first + l.sessions_begun,
        l.sessions_ended + l.sessions_last,
        "{what}: sessions {l:?}"
    );
    // Where requests are plain, none plays.
    let plays = l.sessions_first + l.sessions_begun > 0;
    assert!(
        !plays || l.sessions_begun == l.starts_ok,
        "{what}: a start that succeeds begins a session {l:?}"
    );
    // Every start is attempted once when it arrives; what else is attempted is a retry.
    assert_eq!(l.attempts, l.starts + l.retries, "{what}: attempts {l:?}");
    // Every retry has a failed attempt before it.
    assert!(
        l.retries + l.given_up <= l.attempts_failed,
        "{what}: retries {l:?}"
    );

    let sum = |of: fn(&Observation) -> u64| -> (u64, u64) {
        let windows = &outcome.windows;
        (
            windows.iter().map(|w| of(&w.global)).sum(),
            windows.iter().flat_map(|w| &w.regions).map(of).sum(),
        )
    };
    assert_eq!(
        sum(|o| o.starts_ok),
        (l.starts_ok, l.starts_ok),
        "{what}: ok"
    );
    assert_eq!(
        sum(|o| o.starts_failed),
        (l.starts_failed, l.starts_failed),
        "{what}: failed"
    );
    assert_eq!(
        sum(|o| o.starts_ambient),
        (l.starts_ambient, l.starts_ambient),
        "{what}: ambient"
    );
    for window in &outcome.windows {
        let o = &window.global;
        assert!(
            o.answered_degraded <= o.answered_ok,
            "{what}: degraded {}",
            window.from
        );
        assert!(
            o.cache_hits <= o.cache_lookups * (1.0 + 1e-9),
            "{what}: hits {}",
            window.from
        );
        assert!(
            o.busy_slot_secs <= o.slot_secs * (1.0 + 1e-9),
            "{what}: busy {}",
            window.from
        );
        assert!(
            o.stood_still <= o.playing_sessions.max(o.playing_secs) + 1.0,
            "{what}: stood"
        );
        for value in [
            o.playing_secs,
            o.rebuffered,
            o.stalled_secs,
            o.cache_lookups,
            o.slot_secs,
        ] {
            assert!(
                value.is_finite() && value >= 0.0,
                "{what}: {value} at {}",
                window.from
            );
        }
    }
}

#[test]
fn windows_follow_each_other_without_a_gap() {
    let scenario = scenario(&drill(), Some("flow"), &[]);
    let outcome = Simulator::new(&scenario).run(3, 1);
    let windows = &outcome.windows;
    assert_eq!(windows[0].from.0, 0);
    assert_eq!(windows.last().map(|w| w.until.0), Some(scenario.horizon.0));
    assert!(windows.windows(2).all(|pair| pair[0].until == pair[1].from));
    let fault = scenario.faults[0].at;
    assert!(
        windows.iter().any(|w| w.from == fault),
        "a window starts at the fault"
    );
}

#[test]
fn every_start_attempt_and_session_is_counted_once() {
    for (nth, (load, text, sets)) in loads().into_iter().enumerate() {
        // The drill under all of them, each other load under every third in turn: storms are slow.
        let turns = policy_names().into_iter().enumerate();
        let tried = turns.filter(|(i, _)| load == "drill" || i % 3 == nth % 3);
        for (_, policy) in tried {
            let outcome = outcome(&text, Some(policy), &sets);
            let what = format!("{load} under {policy}");
            assert_balanced(&outcome, &what);
            let l = outcome.ledger;
            assert!(
                l.starts > 0 && l.sessions_first > 0,
                "{what}: nothing happened {l:?}"
            );
        }
    }
}

#[test]
fn the_loads_are_what_their_names_say() {
    // Shares of requests with an error, and of starts that failed, while regions are dark.
    let failed = |load: &str| {
        let (_, text, sets) = loads()
            .into_iter()
            .find(|(name, ..)| *name == load)
            .expect("named");
        let outcome = outcome(&text, Some("flow"), &sets);
        let dark = over(&outcome, 200.0, 400.0);
        let starts = (dark.starts_ok + dark.starts_failed) as f64;
        let requests = (dark.answered_ok + dark.answered_error) as f64;
        (
            dark.answered_error as f64 / requests,
            dark.starts_failed as f64 / starts,
        )
    };
    assert!(failed("calm").0 < 0.001, "calm: {:?}", failed("calm"));
    assert!(
        failed("overload").0 > 0.1,
        "overload: {:?}",
        failed("overload")
    );
    assert!(
        failed("all dark").1 > 0.9,
        "all dark: {:?}",
        failed("all dark")
    );
}
