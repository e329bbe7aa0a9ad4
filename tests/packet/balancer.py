# SPDX-License-Identifier: BSD-3-Clause
"""The Sluice of a test: started with a Configuration, counted to the last packet."""

import json
import re
import shutil
import tempfile
from contextlib import contextmanager

from lab_kit.checkout import ROOT
from lab_kit.sluice import SluiceProcess


def drop_reasons():
    """The names in the one list of drop reasons, in its order."""
    text = (ROOT / "dataplane" / "net" / "drop_reason.h").read_text()
    return re.findall(r'^ *X\((\w+), "', text, re.M)


class Balancer(SluiceProcess):
    def __init__(self, wire, configuration):
        super().__init__(tempfile.mkdtemp(prefix="sluice-packet-"), wire.command)
        self.wire = wire
        self.configuration = configuration
        self.restart()

    def restart(self):
        """A fresh one, as after a crash: it knows nothing of what was."""
        if self.process:
            self.kill()
        self.wire.clear()
        self.unused = iter(self.configuration.services())
        self.config.write_text(self.configuration.toml(self.socket))
        self.launch()
        self.wire.settle()

    def stop(self):
        """In order; returns the exit status. Its log is kept, its folder is not."""
        status = super().stop()
        self.last_log = self.log()
        shutil.rmtree(self.work, ignore_errors=True)
        return status

    def pool_of(self, service):
        """The row of `show pools` of a service with one backend."""
        (row,) = [row for row in self.show("pools") if row["local"] == service.local]
        return row

    def unaccounted(self):
        """Packets that came in and became neither one that left, nor a drop, nor consumed."""
        return json.loads(self.ctl("show", "counters", "--json"))["packets"]["unaccounted"]

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
