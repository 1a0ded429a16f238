//! What the program promises, a module per promise.

#[path = "promises/given.rs"]
mod given;
#[path = "promises/source.rs"]
mod source;

#[path = "promises/conservation.rs"]
mod conservation;
#[path = "promises/determinism.rs"]
mod determinism;
#[path = "promises/halving.rs"]
mod halving;
#[path = "promises/hygiene.rs"]
mod hygiene;
#[path = "promises/imports.rs"]
mod imports;
#[path = "promises/noop.rs"]
mod noop;
