# SPDX-License-Identifier: BSD-3-Clause
"""The status page in Debian's chromium: its figures are sluicectl's, what breaks turns red."""

import json
import signal

import pytest
from selenium.webdriver.common.by import By

from browser import URL, browser, resize, with_page
from lab_kit.load import Churn, churn
from lab_kit.middles import Sluice
from lab_kit.process import wait_until
from lab_kit.topology import lab_with


@pytest.fixture(scope="module")
def lab():
    with lab_with(Sluice(edit=with_page)) as lab:
        yield lab


@pytest.fixture(scope="module")
def page(lab):
    with browser(lab.balancer) as driver:
        driver.get(URL)
        wait_until(lambda: verdict(driver) == "ok", 20, "the page never said that all is well")
        yield driver


def verdict(driver):
    return driver.find_element(By.ID, "findings").get_attribute("class")


def table(driver, section):
    """Rows as dicts by the columns' titles, with "tone" for the row's colour."""
    return driver.execute_script("""
        const all = what => [...document.querySelectorAll(`#${arguments[0]} ${what}`)];
        const titles = all("th").map(th => th.textContent);
        return all("tbody tr").map(tr => Object.fromEntries(
            [["tone", tr.className],
             ...[...tr.cells].map((td, i) => [titles[i], td.textContent])]));
        """, section)


def number(text):
    return int(text.replace(",", ""))


def curl(lab, *words):
    return lab.balancer.run("curl", "-s", "--max-time", "5", *words, check=False)


def test_figures_are_sluicectls(lab, page):
    churn(lab, seconds=20, connections=500)
    churn(lab, seconds=20, connections=100, close="client")

    def agree():
        shown = {row["backend"]: row for row in table(page, "backends")}
        services = {row["service"]: row for row in table(page, "services")}
        pools = {row["towards"]: row for row in table(page, "pools")}
        events = {row["event"]: number(row["in all"]) for row in table(page, "events")}
        counters = lab.middle.counters()
        return (all(number(shown[row["address"]]["in all"]) == row["connections"]
                    and number(shown[row["address"]]["open"]) == row["active"]
                    and number(shown[row["address"]]["resets"]) == row["resets"]
                    for row in lab.middle.show("backends"))
                and all(number(services[row["name"]]["in all"]) == row["connections"]
                        for row in lab.middle.show("services"))
                and all(number(pools[row["backend"]]["fresh"]) == row["fresh"]
                        and number(pools[row["backend"]]["time_wait"]) == row["time_wait"]
                        and number(pools[row["backend"]]["in use"]) == row["in_use"]
                        for row in lab.middle.show("pools"))
                and all(counters[name] == value for name, value in events.items()))

    wait_until(agree, 15, "page and sluicectl never agree")
    assert sum(number(row["in all"]) for row in table(page, "backends")) == 600
    assert sum(number(row["fresh"]) for row in table(page, "pools")) == 600


def test_it_is_one_page_that_only_shows(lab, page):
    fetched = page.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {url for url in fetched if not url.startswith("data:")} == {URL + "status.json"}
    errors = [entry for entry in page.get_log("browser")
              if entry["level"] == "SEVERE" and URL in entry["message"]]
    assert errors == []
    for words, status in ((["-X", "POST", "-d", "x", URL], "405"), ([URL + "etc/passwd"], "404"),
                          (["--path-as-is", URL + "../../etc/passwd"], "404"), ([URL], "200"),
                          (["-I", URL], "200")):
        assert curl(lab, "-o", "/dev/null", "-w", "%{http_code}", *words) == status
    head = curl(lab, "-i", URL)
    assert "default-src 'none'" in head and "no-store" in head


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen(page, width):
    resize(page, width, 900)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    rows = page.find_elements(By.CSS_SELECTOR, "#backends tbody tr")
    assert rows and all(row.is_displayed() for row in rows)


# As long as they come: what an operator reads first must not lie beyond the edge.
LONG_ROWS = """
    const row = {...tables.backends.last[0], address: "255.255.255.255:65535",
                 service: "s".repeat(63), weight: 1000, state: "unhealthy", health: "down",
                 health_since_s: 86399, severity: "critical",
                 condition: "down", why: "connect: Connection refused ".repeat(8), active: 9999999,
                 connections: 9999999, connections_per_s: 9999,
                 bytes_in_per_s: 1.2e9, bytes_out_per_s: 1.2e9, handshake_p50_ms: 999,
                 check_usual_ms: 999, refused: 999999, resets: 999999};
    tables.backends.show([row, ...tables.backends.last]);
    const box = document.querySelector("#backends .scroll");
    const result = [box.scrollWidth, box.clientWidth,
                    [...document.querySelectorAll("#backends th")].map(th => th.textContent)];
    tables.backends.show(tables.backends.last.slice(1));
    return result;
"""


def test_backends_fit_and_say_why(page):
    resize(page, 1280, 900)
    needed, there, titles = page.execute_script(LONG_ROWS)
    assert needed <= there
    assert titles[-1] == "why"


def test_light_and_dark(page):
    def ground(scheme):
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme}]})
        colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour[4:-1].split(","))

    assert ground("light") > 600 and ground("dark") < 200


def test_a_dead_backend_turns_red(lab, page):
    load = Churn(lab, seconds=20, concurrency=4)
    lab.backends[1].signal(signal.SIGKILL)

    def red():
        rows = {row["backend"]: row for row in table(page, "backends")}
        return rows["10.2.0.11:80"]["tone"] == "critical" and rows["10.2.0.10:80"]["tone"] == ""

    wait_until(red, 10, "the dead backend never turned red")
    assert verdict(page) == "critical"
    said = page.find_element(By.CSS_SELECTOR, "#findings li b").text
    assert "10.2.0.11:80" in said
    status = json.loads(curl(lab, URL + "status.json"))
    assert said.split(":80")[0] in status["findings"][0]["what"]
    assert "10.2.0.11:80" in lab.middle.ctl_run("status").stdout
    load.stop()


def test_silence_is_said(lab, page):
    lab.middle.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: "does not answer" in page.find_element(By.ID, "findings").text, 15,
                   "the page shows old figures as if they were new")
    finally:
        lab.middle.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "does not answer" not in page.find_element(By.ID, "findings").text, 15,
               "the page does not come back")
