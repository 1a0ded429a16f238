//! The two workloads in simcore, in its fastest form: callbacks, one component.

#[path = "../../clock.rs"]
mod clock;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::Exp1;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {}

struct Servers {
    ctx: SimulationContext,
    rng: SmallRng,
    busy: u32,
    came: u64,
    customers: u64,
    line: VecDeque<f64>,
    waited: f64,
}

impl Servers {
    fn next(&mut self) {
        let gap: f64 = self.rng.sample(Exp1);
        self.ctx.emit_self(Arrival {}, 0.125 * gap);
    }

    fn serve(&mut self) {
        let service: f64 = self.rng.sample(Exp1);
        self.ctx.emit_self(Departure {}, service);
    }
}

impl EventHandler for Servers {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                if self.busy < 10 {
                    self.busy += 1;
                    self.serve();
                } else {
                    self.line.push_back(event.time);
                }
                self.came += 1;
                if self.came < self.customers {
                    self.next();
                }
            }
            Departure {} => {
                if let Some(since) = self.line.pop_front() {
                    self.waited += event.time - since;
                    self.serve();
                } else {
                    self.busy -= 1;
                }
            }
        })
    }
}

fn mmc(customers: u64) -> (u64, f64) {
    let mut sim = Simulation::new(1);
    let servers = Rc::new(RefCell::new(Servers {
        ctx: sim.create_context("servers"),
        rng: SmallRng::seed_from_u64(1),
        busy: 0,
        came: 0,
        customers,
        line: VecDeque::new(),
        waited: 0.0,
    }));
    sim.add_handler("servers", servers.clone());
    servers.borrow_mut().next();
    sim.step_until_no_events();
    let waited = servers.borrow().waited;
    (sim.event_count(), waited / customers as f64)
}

#[derive(Clone, Serialize)]
struct Message {
    process: u32,
}

struct Processes {
    ctx: SimulationContext,
    rng: SmallRng,
    arrived: Vec<u64>,
}

impl Processes {
    fn send(&mut self, process: u32) {
        let delay: f64 = self.rng.sample(Exp1);
        self.ctx.emit_self(Message { process }, 0.1 + delay);
    }
}

impl EventHandler for Processes {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Message { process } => {
                self.arrived[process as usize] += 1;
                let to = self.rng.r#gen::<u32>() % 1024;
                self.send(to);
            }
        })
    }
}

fn phold(messages: u64) -> (u64, f64) {
    let mut sim = Simulation::new(1);
    let processes = Rc::new(RefCell::new(Processes {
        ctx: sim.create_context("processes"),
        rng: SmallRng::seed_from_u64(1),
        arrived: vec![0; 1024],
    }));
    sim.add_handler("processes", processes.clone());
    for message in 0..16 * 1024 {
        processes.borrow_mut().send(message % 1024);
    }
    sim.steps(messages);
    let events: u64 = processes.borrow().arrived.iter().sum();
    (events, sim.time() * 16.0 * 1024.0 / events as f64)
}

fn main() {
    clock::main(mmc, phold);
}
