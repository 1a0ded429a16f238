//! What the program promises, a module per promise.

#[path = "promises/fifo.rs"]
mod fifo;
#[path = "promises/given.rs"]
mod given;
#[path = "promises/measured.rs"]
mod measured;
#[path = "promises/source.rs"]
mod source;

#[path = "promises/balancers.rs"]
mod balancers;
#[cfg(feature = "cli")]
#[path = "promises/by_hand.rs"]
mod by_hand;
#[path = "promises/capacity.rs"]
mod capacity;
#[cfg(feature = "cli")]
#[path = "promises/compare.rs"]
mod compare;
#[path = "promises/connections.rs"]
mod connections;
#[path = "promises/conservation.rs"]
mod conservation;
#[path = "promises/control.rs"]
mod control;
#[path = "promises/data.rs"]
mod data;
#[cfg(feature = "cli")]
#[path = "promises/demand.rs"]
mod demand;
#[path = "promises/deployment.rs"]
mod deployment;
#[path = "promises/determinism.rs"]
mod determinism;
#[path = "promises/docs.rs"]
mod docs;
#[path = "promises/edges.rs"]
mod edges;
#[path = "promises/faults.rs"]
mod faults;
#[cfg(feature = "cli")]
#[path = "promises/gallery.rs"]
mod gallery;
#[path = "promises/gates.rs"]
mod gates;
#[path = "promises/golden.rs"]
mod golden;
#[path = "promises/halving.rs"]
mod halving;
#[path = "promises/headroom.rs"]
mod headroom;
#[path = "promises/hygiene.rs"]
mod hygiene;
#[path = "promises/imports.rs"]
mod imports;
#[path = "promises/links_and_workers.rs"]
mod links_and_workers;
#[path = "promises/matrix.rs"]
mod matrix;
#[path = "promises/metastable.rs"]
mod metastable;
#[path = "promises/money.rs"]
mod money;
#[path = "promises/monotone.rs"]
mod monotone;
#[path = "promises/moves.rs"]
mod moves;
#[path = "promises/mutations.rs"]
mod mutations;
#[path = "promises/noop.rs"]
mod noop;
#[path = "promises/orders.rs"]
mod orders;
#[path = "promises/origins.rs"]
mod origins;
#[path = "promises/parts.rs"]
mod parts;
#[path = "promises/plain.rs"]
mod plain;
#[path = "promises/policies.rs"]
mod policies;
#[cfg(feature = "cli")]
#[path = "promises/precision.rs"]
mod precision;
#[cfg(feature = "cli")]
#[path = "promises/program.rs"]
mod program;
#[path = "promises/random.rs"]
mod random;
#[path = "promises/recovery.rs"]
mod recovery;
#[cfg(feature = "cli")]
#[path = "promises/requests.rs"]
mod requests;
#[path = "promises/scenarios.rs"]
mod scenarios;
#[path = "promises/scope.rs"]
mod scope;
#[path = "promises/spoiled.rs"]
mod spoiled;
#[path = "promises/strategies.rs"]
mod strategies;
#[cfg(feature = "cli")]
#[path = "promises/variants.rs"]
mod variants;
#[path = "promises/zones.rs"]
mod zones;
