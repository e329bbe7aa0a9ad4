# SPDX-License-Identifier: BSD-3-Clause
"""Load on a lab: the churn of short connections, and wrk. Both end by themselves."""

import csv
import json
import re
import subprocess

from lab_kit.addresses import CLIENT_FIRST, PLAIN_FIRST, VIP
from lab_kit.backend import PORT_CLOSING, PORT_KEEPALIVE
from lab_kit.checkout import program
from lab_kit.process import LabError, stop_process

# The close modes in which a side other than nginx on its closing port closes first.
KEEPALIVE_MODES = ("client", "reset")

# SYNs that PAWS refused in TIME_WAIT; stale ACKs withheld by rate limit; buckets thrown away early.
TIME_WAIT_REJECTS = ("TcpExtPAWSTimewait", "TcpExtTCPACKSkippedTimeWait",
                     "TcpExtTCPTimeWaitOverflow")


class Churn:
    """`churn` in a client namespace; finish() returns its report as a dict."""

    def __init__(self, lab, close="server", plain=False, log=False, **options):
        self.log_file = lab.work / f"churn-{id(self)}.csv" if log else None
        port = PORT_KEEPALIVE if close in KEEPALIVE_MODES else PORT_CLOSING
        options = {"to": f"{VIP}:{port}", "from": PLAIN_FIRST if plain else CLIENT_FIRST} | options
        words = [program("churn"), "--json", "--close", close]
        for name, value in options.items():
            words += [f"--{name.replace('_', '-')}", value]
        if log:
            words += ["--log", self.log_file]
        namespace = lab.plain if plain else lab.client
        self.process = namespace.start(*words, stdout=-1, stderr=-1, text=True)
        lab.processes.append(self.process)

    def finish(self):
        out, err = self.process.communicate()
        if self.process.returncode not in (0, 1):
            raise LabError(f"churn: {err}")
        return json.loads(out)

    def stop(self):
        """Before its time, where what it says does not matter."""
        stop_process(self.process)

    def connections(self):
        """The log: one dict a connection, times as numbers."""
        with open(self.log_file) as lines:
            for row in csv.DictReader(lines):
                yield row | {"opened_ns": int(row["opened_ns"]),
                             "connect_ms": float(row["connect_ms"]),
                             "request_ms": float(row["request_ms"])}


def churn(lab, **options):
    """A whole churn; the report has the backends' TIME_WAIT counters beside the generator's own."""
    before = time_wait_counters(lab)
    report = Churn(lab, **options).finish()
    after = time_wait_counters(lab)
    return report | {"rejects": {name: after[name] - before[name] for name in after}}


def time_wait_counters(lab):
    """What the backends' kernels counted against new connections because of TIME_WAIT."""
    tables = [backend.counters() for backend in lab.backends]
    return {name: sum(table.get(name, 0) for table in tables) for name in TIME_WAIT_REJECTS}


def wrk(lab, seconds=5, connections=64, path="/", port=PORT_KEEPALIVE):
    """wrk with keep-alive; returns requests, rate, errors and latency."""
    out = lab.client.run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
                         f"http://{VIP}:{port}{path}", check=False)
    total = re.search(r"(\d+) requests in ([\d.]+)s", out)
    if not total:
        raise LabError(f"wrk: {out}")
    sockets = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    status = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    errors = sum(map(int, sockets.groups())) if sockets else 0
    latency = {name: milliseconds(value)
               for name, value in re.findall(r"^ +(50|99)% +(\S+)$", out, re.MULTILINE)}
    return {"requests": int(total[1]), "rate": float(re.search(r"Requests/sec: +([\d.]+)", out)[1]),
            "errors": errors + (int(status[1]) if status else 0),
            "p50_ms": latency["50"], "p99_ms": latency["99"]}


def assert_no_stall(client, url, seconds=3, least=300):
    """wrk, against a server that closes each connection: so many answers at least, all of them
    right, and none waited for a second, as it would behind a SYN that is not answered."""
    text = client.run("wrk", "-t", "1", "-c", "8", "-d", seconds, "--latency", url)
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    assert int(re.search(r"(\d+) requests in", text)[1]) > least, text
    slowest = re.search(r"Latency +\S+ +\S+ +([\d.]+)(us|ms|s|m)\b", text)
    assert slowest[2] in ("us", "ms"), text


def milliseconds(text):
    """wrk's "1.23ms", "456.00us" or "2.07s" as milliseconds."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


HOLDER = f"""
import socket, sys
def fate(peer):
    try:
        return "closed" if peer.recv(1) == b"" else "data"
    except BlockingIOError:
        return "open"
    except ConnectionResetError:
        return "reset"
peers = [socket.create_connection(("{VIP}", 8080), timeout=20) for _ in range(int(sys.argv[1]))]
for peer in peers:
    peer.sendall(b"GET / HTTP/1.1\\r\\nHost: lab\\r\\n\\r\\n")
    answer = b""
    while not answer.endswith(b"xyz"):
        answer += peer.recv(4096)
    peer.setblocking(False)
print("open", flush=True)
sys.stdin.readline()
print(*(fate(peer) for peer in peers))
"""


class Held:
    """Idle connections through the service `keepalive`, one to each backend in turn."""

    def __init__(self, lab, count):
        self.process = lab.client.start("/usr/bin/python3", "-c", HOLDER, count, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lab.processes.append(self.process)
        assert self.process.stdout.readline() == "open\n"

    def close(self):
        """Closes them; returns what had become of each."""
        return sorted(self.process.communicate("\n", timeout=30)[0].split())
