# SPDX-License-Identifier: BSD-3-Clause
"""scripts/bench: measurements side by side, as medians of alternating runs."""

import argparse
import signal
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "lab"))

from load import churn
from middles import (ALL_PORTS, HaProxy, KernelNat, Sluice, build_dir, ports_from,
                     reuse_is_supported)
from table import print_table
from topology import Lab, LabError

# Local ports per backend, and connections at a time that so many ports can carry.
RANGES = ((ALL_PORTS, 64), (ports_from(1000), 64), (ports_from(16), 8))


def time_wait(arguments):
    """New connections while backends close first: Sluice, HAProxy and the kernel's NAT."""
    rebase = reuse_is_supported("rebase")
    if not rebase:
        print("This build has no reuse = \"rebase\": Sluice waits TIME_WAIT out, "
              "so only its whole range is shown.")
    rows = [["", "local ports", "conn/s", "of HAProxy", "failed", "stalled", "PAWS rejects",
             "p50 ms", "p99 ms", "p99.9 ms", "max ms"]]
    for ports, concurrency in RANGES:
        kinds = [KernelNat, HaProxy]
        if rebase or ports == ALL_PORTS:
            kinds.append(Sluice)
        runs = {kind: [] for kind in kinds}
        for _ in range(arguments.repeats):
            for kind in kinds:  # alternating, so that a slow minute of the machine hits all
                with Lab(kind(ports)) as lab:
                    runs[kind].append(churn(lab, seconds=arguments.seconds,
                                            concurrency=concurrency))
        proxy_rate = median(runs[HaProxy], "rate")
        for kind in kinds:
            rows.append(summary(kind.kind, ports, runs[kind], proxy_rate))
        rows.append([])
    print(f"{arguments.repeats} runs of {arguments.seconds:g} s each, medians; "
          "4,096 client addresses, 64 at a time (8 with 16 ports)\n")
    print_table(rows)


def median(runs, *path):
    def value(result):
        for key in path:
            result = result[key]
        return result
    return statistics.median(value(result) for result in runs)


def summary(kind, ports, runs, proxy_rate):
    rate = median(runs, "rate")
    return [kind, ports[1] - ports[0] + 1, round(rate), f"{rate / proxy_rate:.2f}",
            round(median(runs, "failed")), round(median(runs, "stalls")),
            round(median(runs, "rejects", "TcpExtPAWSTimewait")),
            *(f"{median(runs, 'connect_ms', name):,.2f}" for name in ("p50", "p99", "p999", "max"))]


def packets(_):
    """What a packet costs in the pipeline: plain, fitted and rewritten flows, without a device."""
    program = build_dir() / "tests" / "bench" / "pipeline-bench"
    for flow_count in (1024, 32768):
        subprocess.run(["taskset", "-c", "1", program, str(flow_count)], check=True)


BENCHES = {"time-wait": time_wait, "packets": packets}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES))
    parser.add_argument("--seconds", type=float, default=10, help="length of one run")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each case")
    arguments = parser.parse_args()
    if not arguments.name:
        print("benches (scripts/bench NAME [--seconds S] [--repeats N]):")
        print_table([[name, bench.__doc__] for name, bench in BENCHES.items()])
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    BENCHES[arguments.name](arguments)


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(f"scripts/bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
