# SPDX-License-Identifier: BSD-3-Clause
"""A configuration of many backends, each with an address of its own.

    /usr/bin/python3 tests/lab_kit/large_configuration.py SERVICES BACKENDS LOCALS [--inline]

prints it: BACKENDS of each service, LOCALS local addresses, backends as [[service.backend]] or,
with --inline, in one array a service.
"""

import argparse
import json

HEAD = """[eal]
worker_lcores = [1]
main_lcore = 0

[limits]
neighbours_per_worker = 1048576

[[interface]]
name = "client"
device = "net_null0"
addresses = ["10.0.255.254/16"]

[[interface]]
name = "server"
device = "net_null1"
addresses = ["10.128.0.1/9"]

[[route]]
to = "0.0.0.0/0"
via = "10.0.0.1"

[[local_pool]]
addresses = {locals}
"""
HOSTS = 250  # of the last part of an address that are used


def address(first, number):
    """The address with this number of those that begin with 10.`first`."""
    rest, host = divmod(number, HOSTS)
    high, low = divmod(rest, HOSTS)
    return f"10.{first + high}.{low}.{host + 1}"


def service(number, backends, inline):
    head = (f'\n[[service]]\nname = "service-{number}"\n'
            f'vip = "{address(1, number)}:80"\n')
    rows = [(f"{address(130, number * backends + i)}:8080", 1 + i % 3) for i in range(backends)]
    if not inline:
        return head + "".join(f'[[service.backend]]\naddress = "{at}"\nweight = {weight}\n'
                              for at, weight in rows)
    lines = "".join(f'  {{ address = "{at}", weight = {weight} }},\n' for at, weight in rows)
    return f"{head}backend = [\n{lines}]\n"


def large_configuration(services, backends, local_count, inline=False):
    locals_ = json.dumps([address(129, i) for i in range(local_count)])
    return HEAD.format(locals=locals_) + "".join(
        service(i, backends, inline) for i in range(services))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", type=int)
    parser.add_argument("backends", type=int)
    parser.add_argument("locals", type=int)
    parser.add_argument("--inline", action="store_true")
    arguments = parser.parse_args()
    print(large_configuration(arguments.services, arguments.backends, arguments.locals,
                              arguments.inline), end="")


if __name__ == "__main__":
    main()
