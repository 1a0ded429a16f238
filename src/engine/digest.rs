//! A fingerprint of a run: two runs are the same if and (but for one chance in 2^64) only if
//! their digests are.

use siphasher::sip::SipHasher24;
use std::hash::Hasher;

/// A running digest (SipHash-2-4 with a zero key), the same on every platform.
#[derive(Clone, Debug)]
pub struct Digest(SipHasher24);

impl Digest {
    /// The digest of nothing.
    pub fn new() -> Digest {
        Digest(SipHasher24::new())
    }

    /// Adds an integer.
    pub fn add_u64(&mut self, value: u64) {
        // Not `write_u64`: its bytes would be in the order of the machine.
        self.0.write(&value.to_le_bytes());
    }

    /// Adds the bits of a number: 0 and -0 differ, and so do two different NaN.
    pub fn add_f64(&mut self, value: f64) {
        self.add_u64(value.to_bits());
    }

    /// Adds a text together with its length, so that two texts never run into each other.
    pub fn add_str(&mut self, text: &str) {
        self.add_u64(text.len() as u64);
        self.0.write(text.as_bytes());
    }

    /// The digest of all that was added so far.
    pub fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Digest::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(add: impl Fn(&mut Digest)) -> u64 {
        let mut digest = Digest::new();
        add(&mut digest);
        digest.finish()
    }

    #[test]
    fn order_kind_and_borders_matter() {
        let ab_c = of(|d| {
            d.add_str("ab");
            d.add_str("c");
        });
        let a_bc = of(|d| {
            d.add_str("a");
            d.add_str("bc");
        });
        assert_ne!(ab_c, a_bc);
        let one_two = of(|d| {
            d.add_u64(1);
            d.add_u64(2);
        });
        let two_one = of(|d| {
            d.add_u64(2);
            d.add_u64(1);
        });
        assert_ne!(one_two, two_one);
        assert_ne!(of(|d| d.add_f64(0.0)), of(|d| d.add_f64(-0.0)));
        assert_ne!(of(|d| d.add_f64(1.0)), of(|d| d.add_u64(1)));
    }

    #[test]
    fn values_are_pinned() {
        let digest = of(|d| {
            d.add_u64(1);
            d.add_f64(0.1);
            d.add_str("us-east-1");
        });
        assert_eq!(digest, 11_034_135_161_158_957_538);
    }
}
