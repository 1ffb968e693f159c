# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From the hub's data file to what the broker allows.

What a server's container looks like follows from the spawner's traits. It is made here as DockerSpawner makes
it, with the same library; so all that the settings say works, and nothing else.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.types import Mount
from galilean_hub.shared.mount_source import mount_source_problem
from galilean_hub.shared.sizes import parse_size

from .policy import DEVICES, INSTANCE_LABEL, LIMITS, ROLE_LABEL, pattern

ALLOW = "jupyterhub_broker_allow"

_DISKS = re.compile(r"/dev/(mem|kmem|port|kmsg|loop.*|dm-.*|mapper.*|[shv]d[a-z].*|xvd.*|nvme.*|md.*|disk.*)")
_HOST_MODES = ("PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode", "NetworkMode")
_NEVER = (
    "Privileged",
    "CapAdd",
    "CgroupParent",
    "VolumesFrom",
    "DeviceCgroupRules",
    "VolumeDriver",
    "OomKillDisable",
)


class _Recorder(docker.APIClient):
    """A client that only tells what it would send."""

    sent: Mapping[str, Any] = {}

    def __init__(self) -> None:
        super().__init__(base_url="unix:///nonexistent", version=DEFAULT_DOCKER_API_VERSION)

    def create_container_from_config(self, config: Any, name: Any = None, platform: Any = None) -> Any:
        if platform:
            raise ValueError("platform: images are those of the host")
        self.sent = {"name": name, "body": json.loads(json.dumps(config))}


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """As DockerSpawner merges."""
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


def _host_config(client: _Recorder, options: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(client.create_host_config(**options)))


def spawner_traits(traits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The spawner's traits as they are in the end: what a class says wins over its parents."""
    classes = ["Spawner", "DockerSpawner", "GalileanSpawner"]
    chosen = str(traits.get("JupyterHub", {}).get("spawner_class", "")).rsplit(".", 1)[-1]
    if chosen and chosen not in classes:
        classes.append(chosen)
    return {name: value for one in classes for name, value in traits.get(one, {}).items()}


def _binds(own: Mapping[str, Any]) -> list[dict[str, str]]:
    """Volumes and folders of all servers, with those that only some groups get."""
    found = []
    for volumes, mode in ((own.get("volumes") or {}, "rw"), (own.get("read_only_volumes") or {}, "ro")):
        for source, target in volumes.items():
            entry = target if isinstance(target, dict) else {"bind": target}
            modes = [entry.get("mode", mode), *([entry["propagation"]] if entry.get("propagation") else [])]
            found.append({"source": source, "target": entry["bind"], "mode": ",".join(modes)})
    entries = [
        *(own.get("folders") or []),
        *(f for p in own.get("profiles") or [] for f in p.get("folders") or []),
    ]
    for folder in entries:
        for mode in ("ro",) if folder.get("read_only") else ("ro", "rw"):
            found.append({"source": folder["source"], "target": folder["target"], "mode": mode})
    return found


def _named_bind(text: str) -> dict[str, str]:
    """A mount as jupyterhub_broker_allow has it: source:target:mode."""
    parts = text.split(":")
    if len(parts) != 3 or not parts[1].startswith("/") or not parts[2]:
        raise ValueError(
            f"the mount {text!r} cannot be read: give source:target:mode, such as /data/scratch:/scratch:rw"
        )
    return dict(zip(("source", "target", "mode"), parts))


def _images(own: Mapping[str, Any], allow: Mapping[str, Any]) -> list[str]:
    offered = own.get("allowed_images") or {}
    if offered == "*":
        raise ValueError('DockerSpawner.allowed_images is "*": name the images, the broker allows no other')
    images = [own.get("image"), *(offered.values() if isinstance(offered, dict) else offered)]
    images += [profile.get("image") for profile in own.get("profiles") or []]
    return sorted({str(image) for image in [*images, *(allow.get("images") or [])] if image})


def _limits(
    own: Mapping[str, Any], host: Mapping[str, Any], allow: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """The most that any user may get; and whether there has to be a limit at all."""
    rules = [*(own.get("groups") or {}).values(), *(own.get("profiles") or []), allow]
    memory = [parse_size(rule["memory_limit"]) for rule in rules if rule.get("memory_limit")]
    period = host.get("CpuPeriod", 100_000)
    given = {
        "Memory": memory,
        "MemorySwap": memory,
        "CpuQuota": [int(float(rule["cpu_limit"]) * period) for rule in rules if rule.get("cpu_limit")],
        "PidsLimit": [int(rule["pids_limit"]) for rule in rules if rule.get("pids_limit")],
    }
    found = {}
    for key in LIMITS:
        values = [*given[key], *([host[key]] if host.get(key, 0) > 0 else [])]
        if values:
            found[key] = {"most": max(values), "required": host.get(key, 0) > 0}
    return found


def compile_policy(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the broker allows; ValueError with a sentence where settings cannot be carried out."""
    own = spawner_traits(data["traits"])
    given = data.get("broker") or {}
    allow = given.get("allow") or {}
    client = _Recorder()
    options: dict[str, Any] = {
        "auto_remove": own.get("remove", False), "binds": {}, "links": own.get("links") or {}, "mounts": [],
    }  # fmt: skip
    extra = own.get("extra_host_config") or {}
    if own.get("mem_limit") is not None:
        options["mem_limit"] = parse_size(own["mem_limit"])
    if own.get("cpu_limit") is not None:
        options["cpu_period"] = extra.get("cpu_period", 100_000)
        options["cpu_quota"] = int(own["cpu_limit"] * options["cpu_period"])
    port = own.get("port", 8888)
    if not own.get("use_internal_ip"):
        options["port_bindings"] = {port: (own.get("host_ip", "127.0.0.1"),)}
    _merge(options, extra)
    options.setdefault("network_mode", own.get("network_name", "bridge"))
    create: dict[str, Any] = {
        "image": own["image"], "environment": {}, "volumes": [], "command": ["x"],
        "ports": {f"{port}/tcp": None},
        "name": own.get("name_template") or "{prefix}-{username}",
    }  # fmt: skip
    try:
        host = _host_config(client, options)
        _merge(create, own.get("extra_create_kwargs") or {})
        create["host_config"] = {**create.get("host_config", {}), **host}
        client.create_container(**create)
    except (TypeError, ValueError, AttributeError, docker.errors.DockerException) as exc:
        raise ValueError(
            f"DockerSpawner.extra_host_config or extra_create_kwargs: docker-py does not take it: {exc}"
        ) from exc
    body = client.sent["body"]
    host = body["HostConfig"]
    mounts = json.loads(json.dumps([Mount(**mount) for mount in own.get("mounts") or []]))
    mounts += host.get("Mounts") or []
    binds = _binds(own) + [
        _named_bind(text) for text in [*host.get("Binds", []), *(allow.get("mounts") or [])]
    ]
    prefix = str(own.get("prefix", "jupyter"))
    also: dict[str, list[Any]] = {}
    for name, values in (allow.get("host_config") or {}).items():
        for value in values if isinstance(values, list) else [values]:
            if name in ("mem_limit", "memswap_limit", "cpu_quota", "pids_limit"):
                raise ValueError(
                    f"{ALLOW} has host_config.{name}: give memory_limit, cpu_limit or pids_limit"
                )
            try:
                made = _host_config(client, {name: value, "network_mode": host["NetworkMode"]})
            except (TypeError, ValueError, AttributeError, docker.errors.DockerException) as exc:
                raise ValueError(
                    f"{ALLOW} has host_config.{name} {value!r}: docker-py does not take it: {exc}"
                ) from exc
            for key in made.keys() - {"NetworkMode"} - set(LIMITS):
                also.setdefault(key, []).append(made[key])
    if host.get("CpuPeriod") is None:
        also.setdefault("CpuPeriod", []).append(100_000)
    environments = [
        own.get("environment") or {},
        *(p.get("environment") or {} for p in own.get("profiles") or []),
    ]
    rules = {"Image", "Env", "Cmd", "Labels", "Volumes", "HostConfig"}
    policy = {
        "instance": data["instance"],
        "prefix": prefix,
        "name": str(client.sent["name"]).replace("{prefix}", prefix),
        "images": _images(own, allow),
        "binds": [{key: text.replace("{prefix}", prefix) for key, text in bind.items()} for bind in binds],
        "mounts": mounts,
        "labels": body.get("Labels") or {},
        "config": {key: value for key, value in body.items() if key not in rules and value is not None},
        "host": {
            key: value
            for key, value in host.items()
            if key not in {"Binds", "Mounts", *LIMITS} and value is not None
        },
        "also": also,
        "limits": _limits(own, host, allow),
        "devices": [
            f"{k}={v}" for one in environments for k, v in one.items() if k.upper().startswith(DEVICES)
        ],
    }
    problems = list(_problems(policy, own, data, str(given.get("state_dir") or "")))
    if problems:
        raise ValueError("; ".join(problems))
    return policy


# -- what no settings can allow


def _problems(
    policy: Mapping[str, Any], own: Mapping[str, Any], data: Mapping[str, Any], state_dir: str
) -> Iterable[str]:
    labels = policy["labels"]
    if labels.get(INSTANCE_LABEL) != data["instance"] or labels.get(ROLE_LABEL) != "user":
        yield (
            f"DockerSpawner.extra_create_kwargs has not the labels {INSTANCE_LABEL}: {data['instance']} and "
            f"{ROLE_LABEL}: user: leave them as they are"
        )
    if own.get("post_start_cmd"):
        yield "DockerSpawner.post_start_cmd: the broker runs no commands in servers; put it into the image"
    if data["traits"].get("JupyterHub", {}).get("internal_ssl"):
        yield "JupyterHub.internal_ssl: the broker copies no certificates into servers; leave it out"
    user = str(policy["config"].get("User", "")).split(":")[0]
    if user in ("root", "0"):
        yield "DockerSpawner.extra_create_kwargs has user root: no server runs as root, give a number instead"
    hosts = [{key: value} for key, value in policy["host"].items()]
    for part, where in (
        *((one, "DockerSpawner.extra_host_config") for one in hosts),
        *(
            ({key: value}, f"{ALLOW}.host_config")
            for key, values in policy["also"].items()
            for value in values
        ),
    ):
        yield from (f"{where} has {said}: no server may have that, take it out" for said in _powers(part))
    if "no-new-privileges" not in [
        re.sub("[:=]true$", "", str(one)) for one in policy["host"].get("SecurityOpt", [])
    ]:
        yield "DockerSpawner.extra_host_config lacks no-new-privileges in security_opt: add it"
    for bind in policy["binds"]:
        said = mount_source_problem(bind["source"], "ro" not in bind["mode"].split(","), state_dir)
        if said:
            yield f"the mount of {bind['source']} to {bind['target']} is refused: {said}"
    for mount in policy["mounts"]:
        said = mount_source_problem(str(mount.get("Source") or ""), not mount.get("ReadOnly"), state_dir)
        if said:
            yield f"DockerSpawner.mounts has {mount.get('Source')}: {said}"
    yield from _replaceable(policy)


def _replaceable(policy: Mapping[str, Any]) -> Iterable[str]:
    """Folders in whose place users could put a link: the engine follows it, to anything on the host."""
    shown = [(bind["source"], "ro" not in bind["mode"].split(",")) for bind in policy["binds"]]
    shown += [(str(mount.get("Source") or ""), not mount.get("ReadOnly")) for mount in policy["mounts"]]
    folders = {(posixpath.normpath(source), writable) for source, writable in shown if source[:1] == "/"}
    outer = sorted(source for source, writable in folders if writable)
    for inner in sorted({source for source, _ in folders}):
        # Some name stands for all that the spawner may put in.
        above = [str(path) for path in PurePosixPath(re.sub(r"\{[^/]*\}", "x", inner)).parents]
        for source in outer:
            if any(pattern(source).fullmatch(path) for path in above):
                yield (
                    f"the mount of {inner} is refused: it is in {source}, where users write, and "
                    "could be replaced by a link to anywhere on the host; mount a folder in another "
                    "place"
                )


def _powers(host: Mapping[str, Any]) -> Iterable[str]:
    """What in these host options is as good as the host."""
    yield from (f"{key} {host[key]!r}" for key in _NEVER if host.get(key))
    for key in _HOST_MODES:
        value = str(host.get(key) or "")
        if value == "host" or value.startswith(("container:", "ns:")):
            yield f"{key} {value!r}"
    for option in host.get("SecurityOpt") or []:
        if re.search(r"unconfined|label[=:]disable|no-new-privileges[=:]false", str(option)[:200]):
            yield f"SecurityOpt {option!r}"
    if (host.get("OomScoreAdj") or 0) < 0:
        yield f"OomScoreAdj {host['OomScoreAdj']}"
    for device in host.get("Devices") or []:
        path = posixpath.normpath(str(device.get("PathOnHost")))
        if path == "/dev" or not path.startswith("/dev/") or _DISKS.fullmatch(path):
            yield f"the device {path}"


def problems(data: Mapping[str, Any]) -> list[str]:
    """Sentences on settings that the broker would not carry out."""
    try:
        compile_policy(data)
    except ValueError as exc:
        return [str(exc)]
    return []
