//! A small scenario, for tests of kinds.

use crate::model::scenario::Scenario;
use crate::scenario::{Document, Layer};

/// Two regions of three zones, two services, two markets, and this.
pub fn scenario(more: &str) -> Scenario {
    let text = format!(
        r#"
format = 1
{more}

[[region]]
name = "east"
zones = 3

[[region]]
name = "west"
zones = 2

[[market]]
name = "left"
near = ["east", "west"]
starts = "30/s"

[[market]]
name = "right"
near = ["west", "east"]
starts = "10/s"

[[service]]
name = "api"
calls = [{{ to = "store" }}]

[[service]]
name = "store"

[[request]]
name = "start"
to = "api"
start = 1
"#
    );
    let layer = Layer::file("by-hand.toml", &text, None);
    let document = Document::load("by-hand", layer, None, Vec::new());
    let document = document.unwrap_or_else(|problems| panic!("{problems}"));
    document.scenario().clone()
}
