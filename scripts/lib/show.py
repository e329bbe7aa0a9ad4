# SPDX-License-Identifier: BSD-3-Clause
"""scripts/run: the same load through the kernel's NAT and through Sluice, side by side."""

import argparse
import signal
import sys

from lab_kit.addresses import BACKENDS, VIP
from lab_kit.backend import PORT_CLOSING
from lab_kit.capture import SYNS, captures, own_timestamps
from lab_kit.checkout import program
from lab_kit.load import churn, wrk
from lab_kit.middles import ALL_PORTS, KernelNat, Sluice, ports_from
from lab_kit.process import LabError
from lab_kit.topology import Lab, stop_kept
from table import print_table

CONCURRENCY = 64
# Fewer than the whole range of both backends holds: a load that any SNAT should bear.
CONNECTIONS_MAX = 100_000


def say(text):
    print(text, flush=True)


def measure(lab, seconds):
    """Both loads on one lab."""
    with captures(lab, SYNS, lab.client, lab.backends[0]) as (client, backend):
        result = churn(lab, seconds=seconds, concurrency=CONCURRENCY, connections=CONNECTIONS_MAX)
    result["timestamps"] = own_timestamps(client.packets(), backend.packets())
    result["wrk"] = wrk(lab, seconds=5, connections=CONCURRENCY)
    result["served"] = [backend.requests_served() for backend in lab.backends]
    if isinstance(lab.middle, Sluice):
        result["avoided"] = lab.middle.pool_sum("avoided")
        result["fixes"] = sum(map(lab.middle.pool_sum, ("tsval_adjusts", "sequence_adjusts")))
    return result


def report(columns):
    """The table: one column for each (middle, result)."""
    def row(label, value):
        return [label] + [value(result) for _, result in columns]

    def kept(result):
        return f"{100 * result['timestamps'][1] / result['timestamps'][0]:.2f} %"

    def unchanged(result):
        return f"{100 * result['timestamps'][2] / result['timestamps'][0]:.2f} %"

    ports = [middle.ports[1] - middle.ports[0] + 1 for middle, _ in columns]
    rows = [
        [""] + [middle.kind for middle, _ in columns],
        ["local ports"] + ports,
        [],
        ["short connections, backend closes first"] + [""] * len(columns),
        row("  opened", lambda r: r["opened"]),
        row("  succeeded a second", lambda r: round(r["rate"])),
        row("  failed", lambda r: r["failed"]),
        row("    reset / refused / timed out",
            lambda r: f"{r['reset']} / {r['refused']} / {r['timeout']}"),
        row("  stalled 0.9 s or more", lambda r: r["stalls"]),
        row("  connect ms: median", lambda r: r["connect_ms"]["p50"]),
        row("              99 %", lambda r: r["connect_ms"]["p99"]),
        row("              worst", lambda r: r["connect_ms"]["max"]),
        row("  rejected by TIME_WAIT (PAWS)", lambda r: r["rejects"]["TcpExtPAWSTimewait"]),
        row("  TIME_WAIT tuples avoided", lambda r: r.get("avoided")),
        row("  SYNs that keep their timestamp", kept),
        row("    unchanged", unchanged),
        [],
        ["keep-alive requests (wrk)"] + [""] * len(columns),
        row("  a second", lambda r: round(r["wrk"]["rate"])),
        row("  errors", lambda r: r["wrk"]["errors"]),
        row("  99 % ms", lambda r: r["wrk"]["p99_ms"]),
        [],
    ]
    rows += [row(f"requests at {address}", lambda r, i=i: r["served"][i])
             for i, address in enumerate(BACKENDS)]
    print()
    print_table(rows)
    print()


def plan():
    """The columns."""
    few = ports_from(1000)
    return [KernelNat(few), KernelNat(ALL_PORTS), Sluice(few), Sluice(ALL_PORTS)]


def print_how_to_enter(lab):
    client = f"ip netns exec {lab.client.name}"
    ctl = f"{program('sluicectl')} --socket {lab.middle.socket}"
    say(f"""The lab is up (work directory {lab.work}):
  a client's shell     {client} bash
  ask the VIP          {client} curl -i --interface 10.1.1.1 http://{VIP}:{PORT_CLOSING}/
  ask Sluice           {ctl} show pools
                       {ctl} show services|backends|flows|workers|counters [--json]
  its configuration    {lab.middle.config}
  a backend's capture  ip netns exec {lab.backends[0].name} tcpdump -ni eth0
Take it down with scripts/run --stop""")


def main():
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the Sluice lab up")
    parser.add_argument("--stop", action="store_true", help="take down what --keep left up")
    parser.add_argument("--seconds", type=float, default=10, help="length of each churn")
    arguments = parser.parse_args()
    if arguments.stop:
        say("stopped " + (", ".join(stop_kept()) or "nothing: no lab is up"))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    columns = []
    middles = plan()
    for middle in middles:
        say(f"{middle.kind}, ports {middle.ports[0]}-{middle.ports[1]}: "
            f"{CONCURRENCY} at a time from 4,096 addresses ...")
        with Lab(middle) as lab:
            columns.append((middle, measure(lab, arguments.seconds)))
            if arguments.keep and middle is middles[-1]:
                lab.keep()
    report(columns)
    if arguments.keep:
        print_how_to_enter(lab)


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(f"scripts/run: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
