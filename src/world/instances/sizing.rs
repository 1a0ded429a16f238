//! Changing the number of instances: launches, and instances that are taken out.

use super::Instances;
use super::losses::spread;
use crate::engine::stream::Stream;
use crate::units::{Dist, Time};

impl Instances {
    /// Instances that serve and stay, or are on their way.
    pub fn standing(&self) -> u64 {
        let all: u64 = self.serving.iter().map(|g| g.0).sum();
        let coming: u64 = self.coming.iter().map(|c| c.1).sum();
        let leaving: u64 = self.leaving.iter().map(|l| l.1).sum();
        all + coming - leaving
    }

    /// Instances that are believed to serve and stay, or are on their way: one that died counts until
    /// its health check has found out.
    pub fn believed_standing(&self) -> u64 {
        self.standing() + self.losses.dead() - self.losses.seen()
    }

    /// All that are there in any state: they count against a quota.
    pub fn present(&self) -> u64 {
        let all: u64 = self.serving.iter().map(|g| g.0).sum();
        let coming: u64 = self.coming.iter().map(|c| c.1).sum();
        all + coming + self.dark + self.losses.dead()
    }

    /// Ever begun, and no more there.
    pub fn ledger(&self) -> (u64, u64) {
        (self.begun, self.gone)
    }

    /// So many are launched, and serve after their delay. They take the place of dead ones: says of
    /// how many.
    pub fn launch(&mut self, now: Time, count: u64, delay: &Dist, stream: Stream) -> u64 {
        self.begun += count;
        self.coming.extend(spread(now, count, delay, stream, 2));
        self.coming.sort_unstable();
        self.replace(count)
    }

    /// Forgets up to so many dead ones that were found out, because others take their place; says how
    /// many.
    pub fn replace(&mut self, count: u64) -> u64 {
        let replaced = self.losses.replace(count);
        self.gone += replaced;
        replaced
    }

    /// So many are taken out of rotation: first of those on their way, the latest first; who serves
    /// still gets requests until its callers know. Says how many.
    pub fn take_out(&mut self, now: Time, count: u64, discovery: &Dist, stream: Stream) -> u64 {
        let count = count.min(self.standing());
        let mut left = count;
        while let Some(last) = self.coming.last_mut().filter(|_| left > 0) {
            let taken = left.min(last.1);
            last.1 -= taken;
            left -= taken;
            self.gone += taken;
            if last.1 == 0 {
                self.coming.pop();
            }
        }
        self.leaving.extend(spread(now, left, discovery, stream, 3));
        self.leaving.sort_unstable();
        count
    }

    /// Lets go who leaves by now, the oldest first.
    pub(super) fn leave(&mut self, now: Time) {
        while let Some(&(at, count)) = self.leaving.first() {
            if at > now {
                break;
            }
            self.leaving.remove(0);
            let mut left = count;
            for group in &mut self.serving {
                let taken = left.min(group.0);
                group.0 -= taken;
                left -= taken;
            }
            self.gone += count - left;
        }
    }
}
