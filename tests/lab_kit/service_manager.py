# SPDX-License-Identifier: BSD-3-Clause
"""A stand-in for the service manager: the far end of NOTIFY_SOCKET."""

import select
import socket
import time

from lab_kit.sluice import START_SECONDS


class Manager:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)

    def close(self):
        self.socket.close()

    def hears(self, seconds=START_SECONDS):
        """The next message, as a dictionary; nothing when none comes in time."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        lines = self.socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def hears_of(self, key, seconds=START_SECONDS):
        """The next message with this key."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self.hears(left)
            if message and key in message:
                return message
        raise AssertionError(f"no {key} within {seconds} s")

    def hears_nothing_for(self, seconds):
        """Whether, after what was on its way, nothing came."""
        while self.hears(0):
            pass
        return self.hears(seconds) is None
