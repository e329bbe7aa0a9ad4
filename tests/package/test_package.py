# SPDX-License-Identifier: BSD-3-Clause
"""The package in a clean Debian: what it brings, how the service runs there, what an upgrade keeps.

The tests go in order: the last ones upgrade, remove and purge.
"""

import os
import re
import subprocess

import pytest

from lab_kit.checkout import ROOT
from lab_kit.configuration import BACKEND, Configuration
from lab_kit.hugepages import hugepages, mounted
from lab_kit.namespace import Namespace, link
from lab_kit.process import BOTH_CORES, run, stop_process
from lab_kit.service_manager import Manager
from lab_kit.sluice import START_SECONDS
from lab_kit.toml import add_keys, set_key

CONFIG = "etc/sluice/sluice.toml"
EXPOSURE_MAX = 40  # of 100, what `systemd-analyze security` makes of the unit; root alone is 96


def test_what_it_brings(root):
    files = root.run("dpkg", "--listfiles", "sluice").split()
    for wanted in ("/usr/sbin/sluice", "/usr/sbin/sluicectl", "/usr/sbin/sluice-bind-nic",
                   "/usr/lib/systemd/system/sluice.service", "/usr/lib/sysusers.d/sluice.conf",
                   "/usr/lib/systemd/system/run-hugepages-sluice.mount",
                   "/usr/lib/udev/rules.d/60-sluice.rules", "/etc/logrotate.d/sluice",
                   "/usr/share/man/man8/sluice.8.gz", "/usr/share/man/man8/sluice-bind-nic.8.gz",
                   "/usr/share/man/man8/sluicectl.8.gz", "/usr/share/man/man5/sluice.toml.5.gz",
                   "/usr/share/bash-completion/completions/sluicectl",
                   "/usr/share/doc/sluice/examples/example.toml",
                   "/usr/share/doc/sluice/examples/prometheus/sluice.rules.yml",
                   "/etc/sluice/sluice.toml"):
        assert wanted in files, f"{wanted} is missing"
    strange = re.compile(r"/(tests?|build)(/|$)|\.(cc|h|a)$|/local/")
    assert not [file for file in files if strange.search(file)]
    assert f"/{CONFIG}" in root.run("dpkg-query", "--show", "--showformat=${Conffiles}", "sluice")


def test_what_it_needs_it_depends_on(root):
    """Drivers of network cards too: nothing that a program of it needs is only recommended."""
    fields = root.run("dpkg-query", "--show", "--showformat=${Depends}|${Recommends}", "sluice")
    needed, _, recommended = fields.rpartition("|")  # alternatives have bars as well
    assert {"librte-meta-net", "iproute2", "driverctl"} <= set(re.split(r"[, ]+", needed))
    assert re.search(r"librte-net-af-packet\d", needed)
    assert recommended == ""


def test_the_unit_for_uio_is_there_and_said_to_be(root):
    name = "usr/share/doc/sluice/examples/uio.conf"
    keys = (root.path / name).read_text()
    for key in ("User=root", "DeviceAllow=char-uio rw", "ProtectKernelTunables=no"):
        assert key in keys
    assert f"/{name}" in (ROOT / "docs/hardware.md").read_text()
    assert f"/{name}" in (root.path / "usr/sbin/sluice-bind-nic").read_text()


def test_logs_are_bounded(root):
    assert re.search(r"(?m)^\s*maxsize ", (root.path / "etc/logrotate.d/sluice").read_text())


def test_the_configuration_is_not_the_services_to_write(root):
    for file in ("etc/sluice", CONFIG):
        status = (root.path / file).stat()
        assert status.st_uid == 0 and not status.st_mode & 0o022, file
    written = " ".join(root.unit().get("ReadWritePaths", []))
    assert "/etc" not in written


def test_nothing_starts_before_it_is_configured(root):
    assert not list((root.path / "etc/systemd/system").rglob("*sluice*")), "it is not enabled"
    assert "/run/sluice" in root.run("getent", "passwd", "sluice"), "but its user is there"


def test_the_example_is_good(root):
    assert "good" in root.run("sluice", "--check", "--config", f"/{CONFIG}")
    assert root.run("sluice", "--version").startswith("sluice ")


def test_the_manual_knows_every_key(root):
    """sluice.toml(5) is made of docs/configuration.md, which a unit test holds against the keys."""
    page = run("zcat", root.path / "usr/share/man/man5/sluice.toml.5.gz").replace("\\", "")
    keys = re.findall(r"(?m)^\| `([a-z_]+)`", (ROOT / "docs/configuration.md").read_text())
    assert len(keys) > 30
    assert not [key for key in keys if key not in page]


def test_the_manual_knows_every_command(root):
    """Of sluicectl's own completion, at every depth."""
    page = run("zcat", root.path / "usr/share/man/man8/sluicectl.8.gz").replace("\\", "")
    wanted, open_ends = set(), [[]]
    while open_ends:
        words = open_ends.pop()
        options = complete(root, *words, "--")
        wanted.update(options, words)
        for word in complete(root, *words, ""):
            if not word.startswith("--") and len(words) < 2 and complete(root, *words, word, ""):
                open_ends.append([*words, word])
    assert {"show", "reload", "--json"} <= wanted
    assert not [word for word in wanted if word not in page]


def complete(root, *words):
    return root.run("sluicectl", "__complete", *words).split()


def test_the_unit_is_sound(root):
    words = ("--root", root.path, "sluice.service")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *words], text=True,
                          capture_output=True)
    complaints = [line for line in done.stderr.splitlines() if "sluice" in line]
    assert done.returncode == 0 and not complaints, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager",
                           f"--threshold={EXPOSURE_MAX}", *words], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def links():
    """The two interfaces of the configuration."""
    namespace = Namespace(f"sl{os.getpid()}package")
    try:
        for name in ("client", "backend"):
            link(namespace, f"wire-{name}", namespace, f"lb-{name}")
        yield namespace
    finally:
        namespace.delete()


def start_as_unit(root, links, manager_path):
    """With the user, the capabilities and the directory that the unit gives it, and no more."""
    unit = root.unit()
    capabilities = [f"+{name.lower().removeprefix('cap_')}"
                    for name in unit["AmbientCapabilities"][0].split()]
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"]
    given = ",".join(["-all", *capabilities])
    (user,), (name,) = unit["User"], unit["RuntimeDirectory"]
    root.run("install", "-d", "-o", user, "-g", user, f"/run/{name}")
    path = root.path
    script = f"""
        for each in proc sys dev; do mount --rbind /$each {path}/$each; done
        exec chroot {path} setpriv --reuid {user} --regid {user} --init-groups --no-new-privs \
          --bounding-set={given} --inh-caps={given} --ambient-caps={given} {unit["ExecStart"][0]}"""
    environment = {"PATH": "/usr/sbin:/usr/bin", "NOTIFY_SOCKET": manager_path,
                   "WATCHDOG_USEC": "1000000", "RUNTIME_DIRECTORY": f"/run/{name}"}
    return subprocess.Popen(links.command("sh", "-c", script, core=BOTH_CORES), env=environment,
                            start_new_session=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def asks(root, user, group, *words):
    """What sluicectl does for a user of that group and no other."""
    return subprocess.run(["chroot", root.path, "setpriv", f"--reuid={user}", f"--regid={group}",
                           "--clear-groups", "sluicectl", *words], text=True, capture_output=True,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def owner_of(status):
    return status.st_uid, status.st_gid, status.st_mode


def operators_may_look(root):
    for words in (["show", "services"], ["show", "backends", "--wide"]):
        shown = asks(root, "nobody", "sluice-ops", *words)
        assert "s0" in shown.stdout and shown.stderr == ""
    for words in (["drain"], ["backend", "set", "s0", str(BACKEND), "--drain"], ["reload"],
                  ["save"], ["trace", "--client", "10.1.0.1"]):
        refused = asks(root, "nobody", "sluice-ops", *words)
        assert refused.returncode == 1 and "only shows" in refused.stderr
        assert refused.stderr.count("\n") == 1
    stranger = asks(root, "nobody", "nogroup", "show", "services")
    assert stranger.returncode == 1 and "no permission" in stranger.stderr


def test_the_service_runs_with_least_privilege(root, links):
    config = root.path / CONFIG
    shipped = config.read_text()
    config.write_text(add_keys(Configuration(count=1).toml("/run/sluice/sluice.sock"), "control",
                               read_socket="/run/sluice/read.sock", socket_group="sluice-ops"))
    (root.path / "run/notify").unlink(missing_ok=True)
    manager = Manager(root.path / "run/notify")
    process = start_as_unit(root, links, "/run/notify")
    try:
        first = manager.hears_of("READY")
        assert first and first.get("READY") == "1", process.communicate(timeout=START_SECONDS)[0]
        manager.hears_of("WATCHDOG")
        assert "s0" in root.run("sluicectl", "show", "services")
        (reload,) = root.unit()["ExecReload"]
        assert "reloaded" in root.run(*reload.split())
        manager.hears_of("RELOADING")
        manager.hears_of("READY")
        assert "s0" in root.run("sluicectl", "backend", "set", "s0", str(BACKEND), "--weight", "3")
        operators_may_look(root)
        before = config.stat()
        root.run("sluicectl", "save")
        after = config.stat()
        assert "weight = 3" in config.read_text(), "written by sluicectl, with its caller's rights"
        assert owner_of(after) == owner_of(before)
        assert '"override": null' in root.run("sluicectl", "--json", "show", "backends")
        process.terminate()
        manager.hears_of("STOPPING")
        output, _ = process.communicate(timeout=START_SECONDS)
        assert process.returncode == 0, output
        assert b" error " not in output, output
    finally:
        stop_process(process)
        manager.close()
        config.write_text(shipped)


SHARED_MB = 256


@pytest.fixture
def shared_pages(root):
    """Hugepages as run-hugepages-sluice.mount has them in the clean root."""
    unit = (root.path / "usr/lib/systemd/system/run-hugepages-sluice.mount").read_text()
    setting = dict(re.findall(r"(?m)^(\w+)=(.*)$", unit))
    where = root.path / setting["Where"].lstrip("/")
    names = {"uid": "-u", "gid": "-g"}
    options = re.sub(r"\b(uid|gid)=(\w+)", lambda match:
                     f"{match[1]}={root.run('id', names[match[1]], match[2]).strip()}",
                     setting["Options"])
    where.mkdir(parents=True)
    try:
        with hugepages(SHARED_MB + 16) as free_mb:
            if free_mb < SHARED_MB:
                pytest.skip(f"only {free_mb} MB of hugepages could be had")
            with mounted(setting["Type"], setting["What"], where, "-o", options):
                yield where
    finally:
        where.rmdir()


def test_memory_is_shared_as_the_services_user(root, links, shared_pages):
    """eal.multi_process: in files of the service's user, where DPDK's first choice is root's."""
    config = root.path / CONFIG
    shipped = config.read_text()
    text = Configuration(count=1).toml("/run/sluice/sluice.sock")
    text = add_keys(set_key(text, "hugepages", True), "eal", multi_process=True)
    config.write_text(set_key(text, "memory_mb", SHARED_MB))
    (root.path / "run/notify").unlink(missing_ok=True)
    manager = Manager(root.path / "run/notify")
    process = start_as_unit(root, links, "/run/notify")
    try:
        first = manager.hears_of("READY")
        assert first and first.get("READY") == "1", process.communicate(timeout=START_SECONDS)[0]
        assert list(shared_pages.glob("*map_*")), "another process has a file to map"
        process.terminate()
        output, _ = process.communicate(timeout=START_SECONDS)
        assert process.returncode == 0 and b" error " not in output, output
    finally:
        stop_process(process)
        manager.close()
        config.write_text(shipped)


@pytest.fixture(scope="module")
def newer(package, tmp_path_factory):
    """The same package, a version later, with another example configuration."""
    work = tmp_path_factory.mktemp("newer")
    tree = work / "tree"
    run("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", "Version: 99", control.read_text()))
    (tree / CONFIG).write_text((tree / CONFIG).read_text() + "\n# A new example.\n")
    run("dpkg-deb", "--build", "-Zgzip", "-z1", tree, work / "newer.deb")
    return work / "newer.deb"


def test_an_upgrade_keeps_the_configuration(root, newer):
    config = root.path / CONFIG
    mine = config.read_text() + "\n# Mine.\n"
    config.write_text(mine)
    owner = owner_of(config.stat())
    root.installs(newer)
    assert root.run("dpkg-query", "--show", "--showformat=${Version}", "sluice") == "99"
    assert config.read_text() == mine
    assert owner_of(config.stat()) == owner
    assert "A new example" in (root.path / (CONFIG + ".dpkg-dist")).read_text()
    test_nothing_starts_before_it_is_configured(root)


def test_removed_it_leaves_the_configuration_and_purged_nothing(root):
    root.run("dpkg", "--remove", "sluice")
    assert (root.path / CONFIG).exists() and not (root.path / "usr/sbin/sluice").exists()
    root.run("dpkg", "--purge", "sluice")
    assert not (root.path / "etc/sluice").exists()
