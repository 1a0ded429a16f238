//! Nouns and the four interfaces between the parts; plain data, no behaviour beyond reading it.
//!
//! | interface | from → to | meaning |
//! |---|---|---|
//! | [`Episode`](episode::Episode) | fault → world | an impairment with a beginning and an end |
//! | [`Telemetry`](telemetry::Telemetry) | control → policy | what the control plane *believes* |
//! | [`Action`](action::Action) | policy → control | what the control plane *asks for* |
//! | [`Observation`](observation::Observation) | world → SLI | what *truly* happened |

pub mod action;
pub mod balancer;
pub mod domain;
pub mod episode;
pub mod fidelity;
pub mod histogram;
pub mod measure;
pub mod money;
pub mod observation;
pub mod outcome;
pub mod policy;
pub mod precision;
pub mod request;
pub mod scenario;
pub mod series;
pub mod telemetry;
pub mod variant;
pub mod work;
