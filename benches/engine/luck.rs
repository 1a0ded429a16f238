//! Sources of randomness.

use crate::workloads::{GAP, LOOKAHEAD, Luck, PROCESSES};
use darkregion::engine::sampling::{self, ziggurat};
use darkregion::engine::stream::{Draws, Stream};
use darkregion::units::Span;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One generator for everything, drawn in order, as a bare loop has it.
pub struct InOrder(ChaCha8Rng);

impl InOrder {
    pub fn new() -> InOrder {
        InOrder(ChaCha8Rng::seed_from_u64(1))
    }

    fn exponential(&mut self) -> f64 {
        ziggurat::standard(|| self.0.next_u64())
    }
}

impl Luck for InOrder {
    #[inline]
    fn customer(&mut self, _customer: u64) -> (u64, u64) {
        let gap = (GAP * self.exponential() * 1e9) as u64;
        (gap, (self.exponential() * 1e9) as u64)
    }

    #[inline]
    fn message(&mut self, _process: u32) -> (u32, u64) {
        let to = self.0.next_u32() % PROCESSES;
        (to, ((LOOKAHEAD + self.exponential()) * 1e9) as u64)
    }
}

/// How the engine draws an exponential value.
pub trait Exponential {
    fn draw(draws: &mut Draws, mean: f64) -> f64;
}

/// By a logarithm.
pub struct Inversion;

impl Exponential for Inversion {
    #[inline]
    fn draw(draws: &mut Draws, mean: f64) -> f64 {
        sampling::exponential(draws, mean)
    }
}

/// By layers.
pub struct Ziggurat;

impl Exponential for Ziggurat {
    #[inline]
    fn draw(draws: &mut Draws, mean: f64) -> f64 {
        ziggurat::exponential(draws, mean)
    }
}

fn customer<X: Exponential>(draws: &mut Draws) -> (u64, u64) {
    let gap = Span::from_secs(X::draw(draws, GAP));
    (gap.0, Span::from_secs(X::draw(draws, 1.0)).0)
}

fn message<X: Exponential>(draws: &mut Draws) -> (u32, u64) {
    let to = draws.next_u64() as u32 % PROCESSES;
    (to, Span::from_secs(LOOKAHEAD + X::draw(draws, 1.0)).0)
}

fn senders() -> impl Iterator<Item = Stream> {
    (0..PROCESSES).map(|process| Stream::new(1, 0, "messages", &process.to_string()))
}

/// Customers that are drawn together.
const AHEAD: usize = 8;

/// Every customer and every message has an address of its own: none moves another's luck.
pub struct Addressed<X> {
    customers: Stream,
    /// What this customer and the next few draw, made together, which only addresses allow.
    ahead: [(u64, u64); AHEAD],
    /// Per process: its stream, and how many messages it has sent.
    senders: Vec<(Stream, u64)>,
    exponential: std::marker::PhantomData<X>,
}

impl<X: Exponential> Addressed<X> {
    pub fn new() -> Addressed<X> {
        Addressed {
            customers: Stream::new(1, 0, "customers", ""),
            ahead: [(0, 0); AHEAD],
            senders: senders().map(|stream| (stream, 0)).collect(),
            exponential: std::marker::PhantomData,
        }
    }
}

impl<X: Exponential> Luck for Addressed<X> {
    #[inline]
    fn customer(&mut self, index: u64) -> (u64, u64) {
        let place = index as usize % AHEAD;
        if place == 0 {
            self.ahead = self
                .customers
                .draws_from(index, 0)
                .map(|mut draws| customer::<X>(&mut draws));
        }
        self.ahead[place]
    }

    #[inline]
    fn message(&mut self, process: u32) -> (u32, u64) {
        let (stream, sent) = &mut self.senders[process as usize];
        *sent += 1;
        message::<X>(&mut stream.draws(*sent, 0))
    }
}

/// The crowd of customers and every process have one address each and draw in their own order.
pub struct PerEntity {
    customers: Draws,
    senders: Vec<Draws>,
}

impl PerEntity {
    pub fn new() -> PerEntity {
        PerEntity {
            customers: Stream::new(1, 0, "customers", "").draws(0, 0),
            senders: senders().map(|stream| stream.draws(0, 0)).collect(),
        }
    }
}

impl Luck for PerEntity {
    #[inline]
    fn customer(&mut self, _customer: u64) -> (u64, u64) {
        customer::<Ziggurat>(&mut self.customers)
    }

    #[inline]
    fn message(&mut self, process: u32) -> (u32, u64) {
        message::<Ziggurat>(&mut self.senders[process as usize])
    }
}
