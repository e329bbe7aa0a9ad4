# SPDX-License-Identifier: BSD-3-Clause
"""Sluice's configuration as text: tables from Python's values, and changes of a text.

JSON's strings, numbers, booleans and lists are TOML's as well.
"""

import json
import re

from lab_kit.process import LabError


def pair(key, value):
    return f"{key} = {json.dumps(value, default=str)}"


def table(name, /, **keys):
    return "\n".join([f"\n[{name}]", *(pair(*item) for item in keys.items()), ""])


def entry(name, /, **keys):
    """A table of an array of them."""
    return table(f"[{name}]", **keys)


def interface(name, device, *addresses, **keys):
    return entry("interface", name=name, device=device, addresses=addresses, **keys)


def local_pool(name, addresses, ports):
    """`ports` are the first and the last."""
    return entry("local_pool", name=name, addresses=list(map(str, addresses)),
                 ports=f"{ports[0]}-{ports[1]}")


def service(name, vip, pool, backends, backend_keys=(), tables="", **keys):
    """`tables` is TOML that belongs to the service, such as its health check."""
    head = entry("service", name=name, vip=str(vip), local_pool=pool, **keys)
    return head + tables + "".join(
        entry("service.backend", address=str(backend), **dict(backend_keys))
        for backend in backends)


def set_key(toml, key, value):
    """Replaces the value of a key that the text has once."""
    text, count = re.subn(rf"(?m)^{key} *=.*$", lambda _: pair(key, value), toml)
    if count != 1:
        raise LabError(f"the configuration has `{key}` {count} times, not once")
    return text


def add_keys(toml, name, /, **keys):
    """Puts keys at the head of a table that the text has once."""
    head = f"[{name}]\n"
    if toml.count(head) != 1:
        raise LabError(f"the configuration has {head.strip()} {toml.count(head)} times, not once")
    return toml.replace(head, head + "".join(pair(*item) + "\n" for item in keys.items()))
