# SPDX-License-Identifier: BSD-3-Clause
"""New connections while backends close first: Sluice, HAProxy and the kernel's NAT in the lab.

Medians of alternating runs. Every number of ports has a run of all ports at the same concurrency
beside it, because few ports carry only few connections at a time.
"""

import statistics

from table import print_table

from lab_kit.load import churn
from lab_kit.middles import ALL_PORTS, HaProxy, KernelNat, Sluice, ports_from
from lab_kit.topology import Lab

# Local ports per backend, and connections at a time that so many ports can carry.
RANGES = ((ALL_PORTS, 64), (ports_from(1000), 64), (ALL_PORTS, 8), (ports_from(16), 8))


def time_wait(arguments):
    rows = [["", "local ports", "at a time", "conn/s", "of HAProxy", "of all ports", "failed",
             "stalled", "PAWS rejects", "p50 ms", "p99 ms", "p99.9 ms", "max ms"]]
    all_ports_rates = {}
    for ports, concurrency in RANGES:
        kinds = [KernelNat, HaProxy, Sluice]
        runs = {kind: [] for kind in kinds}
        for _ in range(arguments.repeats):
            for kind in kinds:  # alternating, so that a slow minute of the machine hits all
                with Lab(kind(ports)) as lab:
                    runs[kind].append(churn(lab, seconds=arguments.seconds,
                                            concurrency=concurrency))
        rates = {kind: median(runs[kind], "rate") for kind in kinds}
        if ports == ALL_PORTS:
            all_ports_rates[concurrency] = rates
        for kind in kinds:
            rows.append(summary(kind.kind, ports, concurrency, runs[kind], rates[HaProxy],
                                all_ports_rates[concurrency][kind]))
        rows.append([])
    print(f"{arguments.repeats} runs of {arguments.seconds:g} s each, medians; "
          "4,096 client addresses\n")
    print_table(rows)


def median(runs, *path):
    def value(result):
        for key in path:
            result = result[key]
        return result
    return statistics.median(value(result) for result in runs)


def summary(kind, ports, concurrency, runs, proxy_rate, all_ports_rate):
    rate = median(runs, "rate")
    return [kind, ports[1] - ports[0] + 1, concurrency, round(rate), f"{rate / proxy_rate:.2f}",
            f"{rate / all_ports_rate:.2f}",
            round(median(runs, "failed")), round(median(runs, "stalls")),
            round(median(runs, "rejects", "TcpExtPAWSTimewait")),
            *(f"{median(runs, 'connect_ms', name):,.2f}" for name in ("p50", "p99", "p999", "max"))]
