# SPDX-License-Identifier: BSD-3-Clause
"""scripts/appliance: runs Sluice on emulated PCI cards, and prints model by check with ok, or what
went wrong.

Each model of card has a machine of its own, with one card towards the clients and one towards the
backends. A machine boots in about a minute by emulation, in seconds by KVM.
"""

import argparse
import os
import signal
import sys
import time

import appliance_checks as checks
from appliance_image import Image
from appliance_machine import MODELS, Machine, lacks
from lab_kit.process import LabError
from lab_kit.topology import Lab
from table import print_table

OK = "ok"


def say(text):
    print(text, flush=True)


def judged(check, machine):
    """ok, or the word for what went wrong; the whole of it goes to standard error."""
    try:
        check(machine)
        return OK
    except (LabError, AssertionError, OSError, ValueError) as error:
        text = str(error).strip() or type(error).__name__
        say(f"  {check.__name__}: {text}")
        return checks.in_a_word(text, machine)


def run_model(name, image, options):
    """The cells of its rows, one for each number of workers."""
    model, rows = MODELS[name], []
    with Lab(label="app") as lab, Machine(lab, image, model) as machine:
        say(f"{name}: up in {machine.boot():.0f} s, {machine.accelerator()}")
        bound = judged(checks.bind, machine)
        for workers in (1, 2):
            machine.workers = workers
            cells = {"bind": bound}
            for check in checks.ALL:
                begun = time.monotonic()
                cells[check.__name__] = judged(check, machine)
                if options.verbose:
                    say(f"  {check.__name__}: {time.monotonic() - begun:.0f} s")
                if check in checks.ESSENTIAL and cells[check.__name__] != OK:
                    break
            rows.append([f"{name}, {workers} worker{'s' if workers > 1 else ''}", cells])
        rows[-1][1]["hand_back"] = judged(checks.hand_back, machine)
        if options.verbose or any(OK != cell for _, cells in rows for cell in cells.values()):
            say(machine.journal())
    return rows


def table(rows):
    columns = ["bind", *(check.__name__ for check in checks.ALL), "hand_back"]
    return [["", *(name.replace("_", " ") for name in columns)],
            *([title, *(cells.get(name, "-") for name in columns)] for title, cells in rows)]


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/appliance", description=__doc__)
    parser.add_argument("model", nargs="*", metavar="MODEL",
                        help=f"of these, by default all: {', '.join(MODELS)}")
    parser.add_argument("--verbose", action="store_true", help="how long each check took; the log")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.model if name not in MODELS]:
        parser.error(f"no model {unknown[0]}; there are {', '.join(MODELS)}")
    return options


def main(arguments):
    options = parse(arguments)
    # A machine and its namespaces are taken down then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    image = Image(os.environ.get("SLUICE_PACKAGE"))
    say(f"guest: {image.make()}")
    rows, failed = [], False
    for name in options.model or MODELS:
        if lack := lacks(MODELS[name]):
            say(f"{name}: {lack}")
            continue
        try:
            rows += run_model(name, image, options)
        except LabError as error:
            say(f"{name}: {error}")
            failed = True
    print_table(table(rows))
    return 1 if failed or any(cell != OK for _, cells in rows for cell in cells.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
