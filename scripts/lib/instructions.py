# SPDX-License-Identifier: BSD-3-Clause
"""Instructions per packet for each stage, by callgrind, against a committed baseline.

Time differs from machine to machine and from minute to minute; the number of instructions does not,
as long as the code is built for the same processor. So these are what a change is held against: a
stage that takes more than 3 % more than tests/bench/instructions.json says fails, and is named.
After a change that is meant to cost what it costs:

    /usr/bin/python3 scripts/lib/instructions.py --update

and commit the file with it. Instructions are not time (a miss costs more than a hundred of them):
scripts/bench measures that.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from table import print_table

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests" / "bench" / "instructions.json"
BUILD = ROOT / "build-count"
PROGRAM = BUILD / "tests" / "bench" / "core-bench"
CPU = "x86-64-v3"  # one processor for all machines, and one that valgrind 3.19 knows
TOLERANCE = 0.03
LEAST = 1.0  # instructions a packet; less is no trend

# Segments of each kind for one of what the program counts: a handshake and a close have three each.
KINDS = {"counted_inbound": 1, "counted_outbound": 1, "counted_handshake": 3, "counted_close": 3,
         "counted_attack": 1}

# Stages by source file, first match. Inlined code counts where it was written, except helpers (no
# match): they count where they were used.
STAGES = [
    ("buffers", r"rte_mempool|rte_mbuf|rte_ring|mempool_ring|mempool_stack"),
    ("parse", r"dataplane/net/parse\."),
    ("look-up", r"dataplane/state/(flow_table|flow_index|compact_index|flat_map|snapshot|"
                r"port_set|route_table)|dataplane/port/rte_hash_|librte_hash"),
    ("state", r"dataplane/state/tcp_|dataplane/net/tcp_options"),
    ("rewrite", r"dataplane/net/rewrite|dataplane/stage/seq_adjust"),
    ("way out", r"dataplane/stage/next_hops|dataplane/state/neighbours|dataplane/port/tx\."),
    ("ports", r"dataplane/state/port_(pool|chunks)|dataplane/state/time_wait|"
              r"dataplane/net/siphash"),
    ("open, close", r"dataplane/stage/(lifecycle|open_flow|end_flow|expiry|port_choice|admission)|"
                    r"dataplane/state/timer_wheel|dataplane/state/syn_store|"
                    r"dataplane/state/scheduler|dataplane/stage/resets"),
    ("pipeline", r"dataplane/"),
]
STAGES = [(name, re.compile(pattern)) for name, pattern in STAGES]
HELPERS = re.compile(r"dataplane/net/(byte_order|address|checksum|headers|serial|drop_reason)|"
                     r"dataplane/net/folded_multiply|dataplane/state/(counter|state_table)|"
                     r"dataplane/stage/core\.h|dataplane/port/memory\.h")
NOT_OURS = re.compile(r"tests/bench/")  # the generator


def stage_of(file):
    if HELPERS.search(file):
        return None
    return next((name for name, pattern in STAGES if pattern.search(file)), None)


def build():
    """Built for a fixed processor, with the lines that callgrind needs."""
    if not (BUILD / "build.ninja").exists():
        run(["meson", "setup", BUILD, "--buildtype=release", "-Ddebug=true", f"-Dcpu={CPU}",
             "-Dunity=on", "-Dunity_size=12", "-Dsimulation=false"])
    run(["ninja", "-C", BUILD, "tests/bench/core-bench"])


def run(command):
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"instructions: {' '.join(map(str, command))}:\n{done.stdout[-3000:]}")
    return done.stdout


def count():
    """{kind: {stage: instructions a packet}}"""
    with tempfile.TemporaryDirectory() as folder:
        # A dump before each kind but the first, and one at the end: dump n is of the n-th kind.
        dumps = [f"--dump-before={kind}" for kind in list(KINDS)[1:]]
        printed = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                       "--toggle-collect=counted_*", *dumps, PROGRAM, "counted", "--memory", "128"])
        each = int(re.search(r"(?m)^(\d+)$", printed).group(1))
        files = [Path(folder) / f"out.{i}" for i in range(1, len(KINDS))] + [Path(folder) / "out"]
        kinds = {kind: per_packet(file.read_text(), each * packets)
                 for (kind, packets), file in zip(KINDS.items(), files)}
    missing = [kind for kind, stages in kinds.items() if not stages]
    if missing:
        sys.exit(f"instructions: callgrind counted nothing for {', '.join(missing)}")
    return kinds


def per_packet(text, packets):
    sums = Counter()
    for function_file, file, cost in costs(text):
        if NOT_OURS.search(function_file) or NOT_OURS.search(file):
            continue
        stage = stage_of(file) or stage_of(function_file) or "other"
        sums[stage] += cost
    return {stage: round(total / packets, 1) for stage, total in sorted(sums.items())}


def costs(text):
    """(file of the function, file of the line, instructions) of each line's own cost. Where a file
    is unknown, the library's name stands for it."""
    names = {"file": {}, "object": {}}
    library = function_file = file = ""
    is_call = False
    for line in text.splitlines():
        if match := re.match(r"(c?ob|fl|fi|fe|cfi|cfl)=\((\d+)\)(?: (.*))?", line):
            what, number, name = match.groups()
            known = names["object" if what.endswith("ob") else "file"]
            if name:
                known[number] = name
            if what == "ob":
                library = known[number]
            elif what in ("fl", "fi", "fe"):
                file = known[number] if known[number] != "???" else library
                function_file = file if what == "fl" else function_file
        elif line.startswith("calls="):
            is_call = True
        elif match := re.match(r"[+*-]?\d* ?(\d+)$", line):
            if not is_call:
                yield function_file, file, int(match.group(1))
            is_call = False


def compare(baseline, now):
    """Lines about what became dearer, and about what became cheaper."""
    worse, better = [], []
    for kind, stages in now.items():
        for stage, count_now in stages.items():
            before = baseline.get(kind, {}).get(stage, 0.0)
            change = count_now - before
            if abs(change) <= max(TOLERANCE * before, LEAST):
                continue
            line = (f"{kind.removeprefix('counted_')}, stage {stage}: {count_now:g} instructions a "
                    f"packet, the baseline says {before:g}")
            (worse if change > 0 else better).append(line)
    return worse, better


def show(kinds):
    stages = sorted({stage for counts in kinds.values() for stage in counts})
    print_table([["instructions a packet", *(kind.removeprefix("counted_") for kind in KINDS)],
                 *([stage, *(kinds[kind].get(stage) for kind in KINDS)] for stage in stages),
                 ["sum", *(round(sum(kinds[kind].values()), 1) for kind in KINDS)]])


def main():
    parser = argparse.ArgumentParser(prog="instructions.py", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="make what is now the baseline")
    arguments = parser.parse_args()
    build()
    now = count()
    show(now)
    if arguments.update:
        BASELINE.write_text(json.dumps(now, indent=1) + "\n")
        return 0
    worse, better = compare(json.loads(BASELINE.read_text()), now)
    for line in better:
        print(f"cheaper: {line}")
    for line in worse:
        print(f"dearer by more than 3 %: {line}")
    if worse or better:
        print("if that is meant: /usr/bin/python3 scripts/lib/instructions.py --update, and commit "
              "tests/bench/instructions.json")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
