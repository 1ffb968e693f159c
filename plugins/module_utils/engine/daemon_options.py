# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The options file of a Docker engine that this collection manages.

Pure. Names and types of a site's own options are the engine's to judge: see options_problem() of host.py.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Says in the file, and through the file in the engine, that this collection manages the engine.
MARKER = "galilean.hub.managed=true"
# A digest of the file's other options. The running engine shows it, so a restart that an interrupted run
# still owes is seen by the next one.
DIGEST_LABEL = "galilean.hub.options"
FULL_MTU = 1500


def _check_pools(pools: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    problems = []
    for pool in pools:
        try:
            network = ipaddress.ip_network(str(pool.get("base")))
            if not network.prefixlen <= int(pool.get("size", -1)) <= network.max_prefixlen - 2:
                problems.append(
                    f"docker_address_pools has size {pool.get('size')} for {network}: use {network.prefixlen} to {network.max_prefixlen - 2}."
                )
        except (ValueError, TypeError):
            problems.append(
                f"docker_address_pools has base '{pool.get('base')}': give a network such as 10.224.0.0/16, and a size such as 24."
            )
    return problems


def options_problems(settings: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence for each setting of the role that cannot be meant."""
    problems = _check_pools(settings["address_pools"])
    mtu = settings["mtu"]
    if mtu and not 576 <= mtu <= 65535:
        problems.append(f"docker_mtu is {mtu}: use 576 to 65535, or 0 to follow the default route.")
    return problems


def _merged(base: dict[str, t.Any], extra: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Lay the site's options over ours: mappings are merged, everything else is replaced."""
    result = dict(base)
    for name, value in extra.items():
        both = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = {**result[name], **value} if both else value
    return result


def daemon_options(settings: t.Mapping[str, t.Any], engine: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the content of daemon.json for the role's settings and docker_engine_info's result; HubError if they conflict."""
    problems = options_problems(settings)
    if problems:
        raise HubError(" ".join(problems))
    extra = settings["daemon_options"]
    options: dict[str, t.Any] = {
        "live-restore": settings["live_restore"],
        "userland-proxy": settings["userland_proxy"],
        "log-driver": settings["log_driver"],
        "default-address-pools": [
            {"base": str(pool["base"]), "size": int(pool["size"])} for pool in settings["address_pools"]
        ],
    }
    # Other drivers do not know these two and keep the engine from starting containers.
    if extra.get("log-driver", settings["log_driver"]) in ("json-file", "local"):
        options["log-opts"] = {
            "max-file": str(settings["log_max_file"]),
            "max-size": str(settings["log_max_size"]),
        }
    mtu = settings["mtu"] or min(engine.get("mtu") or FULL_MTU, FULL_MTU)
    if mtu != FULL_MTU:
        options["mtu"] = mtu
    if settings["nofile"]:
        # An engine cannot give a container more than it has itself: every start would fail.
        nofile = min(settings["nofile"], engine.get("nofile_limit") or settings["nofile"])
        options["default-ulimits"] = {"nofile": {"Name": "nofile", "Hard": nofile, "Soft": nofile}}
    if settings["ipv6"]:
        # Docker 20.10 to 26 hide it behind the other; from 27 on it is so anyway.
        options.update({"experimental": True, "ip6tables": True})
    if settings["data_root"] != "/var/lib/docker":
        options["data-root"] = settings["data_root"]
    options = {name: value for name, value in options.items() if value not in ([], {})}
    options = _merged(options, extra)
    labels = [
        label
        for label in extra.get("labels", [])
        if not label.startswith(("galilean.hub.managed=", DIGEST_LABEL))
    ]
    text = json.dumps({**options, "labels": labels}, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    options["labels"] = [MARKER, f"{DIGEST_LABEL}={digest}", *labels]
    return dict(sorted(options.items()))
