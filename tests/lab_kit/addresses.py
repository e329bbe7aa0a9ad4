# SPDX-License-Identifier: BSD-3-Clause
"""An IP address and a port, as configurations and packets name them."""

from typing import NamedTuple


class Endpoint(NamedTuple):
    ip: str
    port: int

    def __str__(self):
        return f"{self.ip}:{self.port}"
