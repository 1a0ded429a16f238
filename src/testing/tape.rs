//! Choices from numbers: what comes first in a list is what a missing number chooses, so that fewer and
//! smaller numbers are simpler choices.

/// Numbers to choose with.
pub struct Tape {
    numbers: std::vec::IntoIter<u16>,
}

impl Tape {
    pub fn new(numbers: Vec<u16>) -> Tape {
        Tape {
            numbers: numbers.into_iter(),
        }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.numbers.next().unwrap_or(0)) % n.max(1)
    }

    /// True so often; without numbers, never.
    pub fn often(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of several, the first the simplest.
    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Some of several, at least one, in an arbitrary order.
    pub fn some<T: Copy>(&mut self, values: &[T]) -> Vec<T> {
        let mut left = values.to_vec();
        let count = 1 + self.below(values.len());
        (0..count)
            .map(|_| {
                let at = self.below(left.len());
                left.remove(at)
            })
            .collect()
    }

    /// A line `key = value` so often.
    pub fn line(&mut self, percent: usize, key: &str, values: &[&str]) -> String {
        if self.often(percent) {
            format!("{key} = {}\n", self.of(values))
        } else {
            String::new()
        }
    }
}
