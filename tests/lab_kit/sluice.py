# SPDX-License-Identifier: BSD-3-Clause
"""`sluice` as a process of tests and benches, and what `sluicectl` says of it."""

import json
import shutil
import subprocess
from pathlib import Path

from lab_kit.checkout import program
from lab_kit.process import LabError, stop_process, wait_until

START_SECONDS = 60  # the sanitizers make it slow


class SluiceProcess:
    """One `sluice` whose configuration, socket and log are in the folder `work`. `command` makes of
    a program's words what runs it: in a namespace, say, or at another priority."""

    def __init__(self, work, command=lambda *words: words):
        self.work = Path(work)
        self.command = command
        self.config = self.work / "sluice.toml"
        self.socket = self.work / "sluice.sock"
        # Where it keeps its flows, if it is told to: in memory.
        self.state = Path("/dev/shm") / ("sluice-lab" + str(self.work).replace("/", "-"))
        self.process = None

    def launch(self):
        """Starts the program and waits until its workers poll."""
        with open(self.work / "log", "a") as log:
            self.process = subprocess.Popen(
                self.command(program("sluice"), "--config", self.config), stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_until(self._is_ready, START_SECONDS, "sluice is not ready")
        except BaseException:
            self.stop()
            raise

    def _is_ready(self):
        if not self.is_up():
            raise LabError("sluice ended:\n" + self.log())
        return self.ctl_run("show", "services").returncode == 0

    def is_up(self):
        return self.process.poll() is None

    def kill(self):
        """SIGKILL, as a crash would be."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order; returns the exit status. What it has kept goes."""
        status = stop_process(self.process) if self.process else 0
        shutil.rmtree(self.state, ignore_errors=True)
        return status

    def log(self):
        return (self.work / "log").read_text(errors="replace")

    def ctl_command(self, *words):
        return [program("sluicectl"), "--socket", self.socket, *map(str, words)]

    def ctl_run(self, *words):
        return subprocess.run(self.ctl_command(*words), text=True, capture_output=True)

    def ctl_start(self, *words):
        """A sluicectl that runs on."""
        return subprocess.Popen(self.ctl_command(*words), text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def ctl(self, *words):
        """What sluicectl says to a command that succeeds."""
        done = self.ctl_run(*words)
        if done.returncode != 0:
            raise LabError(f"sluicectl {words}: {done.stderr}")
        return done.stdout

    def show(self, what):
        """The rows of `sluicectl show WHAT --json`."""
        return json.loads(self.ctl("show", what, "--json"))[what]

    def counters(self):
        return {row["name"]: row["value"] for row in self.show("counters")}

    def backend(self, address):
        """The row of `show backends` of an address that one service has."""
        (row,) = [row for row in self.show("backends") if row["address"] == address]
        return row

    def pool_sum(self, field):
        return sum(row.get(field, 0) for row in self.show("pools"))

    def worker_sum(self, field):
        return sum(row[field] for row in self.show("workers"))

    def reload(self, text, *options):
        self.config.write_text(text)
        return self.ctl_run("reload", *options)


def run_sluice(*words, command=lambda *words: words, **options):
    """To its end: a check, or a start that is refused. What it printed is in `stdout`."""
    return subprocess.run(command(program("sluice"), *words), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=START_SECONDS, **options)
