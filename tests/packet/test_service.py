# SPDX-License-Identifier: BSD-3-Clause
"""Sluice as systemd sees it: what it says of itself, its signs of life, and its log in the journal.

The tests stand in for the service manager: they hold the far end of NOTIFY_SOCKET, and of a
standard error that JOURNAL_STREAM calls the journal's.
"""

import ctypes
import os
import re
import signal
import subprocess
import time

import pytest

from lab_kit.checkout import program
from lab_kit.configuration import Configuration
from lab_kit.process import stop_process
from lab_kit.service_manager import Manager
from lab_kit.sluice import START_SECONDS

GOOD = Configuration(count=1)
WATCHDOG_SECONDS = 1
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


class Service:
    """A sluice with a service manager."""

    def __init__(self, links, work):
        self.file = work / "sluice.toml"
        self.file.write_text(GOOD.toml(work / "sluice.sock"))
        self.manager = Manager(work / "notify")
        self.journal, journal_end = os.pipe()
        stream = os.fstat(journal_end)
        environment = os.environ | {"NOTIFY_SOCKET": str(work / "notify"),
                                    "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000),
                                    "JOURNAL_STREAM": f"{stream.st_dev}:{stream.st_ino}"}
        self.process = subprocess.Popen(
            links.command(program("sluice"), "--config", self.file), stdout=subprocess.DEVNULL,
            stderr=journal_end, env=environment, start_new_session=True)
        os.close(journal_end)

    def log(self):
        """All that it logged, once it has ended."""
        with os.fdopen(self.journal) as stream:
            return stream.read().splitlines()

    def worker(self):
        """The thread that polls."""
        threads = f"/proc/{self.process.pid}/task"
        names = {thread: open(f"{threads}/{thread}/comm").read() for thread in os.listdir(threads)}
        (worker,) = [int(thread) for thread, name in names.items()
                     if name.startswith(("lcore-worker", "rte-worker"))]
        return worker


@pytest.fixture
def service(links, tmp_path):
    service = Service(links, tmp_path)
    yield service
    if service.process.poll() is None:
        stop_process(service.process)
    service.manager.close()


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    assert libc.ptrace(request, thread, None, None) == 0, os.strerror(ctypes.get_errno())


def test_ready_reload_stop(service):
    """Each once, in this order, and each with a status for people."""
    first = service.manager.hears_of("READY")
    assert first == {"READY": "1", "STATUS": "services 1, backends 1"}

    service.process.send_signal(signal.SIGHUP)
    assert int(service.manager.hears_of("RELOADING")["MONOTONIC_USEC"]) > 0
    assert service.manager.hears_of("READY")["STATUS"] == "services 1, backends 1"

    good = service.file.read_text()
    service.file.write_text(good + "\nnonsense = 1\nmore = 2\n")
    service.process.send_signal(signal.SIGHUP)
    service.manager.hears_of("RELOADING")
    assert "refused" in service.manager.hears_of("READY")["STATUS"], "it goes on with what it had"

    service.process.terminate()
    assert service.manager.hears_of("STOPPING")["STATUS"] == "stopping"
    assert service.process.wait(START_SECONDS) == 0

    log = service.log()
    assert all(re.match(r"<[3467]>\S", line) for line in log), "a priority and a text, no time"
    assert len([line for line in log if line.startswith("<3>")]) == 3, "a line a fact"
    assert any(line.startswith("<3>") and "nonsense" in line for line in log)
    assert any(line.startswith("<6>ready") for line in log)


def test_signs_of_life_end_when_a_worker_hangs(service):
    """The control thread is well and the watchdog must bite all the same; nothing but the worker is
    stopped, by ptrace, as a debugger does."""
    service.manager.hears_of("READY")
    for _ in range(3):
        service.manager.hears_of("WATCHDOG")
    worker = service.worker()
    ptrace(PTRACE_SEIZE, worker)
    ptrace(PTRACE_INTERRUPT, worker)
    os.waitpid(worker, 0x40000000)  # __WALL
    time.sleep(WATCHDOG_SECONDS)  # what was said while it still ran
    assert service.manager.hears_nothing_for(2 * WATCHDOG_SECONDS)
    ptrace(PTRACE_DETACH, worker)
    service.manager.hears_of("WATCHDOG")
    service.process.terminate()
    assert service.process.wait(START_SECONDS) == 0
    complaints = [line for line in service.log() if line.startswith(("<3>", "<4>"))]
    assert {re.sub(r"\d+", "N", line) for line in complaints if "worker" in line} == {
        "<N>worker on lcore N has stopped polling: its packets are not moved",
        "<N>worker on lcore N polls again"}


def test_a_hanging_control_thread_gives_no_sign_of_life(service):
    service.manager.hears_of("READY")
    service.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(WATCHDOG_SECONDS)
        assert service.manager.hears_nothing_for(2 * WATCHDOG_SECONDS)
    finally:
        service.process.send_signal(signal.SIGCONT)
    service.manager.hears_of("WATCHDOG")
