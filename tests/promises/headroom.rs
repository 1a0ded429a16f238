//! More capacity in service, more starts: over the whole range of headroom, without a jump.

use crate::given::over;
use darkregion::scenario::{Document, Layer, builtin};
use darkregion::simulate::Simulator;

/// Share of eligible starts that succeed while the region is dark, mean of the same replications.
fn success(headroom: f64, more: &[&str]) -> f64 {
    let text = builtin("chaos-kong").expect("it is built in");
    let layer = |set: String| Layer::set(&set);
    let mut layers = vec![
        layer(format!("service.*.headroom={headroom}")),
        // The store's own headroom is for markets that it does not know.
        layer("service.catalogue.headroom=4".to_string()),
        layer("service.*.dark=0".to_string()),
    ];
    layers.extend(more.iter().map(|set| Layer::set(set)));
    let document = Document::load(
        "chaos-kong",
        Layer::file("chaos-kong.toml", text, None),
        None,
        layers,
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    let simulator = Simulator::new(document.scenario());
    let replications = 3;
    let of_one = |r| {
        let outcome = simulator.run(5, r);
        let fault = outcome.marks.fault.expect("it has a fault").secs();
        let dark = over(&outcome, fault, fault + 600.0);
        let (ok, failed) = (dark.starts_ok as f64, dark.starts_failed as f64);
        ok / (ok + failed)
    };
    (0..replications).map(of_one).sum::<f64>() / replications as f64
}

/// Instances are whole: with small ones, what is deployed follows the headroom closely.
#[test]
fn headroom_in_small_instances_moves_starts_monotonically_and_without_a_jump() {
    check(&["service.*.slots=1"]);
}

#[test]
fn headroom_moves_starts_monotonically_and_without_a_jump() {
    check(&[]);
}

fn check(more: &[&str]) {
    let sweep: Vec<(f64, f64)> = (0..=12)
        .map(|i| 0.2 + 0.05 * f64::from(i))
        .map(|headroom| (headroom, success(headroom, more)))
        .collect();
    let said: String = sweep
        .iter()
        .map(|(h, s)| format!("{h:.2}: {s:.5}\n"))
        .collect();
    for pair in sweep.windows(2) {
        let moved = pair[1].1 - pair[0].1;
        assert!(moved > -0.0005, "falls at {:.2}:\n{said}", pair[1].0);
        // Five points of headroom are 3.3 % of the load after the loss; retries multiply that about
        // tenfold where they tip the balance, since a start takes three requests, each of them
        // several attempts, and proxies repeat what was refused.
        assert!(moved < 0.45, "jumps at {:.2}:\n{said}", pair[1].0);
    }
    assert!(sweep[12].1 > 0.98, "ample headroom serves:\n{said}");
    assert!(sweep[12].1 - sweep[0].1 > 0.01, "headroom matters:\n{said}");
}
