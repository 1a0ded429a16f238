#![doc = include_str!("../README.md")]
// What a test computes to compare with goes into no result.
#![cfg_attr(test, allow(clippy::disallowed_methods))]
//!
//! # Architecture
//!
//! ```text
//!               Episode                 Observation
//!    faults ───────────────►  world  ───────────────────►  slis ──► measures
//!  (what goes wrong, when)    ▲   │                        (folds over the truth)
//!                      Action │   │ Telemetry
//!                             │   ▼
//!                           policies
//!      (a pure function of what can be known, and of its own memory)
//! ```
//!
//! Everything that someone may want to add talks through one of four closed types of plain data:
//! an [`Episode`](model::episode::Episode) from a fault to the world, [`Telemetry`](model::telemetry::Telemetry)
//! from the control plane to a policy, an [`Action`](model::action::Action) back, and an
//! [`Observation`](model::observation::Observation) of the truth to the SLIs. Telemetry and observation
//! are two words on purpose: belief against truth is what a failover study measures.
//!
//! ## Modules, in the order of their imports
//!
//! | module | what it is | may import |
//! |---|---|---|
//! | [`units`], [`problem`] | time in integer nanoseconds, distributions; a user's mistakes with their places | nothing |
//! | [`model`] | the nouns and the four interfaces; plain data | units, problem |
//! | [`engine`] | queue, addressed random streams, sampling, laws, digest; knows no regions | units |
//! | [`faults`] | kinds of faults, one file each | model, engine's streams, sampling and laws |
//! | [`policies`], [`slis`] | policies and SLIs, one file each | model |
//! | [`world`] | mechanism, never decisions: demand, services, pools, caches, instances, edge, names, buffers | model, engine |
//! | [`traffic`] | how load moves through the world: counted cohorts, or every request | world, model, engine |
//! | [`control`] | probes, the human, the actuator | world, model, engine |
//! | [`scenario`] | TOML to a validated scenario: spans, merging, `--set`, expressions | all above but traffic and control |
//! | [`simulate`] | one replication; the only place that sees all of it; the linter | all above |
//! | [`stats`], [`objectives`] | intervals and verdicts; windows to measures | model |
//! | [`study`] | replications in parallel, folded in order; the summary | simulate, stats, objectives |
//! | [`report`] | pages as bytes: terminal, CSV, JSON, SVG | study's results |
//! | [`verify`] | closed-form cases through the simulator | simulate, objectives, stats |
//! | `testing` | arbitrary valid scenarios and telemetry, promises of policies; feature `proptest` | model, faults' and policies' registries |
//! | `cli` | verbs; the only place that reads and writes files | everything |
//!
//! A test parses the sources and holds this table.
//!
//! ## How a replication runs
//!
//! [`simulate`] keeps a queue of events ordered by (time, sequence) and advances the traffic between
//! them. While anything moves, a step is never longer than the scenario's `step`; while nothing does,
//! it may be as long as `sample`. What the control plane does cuts a step only when it changes what the
//! traffic meets. In a step
//!
//! 1. arrivals, due retries and playing sessions give *expected rates* of requests, by market and edge;
//! 2. routes, ejection and retries in another region send them to regions; each region's graph of
//!    services is solved for what is refused, late, missed and retried, as a fixed point;
//! 3. *outcomes are drawn* from exact laws of the counts (Poisson, binomial, multinomial), given the
//!    chances that follow from the load: who succeeds, fails, waits for another attempt, stands still;
//! 4. pools, caches, names and budgets are committed.
//!
//! Pools are in the quasi-stationary law of M/M/c/K at the current load, with a queue that can only
//! move as fast as flows and chance allow. Calls between services are asynchronous: a request keeps a
//! slot busy for the service's own time, while its response time includes what it waits for. Latency
//! is never sampled request by request: laws of paths are weighted by what happened in a window.
//!
//! With `--fidelity request` the same loop advances a second engine: between two events of the
//! infrastructure it runs its own queue of events, for every session, request and piece of work, and tells
//! the world what it did in the terms in which counted traffic does.
//!
//! ## Invariants
//!
//! - Same scenario, seed and version: the same bytes, on any number of threads. A random number is
//!   addressed by (seed, replication, purpose, entity, index), never by the order of draws; folds go in
//!   replication order; functions such as `ln` come from a portable library.
//! - Every policy faces the same arrivals, resolvers, probes' phases and common shocks.
//! - Counts of clients are integers and balance exactly: the ledger of an
//!   [`Outcome`](model::outcome::Outcome) is checked by tests.
//! - A simulation does no I/O and cannot fail; a user's mistake ends before it begins.
//! - A policy is pure: the same telemetry and memory give the same decision.
//! - Loads, capacities and routes that the control plane reads are from the past; what it was told to
//!   do itself it knows at once.
//!
//! ## Deliberately absent
//!
//! Threads or clocks inside a replication; hidden or thread-local state; boxed components that call
//! each other; sub-seeds by order of draws.
//!
//! ## Choices where the model is silent
//!
//! - Where zones have no weights, every instance gets the same, whatever its zone, so a region is solved
//!   for one zone of average size. Where they have, each zone that differs is solved on its own.
//! - A region that was dark starts anew: its instances boot, its caches are empty.
//! - A session that is cut off tries again at random moments, every `session.retry` on average; whoever
//!   waits for an interactive answer stands still until it comes.
//! - Ambient failures of session requests cost an answer and nothing else; those of starts are retried.
//! - A start's requests follow one another within the step; each may be routed differently.
//! - With a common shock to the catalogue, every object stands for so many.

pub mod model;
pub mod problem;
pub mod units;

pub mod control;
pub mod engine;
pub mod faults;
pub mod objectives;
pub mod policies;
pub mod report;
pub mod scenario;
pub mod simulate;
pub mod slis;
pub mod stats;
pub mod study;
#[cfg(feature = "proptest")]
pub mod testing;
pub mod traffic;
pub mod verify;
pub mod world;

#[cfg(feature = "cli")]
pub mod cli;
