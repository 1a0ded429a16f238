//! The control plane between the world and a policy: what is believed ([`monitor`]), how long a
//! decision takes ([`operator`]), and how orders are checked and pushed ([`actuator`]).

pub mod actuator;
pub mod monitor;
pub mod operator;

mod observer;
