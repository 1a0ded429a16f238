"""The two workloads in salabim, with yields, its faster form: customers and messages are components."""

import random

import salabim as sim

import clock

sim.yieldless(False)


def mmc(customers):
    rng = random.Random(1)
    env = sim.Environment(trace=False, random_seed=1)
    servers = sim.Resource("servers", capacity=10)
    waited = 0.0

    class Customer(sim.Component):
        def process(self):
            nonlocal waited
            came = env.now()
            yield self.request(servers)
            waited += env.now() - came
            yield self.hold(rng.expovariate(1.0))
            self.release()

    class Source(sim.Component):
        def process(self):
            for _ in range(customers):
                yield self.hold(rng.expovariate(8.0))
                Customer()

    Source()
    env.run()
    return 2 * customers, waited / customers


def phold(messages):
    rng = random.Random(1)
    env = sim.Environment(trace=False, random_seed=1)
    arrived = [0] * 1024
    left = messages

    class Message(sim.Component):
        def setup(self, to):
            self.to = to

        def process(self):
            nonlocal left
            while True:
                yield self.hold(0.1 + rng.expovariate(1.0))
                arrived[self.to] += 1
                left -= 1
                if left == 0:
                    env.main().activate()
                self.to = rng.getrandbits(10)

    for i in range(16 * 1024):
        Message(to=i % 1024)
    env.run()
    events = sum(arrived)
    return events, env.now() * 16 * 1024 / events


clock.main(mmc, phold)
