# SPDX-License-Identifier: BSD-3-Clause
"""Sluice as a process of the tests: started with a Configuration, asked through sluicectl."""

import json
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from lab_kit.middles import build_dir
from lab_kit.topology import ROOT, stop_process, wait_until

START_SECONDS = 60  # the sanitizers make it slow


def drop_reasons():
    """The names in the one list of drop reasons, in its order."""
    text = (ROOT / "dataplane" / "net" / "drop_reason.h").read_text()
    return re.findall(r'^ *X\((\w+), "', text, re.M)


def is_accepted(configuration):
    """Whether this build takes the configuration: what it does not have yet, it refuses."""
    done = subprocess.run([build_dir() / "control" / "sluice", "--check", "--config", "/dev/stdin"],
                          input=configuration.toml("/tmp/unused.sock"), text=True,
                          capture_output=True)
    return done.returncode == 0


class Balancer:
    def __init__(self, wire, configuration):
        self.wire = wire
        self.configuration = configuration
        self.work = Path(tempfile.mkdtemp(prefix="sluice-packet-"))
        self.socket = self.work / "sluice.sock"
        self.process = None
        self.restart()

    def restart(self):
        """A fresh one, as after a crash: it knows nothing of what was."""
        if self.process:
            self.process.kill()
            self.process.wait()
        self.wire.clear()
        self.unused = iter(self.configuration.services())
        (self.work / "sluice.toml").write_text(self.configuration.toml(self.socket))
        with open(self.work / "log", "a") as log:
            self.process = self.wire.namespace.start(
                build_dir() / "control" / "sluice", "--config", self.work / "sluice.toml",
                core="0,1", stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._is_ready, START_SECONDS, "sluice is not ready")
        self.wire.settle()

    def _is_ready(self):
        assert self.is_up(), "sluice ended:\n" + self.log()
        return self._ctl("show", "services").returncode == 0

    def is_up(self):
        return self.process.poll() is None

    def stop(self):
        """In order; returns the exit status."""
        status = stop_process(self.process)
        self.last_log = self.log()
        shutil.rmtree(self.work, ignore_errors=True)
        return status

    def log(self):
        return (self.work / "log").read_text()

    def _ctl(self, *words):
        return subprocess.run([build_dir() / "control" / "sluicectl", "--socket", self.socket,
                               *words], text=True, capture_output=True)

    def ctl(self, *words):
        """What sluicectl says to a command that succeeds."""
        done = self._ctl(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def show(self, what):
        done = self._ctl("show", what, "--json")
        assert done.returncode == 0, done.stderr + self.log()
        return json.loads(done.stdout)[what]

    def pool_of(self, service):
        """The row of `show pools` of a service with one backend."""
        (row,) = [row for row in self.show("pools") if row["local"] == service.local]
        return row

    def unaccounted(self):
        """Packets that came in and became neither one that left, nor a drop, nor consumed."""
        done = self._ctl("show", "counters", "--json")
        assert done.returncode == 0, done.stderr + self.log()
        return json.loads(done.stdout)["packets"]["unaccounted"]

    def counters(self):
        return {row["name"]: row["value"] for row in self.show("counters")}

    @contextmanager
    def counts(self, **expected):
        """Inside, these counters move by exactly so much, and no other drop reason moves."""
        names = set(expected) | set(drop_reasons())
        before = self.counters()
        yield
        self.wire.settle()
        after = self.counters()
        moved = {name: after[name] - before[name] for name in names if after[name] != before[name]}
        assert moved == expected

    def fresh_service(self):
        """A service that no test has used since the start."""
        service = next(self.unused, None)
        assert service, "the configuration has too few services for its tests"
        return service
