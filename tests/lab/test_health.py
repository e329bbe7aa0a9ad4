# SPDX-License-Identifier: BSD-3-Clause
"""Health checks of real nginx, from the interface's address through the kernel's tap.

One lab for all of it: a check is changed by a reload, and what a backend answers by the file that
its nginx includes. `web` is checked, by HTTP on port 8090 where nothing else is said.
"""

import os
import re
import signal
import time
from contextlib import contextmanager

import pytest

from browser import URL, browser, with_page
from lab_kit import toml, udp_server
from lab_kit.addresses import BACKENDS
from lab_kit.load import Churn, Held, churn
from lab_kit.middles import Sluice, ports_from
from lab_kit.process import run, stop_process, wait_until
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

FIRST, SECOND = (f"{address}:80" for address in BACKENDS)
GOOD = 'return 200 "all is well";'
INTERVAL_MS = 500
UDP_PORT = 5300
MANY = 1000
MANY_PER_SERVICE = 250

CHECKED = """
  server {{
    listen {address}:8090;
    listen {address}:8443 ssl;
    listen 8091 backlog=4096;
    ssl_certificate {work}/cert.pem;
    ssl_certificate_key {work}/key.pem;
    location / {{ include {work}/health.conf; }}
  }}
}}
"""


def with_tap(text):
    line = 'addresses = ["10.2.255.254/16"]'
    return with_page(text).replace(line, f'{line}\nkernel = "sluice0"')


@pytest.fixture(scope="module")
def shared():
    with lab_with(Sluice(edit=with_tap)) as lab:
        for backend in lab.backends:
            work = backend.work
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                "/CN=lab.example", "-addext", "subjectAltName=DNS:lab.example", "-keyout",
                work / "key.pem", "-out", work / "cert.pem")
            text = backend.config.read_text().rstrip().removesuffix("}")
            backend.config.write_text(text + CHECKED.format(work=work, address=backend.address))
        yield lab


@pytest.fixture
def lab(shared):
    """The shared lab with both backends well and nothing checked yet."""
    shared.middle.ctl("backend", "clear", "--all")
    shared.middle.reload(shared.middle.toml())
    for backend in shared.backends:
        answer(shared, backend, GOOD)
    return shared


def start_nginx(lab, backend):
    lab.processes.append(backend.start_nginx())
    backend.wait_until_up()


def answer(lab, backend, directives):
    """What a backend says to its check from now on."""
    file = backend.work / "health.conf"
    if file.exists() and file.read_text() == directives and backend.pids():
        return
    file.write_text(directives)
    backend.signal(signal.SIGKILL)
    wait_until(lambda: not backend.pids(), 10, "nginx does not end")
    start_nginx(lab, backend)


def check_table(**keys):
    words = {"type": "http", "interval_ms": INTERVAL_MS, "timeout_ms": INTERVAL_MS} | keys
    if words["type"] == "http":
        words.setdefault("port", 8090)
    return toml.table("service.health_check", **words)


def check(lab, service="web", **keys):
    """Puts a health check of `service` into force."""
    head, tail = lab.middle.toml().split(f'name = "{service}"', 1)
    done = lab.middle.reload(
        head + f'name = "{service}"' +
        tail.replace("\n[[service.backend]]", check_table(**keys) + "\n[[service.backend]]", 1))
    assert done.returncode == 0, done.stderr
    return lab


def wait_health(lab, address, health, seconds=5):
    wait_until(lambda: lab.middle.backend(address)["health"] == health, seconds,
               f"{address} is not {health}: {lab.middle.backend(address)}")
    return lab.middle.backend(address)


def served(lab, **options):
    """Who served, by address, of a few connections that all have to be well."""
    report = churn(lab, seconds=5, **({"connections": 60} | options))
    assert_all_well(report)
    return report["backends"]


# The first: of one line in the log a minute has three, and other tests have all down as well.
def test_all_down(lab):
    command_check(lab, all_down="refuse")
    wait_health(lab, SECOND, "up")
    log = len(lab.middle.log())
    for address in BACKENDS:
        (lab.work / address).unlink()
    wait_health(lab, FIRST, "down")
    wait_health(lab, SECOND, "down")
    # What has been found out is in force, and in the log, a tenth of a second later.
    wait_until(lambda: "no backend takes new connections" in lab.middle.ctl_run("status").stdout, 5,
               "status does not say it")
    wait_until(lambda: "every backend is down" in lab.middle.log()[log:], 5,
               "the log does not say it")
    log = len(lab.middle.log())
    report = churn(lab, seconds=5, connections=20)
    assert report["refused"] == 20 and report["stalls"] == 0
    text = lab.middle.config.read_text()
    assert lab.middle.reload(text.replace('"refuse"', '"use_all"')).returncode == 0
    assert served(lab) == {BACKENDS[0]: 30, BACKENDS[1]: 30}
    used = lab.middle.backend(FIRST)
    assert (used["state"], used["weight"]) == ("unhealthy", 1)
    wait_until(lambda: "all are used" in lab.middle.ctl_run("status").stdout, 5,
               "status does not say it")
    assert "is down" not in lab.middle.log()[log:]  # a reload is no news
    (lab.work / BACKENDS[1]).touch()
    wait_health(lab, SECOND, "up")
    assert served(lab) == {BACKENDS[1]: 60}


def test_killed(lab):
    check(lab, port=80)
    wait_health(lab, SECOND, "up")
    log = len(lab.middle.log())
    lab.backends[1].signal(signal.SIGKILL)
    start = time.monotonic()
    down = wait_health(lab, SECOND, "down")
    assert time.monotonic() - start < 2 * INTERVAL_MS / 1000 + 0.5
    assert (down["state"], down["weight"], down["weight_configured"]) == ("unhealthy", 0, 1)
    assert down["health_reason"] == "connect: Connection refused"
    assert f"backend web {SECOND} is down: connect: Connection refused (2 in a row)" in \
        lab.middle.log()[log:]
    assert served(lab) == {BACKENDS[0]: 60}
    assert "Connection refused" in lab.middle.ctl("show", "backends")
    wait_until(lambda: f"{SECOND} of web is down for" in lab.middle.ctl_run("status").stdout, 5,
               "status does not say it")
    start_nginx(lab, lab.backends[1])
    wait_health(lab, SECOND, "up")
    assert f"backend web {SECOND} is up after " in lab.middle.log()[log:]
    assert served(lab) == {BACKENDS[0]: 30, BACKENDS[1]: 30}


def test_hung(lab):
    check(lab)
    wait_health(lab, SECOND, "up")
    with lab.backends[1].frozen():
        assert wait_health(lab, SECOND, "down")["health_reason"] == "no answer in time"
        assert served(lab) == {BACKENDS[0]: 60}
    wait_health(lab, SECOND, "up")


@pytest.mark.parametrize("directives, keys, reason", [
    ("return 503;", {}, "status 503"),
    ("return 204;", {"expect_status": [200, "300-399"]}, "status 204"),
    ('return 200 "ill";', {"body_matches": "^all is w"}, "status 200, but the body does not match"),
    ("root {www}; try_files /letters10m =404; limit_rate 1000;", {},
     "status 200, and no end in time"),
], ids=["503", "204", "body", "slow"])
def test_http(lab, directives, keys, reason):
    check(lab, **keys)
    wait_health(lab, SECOND, "up")
    answer(lab, lab.backends[1], directives.replace("{www}", str(lab.work / "www")))
    wait_until(lambda: lab.middle.backend(SECOND)["health_reason"] == reason, 5, reason)
    wait_health(lab, SECOND, "down")


def test_https(lab):
    keys = {"type": "https", "port": 8443, "interval_ms": 1500, "timeout_ms": 1500, "fall": 1,
            "rise": 1}
    check(lab, **keys)
    wait_health(lab, SECOND, "up")
    check(lab, **keys, tls_verify=True, tls_name="lab.example")
    assert "self-signed certificate" in wait_health(lab, SECOND, "down")["health_reason"]
    trusted = keys | {"tls_verify": True, "tls_ca": str(lab.backends[1].work / "cert.pem")}
    check(lab, **trusted, tls_name="lab.example")
    wait_health(lab, SECOND, "up")
    check(lab, **trusted, host="other.example")
    assert "certificate subject name" in wait_health(lab, SECOND, "down")["health_reason"]


def command_check(lab, **keys):
    """Backends are well as long as a file of their name is there."""
    for address in BACKENDS:
        (lab.work / address).touch()
    script = f"test -e {lab.work}/$SLUICE_ADDRESS || {{ echo gone; exit 3; }}"
    return check(lab, **({"type": "command", "command": ["/bin/sh", "-c", script]} | keys))


def test_command(lab):
    command_check(lab)
    wait_health(lab, SECOND, "up")
    (lab.work / BACKENDS[1]).unlink()
    assert wait_health(lab, SECOND, "down")["health_reason"] == "exit status 3: gone"
    check(lab, type="command", command=["/bin/sh", "-c", "sleep 4711 & sleep 4712"])
    wait_until(lambda: lab.middle.backend(FIRST)["health_reason"] ==
               "the command did not end in time", 5, "the command may run on")
    check(lab, type="tcp")
    wait_until(lambda: "471" not in run("ps", "-eo", "args").replace("[", ""), 5, "it still runs")
    wait_health(lab, SECOND, "up")
    check(lab, type="command", command=["/no/such/program"])
    wait_until(lambda: "No such file" in lab.middle.backend(SECOND)["check_error"], 5,
               "nothing is said of a program that is not there")
    # That the check cannot be made is not its fault.
    assert lab.middle.backend(SECOND)["state"] == "up"


@contextmanager
def udp_servers(lab):
    """One beside each nginx; the list of their processes."""
    servers = [backend.start("/usr/bin/python3", udp_server.__file__, backend.address, UDP_PORT)
               for backend in lab.backends]
    try:
        yield servers
    finally:
        for server in servers:
            stop_process(server)


def test_udp_and_dns(lab):
    """Answers, and the ICMP error of a closed port, find their way through the tap."""
    def why_second_is_down():
        return wait_health(lab, SECOND, "down")["health_reason"]

    with udp_servers(lab) as (_, second):
        check(lab, type="udp", port=UDP_PORT, payload="PING\n", expect="PONG")
        wait_health(lab, SECOND, "up")
        stop_process(second)
        assert why_second_is_down() == "port unreachable (ICMP)"
        assert lab.middle.backend(FIRST)["health"] == "up"
    with udp_servers(lab):
        check(lab, type="dns", port=UDP_PORT, dns_name="web.example", dns_expect="192.0.2.7")
        wait_health(lab, SECOND, "up")
        lab.backends[1].nft("table ip lab { chain in { type filter hook input priority 0; "
                            f"udp dport {UDP_PORT} drop; }}; }}")
        try:
            assert why_second_is_down() == f"no answer within {INTERVAL_MS} ms"
        finally:
            lab.backends[1].nft("delete table ip lab")
        wait_health(lab, SECOND, "up")
        check(lab, type="dns", port=UDP_PORT, dns_name="web.example", dns_expect="192.0.2.8")
        assert why_second_is_down() == 'answer lacks "192.0.2.8"'


def test_passive(lab):
    check(lab, interval_ms=60000, passive=True)  # which finds nothing wrong, and seldom looks
    wait_health(lab, SECOND, "up")
    lab.backends[1].nft("table ip lab { chain in { type filter hook input priority 0; "
                        "tcp dport 80 reject with tcp reset; }; }")
    try:
        churn(lab, seconds=3, concurrency=2)
        down = wait_health(lab, SECOND, "down", 2)
        assert re.match(r"clients' handshakes fail \(refused \d+, unanswered 0\)",
                        down["health_reason"])
        refused = down["refused"]
        assert served(lab) == {BACKENDS[0]: 60}
        assert lab.middle.backend(SECOND)["refused"] == refused
    finally:
        lab.backends[1].nft("delete table ip lab")
    check(lab, passive=True)
    wait_health(lab, SECOND, "up")


@pytest.mark.parametrize("on_down", ["keep", "reset"])
def test_flows_of_a_backend_that_goes_down(lab, on_down):
    command_check(lab, service="keepalive", on_down=on_down)
    wait_health(lab, "10.2.0.11:8080", "up")
    held = Held(lab, 4)
    (lab.work / BACKENDS[1]).unlink()
    wait_health(lab, "10.2.0.11:8080", "down")
    if on_down == "reset":
        wait_until(lambda: lab.middle.backend("10.2.0.11:8080")["active"] == 0, 5, "flows are left")
    fates = held.close()
    assert fates == ["open"] * 4 if on_down == "keep" else ["open"] * 2 + ["reset"] * 2


def test_slow_start_and_reload(lab):
    command_check(lab, slow_start_seconds=20)
    wait_health(lab, SECOND, "up")
    (lab.work / BACKENDS[1]).unlink()
    wait_health(lab, SECOND, "down")
    (lab.work / BACKENDS[1]).touch()
    start = time.monotonic()
    wait_health(lab, SECOND, "starting")
    few = served(lab, connections=210)[BACKENDS[1]]
    assert 0 < few < 60
    assert lab.middle.backend(SECOND)["state"] == "up" and lab.middle.backend(SECOND)["weight"] == 1
    checks = lab.middle.backend(SECOND)["checks_good"]
    log = len(lab.middle.log())
    assert "reloaded" in lab.middle.ctl("reload")
    kept = lab.middle.backend(SECOND)
    assert kept["health"] == "starting" and kept["checks_good"] >= checks
    wait_until(lambda: lab.middle.backend(SECOND)["share_percent"] >= 30, 15, "it does not grow")
    more = served(lab, connections=210)[BACKENDS[1]]
    assert few < more < 100
    assert time.monotonic() - start < 20 and "is down" not in lab.middle.log()[log:]


def test_an_operator_overrules_health(lab):
    command_check(lab)
    wait_health(lab, SECOND, "up")
    (lab.work / BACKENDS[1]).unlink()
    wait_health(lab, SECOND, "down")
    lab.middle.ctl("backend", "set", "web", SECOND, "--drain")
    said = lab.middle.ctl("backend", "set", "web", SECOND, "--up")  # ends the drain, no more
    assert "exit status 3: gone (--up takes it up all the same)" in said
    kept = lab.middle.backend(SECOND)
    assert (kept["state"], kept["override"]) == ("unhealthy", None)
    lab.middle.ctl("backend", "set", "web", SECOND, "--up")
    forced = lab.middle.backend(SECOND)
    assert (forced["state"], forced["override"], forced["health"]) == ("up", "up", "down")
    assert served(lab) == {BACKENDS[0]: 30, BACKENDS[1]: 30}
    lab.middle.ctl("backend", "set", "web", FIRST, "--down")
    well = lab.middle.backend(FIRST)
    assert (well["state"], well["health"]) == ("down", "up")
    assert served(lab) == {BACKENDS[1]: 60}


def test_a_killed_backend_turns_red(lab):
    interval_s = 2
    check(lab, port=80, interval_ms=1000 * interval_s, passive=True)
    wait_health(lab, SECOND, "up")
    with browser(lab.balancer) as page:
        page.get(URL)

        def tones():
            return page.execute_script("""
                return Object.fromEntries([...document.querySelectorAll("#backends tbody tr")].map(
                    tr => [tr.cells[0].textContent, tr.className]))""")

        wait_until(lambda: tones().get(SECOND) == "", 20, "the page never showed it well")
        load = Churn(lab, seconds=20, concurrency=2)
        try:
            time.sleep(0.5)
            lab.backends[1].signal(signal.SIGKILL)
            wait_until(lambda: tones()[SECOND] == "critical", 2 * interval_s,
                       "it is not red in time")
            assert tones()[FIRST] == ""
        finally:
            load.stop()


def control_seconds(lab):
    """CPU time of the control thread so far."""
    pid = lab.middle.process.pid  # taskset and ip have become sluice
    fields = open(f"/proc/{pid}/task/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def with_many(text):
    more = toml.entry("route", to="10.9.0.0/16", via=BACKENDS[0])
    more += toml.local_pool("small", ["10.2.0.2"], ports_from(32))
    for i in range(MANY // MANY_PER_SERVICE):
        more += toml.service(f"many{i}", f"10.3.1.{i}:80", "small",
                             [f"10.9.{i}.{j + 1}:80" for j in range(MANY_PER_SERVICE)],
                             tables=check_table(port=8091, interval_ms=1000, timeout_ms=1000))
    return text + more


def test_a_thousand_each_second(lab):
    lab.backends[0].ip("route", "add", "local", "10.9.0.0/16", "dev", "lo")
    assert lab.middle.reload(with_many(lab.middle.toml())).returncode == 0

    def many():
        return [row for row in lab.middle.show("backends") if row["address"].startswith("10.9.")]

    wait_until(lambda: all(row["health"] == "up" for row in many()), 10, "not all are up")
    before, start, cpu = many(), time.monotonic(), control_seconds(lab)
    # Clients, backends and control share one core here: clients that took all they can get would be
    # what makes checks late.
    report = churn(lab, seconds=3, connections=300, concurrency=1)
    time.sleep(max(0, start + 3 - time.monotonic()))
    cpu = control_seconds(lab) - cpu
    seconds, after = time.monotonic() - start, many()
    checks = sum(row["checks_good"] for row in after) - sum(row["checks_good"] for row in before)
    print(f"checks a second: {checks / seconds:.0f}, control thread: {cpu / seconds:.0%}")
    assert_all_well(report)
    assert all(new["checks_good"] > old["checks_good"] for old, new in zip(before, after))
    assert all(row["state"] == "up" for row in after)

    lab.backends[0].signal(signal.SIGKILL)
    wait_until(lambda: all(row["state"] == "unhealthy" for row in many()), 5, "not all are down")
    start_nginx(lab, lab.backends[0])
    wait_until(lambda: all(row["state"] == "up" for row in many()), 10, "not all are back")
