"""What every harness in Python shares: the size asked for, and the line that is printed."""

import sys
import time


def main(mmc, phold):
    """Runs `mmc CUSTOMERS` or `phold MESSAGES` and prints events, seconds and the model's mean."""
    workload, size = sys.argv[1:]
    run = {"mmc": mmc, "phold": phold}[workload]
    begun = time.process_time()
    events, mean = run(int(size))
    print(events, time.process_time() - begun, mean)
