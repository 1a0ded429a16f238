"""M/M/c in Ciw, a library of queueing networks: it has no PHOLD."""

import ciw

import clock


def mmc(customers):
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=8.0)],
        service_distributions=[ciw.dists.Exponential(rate=1.0)],
        number_of_servers=[10],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers)
    records = simulation.get_all_records()
    return 2 * len(records), sum(record.waiting_time for record in records) / len(records)


clock.main(mmc, None)
