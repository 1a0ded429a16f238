//! The two workloads in desim, whose processes are coroutines: a customer is a process, and PHOLD's
//! messages are, since desim has no messages. It needs unstable features of the compiler.

#![feature(coroutines, coroutine_trait, stmt_expr_attributes)]

#[path = "../../clock.rs"]
mod clock;

use desim::resources::SimpleResource;
use desim::{Effect, EndCondition, Simulation};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::Exp1;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

fn mmc(customers: u64) -> (u64, f64) {
    let mut simulation = Simulation::new();
    let servers = simulation.create_resource(Box::new(SimpleResource::new(10)));
    let mut rng = SmallRng::seed_from_u64(1);
    let waited = Rc::new(Cell::new(0.0));
    // Its processes cannot make processes: all customers are there from the beginning.
    let mut comes = 0.0;
    for _ in 0..customers {
        comes += 0.125 * rng.sample::<f64, _>(Exp1);
        let service: f64 = rng.sample(Exp1);
        let waited = waited.clone();
        let customer = simulation.create_process(Box::new(
            #[coroutine]
            move |_| {
                let context: desim::SimContext<Effect> = yield Effect::Request(servers);
                waited.set(waited.get() + context.time() - comes);
                yield Effect::TimeOut(service);
                yield Effect::Release(servers);
            },
        ));
        simulation.schedule_event(comes, customer, Effect::TimeOut(0.0));
    }
    simulation.run(EndCondition::NoEvents);
    // Two events of the model; desim takes four steps for them.
    (2 * customers, waited.get() / customers as f64)
}

fn phold(messages: u64) -> (u64, f64) {
    let mut simulation = Simulation::new();
    let rng = Rc::new(RefCell::new(SmallRng::seed_from_u64(1)));
    let arrived = Rc::new(RefCell::new(vec![0u64; 1024]));
    for message in 0..16 * 1024 {
        let (rng, arrived) = (rng.clone(), arrived.clone());
        let mut to = message % 1024;
        let token = simulation.create_process(Box::new(
            #[coroutine]
            move |_| {
                loop {
                    let delay: f64 = rng.borrow_mut().sample(Exp1);
                    yield Effect::TimeOut(0.1 + delay);
                    arrived.borrow_mut()[to] += 1;
                    to = rng.borrow_mut().r#gen::<u32>() as usize % 1024;
                }
            },
        ));
        simulation.schedule_event(0.0, token, Effect::TimeOut(0.0));
    }
    let steps = 16 * 1024 + messages as usize;
    let simulation = simulation.run(EndCondition::NSteps(steps));
    let events: u64 = arrived.borrow().iter().sum();
    (events, simulation.time() * 16.0 * 1024.0 / events as f64)
}

fn main() {
    clock::main(mmc, phold);
}
