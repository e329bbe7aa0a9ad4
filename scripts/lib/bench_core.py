# SPDX-License-Identifier: BSD-3-Clause
"""The benches within one process: the real pipeline between ports of memory (tests/bench)."""

import json
import subprocess

from bench_common import BenchError, note
from lab_kit.checkout import program
from lab_kit.hugepages import hugepages
from lab_kit.process import WORKER_CORE

NEW_FLOWS = 1_000_000
LIVES_AT_A_TIME = 16_384
BYTES_PER_FLOW_MAX = 512  # room to reserve, not what is used


INDICES = ("rte_hash", "compact")  # limits.flow_index; the default first


def room_mb(flows):
    return 1024 + flows * BYTES_PER_FLOW_MAX // 1_000_000


def core_bench(case, *words, flows=1000, huge_mb=0, rigs=1):
    """One case in a process of its own, of `rigs` with all flows each; returns its rows."""
    wanted_mb = room_mb(rigs * flows)
    memory = ["--huge"] if huge_mb >= wanted_mb else ["--memory", str(wanted_mb)]
    command = [program("core-bench"), case, "--flows", str(flows),
               "--core", str(WORKER_CORE), *memory, *words]
    done = subprocess.run(command, text=True, capture_output=True, timeout=600)
    if done.returncode != 0:
        raise BenchError(f"core-bench {case}: {done.stderr.strip() or done.returncode}")
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for row in rows:
        row["hugepages"] = memory == ["--huge"]
    return rows


def of_both(case, **words):
    """One case with each index of flows."""
    return [row for index in INDICES for row in core_bench(case, "--flow-index", index, **words)]


def with_pages(flows, run):
    with hugepages(room_mb(flows)) as huge_mb:
        return run(huge_mb)


def established(arguments):
    rows = []
    for flows in arguments.flows:
        for zipf in ([], ["--zipf"]) if flows > 1 else ([],):
            note(f"established, {flows:,} flows{', Zipf' if zipf else ''}")
            rows += with_pages(flows, lambda huge_mb: core_bench(
                "established", "--flow-index", "both", *zipf, flows=flows, huge_mb=huge_mb))
    return rows


FAMILIES = {"44": "IPv4", "66": "IPv6", "64": "IPv6 to IPv4", "46": "IPv4 to IPv6"}


def families(arguments):
    """TCP of IPv6 and across families, round by round in turn with that of IPv4."""
    rows = []
    for flows in (1_000, 100_000, 1_000_000):
        note(f"families, {flows:,} flows each")
        some = with_pages(len(FAMILIES) * flows, lambda huge_mb: core_bench(
            "established", "--families", ",".join(FAMILIES), flows=flows, huge_mb=huge_mb,
            rigs=len(FAMILIES)))
        for row in some:
            row |= {"name": "families", "families": FAMILIES[row["families"]],
                    "ratio_to_v4": row["ticks_per_packet"] / some[0]["ticks_per_packet"]}
        rows += some
    return rows


def udp(arguments):
    """Beside TCP of the same run: the core has two speeds."""
    rows = []
    for flows in (1_000, 100_000, 1_000_000):
        note(f"UDP beside TCP, {flows:,} flows")
        rows += with_pages(flows, lambda huge_mb: [
            row for case in ("established", "udp", "established", "udp", "udp_one_shot")
            for row in core_bench(case, flows=flows, huge_mb=huge_mb)])
    return rows


def new_flows(arguments):
    note(f"new flows, {NEW_FLOWS:,} SYNs a round")
    return with_pages(NEW_FLOWS, lambda huge_mb: of_both(
        "new_flows", flows=NEW_FLOWS, huge_mb=huge_mb))


def lives(arguments):
    note("whole lives, ports free and ports held")
    return with_pages(8 * LIVES_AT_A_TIME, lambda huge_mb: [
        *core_bench("lives", flows=LIVES_AT_A_TIME, huge_mb=huge_mb),
        *core_bench("lives_reuse", flows=LIVES_AT_A_TIME, huge_mb=huge_mb)])


def attack(arguments):
    note("SYNs that serve nobody")
    return with_pages(1000, lambda huge_mb: core_bench("attack", huge_mb=huge_mb))


def kernel(arguments):
    note("packets beside, to and from the kernel")
    return with_pages(1000, lambda huge_mb: core_bench("kernel", huge_mb=huge_mb))


def memory(arguments):
    flows = max(arguments.flows)
    note(f"memory of {flows:,} flows")
    # Without hugepages, so that what the process has touched is what the kernel counts.
    rows = of_both("memory", flows=flows) + core_bench("memory", "--families", "66", flows=flows)
    for row in rows:
        row["families"] = FAMILIES[row["families"]]
    return rows
