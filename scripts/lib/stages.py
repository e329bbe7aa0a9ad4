# SPDX-License-Identifier: BSD-3-Clause
"""scripts/test: every check and every test, stage by stage, with one sum at the end."""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
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

# Under sanitizers, what meets bytes and lengths that may be wrong, or changes segments; time and
# order are the other stage's.
ODD_PACKETS = ("garbage", "fragments", "options", "icmp", "mtu", "drops", "reset", "syn", "fit",
               "heal", "rewrite")

STAGES = {
    "format": format_check,
    "layering": lambda: check("scripts/check-layering"),
    "build": lambda: check("scripts/build", "release", seconds=BUILD_SECONDS_MAX),
    "unit": lambda: meson_suite("build", "unit"),
    "stage": lambda: meson_suite("build", "stage"),
    "instructions": lambda: check("/usr/bin/python3", "scripts/lib/instructions.py"),
    "simulation": simulation,
    "packet": lambda: pytest("tests/packet", "build"),
    "lab": lambda: pytest("tests/lab", "build", LAB_SECONDS_MAX),
    "scripts": lambda: pytest("tests/scripts", "build"),
    "package-build": lambda: check("scripts/package", seconds=BUILD_SECONDS_MAX),
    "package": lambda: pytest("tests/package", "build"),
    "fuzz": lambda: check("scripts/fuzz", str(FUZZ_SECONDS), seconds=BUILD_SECONDS_MAX),
    "asan-build": lambda: check("scripts/build", "asan", seconds=BUILD_SECONDS_MAX),
    "asan-unit": lambda: meson_suite("build-asan", "unit", **SANITIZERS),
    "asan-stage": lambda: meson_suite("build-asan", "stage", **SANITIZERS),
    "asan-packet": lambda: pytest("tests/packet", "build-asan", only=ODD_PACKETS,
                                  **SANITIZERS_OF_A_DAEMON),
}
# Without its build a stage has nothing to run.
NEEDS = {"unit": "build", "stage": "build", "simulation": "build", "packet": "build",
         "lab": "build", "package": "package-build",
         "asan-unit": "asan-build", "asan-stage": "asan-build", "asan-packet": "asan-build"}


def run_stage(name, broken):
    start = time.monotonic()
    if NEEDS.get(name) in broken:
        result = Result(0, 1, [], f"not run: {NEEDS[name]} failed\n")
    else:
        try:
            result = STAGES[name]()
        except (OSError, subprocess.CalledProcessError) as error:
            result = Result(0, 1, [], f"{error}\n")
    print(f"{name:<13} {result.passed:>5} passed  {result.failed:>3} failed  "
          f"{len(result.skips):>3} skipped  {time.monotonic() - start:6.1f} s", flush=True)
    if result.failed:
        print(result.output, flush=True)
    for reason in sorted(set(result.skips)):
        print(f"{'':<15}{result.skips.count(reason)} skipped: {reason}", flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE",
                        help="only these, of: " + " ".join(STAGES))
    parser.add_argument("--nightly", action="store_true",
                        help="also what takes longer than a push can wait")
    arguments = parser.parse_args()
    if arguments.nightly:
        os.environ["SLUICE_NIGHTLY"] = "1"
    chosen = arguments.stages or list(STAGES)
    unknown = [name for name in chosen if name not in STAGES]
    if unknown:
        parser.error(f"no such stage: {', '.join(unknown)}")
    broken, results = set(), []
    for name in chosen:
        results.append(run_stage(name, broken))
        if results[-1].failed:
            broken.add(name)
    total = add(results)
    skipped = f", {len(total.skips)} skipped" if total.skips else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
