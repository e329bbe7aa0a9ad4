# SPDX-License-Identifier: BSD-3-Clause
"""The two links of Sluice, whose far ends the tests hold.

                         one network namespace
    +------------------------------------------------------------------+
    |  wire-client ======= lb-client           lb-backend ======= wire-backend
    |  the tests'          Sluice,             Sluice,            the tests'
    |  clients             10.1.255.254/16     10.2.255.254/16    backends
    +------------------------------------------------------------------+

No interface has an address, so the kernel has no part in it. Hosts exist as far as a test speaks in
their name: a Side answers ARP for every address of its network but those in `silent`.

Nothing here waits a while to see that nothing comes: settle() sends a ping through each port, and
as packets keep their order, whatever was to come is there when both have come back.
"""

import errno
import os
import select
import socket
import time
from collections import deque

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import ARP, Ether

from lab_kit.namespace import Namespace, link
from lab_kit.process import BOTH_CORES

BROADCAST = "ff:ff:ff:ff:ff:ff"
ARRIVAL_SECONDS = 10  # generous: a loaded machine is slow, and a failing test may be
ETHER_TYPE_ALL = 3
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
RECEIVE_BUFFER_BYTES = 64 << 20
SO_RCVBUFFORCE = 33


def mac_of(ip):
    """Every host has the MAC that its address spells."""
    return "02:01:" + ":".join(f"{int(byte):02x}" for byte in ip.split("."))


def is_neighbour_talk(frame):
    """Neighbour discovery and MLD (RFC 4861, RFC 3810), which Sluice begins by itself."""
    if frame[12:14] != b"\x86\xdd":
        return False
    return frame[20] == 0 or (frame[20] == 58 and 130 <= frame[54] < 144)


class Side:
    """The tests' end of one link."""

    def __init__(self, namespace, interface, mac, own_ip, pinger_ip):
        self.mac = mac  # of Sluice's port
        self.own_ip = own_ip  # of Sluice's interface
        self.pinger_ip = pinger_ip
        self.silent = set()  # hosts that do not answer ARP
        self.macs = {}  # hosts whose MAC is not the usual one
        self.talks = ()  # where some are named, frames of no other connection get into the inbox
        self.inbox = deque()  # frames nobody has asked for yet; neither ARP nor our pings
        self.arps = []  # what Sluice asked and told, as Scapy reads it
        self.pong = 0
        with namespace.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
        self.socket.bind((interface, ETHER_TYPE_ALL))
        self.socket.setblocking(False)

    def mac_of(self, ip):
        return self.macs.get(ip, mac_of(ip))

    def puts(self, frame):
        """On the wire with a whole frame."""
        frame = bytes(frame)
        while True:
            try:
                return self.socket.send(frame)
            except (BlockingIOError, OSError) as error:
                if error.errno == errno.ENETDOWN:  # said once of a link that was taken down
                    continue
                if error.errno not in (11, 105):  # EAGAIN, ENOBUFS: the queue is full
                    raise
                time.sleep(0.001)

    def asks(self, ip, source_ip, operation="who-has", **fields):
        """An ARP packet in the name of a host."""
        mac = self.mac_of(source_ip)
        fields = {"hwsrc": mac, "psrc": source_ip, "pdst": ip, "op": operation} | fields
        self.puts(Ether(src=mac, dst=fields.pop("to", BROADCAST)) / ARP(**fields))

    def take_in(self):
        """Reads all that has arrived: answers ARP, counts pings, keeps the rest."""
        while True:
            try:
                frame = self.socket.recv(65535)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # said once of a link that was taken down
                    raise
                continue
            if frame[12:14] == b"\x08\x06":
                self._meet_arp(Ether(frame))
            elif is_neighbour_talk(frame):
                continue
            elif not self._is_pong(frame) and self._is_heard(frame):
                self.inbox.append(frame)

    def _is_heard(self, frame):
        return not self.talks or any(talk.owns(frame, self) for talk in self.talks)

    def _meet_arp(self, frame):
        self.arps.append(frame)
        arp = frame[ARP]
        if arp.op != 1 or arp.psrc == arp.pdst or arp.pdst in self.silent:
            return
        self.asks(arp.psrc, arp.pdst, "is-at", hwdst=arp.hwsrc, to=arp.hwsrc)

    def ping(self, number):
        self.puts(Ether(src=self.mac_of(self.pinger_ip), dst=self.mac)
                  / IP(src=self.pinger_ip, dst=self.own_ip) / ICMP(id=0x5e77, seq=number))

    def _is_pong(self, frame):
        if frame[14 + 9] != 1 or frame[34:36] != b"\0\0" or frame[38:40] != b"\x5e\x77":
            return False
        self.pong = int.from_bytes(frame[40:42], "big")
        return True


class Wire:
    """Both links, in a namespace of their own, which Sluice runs in."""

    def __init__(self):
        self.namespace = Namespace(f"sl{os.getpid()}packet")
        self.pings = 0
        try:
            self._make_links()
        except BaseException:
            self.namespace.delete()
            raise

    def _make_links(self):
        macs = {"client": "02:aa:00:00:00:01", "backend": "02:aa:00:00:00:02"}
        for name, mac in macs.items():
            link(self.namespace, f"wire-{name}", self.namespace, f"lb-{name}")
            self.namespace.ip("link", "set", f"lb-{name}", "address", mac)
        self.client = Side(self.namespace, "wire-client", macs["client"], "10.1.255.254",
                           "10.1.200.1")
        self.backend = Side(self.namespace, "wire-backend", macs["backend"], "10.2.255.254",
                            "10.2.200.1")
        self.sides = (self.client, self.backend)

    def command(self, *words):
        """What runs Sluice in here. EAL pins each thread by the configuration."""
        return self.namespace.command(*words, core=BOTH_CORES)

    def close(self):
        for side in self.sides:
            side.socket.close()
        self.namespace.delete()

    def clear(self):
        """Forgets what hosts did and what has arrived, for a new start of Sluice."""
        for side in self.sides:
            side.take_in()
            side.silent.clear()
            side.macs.clear()
            side.talks = ()
            side.inbox.clear()
            side.arps.clear()

    def hears_only(self, *talks):
        """From here on frames of other connections are as if they had not come; of none: all."""
        for side in self.sides:
            side.talks = talks

    def wait_until(self, condition, complaint):
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(complaint)
            select.select([side.socket for side in self.sides], [], [], min(left, 0.1))
            for side in self.sides:
                side.take_in()

    def next_frame(self, side):
        self.wait_until(lambda: side.inbox, "nothing arrived")
        return side.inbox.popleft()

    def settle(self):
        """Returns when Sluice is through with everything that was sent before, and its answers are
        in the inboxes. Twice: an answer may leave by the port whose ping is back already."""
        for side in self.sides * 2:
            self.pings = self.pings % 65535 + 1
            side.ping(self.pings)
            self.wait_until(lambda side=side: side.pong == self.pings,
                            "Sluice does not answer a ping")
