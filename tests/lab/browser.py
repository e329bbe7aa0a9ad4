# SPDX-License-Identifier: BSD-3-Clause
"""Debian's chromium, headless, inside a network namespace of the lab."""

import tempfile
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from lab_kit.toml import add_keys

PAGE = "127.0.0.1:9181"  # where with_page() has the status page
URL = f"http://{PAGE}/"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--disable-dev-shm-usage"]


def with_page(text):
    """A configuration with the status page."""
    return add_keys(text, "control", page_listen=PAGE)


@contextmanager
def browser(namespace, width=1280, height=900, dark=False):
    """A driver whose pages see that namespace's network alone; its console's errors are kept."""
    with namespace.inside(), tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        for flag in FLAGS + [f"--user-data-dir={profile}", f"--window-size={width},{height}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        try:
            resize(driver, width, height)
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
                {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
            yield driver
        finally:
            driver.quit()


def resize(driver, width, height):
    """Exact, and as narrow as a phone, which a window cannot be."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
