# SPDX-License-Identifier: BSD-3-Clause
"""Metrics as Prometheus sees them: their form, their names, their values, the rules on them."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse

import pytest

from lab_kit.checkout import ROOT
from lab_kit.load import churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.toml import add_keys
from lab_kit.topology import lab_with
from lab_kit.witness import assert_all_well

HOST, PORT = "127.0.0.1", 9180
LISTEN = f"{HOST}:{PORT}"
CONF = ROOT / "conf" / "prometheus"


@pytest.fixture(scope="module")
def lab():
    def metrics(text):
        return add_keys(text, "control", metrics_listen=LISTEN)
    with lab_with(Sluice(edit=metrics)) as lab:
        yield lab


def scrape(lab):
    """As they are now: the same text is given for a second."""
    time.sleep(1)
    return lab.balancer.run("curl", "-sf", "--max-time", "10", f"http://{LISTEN}/metrics")


def samples(text):
    """{(name, frozenset of labels): value}"""
    found = {}
    for name, labels, value in re.findall(r"(?m)^([a-z_]+)(?:\{(.*)\})? (\S+)$", text):
        pairs = frozenset(re.findall(r'(\w+)="([^"]*)"', labels))
        assert (name, pairs) not in found, (name, labels)
        found[name, pairs] = float(value)
    return found


def total(found, name, **labels):
    want = set(labels.items())
    return sum(value for (key, pairs), value in found.items() if key == name and want <= pairs)


def test_the_exposition_is_as_prometheus_wants_it(lab):
    checked = subprocess.run(["promtool", "check", "metrics"], input=scrape(lab), text=True,
                             capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


IDLE = f"""
import socket, sys
peers = [socket.create_connection(("{HOST}", {PORT})) for _ in range(200)]
for peer in peers:
    peer.sendall(b"GET /met")
print("open", flush=True)
sys.stdin.read()
"""


def test_who_says_nothing_blocks_nobody(lab):
    idle = lab.balancer.start("/usr/bin/python3", "-c", IDLE, text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    lab.processes.append(idle)
    assert idle.stdout.readline() == "open\n"
    assert "sluice_" in scrape(lab)
    idle.communicate("")


def test_what_is_exported_is_what_is_documented(lab):
    exported = set(re.findall(r"(?m)^# TYPE (\S+) ", scrape(lab)))
    document = (ROOT / "docs" / "metrics.md").read_text()
    documented = set(re.findall(r"`((?:sluice|process)_[a-z_]+)`", document))
    assert exported == documented


def test_values_are_those_of_sluicectl(lab):
    before = samples(scrape(lab))
    assert_all_well(churn(lab, seconds=20, connections=2000))
    after = samples(scrape(lab))
    opened = [total(found, "sluice_service_flows_total") for found in (before, after)]
    assert opened[1] - opened[0] == 2000
    for row in lab.middle.show("backends"):
        labels = {"service": row["service"], "backend": row["address"]}
        assert total(after, "sluice_backend_flows_total", **labels) == row["connections"]
        assert total(after, "sluice_backend_bytes_total", direction="in", **labels) == \
            row["bytes_in"]
        assert total(after, "sluice_backend_state", state="up", **labels) == 1
    taken = "sluice_pool_ports_taken_total"
    assert total(after, taken) - total(before, taken) == 2000
    pools = lab.middle.show("pools")
    assert total(after, "sluice_pool_local_ports") == sum(row["ports"] for row in pools)
    assert total(after, "sluice_interface_up") == 2
    assert total(after, "sluice_interface_packets_total", direction="in") >= \
        total(after, "sluice_worker_packets_total", direction="in") > 10000
    assert 0 <= total(after, "sluice_worker_busy_ratio") <= 1
    handshakes = total(after, "sluice_backend_handshake_seconds_count") - \
        total(before, "sluice_backend_handshake_seconds_count")
    assert handshakes == 2000
    assert 0 < total(after, "sluice_backend_handshake_seconds_sum") < 2000
    assert total(after, "sluice_worker_burst_packets_sum") == \
        total(after, "sluice_worker_packets_total", direction="in")


def test_a_slow_backend_shows(lab):
    """It loses every other SYN, so that half of its handshakes take a second."""
    lab.backends[1].nft("""
        table ip slow {
          chain in {
            type filter hook input priority 0;
            tcp dport 80 tcp flags & (syn | ack) == syn numgen inc mod 2 0 drop
          }
        }""")
    try:
        churn(lab, seconds=10, connections=64, concurrency=16)
    finally:
        lab.backends[1].run("nft", "delete", "table", "ip", "slow")
    # What sluicectl shows is sampled once a second.
    wait_until(lambda: (slow_ms(lab, "10.2.0.11:80") or 0) > 900, 5, "the slow one does not show")
    assert slow_ms(lab, "10.2.0.10:80") < slow_ms(lab, "10.2.0.11:80")
    found = samples(scrape(lab))
    labels = {"service": "web", "backend": "10.2.0.11:80"}
    assert total(found, "sluice_backend_handshake_seconds_bucket", le="+Inf", **labels) - \
        total(found, "sluice_backend_handshake_seconds_bucket", le="0.5", **labels) >= 16


def slow_ms(lab, address):
    """The handshake time that 99 % of the recent ones stayed below."""
    return lab.middle.backend(address)["handshake_p99_ms"]


def test_reloads_and_overrides_are_seen(lab):
    first = samples(scrape(lab))
    text = lab.middle.config.read_text()
    assert lab.middle.reload("nonsense").returncode == 1
    refused = samples(scrape(lab))
    assert total(refused, "sluice_config_last_reload_successful") == 0
    assert total(refused, "sluice_config_reloads_total", result="failure") == \
        total(first, "sluice_config_reloads_total", result="failure") + 1
    assert lab.middle.reload(text).returncode == 0
    lab.middle.ctl("backend", "set", "web", "10.2.0.10:80", "--down")
    found = samples(scrape(lab))
    assert total(found, "sluice_config_last_reload_successful") == 1
    assert total(found, "sluice_config_last_reload_success_timestamp_seconds") > \
        total(first, "process_start_time_seconds")
    assert total(found, "sluice_overrides") == 1
    assert total(found, "sluice_backend_state", state="down") == 1
    lab.middle.ctl("backend", "clear", "--all")


def test_rules_and_configuration_are_sound():
    for what, name in (("rules", "sluice.rules.yml"), ("config", "prometheus.yml")):
        checked = subprocess.run(["promtool", "check", what, CONF / name], text=True,
                                 capture_output=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    tests = ROOT / "tests" / "lab" / "alerts.test.yml"
    checked = subprocess.run(["promtool", "test", "rules", tests], text=True, capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_scrapes_and_alerts(lab):
    work = lab.work / "prometheus"
    shutil.copytree(CONF, work)
    config = work / "prometheus.yml"
    config.write_text(config.read_text().replace("15s", "1s"))
    log = open(work / "log", "w")
    lab.processes.append(lab.balancer.start(
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={work}/data",
        "--web.listen-address=127.0.0.1:9090", stdout=log, stderr=subprocess.STDOUT))

    def query(expression):
        url = "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(expression)
        answer = lab.balancer.run("curl", "-sf", "--max-time", "5", url, check=False)
        return json.loads(answer)["data"]["result"] if answer else []

    def value(expression):
        found = query(expression)
        return float(found[0]["value"][1]) if found else None

    wait_until(lambda: value('up{job="sluice"}') == 1, 40, "Prometheus did not scrape")
    assert value("sum(sluice_service_flows_total)") >= 0
    pools = len(lab.middle.show("pools"))
    wait_until(lambda: value("count(sluice:pool_ports:sum)") == pools, 40, "no rule was evaluated")
    lab.middle.ctl("backend", "set", "web", "10.2.0.10:80", "--drain")
    lab.middle.ctl("backend", "set", "web", "10.2.0.11:80", "--drain")
    wait_until(lambda: query('ALERTS{alertname="SluiceServiceHasNoBackend",service="web"}'), 40,
               "no alert came")
    lab.middle.ctl("backend", "clear", "--all")
    assert not query('ALERTS{alertname="SluiceDown"}')
