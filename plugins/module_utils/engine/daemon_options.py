# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The options file of a Docker engine that this collection manages. PRIVATE to the collection: may change at any time.

Pure. An engine refuses to start on an option that it does not know or of another type, and Docker before 23 cannot
check a file without starting on it: so names and types are checked here, before a host is touched.
"""

from __future__ import annotations

import difflib
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

KINDS = {"true or false": bool, "a text": str, "a number": int, "a list": list, "a mapping": dict}
_NAMES = {
    "true or false": """allow-nondistributable-artifacts-insecure bridge-accept-fwmark debug experimental icc init
        ip-forward ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges no-proxy-env
        raw-logs rootless selinux-enabled tls tlsverify userland-proxy validate""",
    "a text": """api-cors-header authorization-plugin bip bip6 bridge cgroup-parent cluster-advertise cluster-store
        config-file containerd containerd-namespace containerd-plugins-namespace cpu-rt-period data-root
        default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-runtime default-shm-size
        exec-root firewall-backend fixed-cidr fixed-cidr-v6 group host-gateway-ip http-proxy https-proxy init-path
        ip log-driver log-format log-level metrics-addr pidfile registry-mirror seccomp-profile storage-driver
        swarm-default-advertise-addr tlscacert tlscert tlskey userland-proxy-path userns-remap no-proxy""",
    "a number": """max-concurrent-downloads max-concurrent-uploads max-download-attempts mtu network-control-plane-mtu
        network-diagnostic-port oom-score-adjust shutdown-timeout cpu-rt-runtime""",
    "a list": """allow-nondistributable-artifacts authorization-plugins cdi-spec-dirs default-address-pools dns
        dns-opts dns-search exec-opts hosts host-gateway-ips insecure-registries labels node-generic-resources
        registry-mirrors storage-opts""",
    "a mapping": """builder cluster-store-opts default-network-opts default-ulimits features log-opts proxies
        runtimes""",
}
KNOWN = {name: kind for kind, names in _NAMES.items() for name in names.split()}


def check_extra(extra: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence for each option that an engine would refuse."""
    problems = []
    for name, value in extra.items():
        kind = KNOWN.get(name)
        if kind is None:
            near = difflib.get_close_matches(str(name), list(KNOWN), n=1)
            hint = f"did you mean '{near[0]}'?" if near else "use the names of Docker's daemon.json."
            problems.append(f"docker_daemon_options has '{name}', which no Docker engine knows: {hint}")
        elif not isinstance(value, KINDS[kind]) or (kind == "a number" and isinstance(value, bool)):
            problems.append(f"docker_daemon_options['{name}'] is {value!r}: give {kind}.")
    return problems


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
    problems = check_extra(settings["daemon_options"]) + _check_pools(settings["address_pools"])
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
    """Return the content of daemon.json for the role's settings and what was seen of the host."""
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
