//! Random streams that are addressed, never drawn in order.
//!
//! An ordinary generator has a hidden position: whoever draws once more moves everybody who draws
//! later, so that a second fault, another policy or one more viewer would change the luck of
//! everything else. Here a number is a pure function of its address:
//!
//! | coordinate | meaning |
//! |---|---|
//! | seed, purpose, entity | which stream: `(1, "dns", "us-east-1")` |
//! | replication | which replication |
//! | index, slot | which draw: the time step or the item, and the use made of it |
//!
//! Two variants of a scenario thus meet the same luck wherever they ask the same question (common
//! random numbers), replications need no order, and a stream costs 24 bytes.
//!
//! The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
//! easy as 1, 2, 3", SC 2011, <https://doi.org/10.1145/2063384.2063405>). The key is
//! SipHash-2-4-128 of seed, purpose and entity; the counter is
//! `[index, slot * 2^32 + block, replication, 0]`.

use siphasher::sip128::SipHasher24;

const MULTIPLIERS: [u64; 2] = [0xD2E7_470E_E14C_6C93, 0xCA5A_8263_9512_1157];
const KEY_STEPS: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];
const ROUNDS: usize = 10;

/// Numbers in one block of the generator.
const BLOCK: u8 = 4;

/// A named source of random numbers within one replication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u64; 2],
    replication: u64,
}

impl Stream {
    /// The stream of a purpose (`"dns"`) and an entity (`"us-east-1"`) in one replication of a
    /// study with this seed.
    pub fn new(seed: u64, replication: u64, purpose: &str, entity: &str) -> Stream {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        let mut name = Vec::with_capacity(16 + purpose.len() + entity.len());
        name.extend_from_slice(&seed.to_le_bytes());
        name.extend_from_slice(&(purpose.len() as u64).to_le_bytes());
        name.extend_from_slice(purpose.as_bytes());
        name.extend_from_slice(entity.as_bytes());
        let hash = SipHasher24::new().hash(&name);
        Stream {
            key: [hash.h1, hash.h2],
            replication,
        }
    }

    /// The stream of a part of the entity (`"zone 1"`), which has its own luck.
    pub fn part(&self, name: &str) -> Stream {
        let hash = SipHasher24::new_with_keys(self.key[0], self.key[1]).hash(name.as_bytes());
        Stream {
            key: [hash.h1, hash.h2],
            replication: self.replication,
        }
    }

    /// The numbers at an address within the stream. The same address gives the same numbers; two
    /// addresses never share one.
    #[inline]
    pub fn draws(&self, index: u64, slot: u32) -> Draws {
        Draws {
            stream: *self,
            index,
            slot,
            block: 0,
            numbers: [0; BLOCK as usize],
            used: BLOCK,
        }
    }

    /// [`Stream::draws`] of so many indices from `first` on, whose first blocks are made side by side:
    /// a processor works on several at once, which takes less than one after the other. For what draws
    /// ahead.
    #[inline]
    pub fn draws_from<const N: usize>(&self, first: u64, slot: u32) -> [Draws; N] {
        let indices: [u64; N] = std::array::from_fn(|i| first.wrapping_add(i as u64));
        let within = u64::from(slot) << 32;
        let mut blocks = indices.map(|index| [index, within, self.replication, 0]);
        philox(&mut blocks, self.key);
        std::array::from_fn(|i| Draws {
            stream: *self,
            index: indices[i],
            slot,
            block: 1,
            numbers: blocks[i],
            used: 0,
        })
    }
}

/// The random numbers at one address of a [`Stream`], as many as are asked for (up to 2^34).
#[derive(Clone, Debug)]
pub struct Draws {
    stream: Stream,
    index: u64,
    slot: u32,
    /// The next block.
    block: u32,
    numbers: [u64; BLOCK as usize],
    /// How many of `numbers` have been given out.
    used: u8,
}

impl Draws {
    /// Sixty-four random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        if self.used == BLOCK {
            self.numbers = self.next_block();
            self.used = 0;
        }
        let number = self.numbers[usize::from(self.used)];
        self.used += 1;
        number
    }

    // Apart, so that what is done for every number is small enough to become part of its caller.
    #[inline(never)]
    fn next_block(&mut self) -> [u64; BLOCK as usize] {
        let within = (u64::from(self.slot) << 32) | u64::from(self.block);
        let mut blocks = [[self.index, within, self.stream.replication, 0]];
        self.block += 1;
        philox(&mut blocks, self.stream.key);
        blocks[0]
    }

    /// A uniform number in the open interval (0, 1): the middle of one of 2^52 equal cells, so
    /// that its logarithm is finite and `1 - u` is as likely as `u`.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        uniform(self.next_u64())
    }
}

/// The uniform number in (0, 1) that the upper 52 of random bits make: see [`Draws::uniform`].
#[inline]
pub fn uniform(bits: u64) -> f64 {
    const CELL: f64 = 1.0 / (1u64 << 52) as f64;
    ((bits >> 12) as f64 + 0.5) * CELL
}

/// Replaces counters by their blocks.
#[inline]
fn philox<const N: usize>(counters: &mut [[u64; 4]; N], mut key: [u64; 2]) {
    for _ in 0..ROUNDS {
        for counter in &mut *counters {
            let [low0, high0] = wide_product(MULTIPLIERS[0], counter[0]);
            let [low1, high1] = wide_product(MULTIPLIERS[1], counter[2]);
            *counter = [
                high1 ^ counter[1] ^ key[0],
                low1,
                high0 ^ counter[3] ^ key[1],
                low0,
            ];
        }
        key = [
            key[0].wrapping_add(KEY_STEPS[0]),
            key[1].wrapping_add(KEY_STEPS[1]),
        ];
    }
}

/// The low and the high half of a product.
#[inline]
fn wide_product(a: u64, b: u64) -> [u64; 2] {
    let product = u128::from(a) * u128::from(b);
    [product as u64, (product >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn philox_gives_the_published_known_answers() {
        // https://github.com/DEShawResearch/random123/blob/main/tests/kat_vectors
        let known = [
            (
                [0; 4],
                [0; 2],
                [
                    0x16554d9eca36314c,
                    0xdb20fe9d672d0fdc,
                    0xd7e772cee186176b,
                    0x7e68b68aec7ba23b,
                ],
            ),
            (
                [u64::MAX; 4],
                [u64::MAX; 2],
                [
                    0x87b092c3013fe90b,
                    0x438c3c67be8d0224,
                    0x9cc7d7c69cd777b6,
                    0xa09caebf594f0ba0,
                ],
            ),
            (
                [
                    0x243f6a8885a308d3,
                    0x13198a2e03707344,
                    0xa4093822299f31d0,
                    0x082efa98ec4e6c89,
                ],
                [0x452821e638d01377, 0xbe5466cf34e90c6c],
                [
                    0xa528f45403e61d95,
                    0x38c72dbd566e9788,
                    0xa5a1610e72fd18b5,
                    0x57bd43b5e52b7fe6,
                ],
            ),
        ];
        for (counter, key, answer) in known {
            let mut blocks = [counter; 3];
            philox(&mut blocks, key);
            assert_eq!(blocks, [answer; 3]);
        }
    }

    fn first(seed: u64, replication: u64, purpose: &str, entity: &str, at: (u64, u32)) -> u64 {
        let stream = Stream::new(seed, replication, purpose, entity);
        stream.draws(at.0, at.1).next_u64()
    }

    #[test]
    fn every_coordinate_makes_another_number() {
        let numbers = [
            first(1, 2, "dns", "us", (3, 4)),
            first(2, 2, "dns", "us", (3, 4)),
            first(1, 3, "dns", "us", (3, 4)),
            first(1, 2, "dnsu", "s", (3, 4)),
            first(1, 2, "dns", "eu", (3, 4)),
            first(1, 2, "dns", "us", (4, 4)),
            first(1, 2, "dns", "us", (3, 5)),
        ];
        for (i, a) in numbers.iter().enumerate() {
            for b in &numbers[..i] {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn the_values_of_a_stream_are_pinned() {
        let mut draws = Stream::new(7, 1, "dns", "us-east-1").draws(5, 2);
        let values: Vec<u64> = (0..5).map(|_| draws.next_u64()).collect();
        assert_eq!(
            values,
            [
                11_147_110_100_890_212_349,
                17_914_511_122_453_786_363,
                4_163_752_554_507_247_481,
                4_500_847_975_495_422_612,
                14_389_180_689_458_407_492,
            ]
        );
    }

    #[test]
    fn uniforms_fill_the_unit_interval_evenly() {
        let stream = Stream::new(1, 0, "test", "");
        let mut cells = [0u32; 100];
        for index in 0..50_000 {
            let mut draws = stream.draws(index, 0);
            for _ in 0..6 {
                cells[(draws.uniform() * 100.0) as usize] += 1;
            }
        }
        let expected = 3_000.0;
        let chi_square: f64 = cells
            .iter()
            .map(|&n| (f64::from(n) - expected).powi(2) / expected)
            .sum();
        // 99 degrees of freedom: the 0.001 and 0.999 quantiles.
        assert!((59.0..149.0).contains(&chi_square), "{chi_square}");
    }

    proptest! {
        #[test]
        fn an_address_always_gives_the_same_numbers(
            seed: u64, replication: u64, index: u64, slot: u32
        ) {
            let stream = Stream::new(seed, replication, "a", "b");
            let mut one = stream.draws(index, slot);
            let mut other = stream.draws(index, slot);
            for _ in 0..9 {
                let u = one.uniform();
                prop_assert!(u > 0.0 && u < 1.0);
                prop_assert_eq!(u.to_bits(), other.uniform().to_bits());
            }
        }

        #[test]
        fn draws_made_side_by_side_are_those_of_their_addresses(
            seed: u64, replication: u64, first: u64, slot: u32
        ) {
            let stream = Stream::new(seed, replication, "a", "b");
            let together: [Draws; 5] = stream.draws_from(first, slot);
            for (i, mut draws) in together.into_iter().enumerate() {
                let mut alone = stream.draws(first.wrapping_add(i as u64), slot);
                for _ in 0..9 {
                    prop_assert_eq!(draws.next_u64(), alone.next_u64());
                }
            }
        }
    }
}
