# SPDX-License-Identifier: BSD-3-Clause
"""scripts/replay: every frame of a folder of captures, in five variants that get past ever more of
Sluice's checks, beside transfers whose every byte is judged. SLUICE_BUILD chooses the build."""

import argparse
import signal
import socket
import struct
import sys
import time
from contextlib import closing
from pathlib import Path

from scapy.error import Scapy_Exception
from scapy.utils import RawPcapReader

from lab_kit.addresses import BACKENDS, LOCAL, VIP
from lab_kit.frames import ones_sum, put
from lab_kit.leak_watch import Watch
from lab_kit.middles import Sluice
from lab_kit.topology import Lab
from lab_kit.transfers import STEADY, TIMEOUTS, Transfers

ENDINGS = (".pcap", ".pcapng", ".cap", ".trace", ".dump", ".dmp")
ETHERNET, RAW_IP, COOKED = 1, (12, 14, 101, 228), 113  # link types (pcap-linktype(7))
FRAME_MAX = 1514
AT_ONCE = 2_000  # frames, before Sluice is asked whether it is well
A_SECOND = 20_000
TRANSFER_SECONDS_MAX = 24 * 3600


def ip_frames(path):
    """What a capture holds, as Ethernet frames; nothing of one that cannot be read."""
    try:
        with closing(RawPcapReader(str(path))) as reader:
            for data, meta in reader:
                link = getattr(meta, "linktype", None)
                link = reader.linktype if link is None else link
                if link == ETHERNET:
                    yield data
                elif link in RAW_IP:
                    yield bytes(12) + b"\x08\x00" + data
                elif link == COOKED:
                    yield bytes(12) + data[14:]
    except (Scapy_Exception, EOFError, struct.error, OSError, ValueError):
        return  # cut off, or no capture at all: what was read before has been played


class Variants:
    """The five; `as_backend` frames go to the backends' side, all others to the clients'."""

    def __init__(self, lab):
        self.to_clients_side = lab.balancer.mac_of("lb-client")
        self.to_backends_side = lab.balancer.mac_of("lb-backend")
        self.from_client = lab.client.mac_of("eth0")
        self.from_backend = lab.backends[0].mac_of("eth0")

    @staticmethod
    def ipv4(frame):
        """A copy whose parts can be changed, or None where it is not IPv4 over Ethernet."""
        if len(frame) < 34 or frame[12:14] != b"\x08\x00" or frame[14] >> 4 != 4:
            return None
        return bytearray(frame[:FRAME_MAX])

    @staticmethod
    def set_port(frame, at, port):
        header = 14 + (frame[14] & 15) * 4
        if frame[23] in (6, 17) and len(frame) >= header + 4:
            struct.pack_into("!H", frame, header + at, port)

    @staticmethod
    def set_sums(frame):
        header = 14 + (frame[14] & 15) * 4
        frame[24:26] = bytes(2)
        frame[24:26] = struct.pack("!H", ones_sum(frame[14:header]))
        at = {6: 16, 17: 6, 1: 2}.get(frame[23])
        end = 14 + struct.unpack_from("!H", frame, 16)[0]
        body = frame[header:end]
        if at is None or len(body) < at + 2:
            return
        body[at:at + 2] = bytes(2)
        pseudo = bytes(frame[26:34]) + struct.pack("!HH", frame[23], len(body))
        total = ones_sum((b"" if frame[23] == 1 else pseudo) + bytes(body))
        struct.pack_into("!H", frame, header + at, total)

    def of(self, frame):
        """Yields (name, frame, whether from the backends' side)."""
        plain = self.to_clients_side + frame[6:FRAME_MAX]
        yield "own MAC", plain, False
        ours = self.ipv4(plain)
        if ours is None:
            return
        ours[30:34] = socket.inet_aton(VIP)
        self.set_port(ours, 2, 80)
        yield "own destination", bytes(ours), False
        right = bytearray(ours)
        self.set_sums(right)
        yield "sums right", bytes(right), False
        known = bytearray(ours)
        known[6:12] = self.from_client
        known[26:30] = bytes([10, 1, 40, known[29] or 1])
        self.set_sums(known)
        yield "known source", bytes(known), False
        back = bytearray(ours)
        back[:12] = self.to_backends_side + self.from_backend
        back[26:34] = socket.inet_aton(BACKENDS[0]) + socket.inet_aton(LOCAL)
        self.set_port(back, 0, 80)
        self.set_port(back, 2, 1024 + struct.unpack_from("!H", frame, 18)[0] % 4096)
        self.set_sums(back)
        yield "as a backend", bytes(back), True


class Player:
    """Collects frames and sends them in batches; ends where Sluice does."""

    def __init__(self, lab):
        self.lab = lab
        self.sides = {False: [], True: []}
        self.counts = {}

    def add(self, name, frame, from_backend):
        if len(frame) < 14:
            return
        self.sides[from_backend].append(frame)
        self.counts[name] = self.counts.get(name, 0) + 1
        if len(self.sides[from_backend]) >= AT_ONCE:
            self.flush()

    def flush(self):
        for from_backend, namespace in ((False, self.lab.client), (True, self.lab.backends[0])):
            if self.sides[from_backend]:
                put(namespace, self.sides[from_backend], A_SECOND)
                self.sides[from_backend] = []
        if not self.lab.middle.is_up():
            raise RuntimeError("sluice ended: " + self.lab.middle.log()[-4000:])


def captures(folders):
    for folder in folders:
        paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
        yield from (path for path in paths if path.is_file() and path.suffix.lower() in ENDINGS)


def replay(lab, folders, frames_max):
    watch, variants, player = Watch(lab), Variants(lab), Player(lab)
    transfers = Transfers(lab, TRANSFER_SECONDS_MAX)
    files = 0
    for path in captures(folders):
        files += 1
        try:
            for number, frame in enumerate(ip_frames(path)):
                if number == frames_max:
                    break
                for name, changed, from_backend in variants.of(frame):
                    player.add(name, changed, from_backend)
        except RuntimeError as error:
            raise RuntimeError(f"{path}: {error}") from error
    player.flush()
    rows = transfers.stop()
    rows.append(("flows run out", watch.settle(), "all" if watch.is_idle() else "not all"))
    return files, player.counts, rows + watch.judge()


def main():
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER",
                        help="with captures in it, at any depth: " + " ".join(ENDINGS))
    parser.add_argument("--frames", type=int, default=20_000, metavar="N",
                        help="of each capture no more than its first N (%(default)s)")
    options = parser.parse_args()
    missing = [str(folder) for folder in options.folders if not folder.exists()]
    if missing or not any(True for _ in captures(options.folders)):
        parser.error("no captures in " + " ".join(missing or map(str, options.folders)))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    with Lab(Sluice(edit=lambda toml: toml + TIMEOUTS + STEADY), label="replay") as lab:
        files, counts, rows = replay(lab, options.folders, options.frames)
        sluices = lab.middle.counters()
    print(f"{files} captures, {time.monotonic() - begin:.0f} s")
    for name, count in counts.items():
        print(f"  {count:>10,} frames, {name}")
    for name, value in sluices.items():
        if value:
            print(f"  {value:>10,} {name}")
    for what, right, seen in rows:
        print(f"{'ok  ' if right else 'BAD '} {what}: {seen}")
    return 0 if all(right for _, right, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
