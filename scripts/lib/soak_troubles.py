# SPDX-License-Identifier: BSD-3-Clause
"""What scripts/soak does to Sluice and around it. Each trouble undoes itself before it returns, and
ends within seconds; none of them may harm a transfer of the service `steady`."""

import os
import signal
import socket
import subprocess
import threading
import time

from lab_kit.addresses import CLIENT_FIRST, VIP
from lab_kit.frames import put, tcp_frame
from lab_kit.load import churn

FLOOD_SYNS_PER_SECOND = 10_000
GARBAGE_FRAMES = 4_000
ABSENT_SECONDS = 2.0  # of a link, a backend: less than a transfer waits
STALL_SECONDS = 0.4


class Troubles:
    """The troubles of one lab; `luck` is a seeded random.Random."""

    def __init__(self, lab, luck, configurations):
        self.lab = lab
        self.luck = luck
        self.configurations = configurations  # TOML texts that differ, all valid
        self.one_at_a_time = threading.Lock()  # who writes the configuration
        self.refused_wrongly = []
        self.all = [self.churns, self.floods, self.sends_garbage, self.takes_the_client_link,
                    self.takes_a_backend_link, self.stops_a_backend, self.reloads,
                    self.reloads_what_is_wrong, self.stalls, self.drains_a_backend, self.asks]

    def macs_to_sluice(self):
        return self.lab.balancer.mac_of("lb-client") + self.lab.client.mac_of("eth0")

    def put(self, frames, rate):
        put(self.lab.client, frames, rate)

    def stranger(self):
        return f"10.1.{self.luck.randrange(32, 64)}.{self.luck.randrange(1, 255)}", \
            self.luck.randrange(1024, 65536)

    def churns(self):
        """Ports used again and again, all ways of closing."""
        close = self.luck.choice(["server", "client", "reset", "half"])
        churn(self.lab, close=close, seconds=3, concurrency=64, timeout=20)

    def floods(self):
        """SYNs of clients that never speak again."""
        macs, count = self.macs_to_sluice(), 2 * FLOOD_SYNS_PER_SECOND
        port = self.luck.choice([80, 8080])
        self.put([tcp_frame(macs, self.stranger(), (VIP, port), 0x02, self.luck.getrandbits(32))
                  for _ in range(count)], FLOOD_SYNS_PER_SECOND)

    def sends_garbage(self):
        """Frames with changed bits, cut short, or of random bytes."""
        macs, frames = self.macs_to_sluice(), []
        for _ in range(GARBAGE_FRAMES):
            flags = self.luck.choice([0x02, 0x10, 0x11, 0x12, 0x14, 0x18, 0x04, 0x00, 0x3F])
            frame = bytearray(tcp_frame(macs, self.stranger(), (VIP, 80), flags,
                                        self.luck.getrandbits(32)))
            for _ in range(self.luck.randrange(0, 4)):
                frame[self.luck.randrange(12, len(frame))] ^= 1 << self.luck.randrange(8)
            if self.luck.random() < 0.3:
                frame = frame[:self.luck.randrange(15, len(frame) + 1)]
            if self.luck.random() < 0.1:
                frame = frame[:14] + self.luck.randbytes(self.luck.randrange(1, 1400))
            frames.append(bytes(frame))
        self.put(frames, 4_000)

    def absent(self, namespace, device, seconds=ABSENT_SECONDS):
        namespace.ip("link", "set", device, "down")
        time.sleep(seconds)
        namespace.ip("link", "set", device, "up")

    def takes_the_client_link(self):
        """At Sluice's end: at the clients' their routes would go with it."""
        self.absent(self.lab.balancer, "lb-client", 1.0)

    def takes_a_backend_link(self):
        self.absent(self.lab.switch, "port1")

    def stops_a_backend(self):
        """The second backend's programs stand still: its kernel goes on to take connections."""
        with self.lab.backends[1].frozen():
            time.sleep(ABSENT_SECONDS)

    def reload(self, text):
        with self.one_at_a_time:
            return self.lab.middle.reload(text, "--keep-overrides")

    def reloads(self):
        done = self.reload(self.luck.choice(self.configurations))
        if done.returncode != 0:
            self.refused_wrongly.append(done.stderr)

    def reloads_what_is_wrong(self):
        done = self.reload(self.configurations[0] + "\n[[service]]\nvip = 7\n")
        if done.returncode == 0:
            self.refused_wrongly.append("a wrong file was taken")
        self.reloads()

    def stalls(self):
        """The whole process loses its cores, as on a host that is too full."""
        pid = self.lab.middle.process.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STALL_SECONDS)
        os.kill(pid, signal.SIGCONT)

    def drains_a_backend(self):
        ctl = self.lab.middle.ctl_run
        ctl("backend", "set", "web", "10.2.0.11:80", "--drain")
        churn(self.lab, seconds=1, concurrency=16, timeout=20)
        ctl("backend", "set", "web", "10.2.0.11:80", "--up")

    def asks(self):
        """An operator's and a monitor's questions, some of them half asked."""
        ctl = self.lab.middle.ctl_run
        for words in (("status",), ("show", "backends"), ("show", "flows"), ("show", "pools"),
                      ("doctor",), ("show", "counters", "--json")):
            ctl(*words)
        for half in (b"", b"{", b"\xff" * 300, b'{"command":"show"'):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(self.lab.middle.socket))
                peer.sendall(half)
        with_trace = self.lab.middle.ctl_start("trace", "--client", CLIENT_FIRST)
        time.sleep(0.5)
        with_trace.kill()
        try:
            with_trace.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.refused_wrongly.append("sluicectl trace did not end")
