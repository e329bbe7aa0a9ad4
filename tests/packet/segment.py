# SPDX-License-Identifier: BSD-3-Clause
"""A TCP segment as one end sees it, and the frame that Scapy makes of it.

Options are bytes, never Scapy's list, so that any list can be sent and is judged byte by byte.
Scapy computes every length and checksum; a test that wants a wrong one names it in `wrong`.
"""

from dataclasses import dataclass, field, replace

from scapy.layers.inet import IP, TCP, IPOption
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from lab_kit.addresses import Endpoint

MODULUS = 1 << 32


@dataclass(frozen=True)
class Segment:
    src: Endpoint
    dst: Endpoint
    flags: str  # Scapy's letters: S, SA, PA, F...
    seq: int = 0
    ack: int = 0
    window: int = 65535
    urgent: int = 0
    options: bytes = b""
    data: bytes = b""
    ttl: int = 57
    tos: int = 0
    id: int = 0x1234
    df: bool = True
    ip_options: bytes = b""
    reserved: int = 0  # TCP's reserved bits
    padding: bytes = b""  # behind the IP packet, as Ethernet pads short frames
    wrong: dict = field(default_factory=dict)  # "ip" or "tcp": fields to falsify

    @property
    def length(self):
        """Sequence space that it takes (RFC 9293, section 3.4)."""
        return len(self.data) + ("S" in self.flags) + ("F" in self.flags)

    @property
    def end(self):
        return (self.seq + self.length) % MODULUS

    def packet(self):
        """The IP packet, by Scapy."""
        assert len(self.options) % 4 == 0, "pad the options yourself: the padding is judged too"
        ip = IP(src=self.src.ip, dst=self.dst.ip, ttl=self.ttl, tos=self.tos, id=self.id,
                flags="DF" if self.df else 0,
                options=[IPOption(self.ip_options)] if self.ip_options else [])
        tcp = TCP(sport=self.src.port, dport=self.dst.port, seq=self.seq, ack=self.ack,
                  flags=self.flags, window=self.window, urgptr=self.urgent, reserved=self.reserved,
                  dataofs=5 + len(self.options) // 4)
        for header, layer in (("ip", ip), ("tcp", tcp)):
            for name, value in self.wrong.get(header, {}).items():
                setattr(layer, name, value)
        rest = self.options + self.data
        return ip / tcp / Raw(rest) if rest else ip / tcp

    def frame(self, source_mac, destination_mac):
        ether = Ether(src=source_mac, dst=destination_mac)
        return bytes(ether / self.packet()) + self.padding


def but(segment, **changes):
    """The same segment with some fields changed."""
    return replace(segment, **changes)


def reset(src, dst, seq, ack=None):
    """A RST of Sluice's own, whole: nothing in it is left to chance."""
    return Segment(src, dst, "R" if ack is None else "RA", seq % MODULUS, (ack or 0) % MODULUS,
                   window=0, ttl=64, id=0)


def assert_same_frame(got, expected):
    """Every byte; what differs is shown as Scapy reads it."""
    if got == expected:
        return
    places = [i for i in range(max(len(got), len(expected))) if got[i:i + 1] != expected[i:i + 1]]
    raise AssertionError(
        f"frames differ at bytes {places}\n"
        f"--- got {len(got)} bytes: {got.hex()}\n{Ether(got).show(dump=True)}\n"
        f"--- expected {len(expected)} bytes: {expected.hex()}\n{Ether(expected).show(dump=True)}")
