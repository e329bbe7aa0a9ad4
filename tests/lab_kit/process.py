# SPDX-License-Identifier: BSD-3-Clause
"""Child processes: run to their end, waited for, stopped."""

import signal
import subprocess
import time

# Whatever polls has a core of its own; all else shares the other.
SHARED_CORE = 0
WORKER_CORE = 1
BOTH_CORES = "0,1"


class LabError(RuntimeError):
    """Something outside of Sluice is missing or failed; the message says what."""


def run(*command, check=True, **options):
    """Runs a command to its end and returns what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, text=True, capture_output=True, **options)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def stop_process(process, wait_seconds=10):
    """SIGTERM, then SIGKILL; returns the exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def wait_until(condition, seconds, complaint):
    """Polls for something that another process will do; says what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(complaint)
        time.sleep(0.05)
