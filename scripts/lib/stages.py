# SPDX-License-Identifier: BSD-3-Clause
"""scripts/test: every check and every test, stage by stage, with one sum at the end.

There are three lanes, each of which does one stage after the other. What compiles runs beside what
only tests, at a lower priority. What measures, or has a worker that polls for long, has the machine
to itself once those two are through. Results are printed in the order of STAGES.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import xml.etree.ElementTree as ElementTree
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST_SECONDS_MAX = 900  # one executable, or one folder of pytest
LAB_SECONDS_MAX = 1800
NIGHTLY_SECONDS_MAX = 3 * 3600  # the same, with what only runs at night
BUILD_SECONDS_MAX = 1800
FUZZ_SECONDS = 3  # each target
NIGHTLY_FUZZ_SECONDS = 120

# `skips` are the reasons, one for each skipped test; `output` is shown when something failed.
Result = namedtuple("Result", "passed failed skips output")


def is_nightly():
    return os.environ.get("SLUICE_NIGHTLY") == "1"


def command(words, seconds=TEST_SECONDS_MAX, **environment):
    """Runs to the end or to the limit; returns the exit status and all output."""
    try:
        done = subprocess.run(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, errors="replace",
                              stderr=subprocess.STDOUT, timeout=seconds,
                              env=os.environ | environment)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return 1, f"{output}\nstill running after {seconds} s"


def check(*words, seconds=TEST_SECONDS_MAX):
    """A stage that is one command: it passes or fails as a whole."""
    status, output = command(words, seconds)
    return Result(status == 0, status != 0, [], output)


def build(*words):
    return check("nice", *words, seconds=BUILD_SECONDS_MAX)


def package_build():
    """The package that is installed, without the one of its symbols; as fast code only at night:
    how it is installed is what its tests ask."""
    options = "noautodbgsym" if is_nightly() else "noautodbgsym noopt"
    return build("env", f"DEB_BUILD_OPTIONS={options}", "scripts/package")


def format_check():
    listed = subprocess.run(["git", "ls-files", "*.h", "*.cc"], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout.split()
    return check("clang-format", "--dry-run", "-Werror", *listed)


def read_junit(path):
    """Sums a JUnit file of gtest or pytest; None where the program wrote none."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    cases = list(ElementTree.parse(path).iter("testcase"))
    failed = sum(case.find("failure") is not None or case.find("error") is not None
                 for case in cases)
    skips = [skip.get("message") or "no reason given"
             for case in cases for skip in case.findall("skipped")]
    skips += ["disabled" for case in cases if case.get("status") == "notrun"]
    return Result(len(cases) - failed - len(skips), failed, skips, "")


def add(results):
    results = list(results)
    return Result(sum(r.passed for r in results), sum(r.failed for r in results),
                  [skip for r in results for skip in r.skips], "".join(r.output for r in results))


def judged(status, output, junit):
    """A program's own count, but never a success that its exit status denies."""
    counted = read_junit(junit)
    if counted is None:  # not a gtest program, or it died before it could write
        return Result(status == 0, status != 0, [], output if status else "")
    failed = counted.failed if status == 0 else max(counted.failed, 1)
    return Result(counted.passed, failed, counted.skips, output if failed else "")


def shards(test):
    """A gtest program runs as several processes, so that a long one keeps no CPU waiting."""
    if not test["cmd"][0].endswith("test"):
        return [{}]
    count = os.cpu_count()
    return [{"GTEST_TOTAL_SHARDS": str(count), "GTEST_SHARD_INDEX": str(i)} for i in range(count)]


def meson_suite(build, suite, **environment):
    """Runs the executables that meson knows under a suite, one process for each CPU at a time."""
    listed = subprocess.run(["meson", "introspect", "--tests", build], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout

    def run(part):
        test, shard = part
        with tempfile.TemporaryDirectory() as scratch:
            junit = Path(scratch) / "junit.xml"
            status, output = command(test["cmd"], GTEST_OUTPUT=f"xml:{junit}", **shard,
                                     **test["env"], **environment)
            title = f"--- {test['name']} ({shlex.join(test['cmd'])}), exit status {status}\n"
            return judged(status, title + output, junit)

    tests = [test for test in json.loads(listed)
             if any(name.split(":")[-1] == suite for name in test["suite"])]
    parts = [(test, shard) for test in tests for shard in shards(test)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return add(threads.map(run, parts))


def simulation():
    suites = ["simulation"] + (["simulation-nightly"] if is_nightly() else [])
    return add(meson_suite("build", suite) for suite in suites)


def fuzz():
    return check("scripts/fuzz", str(NIGHTLY_FUZZ_SECONDS if is_nightly() else FUZZ_SECONDS))


def pytest(folder, build, seconds=TEST_SECONDS_MAX, only=(), **environment):
    """Runs a folder of pytest, or only some of its files, against a build."""
    if not list((ROOT / folder).glob("test_*.py")):
        return Result(0, 0, [], "")
    with tempfile.TemporaryDirectory() as scratch:
        junit = Path(scratch) / "junit.xml"
        status, output = command(
            ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider",
             f"--junitxml={junit}", *([f"{folder}/test_{name}.py" for name in only] or [folder])],
            NIGHTLY_SECONDS_MAX if is_nightly() else seconds, SLUICE_BUILD=build, **environment)
        return judged(status, output, junit)


SANITIZERS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
# What DPDK and its drivers keep until the process ends is not ours to free.
SANITIZERS_OF_A_DAEMON = SANITIZERS | {
    "ASAN_OPTIONS": SANITIZERS["ASAN_OPTIONS"] + ":detect_leaks=0"}

# Not under sanitizers: what is large takes half of all the time there, and meets no memory that the
# small has not met.
SMALL = {"GTEST_FILTER": "-Keeper.AHundredThousand*:RouteLookup.ManyRoutes*:"
                         "ConfigLimits.*ThanThereIsRoomFor*:LinkSide.TenThousand*:"
                         "Stranger.Sweeps*"}

# Under sanitizers, what meets bytes and lengths that may be wrong, or changes segments; time and
# order are the other stage's.
ODD_PACKETS = ("garbage", "fragments", "options", "icmp", "mtu", "drops", "reset", "syn", "fit",
               "heal", "rewrite")

Stage = namedtuple("Stage", "lane run needs", defaults=(None,))
COMPILE, TEST, MEASURE = "compile", "test", "measure"
# By name; `needs` is the build without which a stage has nothing to run.
STAGES = {
    "format": Stage(TEST, format_check),
    "layering": Stage(TEST, lambda: check("scripts/check-layering")),
    "style": Stage(TEST, lambda: check("scripts/check-style")),
    "compliance": Stage(TEST, lambda: check("scripts/check-compliance")),
    "scripts": Stage(TEST, lambda: pytest("tests/scripts", "build"), "build"),
    "build": Stage(COMPILE, lambda: build("scripts/build", "release")),
    "unit": Stage(TEST, lambda: meson_suite("build", "unit"), "build"),
    "stage": Stage(TEST, lambda: meson_suite("build", "stage"), "build"),
    "simulation": Stage(TEST, simulation, "build"),
    "asan-build": Stage(COMPILE, lambda: build("scripts/build", "asan")),
    "asan-unit": Stage(TEST, lambda: meson_suite("build-asan", "unit", **SANITIZERS, **SMALL),
                       "asan-build"),
    "asan-stage": Stage(TEST, lambda: meson_suite("build-asan", "stage", **SANITIZERS, **SMALL),
                        "asan-build"),
    "fuzz": Stage(TEST, fuzz, "asan-build"),
    "package-build": Stage(COMPILE, package_build),
    "package": Stage(TEST, lambda: pytest("tests/package", "build"), "package-build"),
    "instructions": Stage(COMPILE, lambda: build("/usr/bin/python3",
                                                 "scripts/lib/instructions.py")),
    "packet": Stage(MEASURE, lambda: pytest("tests/packet", "build"), "build"),
    "lab": Stage(MEASURE, lambda: pytest("tests/lab", "build", LAB_SECONDS_MAX), "build"),
    "asan-packet": Stage(MEASURE, lambda: pytest("tests/packet", "build-asan", only=ODD_PACKETS,
                                                 **SANITIZERS_OF_A_DAEMON), "asan-build"),
}


class Run:
    """One stage of this run: done by its lane, waited for by who needs it and by who prints."""

    def __init__(self, name):
        self.name = name
        self.stage = STAGES[name]
        self.ended = threading.Event()

    def do(self, needed):
        """`needed` is the run of the build that it needs, where that is a part of the whole."""
        if needed:
            needed.ended.wait()
        start = time.monotonic()
        if needed and needed.result.failed:
            self.result = Result(0, 1, [], f"not run: {needed.name} failed\n")
        else:
            try:
                self.result = self.stage.run()
            except Exception:  # whatever it is, it must not leave the others waiting
                self.result = Result(0, 1, [], traceback.format_exc())
        self.seconds = time.monotonic() - start
        self.ended.set()

    def tell(self):
        self.ended.wait()
        result = self.result
        print(f"{self.name:<13} {result.passed:>5} passed  {result.failed:>3} failed  "
              f"{len(result.skips):>3} skipped  {self.seconds:6.1f} s", flush=True)
        if result.failed:
            print(result.output, flush=True)
        for reason in sorted(set(result.skips)):
            print(f"{'':<15}{result.skips.count(reason)} skipped: {reason}", flush=True)


def run_all(runs):
    """Starts the lanes; what measures waits for the others' end."""
    by_name = {run.name: run for run in runs}

    def lane(kind):
        for run in runs:
            if run.stage.lane == kind:
                run.do(by_name.get(run.stage.needs))

    def lanes():
        beside = [threading.Thread(target=lane, args=[kind]) for kind in (COMPILE, TEST)]
        for thread in beside:
            thread.start()
        for thread in beside:
            thread.join()
        lane(MEASURE)

    threading.Thread(target=lanes, daemon=True).start()
    for run in runs:
        run.tell()


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="STAGE",
                        help="only these, of: " + " ".join(STAGES))
    parser.add_argument("--nightly", action="store_true",
                        help="also what takes longer than a push can wait")
    arguments = parser.parse_args()
    if arguments.nightly:
        os.environ["SLUICE_NIGHTLY"] = "1"
    unknown = [name for name in arguments.stages if name not in STAGES]
    if unknown:
        parser.error(f"no such stage: {', '.join(unknown)}")
    start = time.monotonic()
    runs = [Run(name) for name in STAGES if not arguments.stages or name in arguments.stages]
    run_all(runs)
    total = add(run.result for run in runs)
    print(f"all of it took {(time.monotonic() - start) / 60:.1f} minutes")
    skipped = f", {len(total.skips)} skipped" if total.skips else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
