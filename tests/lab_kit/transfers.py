# SPDX-License-Identifier: BSD-3-Clause
"""Transfers whose every byte is judged, through a service of their own, beside all else."""

import signal
import subprocess

from lab_kit import toml
from lab_kit.addresses import BACKENDS, VIP

STEADY_PORT = 8090

STEADY = toml.service("steady", f"{VIP}:{STEADY_PORT}", "default", [f"{BACKENDS[0]}:8080"])
# Short: what the load left behind is soon gone.
TIMEOUTS = toml.table("tcp_timeouts", syn_sent=5, syn_received=5, established=30, half_closed=10,
                      closing=5, closed=2)

# Downloads, and uploads what it then downloads; says of each whether every byte was right. A
# connection that the client's own kernel has no way for, while its link is down, is none.
TRANSFERS = f"""
import hashlib, http.client, os, signal, sys, threading, time
end, right, stopped = time.monotonic() + float(sys.argv[1]), sys.argv[2], []
signal.signal(signal.SIGUSR1, lambda *_: stopped.append(True))
def say(line):
    os.write(1, (line + "\\n").encode())  # at once: several threads speak
def ask(method, path, body=None):
    peer = http.client.HTTPConnection("{VIP}", {STEADY_PORT}, timeout=60)
    while True:
        try:
            peer.connect()
            break
        except OSError as error:
            if error.errno not in (101, 113):
                raise
            time.sleep(0.2)
    peer.request(method, path, body)
    answer = peer.getresponse()
    body = answer.read()
    peer.close()
    return answer.status, body
def download():
    status, body = ask("GET", "/random10m")
    return hashlib.sha256(body).hexdigest() == right, len(body)
def upload():
    body, path = os.urandom(3_000_000), f"/upload/{{threading.get_ident()}}"
    status, _ = ask("PUT", path, body)
    status, stored = ask("GET", path)
    return status == 200 and stored == body, len(stored)
def go_on(transfer):
    while time.monotonic() < end and not stopped:
        try:
            good, size = transfer()
            what = "right" if good else f"wrong: {{size}} bytes"
            say(f"{{transfer.__name__}} {{what}}")
        except Exception as error:
            say(f"{{transfer.__name__}} failed: {{error!r}}")
            time.sleep(0.2)
threads = [threading.Thread(target=go_on, args=[t]) for t in (download, download, upload)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Transfers:
    """Downloads and uploads of the service `steady`, as long as the soak."""

    def __init__(self, lab, seconds):
        right = lab.client.run("sha256sum", lab.work / "www" / "random10m").split()[0]
        self.process = lab.client.start("/usr/bin/python3", "-c", TRANSFERS, seconds, right,
                                        stdout=subprocess.PIPE, text=True)
        lab.processes.append(self.process)

    def stop(self):
        """finish() before the time is up."""
        self.process.send_signal(signal.SIGUSR1)
        return self.finish()

    def finish(self):
        """Rows of (what, whether it is right, what was seen)."""
        lines = self.process.communicate()[0].splitlines()
        rows = []
        for kind in ("download", "upload"):
            mine = [line.removeprefix(kind + " ") for line in lines if line.startswith(kind)]
            right, wrong = mine.count("right"), [line for line in mine if line != "right"]
            rows.append((f"{kind}s intact", right > 0 and not wrong,
                         f"{right}, not: {len(wrong)} {wrong[:2]}"))
        return rows
