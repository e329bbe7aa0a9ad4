# SPDX-License-Identifier: BSD-3-Clause
"""scripts/check-compliance: which rows of the document it complains of."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from lab_kit.checkout import ROOT

TESTS = {"Parse.Accepts", "packet/test_nat.py::test_urgent_data"}
HEAD = "| clause | asked for | Sluice | shown by |\n|---|---|---|---|\n"


@pytest.fixture(scope="module")
def compliance():
    loader = SourceFileLoader("check_compliance", str(ROOT / "scripts" / "check-compliance"))
    module = module_from_spec(spec_from_loader("check_compliance", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("row, said", [
    ("| 1 | a | **met** | `Parse.Accepts`, `packet/test_nat.py::test_urgent_data` |", []),
    ("| 1 | a | **met**: so | |", ["1: met, and no test shows it"]),
    ("| 1 | a | **in part**: so | |", ["1: in part, and no test shows it"]),
    ("| 1 | a | **differs**: so | |", []),
    ("| 1 | a | **n/a** | |", []),
    ("| 1 | a | **differs** | `Parse.Accept` |", ["1: there is no test Parse.Accept"]),
    ("| 1 | a | **met** | `packet/test_nat.py::test_urgent` |",
     ["1: there is no test packet/test_nat.py::test_urgent"]),
    ("| word | of another table |", []),
])
def test_a_row(compliance, row, said):
    assert [what for _, what in compliance.complaints(HEAD + row + "\n", TESTS)] == said


def test_a_word_that_is_no_judgement(compliance):
    ((line, what),) = compliance.complaints(HEAD + "| 1 | a | **fine** | |\n", TESTS)
    assert line == 3 and "fine" in what


def test_tests_of_both_kinds_are_found(compliance):
    assert TESTS <= compliance.tests_of(ROOT)


def test_the_document_holds(compliance):
    text = (ROOT / compliance.DOCUMENT).read_text()
    assert compliance.complaints(text, compliance.tests_of(ROOT)) == []
    assert sum(1 for _ in compliance.rows_of(text)) > 80
