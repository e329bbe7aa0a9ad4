# SPDX-License-Identifier: BSD-3-Clause
"""The lanes of scripts/test: what runs beside what, what waits for what."""

import threading
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from lab_kit.checkout import ROOT

GOOD, BAD = (1, 0), (0, 1)


@pytest.fixture
def stages():
    spec = spec_from_file_location("stages", ROOT / "scripts" / "lib" / "stages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(stages, table):
    """Runs stages of (lane, function, need), and gives their results."""
    stages.STAGES = {name: stages.Stage(*row) for name, row in table.items()}
    runs = [stages.Run(name) for name in table]
    stages.run_all(runs)
    return {run.name: (run.result.passed, run.result.failed) for run in runs}


def test_who_compiles_and_who_tests_meet(stages, capsys):
    """Both wait for each other: one after the other they would wait for ever."""
    meeting = threading.Barrier(2, timeout=10)

    def meet():
        meeting.wait()
        return stages.Result(1, 0, [], "")

    assert run(stages, {"build": (stages.COMPILE, meet), "unit": (stages.TEST, meet)}) == \
        {"build": GOOD, "unit": GOOD}
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["build", "unit"]


def test_who_measures_is_alone(stages):
    order = []

    def done(name):
        return lambda: order.append(name) or stages.Result(1, 0, [], "")

    run(stages, {"lab": (stages.MEASURE, done("lab")), "build": (stages.COMPILE, done("build")),
                 "unit": (stages.TEST, done("unit"), "build"),
                 "packet": (stages.MEASURE, done("packet"))})
    assert order == ["build", "unit", "lab", "packet"]


def test_what_a_broken_build_would_run_is_not_run(stages, capsys):
    def fails():
        raise ValueError("no compiler")

    def never():
        raise AssertionError("it was run")

    assert run(stages, {"build": (stages.COMPILE, fails), "unit": (stages.TEST, never, "build"),
                        "lab": (stages.MEASURE, never, "build")}) == \
        {"build": BAD, "unit": BAD, "lab": BAD}
    said = capsys.readouterr().out
    assert "no compiler" in said and "it was run" not in said
    assert said.count("not run: build failed") == 2


def test_a_stage_alone_needs_no_build(stages):
    """`scripts/test unit` takes the build that is there."""
    assert run(stages, {"unit": (stages.TEST, lambda: stages.Result(1, 0, [], ""), "build")}) == \
        {"unit": GOOD}
