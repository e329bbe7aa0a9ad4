# SPDX-License-Identifier: BSD-3-Clause
"""`sluicectl trace` of one client's connections."""

import json
import signal
from contextlib import contextmanager

from lab_kit.addresses import VIP
from lab_kit.process import stop_process

CLIENT = "10.1.0.1"


class Rows(list):
    text = ""


@contextmanager
def trace(lab, *words):
    """A trace that is armed; what it saw is in the rows, or the text, once it has ended."""
    process = lab.middle.ctl_start("trace", *words)
    try:
        assert process.stderr.readline().startswith("tracing ")
        rows = Rows()
        yield rows
        if "--count" not in words:
            process.send_signal(signal.SIGINT)
        rows.text, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        if "--json" in words:
            rows.extend(json.loads(line) for line in rows.text.splitlines())
    finally:
        stop_process(process)


def connect(lab, port, source=CLIENT):
    """curl's exit status: 0, or why it failed."""
    return int(lab.client.run("curl", "-s", "-o", "/dev/null", "-w", "%{exitcode}", "--max-time",
                              "5", "--interface", source, f"http://{VIP}:{port}/", check=False))
