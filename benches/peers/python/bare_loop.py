"""The two workloads as a bare loop over heapq: what Python itself costs."""

import heapq
import random
from collections import deque

import clock


def mmc(customers):
    rng = random.Random(1)
    heap, line = [], deque()
    events = pushed = came = busy = 0
    waited = 0.0
    heapq.heappush(heap, (rng.expovariate(8.0), pushed, True))
    while heap:
        now, _, arrives = heapq.heappop(heap)
        events += 1
        serve = False
        if arrives:
            if busy < 10:
                busy += 1
                serve = True
            else:
                line.append(now)
            came += 1
            if came < customers:
                pushed += 1
                heapq.heappush(heap, (now + rng.expovariate(8.0), pushed, True))
        elif line:
            waited += now - line.popleft()
            serve = True
        else:
            busy -= 1
        if serve:
            pushed += 1
            heapq.heappush(heap, (now + rng.expovariate(1.0), pushed, False))
    return events, waited / customers


def phold(messages):
    rng = random.Random(1)
    arrived = [0] * 1024
    heap = [(0.1 + rng.expovariate(1.0), i, i % 1024) for i in range(16 * 1024)]
    heapq.heapify(heap)
    now = 0.0
    for pushed in range(messages):
        now, _, process = heapq.heappop(heap)
        arrived[process] += 1
        delay = 0.1 + rng.expovariate(1.0)
        heapq.heappush(heap, (now + delay, 16 * 1024 + pushed, rng.getrandbits(10)))
    events = sum(arrived)
    return events, now * 16 * 1024 / events


clock.main(mmc, phold)
