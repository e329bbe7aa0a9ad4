# SPDX-License-Identifier: BSD-3-Clause
"""Who has which address in the lab, and an address with its port."""

from typing import NamedTuple

VIP = "10.3.0.1"
LOCAL = "10.2.0.1"
BACKENDS = ["10.2.0.10", "10.2.0.11"]
CLIENT_FIRST = "10.1.1.0"  # of 4,096 and more; with timestamps
PLAIN_FIRST = "10.1.65.0"  # of 4,096 and more; without
CLIENT_SIDE = "10.1.255.254"  # Sluice's own on either side
BACKEND_SIDE = "10.2.255.254"


class Endpoint(NamedTuple):
    ip: str
    port: int

    def __str__(self):
        return f"{self.ip}:{self.port}"
