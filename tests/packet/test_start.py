# SPDX-License-Identifier: BSD-3-Clause
"""What a user sees when Sluice does not start: one line, what is wrong and how to mend it."""

import re
import socket
import subprocess

import pytest

from balancer import Balancer
from lab_kit.checkout import program
from lab_kit.configuration import Configuration
from lab_kit.process import stop_process, wait_until
from lab_kit.sluice import START_SECONDS, SluiceProcess, run_sluice

GOOD = Configuration(count=1)


@pytest.fixture
def start(links, tmp_path):
    """Runs `sluice` on a configuration to its end, in the namespace of the wire."""
    def run(edit=lambda text: text, words=(), prefix=()):
        file = tmp_path / "sluice.toml"
        file.write_text(edit(GOOD.toml(tmp_path / "sluice.sock")))
        return run_sluice("--config", file, *words,
                          command=lambda *started: links.command(*prefix, *started))
    return run


def refusal(done, status=1):
    """The one line that it ends with, without time and level."""
    assert done.returncode == status, done.stdout
    errors = [line for line in done.stdout.splitlines() if " error " in line or status == 2]
    assert len(errors) == 1, done.stdout
    return re.sub(r"^\S+ \S+ error +", "", errors[0])


def replaced(old, new):
    def edit(text):
        assert old in text
        return text.replace(old, new)
    return edit


def test_no_such_interface(start):
    line = refusal(start(replaced("iface=lb-client", "iface=lb-clinet")))
    assert '"lb-clinet"' in line and "lb-client" in line, "names what is there"


@pytest.fixture
def late(links):
    """Makes a link of its own, which is down."""
    yield lambda: links.namespace.ip("link", "add", "late", "type", "veth", "peer", "name", "early")
    links.namespace.run("ip", "link", "del", "late", check=False)


def runs(links, tmp_path, meanwhile=lambda: None):
    """Starts on the interface `late`, has it stop when it is ready, and gives its log."""
    file = tmp_path / "sluice.toml"
    text = GOOD.toml(tmp_path / "sluice.sock").replace("interface_wait_seconds = 0",
                                                       "interface_wait_seconds = 20")
    file.write_text(replaced("iface=lb-client", "iface=late")(text))
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(links.command(program("sluice"), "--config", file), stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    said = (tmp_path / "log").read_text
    try:
        meanwhile()
        wait_until(lambda: "ready; ask with" in said() or process.poll() is not None,
                   START_SECONDS, "sluice is not ready")
        assert process.poll() is None, said()
    finally:
        stop_process(process)
    return said()


def test_an_interface_that_is_down_is_set_up(links, late, tmp_path):
    late()
    log = runs(links, tmp_path)
    assert "interface client: late was down: set up" in log
    assert "UP" in links.namespace.ip("-br", "link", "show", "late").split("<")[1]


def test_an_interface_that_is_down_and_may_not_be_set_up(start, late):
    late()
    line = refusal(start(replaced("iface=lb-client", "iface=late"),
                         prefix=("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")))
    assert "ip link set late up" in line


def test_an_interface_that_comes_late_is_waited_for(links, late, tmp_path):
    def meanwhile():
        wait_until(lambda: "waiting up to 20 s" in (tmp_path / "log").read_text(),
                   START_SECONDS, "it does not say that it waits")
        late()
    log = runs(links, tmp_path, meanwhile)
    assert '"late"' in log and log.index("waiting") < log.index("set up")


def test_no_permission(start):
    """Without CAP_NET_RAW; root in all else."""
    line = refusal(start(prefix=("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")))
    assert "CAP_NET_RAW" in line and "run as root" in line


def test_a_socket_path_that_cannot_be_made(start, tmp_path):
    (tmp_path / "file").write_text("")
    line = refusal(start(replaced(f"{tmp_path}/sluice.sock", f"{tmp_path}/file/sluice.sock")))
    assert "control.socket" in line


def test_a_socket_path_that_is_something_else(start, tmp_path):
    (tmp_path / "sluice.sock").write_text("precious")
    line = refusal(start())
    assert "control.socket" in line and (tmp_path / "sluice.sock").read_text() == "precious"


def test_a_second_instance(links):
    first = Balancer(links, GOOD)
    try:
        line = refusal(run_sluice("--config", first.config, command=links.command))
        assert "already running" in line and str(first.socket) in line
        assert first.show("services"), "the first one is not disturbed"
        links.settle()
    finally:
        assert first.stop() == 0


def test_a_socket_that_a_crash_left_behind(links):
    """SIGKILL leaves the file; a new start takes it over."""
    first = Balancer(links, GOOD)
    try:
        first.restart()
        assert first.show("services")
    finally:
        assert first.stop() == 0


def test_a_metrics_port_in_use(start, links):
    links.namespace.ip("link", "set", "lo", "up")
    with links.namespace.inside():
        taken = socket.socket()
        taken.bind(("127.0.0.1", 9999))
        taken.listen()
    with taken:
        line = refusal(start(replaced("[control]", '[control]\nmetrics_listen = "127.0.0.1:9999"')))
    assert "control.metrics_listen 127.0.0.1:9999" in line and "in use" in line


def test_a_core_that_is_not_there(start):
    line = refusal(start(replaced("worker_lcores = [1]", "worker_lcores = [99]")))
    assert "eal.worker_lcores" in line and "99" in line


def test_too_little_memory(start):
    line = refusal(start(replaced("flows_per_worker = 4096", "flows_per_worker = 16777215")))
    assert "memory_mb" in line and "flows_per_worker" in line


def test_a_device_that_dpdk_does_not_know(start):
    line = refusal(start(replaced("net_af_packet0", "net_af_paket0")))
    assert "net_af_paket0" in line


def test_no_configuration(tmp_path):
    assert "none.toml" in refusal(run_sluice("--config", tmp_path / "none.toml"), status=2)


def test_no_arguments():
    assert "--config" in refusal(run_sluice(), status=2)


def test_five_mistakes_are_five_lines(start):
    """All at once, each with its place, and nothing is started."""
    mistakes = [("worker_lcores = [1]", 'worker_lcores = "one"'),
                ("backend_seconds = 60", "backend_secs = 60"),
                ('reuse = "natural"', 'reuse = "sometimes"'),
                ('via = "10.1.77.1"', 'via = "10.1.77.500"'),
                ('vip = "10.3.0.1:8000"', 'vip = "10.3.0.1"')]

    def edit(text):
        for old, new in mistakes:
            text = replaced(old, new)(text)
        return text
    done = start(edit)
    assert done.returncode == 2
    lines = done.stdout.splitlines()
    assert len(lines) == 5, done.stdout
    in_order = sorted(mistakes, key=lambda pair: GOOD.toml("").index(pair[0]))
    for (_, new), line in zip(in_order, lines):
        place, key, rest = re.match(r"^(\S+:\d+): (\S+): (.*)$", line).groups()
        assert new.split(" = ")[0] in key
        assert re.match(r"got .+, expected .+", rest), line
    assert "backend_seconds" in done.stdout, "the nearest known key is named"


def test_check_starts_nothing(start, tmp_path):
    done = start(words=("--check",))
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert not (tmp_path / "sluice.sock").exists()


def test_check_says_what_is_lacking_here(start):
    def edit(text):
        return text + '\n[flow_log]\nfile = "/no/such/folder/flows.log"\n'
    done = start(edit, words=("--check",))
    assert done.returncode == 0 and "there is no folder /no/such/folder here" in done.stdout
    done = start(replaced("flows_per_worker = 4096", "flows_per_worker = 10000000"),
                 words=("--check",))
    assert done.returncode == 2 and "eal.memory_mb" in done.stdout, done.stdout


def test_sluicectl_without_sluice(tmp_path):
    nobody = SluiceProcess(tmp_path)
    done = nobody.ctl_run("show", "services")
    assert done.returncode != 0 and len(done.stderr.splitlines()) == 1, done
    assert str(nobody.socket) in done.stderr
