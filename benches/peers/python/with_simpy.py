"""The two workloads in SimPy, as its users write them: a customer is a process; so are PHOLD's
messages, each going from process to process, which is faster than a store per process."""

import random

import simpy

import clock


def mmc(customers):
    rng = random.Random(1)
    env = simpy.Environment()
    servers = simpy.Resource(env, capacity=10)
    waited = 0.0

    def customer():
        nonlocal waited
        came = env.now
        with servers.request() as request:
            yield request
            waited += env.now - came
            yield env.timeout(rng.expovariate(1.0))

    def source():
        for _ in range(customers):
            yield env.timeout(rng.expovariate(8.0))
            env.process(customer())

    env.process(source())
    env.run()
    return 2 * customers, waited / customers


def phold(messages):
    rng = random.Random(1)
    env = simpy.Environment()
    arrived = [0] * 1024
    left = messages
    done = env.event()

    def message(process):
        nonlocal left
        while True:
            yield env.timeout(0.1 + rng.expovariate(1.0))
            arrived[process] += 1
            left -= 1
            if left == 0:
                done.succeed()
            process = rng.getrandbits(10)

    for i in range(16 * 1024):
        env.process(message(i % 1024))
    env.run(until=done)
    events = sum(arrived)
    return events, env.now * 16 * 1024 / events


clock.main(mmc, phold)
