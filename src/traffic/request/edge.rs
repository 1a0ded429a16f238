//! Requests at the edge: from a client through proxies to a region, perhaps another one, a second try,
//! and the answer.

use super::calls::{Caller, Task};
use super::slab::Key;
use super::timeline::Kind;
use super::{Requests, Scene};
use crate::model::scenario::{MarketId, RegionId, Scenario};
use crate::units::{Span, Time};
use crate::world::doors::Door;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A start.
    Start(Key),
    /// A session, as it goes.
    Session(Key),
    /// A session that has lost what it needs, and looks for it.
    Looking(Key),
    /// Nobody any more.
    Nobody,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Who asks.
    pub owner: Owner,
    /// Its kind.
    pub kind: u16,
    /// Where it comes from.
    pub market: u16,
    /// Class of the device.
    pub class: u16,
    /// Whether the policy can move it.
    pub lane: u16,
    /// Region that it was sent to by name.
    pub entered: u16,
    /// The edge that it entered; none: it goes to its region's services directly.
    pub edge: Option<u16>,
    /// The proxy.
    pub proxy: u32,
    /// Where in a split of routes its device is.
    pub place: f64,
    /// Region that serves it at the moment, or is asked to.
    pub at: u16,
    /// Whether it counts as in flight from its proxy.
    pub in_flight: bool,
    /// The work that answers it.
    pub root: Key,
    /// When its proxy knows that an attempt failed, or when an answer that waits goes out.
    pub due: u64,
    /// Whether it opens a connection.
    fresh: bool,
    /// Whether nobody works on it any more.
    pub gone: bool,
    /// Whether it was tried in another region.
    again: bool,
    /// Whether its answer contains a fallback.
    degraded: bool,
    /// When it reached the first edge.
    pub begun: u64,
    /// When its client gives up.
    gives_up: u64,
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Whether it is good.
    pub good: bool,
    /// If not, whether nothing but chance is to blame.
    pub ambient: bool,
    /// Region that gave it.
    pub by: RegionId,
    /// How long it took from the first edge.
    pub secs: f64,
}

impl Requests {
    /// Sends a request to a region by name. `None`: nobody answers.
    pub(super) fn send(
        &mut self,
        scene: &mut Scene,
        mut request: Request,
        fresh: bool,
    ) -> Option<()> {
        let (m, r) = (usize::from(request.market), usize::from(request.entered));
        let kind = usize::from(request.kind);
        (request.begun, request.fresh) = (self.now, fresh);
        if request.edge.is_some() {
            match scene.world.door(scene.view.scenario, m, r)? {
                Door::Edge(edge) => {
                    request.edge = Some(edge as u16);
                    if edge != r {
                        request.proxy %= self.proxies[edge].count;
                    }
                }
                Door::Services => request.edge = None,
            }
        } else if scene.world.regions[r].dark.is_some() {
            return None;
        }
        request.at = r as u16;
        let flow = self.serving.flow(usize::from(request.lane), r, kind, m);
        let Some(edge) = request.edge else {
            self.counts.direct[flow] += 1;
            let key = self.await_answer(request);
            self.enter(scene, key);
            return Some(());
        };
        let edge = usize::from(edge);
        let flow = self.serving.flow(usize::from(request.lane), edge, kind, m);
        self.counts.entering[flow] += 1;
        self.proxies[edge].count_request(scene.view.knobs.edge_retry_budget);
        let proxy = request.proxy;
        let key = self.await_answer(request);
        let more_secs = if fresh {
            scene.view.scenario.edge.handshake_secs
        } else {
            0.0
        };
        self.pass_proxy(scene, Caller::Edge(key), edge, proxy, more_secs);
        Some(())
    }

    /// A client waits for an answer.
    fn await_answer(&mut self, mut request: Request) -> Key {
        let (m, k) = (usize::from(request.market), usize::from(request.class));
        let ring = self.clients[m * self.classes + k];
        request.gives_up = self.now.saturating_add(self.rings[ring].0.lasts);
        let key = self.requests.insert(request);
        self.set_timer(ring, key);
        key
    }

    /// Nobody works on a request any more.
    pub(super) fn drop_request(&mut self, key: Key) {
        if let Some(request) = self.requests.remove(key)
            && request.in_flight
            && let Some(edge) = request.edge
        {
            let cell = request.proxy as usize * self.regions + usize::from(request.at);
            self.proxies[usize::from(edge)].in_flight[cell] -= 1;
        }
    }

    /// A client has had no answer for as long as it waits for one: it gives up, and whoever works on
    /// the request goes on, unless the service cancels that.
    pub(super) fn client_gives_up(&mut self, scene: &mut Scene, key: Key) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        if request.owner == Owner::Nobody {
            return;
        }
        let asked = *request;
        request.owner = Owner::Nobody;
        if asked.gone {
            self.drop_request(key);
        } else {
            self.drop_work(key, asked.root);
        }
        let r = usize::from(asked.entered);
        self.window[r].unreachable += 1;
        self.note_unanswered(r, usize::from(asked.kind), 1);
        let answer = Answer {
            good: false,
            ambient: false,
            by: r,
            secs: (self.now - asked.begun) as f64 * 1e-9,
        };
        self.hear(scene, &asked, answer);
    }

    fn pass_proxy(
        &mut self,
        scene: &mut Scene,
        caller: Caller,
        edge: RegionId,
        proxy: u32,
        more_secs: f64,
    ) {
        let zones = self.zones(edge, self.services);
        let pool = zones.start + proxy as usize % zones.len();
        let work = self.tasks.insert(Task {
            pool: pool as u32,
            more_secs,
            ..Task::new(caller, edge, self.services)
        });
        self.arrive(scene, work);
    }

    /// A proxy of the first edge is done with a request, or has refused it.
    pub(super) fn proxied(&mut self, scene: &mut Scene, key: Key, good: bool) {
        let Some(request) = self.requests.get(key).copied() else {
            return;
        };
        let edge = usize::from(request.edge.unwrap_or(request.entered));
        if !good {
            return self.fail(scene, key, edge, false);
        }
        if request.fresh {
            // The proxy's clock starts when the handshake is done.
            let handshake = Span::from_secs(scene.view.scenario.edge.handshake_secs).0;
            self.requests[key].begun = (request.begun + handshake).min(self.now);
        }
        let origin = self.origin(scene, &request, edge);
        self.ask(scene, key, origin);
    }

    /// A proxy asks a region.
    fn ask(&mut self, scene: &mut Scene, key: Key, origin: RegionId) {
        let request = &mut self.requests[key];
        request.at = origin as u16;
        let (edge, proxy) = (
            usize::from(request.edge.unwrap_or(request.entered)),
            request.proxy,
        );
        let scenario = scene.view.scenario;
        if !scene.world.reaches(edge, origin) {
            let cost = scene
                .world
                .failing_cost_secs(scenario, edge, origin, Time(self.now));
            let at = self.now + Span::from_secs(cost).0;
            self.requests[key].due = at;
            return self.timeline.push(at, Kind::Known, key);
        }
        self.counts.sent[edge * self.regions + origin] += 1;
        if let Some(limit) = scenario.edge.origin_limit {
            let cell = proxy as usize * self.regions + origin;
            if self.proxies[edge].in_flight[cell] >= limit {
                self.counts.refused[edge * self.regions + origin] += 1;
                return self.retry(scene, key, edge);
            }
            self.proxies[edge].in_flight[cell] += 1;
            self.requests[key].in_flight = true;
        }
        if edge == origin {
            return self.enter(scene, key);
        }
        let lost = scene.world.links.lost(edge, origin);
        self.counts.asked_bytes[edge * self.regions + origin] += scenario.edge.bytes;
        if lost > 0.0 && self.chance[edge].uniform() < lost {
            self.judge(scene, key, false);
            return self.retry(scene, key, edge);
        }
        self.counts.crossing += 1;
        let rtt = Span::from_secs(scenario.rtt_secs[edge][origin]).0;
        let zones = self.zones(origin, self.services);
        let work = self.tasks.insert(Task {
            pool: (zones.start + proxy as usize % zones.len()) as u32,
            ..Task::new(Caller::Far(key), origin, self.services)
        });
        self.timeline.push(self.now + rtt, Kind::Arrives, work);
    }

    /// The proxies of another region have taken a request, or have refused it.
    pub(super) fn proxied_far(&mut self, scene: &mut Scene, key: Key, good: bool) {
        if !self.requests.lives(key) {
            return;
        }
        match good {
            true => self.enter(scene, key),
            false => self.not_taken(scene, key),
        }
    }

    /// A region has not even taken a request.
    fn not_taken(&mut self, scene: &mut Scene, key: Key) {
        let at = usize::from(self.requests[key].at);
        self.judge(scene, key, false);
        self.retry(scene, key, at);
    }

    /// A request enters a region.
    fn enter(&mut self, scene: &mut Scene, key: Key) {
        let request = self.requests[key];
        let (r, m, q) = (
            usize::from(request.at),
            usize::from(request.market),
            usize::from(request.kind),
        );
        if scene.world.regions[r].dark.is_some() {
            return self.not_taken(scene, key);
        }
        let (service, class) = scene.view.plan.graph.entries[q];
        if self.is_pointless(request.owner, service) {
            return self.drop_request(key);
        }
        self.counts.inside[(r * self.kinds + q) * self.markets + m] += 1;
        let blocked = scene.world.regions[r]
            .data
            .get(q)
            .map_or(0.0, |data| data.blocked);
        if blocked > 0.0 && self.chance[r].uniform() < blocked {
            return self.served(scene, key, false, false);
        }
        let Some((to, rtt)) = self.way(scene, r, service) else {
            return self.served(scene, key, false, false);
        };
        let work = self.tasks.insert(Task {
            market: m as u16,
            class: class as u16,
            ..Task::new(Caller::Request(key), to, service)
        });
        self.requests[key].root = work;
        self.tie_request(scene, work, (q, request.gives_up));
        match rtt {
            0 => self.arrive(scene, work),
            rtt => self.timeline.push(self.now + rtt, Kind::Arrives, work),
        }
    }

    /// A region has answered a request.
    pub(super) fn served(&mut self, scene: &mut Scene, key: Key, good: bool, degraded: bool) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        request.degraded = degraded;
        let (r, q) = (usize::from(request.at), usize::from(request.kind));
        if !good {
            self.counts.inside_failed[r] += 1;
        }
        self.judge(scene, key, good);
        if !good {
            return self.retry(scene, key, r);
        }
        let data = scene.world.regions[r].data.get(q);
        let mut wait_secs = 0.0;
        if let Some(data) = data {
            if data.degraded > 0.0 && self.chance[r].uniform() < data.degraded {
                self.requests[key].degraded = true;
            }
            if !data.delays.is_empty() {
                let mut left = self.chance[r].uniform();
                for &(share, secs) in &data.delays {
                    wait_secs = secs;
                    if left < share {
                        break;
                    }
                    left -= share;
                }
            }
        }
        match Span::from_secs(wait_secs).0 {
            0 => self.answer(scene, key),
            wait => {
                self.requests[key].due = self.now + wait;
                self.timeline.push(self.now + wait, Kind::Answer, key);
            }
        }
    }

    /// A good answer that waited for the stores goes out.
    pub(super) fn answer_late(&mut self, scene: &mut Scene, key: Key) {
        if self
            .requests
            .get(key)
            .is_some_and(|request| request.due == self.now)
        {
            self.answer(scene, key);
        }
    }

    /// A proxy knows that an attempt in a region that fails everything has failed.
    pub(super) fn known(&mut self, scene: &mut Scene, key: Key) {
        let Some(request) = self.requests.get_mut(key) else {
            return;
        };
        if std::mem::replace(&mut request.due, u64::MAX) != self.now {
            return;
        }
        let at = usize::from(request.at);
        self.judge(scene, key, false);
        self.retry(scene, key, at);
    }

    /// An attempt in a region, or on the way to it, has failed: it may be tried in another. `by`: who is
    /// to blame.
    fn retry(&mut self, scene: &mut Scene, key: Key, by: RegionId) {
        let request = self.requests[key];
        let Some(edge) = request.edge.map(usize::from) else {
            return self.fail(scene, key, by, false);
        };
        let failed = usize::from(request.at);
        let safe = scene.view.scenario.requests[usize::from(request.kind)].safe;
        let open = |r: RegionId| !self.is_isolated(scene, request.lane, r);
        if !request.again && scene.view.knobs.edge_retry && safe && open(failed) && open(edge) {
            let budget = scene.view.knobs.edge_retry_budget;
            if self.proxies[edge].may_retry(budget)
                && let Some(other) = self.elsewhere(scene, &request, edge, failed)
            {
                self.proxies[edge].spend(budget);
                self.requests[key].again = true;
                return self.ask(scene, key, other);
            }
        }
        self.fail(scene, key, by, false);
    }

    /// A good answer goes out, unless chance spoils it.
    fn answer(&mut self, scene: &mut Scene, key: Key) {
        let Some(request) = self.requests.get(key) else {
            return;
        };
        let r = usize::from(request.at);
        let ambient = scene.view.scenario.ambient.request_failure;
        if ambient > 0.0 && self.chance[r].uniform() < ambient {
            return self.fail(scene, key, r, true);
        }
        let Some(request) = self.requests.remove(key) else {
            return;
        };
        if request.owner == Owner::Nobody {
            return;
        }
        let secs = (self.now - request.begun) as f64 * 1e-9;
        let window = &mut self.window[r];
        window.answered_ok += 1;
        window.answered_degraded += u64::from(request.degraded);
        window.latency.add(secs, 1.0);
        if let Some(asked) = self
            .asked
            .get_mut(r * self.kinds + usize::from(request.kind))
        {
            asked.answered += 1;
        }
        let answer = Answer {
            good: true,
            ambient: false,
            by: r,
            secs,
        };
        self.hear(scene, &request, answer);
    }

    /// A request is answered with an error.
    fn fail(&mut self, scene: &mut Scene, key: Key, by: RegionId, ambient: bool) {
        let Some(request) = self.requests.remove(key) else {
            return;
        };
        if request.owner == Owner::Nobody {
            return;
        }
        self.window[by].answered_error += 1;
        self.note_unanswered(by, usize::from(request.kind), 1);
        let answer = Answer {
            good: false,
            ambient,
            by,
            secs: (self.now - request.begun) as f64 * 1e-9,
        };
        self.hear(scene, &request, answer);
    }

    /// Who asked hears the answer.
    fn hear(&mut self, scene: &mut Scene, request: &Request, answer: Answer) {
        match request.owner {
            Owner::Start(start) => self.start_hears(scene, start, answer),
            Owner::Session(session) => {
                self.session_hears(scene, session, usize::from(request.kind), answer);
            }
            Owner::Looking(session) => self.looking_hears(scene, session, answer),
            Owner::Nobody => {}
        }
    }

    /// Requests of a kind to a region failed, or got no answer.
    pub(super) fn note_unanswered(&mut self, region: RegionId, kind: usize, count: u64) {
        if let Some(asked) = self.asked.get_mut(region * self.kinds + kind) {
            asked.failed += count;
        }
    }
}

/// A request of a market's device, before it is sent.
pub(super) fn request_of(
    scenario: &Scenario,
    lanes: &crate::world::lanes::Lanes,
    owner: Owner,
    (m, k, r): (MarketId, usize, RegionId),
    kind: usize,
    (proxy, place): (u32, f64),
) -> Request {
    Request {
        owner,
        kind: kind as u16,
        market: m as u16,
        class: k as u16,
        lane: lanes.of(kind, lanes.group(k)) as u16,
        entered: r as u16,
        edge: (!scenario.devices[k].direct).then_some(r as u16),
        proxy,
        place,
        at: r as u16,
        in_flight: false,
        root: Key::NONE,
        due: u64::MAX,
        fresh: false,
        gone: false,
        again: false,
        degraded: false,
        begun: 0,
        gives_up: u64::MAX,
    }
}
