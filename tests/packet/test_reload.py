# SPDX-License-Identifier: BSD-3-Clause
"""A reload as the service manager asks for it: its exit status is the truth, and however long the
file takes to check, Sluice goes on answering."""

import re
import time

import pytest

from lab_kit.checkout import ROOT
from lab_kit.configuration import Configuration

CONFIG = Configuration(count=4)


@pytest.fixture
def file(sluice):
    """The configuration, as it was again afterwards."""
    path = sluice.config
    text = path.read_text()
    yield path
    path.write_text(text)
    assert reload(sluice).returncode == 0


def reload(sluice):
    """What `systemctl reload` runs."""
    unit = (ROOT / "conf" / "systemd" / "sluice.service.in").read_text()
    (line,) = re.findall(r"(?m)^ExecReload=(.*)$", unit)
    program, *words = line.split()
    assert program == "@sbindir@/sluicectl"
    return sluice.ctl_run(*words)


def program(sluice):
    (row,) = sluice.show("program")
    return row


WRONG = {
    "a mistake": (("flows_per_worker = 4096", "flows_per_worker = none"), "flows_per_worker"),
    "what needs a restart": (("flows_per_worker = 4096", "flows_per_worker = 8192"), "restart"),
    "what only the start can see": (
        ("[limits]", '[flow_log]\nfile = "/none/flows"\n[limits]'), "/none"),
}


@pytest.mark.parametrize("edit, said", WRONG.values(), ids=WRONG)
def test_a_file_that_is_refused_fails_it(flow, sluice, file, edit, said):
    before = program(sluice)
    sluice.ctl("backend", "set", "s0", "10.2.0.10:80", "--weight", "3")
    text = file.read_text()
    assert edit[0] in text
    file.write_text(text.replace(*edit))
    done = reload(sluice)
    assert done.returncode != 0 and said in done.stderr, done
    after = program(sluice)
    assert after["reloads_failed"] == before["reloads_failed"] + 1
    assert after["reloads"] == before["reloads"] and after["overrides"] == 1
    flow.chats()


def test_a_good_one_is_in_force_when_it_returns(sluice, file):
    sluice.ctl("backend", "set", "s0", "10.2.0.10:80", "--weight", "3")
    file.write_text(file.read_text().replace('name = "s1"\nvip', 'name = "renamed"\nvip'))
    done = reload(sluice)
    assert done.returncode == 0, done
    assert "renamed" in [row["name"] for row in sluice.show("services")]
    assert program(sluice)["overrides"] == 1, "they are kept"


def test_a_file_that_takes_long_holds_nobody_up(sluice, file):
    lines = [f'x{i} = {{ a = [1, 2.5, "three"], b = {{ c = {i} }} }}' for i in range(3_000)]
    lines += ["a." * 1_000 + "a = 1"]
    file.write_text(file.read_text() + "\n[x]\n" + "\n".join(lines))
    checked = sluice.ctl_start("reload", "--keep-overrides")
    worst, asked = 0, 0
    while checked.poll() is None:
        begin = time.monotonic()
        sluice.show("program")
        worst = max(worst, time.monotonic() - begin)
        asked += 1
        if asked == 1 and checked.poll() is None:
            second = reload(sluice)
            assert second.returncode != 0 and "on its way" in second.stderr, second
    said = checked.stderr.read()
    assert checked.returncode != 0 and "16 parts" in said, said[:1000]
    assert len(said.splitlines()) < 300, said[:1000]
    assert asked > 1, "the file was too easy"
    assert worst < 0.5, worst
