# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl top` on a terminal of 80x24 (tmux), under load."""

import re
import signal

import pytest

from lab_kit.checkout import program
from lab_kit.load import Churn
from lab_kit.middles import Sluice
from lab_kit.process import LabError, run, wait_until
from lab_kit.sluice import SluiceProcess
from lab_kit.topology import lab_with


class Screen:
    def __init__(self, lab):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", str(lab.work / "tmux")]
        command = f"{program('sluicectl')} --socket {lab.middle.socket} top"
        # Not tmux's own remain-on-exit: tmux 3.3a misses a SIGCHLD now and then.
        run(*self.tmux, "new-session", "-d", "-x", "80", "-y", "24",
            f"{command}; echo top ended with $?; exec cat")

    def text(self):
        return run(*self.tmux, "capture-pane", "-p")

    def keys(self, *keys):
        run(*self.tmux, "send-keys", *keys)

    def wait_for(self, pattern):
        try:
            wait_until(lambda: re.search(pattern, self.text()), 10, f"{pattern} never shown")
        except LabError as error:
            raise LabError(f"{error}; the screen:\n{self.text()}") from None

    def close(self):
        run(*self.tmux, "kill-server", check=False)


@pytest.fixture
def lab():
    with lab_with(Sluice()) as lab:
        yield lab


def test_top(lab):
    screen = Screen(lab)
    try:
        load = Churn(lab, seconds=12, concurrency=4)
        screen.wait_for(r"all is well")
        screen.wait_for(r"10\.2\.0\.11:80 +web +up +[1-9]")
        screen.keys("/", "0.10:8080", "Enter")
        screen.wait_for(r"filter: 0\.10:8080")
        assert "10.2.0.11" not in screen.text()
        screen.keys("Escape", "p")
        screen.wait_for(r"TOWARDS +FULLEST")
        screen.keys("?")
        screen.wait_for(r"sort by another column")
        screen.keys("?")
        lab.middle.process.send_signal(signal.SIGSTOP)
        screen.wait_for(r"no answer")
        lab.middle.process.send_signal(signal.SIGCONT)
        screen.wait_for(r"all is well")
        screen.keys("q")
        screen.wait_for(r"top ended with 0")
        load.stop()
    finally:
        screen.close()


def test_top_needs_a_terminal(lab):
    done = lab.middle.ctl_run("top")
    assert done.returncode == 1 and "needs a terminal" in done.stderr
    done = SluiceProcess("/nonexistent").ctl_run("status")
    assert done.returncode == 1 and "nobody listens" in done.stderr
