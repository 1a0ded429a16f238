//! The two workloads in nexosim, in its fastest form: one thread, one model that schedules its own events.

#[path = "../../clock.rs"]
mod clock;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::Exp1;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// A generator as plain data, since models must be such; taken for the seed when it is first used.
#[derive(Default, Serialize, Deserialize)]
struct Luck {
    #[serde(skip)]
    rng: Option<SmallRng>,
}

impl Luck {
    fn rng(&mut self) -> &mut SmallRng {
        self.rng.get_or_insert_with(|| SmallRng::seed_from_u64(1))
    }

    fn exponential(&mut self) -> f64 {
        self.rng().sample(Exp1)
    }
}

fn secs(secs: f64) -> Duration {
    // An event must lie in the future.
    Duration::from_secs_f64(secs).max(Duration::from_nanos(1))
}

#[derive(Default, Serialize, Deserialize)]
struct Servers {
    luck: Luck,
    busy: u32,
    came: u64,
    customers: u64,
    departed: u64,
    line: VecDeque<MonotonicTime>,
    waited: f64,
    done: Output<(u64, f64)>,
}

#[Model]
impl Servers {
    fn begin(&mut self, customers: u64, cx: &Context<Self>) {
        self.customers = customers;
        self.next(cx);
    }

    fn next(&mut self, cx: &Context<Self>) {
        let gap = secs(0.125 * self.luck.exponential());
        cx.schedule_event(gap, schedulable!(Self::arrive), ())
            .unwrap();
    }

    fn serve(&mut self, cx: &Context<Self>) {
        let service = secs(self.luck.exponential());
        cx.schedule_event(service, schedulable!(Self::depart), ())
            .unwrap();
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), cx: &Context<Self>) {
        if self.busy < 10 {
            self.busy += 1;
            self.serve(cx);
        } else {
            self.line.push_back(cx.time());
        }
        self.came += 1;
        if self.came < self.customers {
            self.next(cx);
        }
    }

    #[nexosim(schedulable)]
    async fn depart(&mut self, _: (), cx: &Context<Self>) {
        self.departed += 1;
        if let Some(since) = self.line.pop_front() {
            self.waited += cx.time().duration_since(since).as_secs_f64();
            self.serve(cx);
        } else {
            self.busy -= 1;
        }
        if self.departed == self.customers {
            let events = self.came + self.departed;
            self.done.send((events, self.waited)).await;
        }
    }
}

fn mmc(customers: u64) -> (u64, f64) {
    let mut servers = Servers::default();
    let (sink, mut result) = event_slot(SinkState::Enabled);
    servers.done.connect_sink(sink);
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let begin = EventSource::new()
        .connect(Servers::begin, &mailbox)
        .register(&mut bench);
    let bench = bench.add_model(servers, mailbox, "servers");
    let mut simulation = bench.init(MonotonicTime::EPOCH).unwrap();
    simulation.process_event(&begin, customers).unwrap();
    simulation.run().unwrap();
    let (events, waited) = result.try_read().expect("all have departed");
    (events, waited / customers as f64)
}

#[derive(Default, Serialize, Deserialize)]
struct Processes {
    luck: Luck,
    arrived: Vec<u64>,
    left: u64,
    done: Output<u64>,
}

#[Model]
impl Processes {
    fn begin(&mut self, messages: u64, cx: &Context<Self>) {
        self.left = messages;
        self.arrived = vec![0; 1024];
        for message in 0..16 * 1024 {
            self.send(message % 1024, cx);
        }
    }

    fn send(&mut self, to: u32, cx: &Context<Self>) {
        let delay = secs(0.1 + self.luck.exponential());
        cx.schedule_event(delay, schedulable!(Self::arrive), to)
            .unwrap();
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, process: u32, cx: &Context<Self>) {
        if self.left == 0 {
            return;
        }
        self.arrived[process as usize] += 1;
        self.left -= 1;
        let to = self.luck.rng().r#gen::<u32>() % 1024;
        self.send(to, cx);
        if self.left == 0 {
            self.done.send(self.arrived.iter().sum()).await;
        }
    }
}

fn phold(messages: u64) -> (u64, f64) {
    let mut processes = Processes::default();
    let (sink, mut result) = event_slot(SinkState::Enabled);
    processes.done.connect_sink(sink);
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let begin = EventSource::new()
        .connect(Processes::begin, &mailbox)
        .register(&mut bench);
    let bench = bench.add_model(processes, mailbox, "processes");
    let mut simulation = bench.init(MonotonicTime::EPOCH).unwrap();
    simulation.process_event(&begin, messages).unwrap();
    loop {
        simulation.step().unwrap();
        if let Some(events) = result.try_read() {
            let now = simulation.time().duration_since(MonotonicTime::EPOCH);
            return (events, now.as_secs_f64() * 16.0 * 1024.0 / events as f64);
        }
    }
}

fn main() {
    clock::main(mmc, phold);
}
