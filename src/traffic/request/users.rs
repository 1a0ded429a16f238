//! Plain users who keep a connection: each is one of a class's devices, and asks again at random moments.

use super::viewers::answering;
use super::{Requests, Scene};
use crate::engine::law;
use crate::engine::sampling;
use crate::engine::stream::{Draws, Stream};
use crate::model::scenario::{MarketId, RegionId};
use crate::traffic::cohort::View;
use crate::units::{Dist, Span};
use crate::world::connections::life::Life;
use crate::world::doors::Door;
use crate::world::state::World;

/// The users of a market and device class.
pub struct Users {
    luck: Stream,
    age: Dist,
    idle: Span,
    think_secs: f64,
    list: Vec<User>,
}

/// A user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// Its resolver.
    pub unit: u32,
    /// Where in a split of routes its device is.
    pub place: f64,
    link: Option<Link>,
}

/// An open connection.
#[derive(Clone, Copy, Debug)]
struct Link {
    region: u16,
    proxy: u32,
    /// When it is closed for its age, and for lack of use.
    ends: u64,
    idles: u64,
}

impl Users {
    fn count(&self, requests_per_sec: f64) -> usize {
        (requests_per_sec * self.think_secs).round().max(1.0) as usize
    }
}

/// How old a connection is that is found open, in seconds: `beyond(x) / mean` of them are older.
fn age_of_open(life: &Life, draws: &mut Draws) -> f64 {
    let wanted = draws.uniform() * life.mean_secs();
    let (mut lo, mut hi) = (0.0, 1.0);
    while life.beyond(hi) > wanted {
        (lo, hi) = (hi, 2.0 * hi);
    }
    for _ in 0..40 {
        let middle = 0.5 * (lo + hi);
        match life.beyond(middle) > wanted {
            true => lo = middle,
            false => hi = middle,
        }
    }
    0.5 * (lo + hi)
}

impl Requests {
    /// The users of all classes that keep connections, in equilibrium.
    pub(super) fn begin_users(
        &mut self,
        view: &View,
        world: &World,
        (seed, replication): (u64, u64),
    ) {
        let scenario = view.scenario;
        for (m, market) in scenario.markets.iter().enumerate() {
            let rate = world.demand[m].rate(0.0) * world.demand_factor;
            for (k, class) in scenario.devices.iter().enumerate() {
                let Some(life) = &view.plan.lives[k] else {
                    self.users.push(None);
                    continue;
                };
                let name = format!("{}/{}", market.name, class.name);
                let mut users = Users {
                    luck: Stream::new(seed, replication, "users", &name),
                    age: class.connection_age.clone(),
                    idle: class.connection_idle,
                    think_secs: life.think_secs(),
                    list: Vec::new(),
                };
                for i in 0..users.count(rate * class.share) {
                    let mut draws = users.luck.draws(i as u64, 0);
                    let mut user = self.user(m, k, &mut draws);
                    if draws.uniform() < life.open_share() {
                        let region = world.resolvers[m][k].region_of(user.unit);
                        user.link = Some(self.old_link(&users, life, region, &mut draws));
                    }
                    users.list.push(user);
                }
                self.users.push(Some(users));
            }
        }
    }

    fn user(&self, m: MarketId, k: usize, draws: &mut Draws) -> User {
        User {
            unit: self.unit(m, k, draws.uniform()),
            place: draws.uniform(),
            link: None,
        }
    }

    /// A connection that is open at the beginning.
    fn old_link(&self, users: &Users, life: &Life, region: RegionId, draws: &mut Draws) -> Link {
        let old = age_of_open(life, draws);
        let dead = law::cdf(&users.age, old);
        let whole = law::quantile(&users.age, dead + (1.0 - dead) * draws.uniform());
        // The last use was within the idle timeout, at a random moment.
        let most = users.idle.secs().min(old);
        let within = -libm::expm1(-most / users.think_secs);
        let unused = -users.think_secs * libm::log1p(-draws.uniform() * within);
        Link {
            region: region as u16,
            proxy: self.proxies[region].pick(0.0, draws.uniform()).unwrap_or(0),
            ends: Span::from_secs((whole - old).max(0.0)).0,
            idles: Span::from_secs(users.idle.secs() - unused).0,
        }
    }

    /// Which of a class's users asks, by a number in the unit interval; none where they keep no
    /// connections.
    pub(super) fn who(&mut self, m: MarketId, k: usize, rate: f64, place: f64) -> Option<u32> {
        let cell = m * self.classes + k;
        let users = self.users[cell].as_ref()?;
        let count = users.count(rate);
        let (known, luck) = (users.list.len(), users.luck);
        // More demand is more users.
        let new: Vec<User> = (known..count)
            .map(|i| self.user(m, k, &mut luck.draws(i as u64, 0)))
            .collect();
        if let Some(users) = &mut self.users[cell] {
            users.list.extend(new);
        }
        Some(((place * count as f64) as usize).min(count - 1) as u32)
    }

    /// What is known of a user.
    pub(super) fn user_at(&self, m: MarketId, k: usize, user: u32) -> Option<User> {
        let users = self.users[m * self.classes + k].as_ref()?;
        users.list.get(user as usize).copied()
    }

    /// The region and proxy of a user's connection, if it has one that answers.
    pub(super) fn linked(
        &self,
        scene: &Scene,
        m: MarketId,
        k: usize,
        user: u32,
    ) -> Option<(RegionId, u32)> {
        let link = self.user_at(m, k, user)?.link?;
        let open = self.now < link.ends.min(link.idles);
        let region = usize::from(link.region);
        let door = answering(scene, (m, k, region)).filter(|_| open)?;
        let alive = match door {
            Door::Edge(edge) if edge == region => {
                !self.proxies[edge].failed(link.proxy, scene.world.doors.failed(edge))
            }
            _ => true,
        };
        alive.then_some((region, link.proxy))
    }

    /// A user uses its connection, or has opened one.
    pub(super) fn link(
        &mut self,
        (m, k, region): (MarketId, usize, RegionId),
        user: u32,
        (proxy, fresh): (u32, bool),
        draws: &mut Draws,
    ) {
        let now = self.now;
        let Some(users) = &mut self.users[m * self.classes + k] else {
            return;
        };
        let idles = now.saturating_add(users.idle.0);
        let Some(user) = users.list.get_mut(user as usize) else {
            return;
        };
        match &mut user.link {
            Some(link) if !fresh => link.idles = idles,
            link => {
                let lives = Span::from_secs(sampling::sample(draws, &users.age));
                *link = Some(Link {
                    region: region as u16,
                    proxy,
                    ends: now.saturating_add(lives.0),
                    idles,
                });
            }
        }
    }

    /// Connections that nobody answers any more, or whose proxy has failed, are closed.
    pub(super) fn break_links(&mut self, scene: &Scene) {
        let classes = self.classes;
        for cell in 0..self.users.len() {
            let (m, k) = (cell / classes, cell % classes);
            let count = self.users[cell]
                .as_ref()
                .map_or(0, |users| users.list.len());
            for user in 0..count as u32 {
                if self.linked(scene, m, k, user).is_none()
                    && let Some(users) = &mut self.users[cell]
                {
                    users.list[user as usize].link = None;
                }
            }
        }
    }
}
