# SPDX-License-Identifier: BSD-3-Clause
"""scripts/soak: churn, transfers, reloads, dead backends, link flaps, floods, stalls and garbage,
together; then a look at what must not have changed: every transfer intact, nothing leaked."""

import argparse
import random
import signal
import sys
import threading
import time

from lab_kit.addresses import BACKENDS, VIP
from lab_kit.leak_watch import Watch
from lab_kit.middles import Sluice, ports_from
from lab_kit.toml import service, set_key
from lab_kit.topology import Lab
from lab_kit.transfers import STEADY, TIMEOUTS, Transfers
from soak_troubles import Troubles

PORTS = 4096
AT_ONCE = 3  # troubles


def say(text):
    print(text, flush=True)


def configurations(base):
    """Valid texts that differ in what a reload can change."""
    weighted = base.replace('address = "10.2.0.11:80"', 'address = "10.2.0.11:80"\nweight = 5')
    other = base.replace('scheduler = "round_robin"', 'scheduler = "least_connections"', 1)
    more = base + service("more", f"{VIP}:8091", "default", [f"{BACKENDS[1]}:8080"])
    longer = base.replace("established = 30", "established = 20")
    return [base, weighted, other, more, longer]


def soaked(toml):
    return set_key(toml, "flows_per_worker", 32768) + TIMEOUTS + STEADY


def make_trouble(troubles, luck, seconds):
    """One trouble of each kind after the other in random order, some of them at once."""
    end, counts, faults = time.monotonic() + seconds, {}, []
    turn, order = threading.Lock(), []

    def next_trouble():
        with turn:
            if not order:
                order.extend(luck.sample(troubles.all, len(troubles.all)))
            return order.pop()

    def run():
        while time.monotonic() < end:
            trouble = next_trouble()
            try:
                trouble()
            except Exception as error:  # the soak goes on, and fails at its end
                faults.append(f"{trouble.__name__}: {error}")
            with turn:
                counts[trouble.__name__] = counts.get(trouble.__name__, 0) + 1

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts, faults


def soak(lab, seconds, seed):
    luck = random.Random(seed)
    watch = Watch(lab)
    troubles = Troubles(lab, luck, configurations(lab.middle.toml()))
    transfers = Transfers(lab, seconds)
    half = threading.Timer(seconds / 2, watch.half_way)
    half.start()
    counts, faults = make_trouble(troubles, luck, seconds)
    rows = transfers.finish()
    half.join()
    troubles.reload(lab.middle.toml())
    rows.append(("flows run out", watch.settle(), "all" if watch.is_idle() else "not all"))
    rows += watch.judge()
    rows.append(("reloads as they should be", not troubles.refused_wrongly,
                 troubles.refused_wrongly[:3] or "all"))
    rows.append(("troubles that could not be made", not faults, faults[:3] or "none"))
    status = lab.middle.ctl_run("status")
    rows.append(("status is not critical", status.returncode == 0, status.stdout.splitlines()[0]))
    return counts, rows


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    say(f"soak: {options.minutes:g} minutes, --seed {options.seed}")
    with Lab(Sluice(ports=ports_from(PORTS), edit=soaked), label="soak") as lab:
        try:
            counts, rows = soak(lab, options.minutes * 60, options.seed)
        except BaseException:
            say("sluice's log:\n" + lab.middle.log()[-4000:])
            raise
        bad = [row for row in rows if not row[1]]
        say("done: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
        for what, right, seen in rows:
            say(f"{'ok  ' if right else 'BAD '} {what}: {seen}")
        if bad:
            say("sluice's log:\n" + lab.middle.log()[-4000:])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
