# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whether the engine may get a request of the hub, and how it gets it. Pure: no I/O.

The engine never sees the hub's bytes: what is allowed is written anew from what was read here. Names of keys
are compared exactly; Go would take `privileged`, or `PRIVILEGED`, for `Privileged`.
"""

from __future__ import annotations

import functools
import json
import posixpath
import re
import string
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]

# Bytes of a request's body: an environment and a seccomp profile have room in it.
BODY_LIMIT = 1024 * 1024
# Of Docker 19.03. Older ones of the engine's API take options where newer ones take none.
OLDEST_API = 40

INSTANCE_LABEL, ROLE_LABEL, USER_LABEL = "galilean.hub.instance", "galilean.hub.role", "galilean.hub.user"

_ID = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_TARGET = re.compile(r"(?:/v1\.([0-9]{2,3}))?(/[A-Za-z0-9_./:@%-]*)(?:\?([A-Za-z0-9_.=&%+-]*))?")

# What the spawner puts into its templates.
_SAFE = "[A-Za-z0-9_.-]*"
# Names as the provider tells them: in paths no part of them may lead elsewhere, in labels they are anything.
_RAW, _FREE = r"[^/\\:\x00-\x1f]*", "(?s:.*)"
_FIELDS = {
    **dict.fromkeys(("username", "safe_username", "servername", "home", "imagename"), _SAFE),
    **dict.fromkeys(("raw_username", "raw_servername"), _RAW),
}

# Variables that runtimes of containers read: they give devices.
DEVICES = ("NVIDIA_", "AMD_VISIBLE_", "ASCEND_", "HABANA_", "MTHREADS_")

# Numbers that may be lower than the settings', and not higher.
LIMITS = ("Memory", "MemorySwap", "CpuQuota", "PidsLimit")
# Each of them has rules of its own below.
_CONFIG_RULES = {"Image", "Env", "Cmd", "Labels", "Volumes", "HostConfig"}
_HOST_RULES = {"Binds", "Mounts", *LIMITS}


class Denied(Exception):
    """A request that the engine does not get; one line that says why."""


@dataclass(frozen=True)
class Call:
    """What the engine is asked."""

    method: str
    # With {} where the container's id belongs.
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    # The container that it is about, by id or name: it has to be this instance's.
    container: str = ""
    # Volumes that must not be another instance's, where there are such.
    volumes: tuple[str, ...] = ()


# -- templates, as DockerSpawner renders them


@functools.lru_cache(maxsize=1024)
def pattern(template: str, raw: str = _RAW) -> re.Pattern[str]:
    """What a string of the settings may be once the spawner has put in names."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError:
        return re.compile(re.escape(template))
    made = ""
    for text, name, _, _ in parts:
        made += re.escape(text)
        if name in _FIELDS:
            made += raw if _FIELDS[name] == _RAW else _FIELDS[name]
        elif name is not None:
            # Not a name that it knows: then it leaves the whole string as it is.
            return re.compile(re.escape(template))
    return re.compile(made)


def templated(template: str) -> bool:
    """Whether names are put into the string."""
    try:
        return any(name in _FIELDS for _, name, _, _ in string.Formatter().parse(template))
    except ValueError:
        return False


def fits(model: Any, value: Any) -> bool:
    """Whether a value is what the settings say: of the same kind, with all keys and no other."""
    if isinstance(model, str):
        return isinstance(value, str) and pattern(model).fullmatch(value) is not None
    if isinstance(model, Mapping):
        return (
            isinstance(value, dict)
            and model.keys() == value.keys()
            and all(fits(model[key], value[key]) for key in model)
        )
    if isinstance(model, (list, tuple)):
        return isinstance(value, list) and len(model) == len(value) and all(map(fits, model, value))
    # True is 1 in Python.
    return type(model) is type(value) and model == value


# -- reading


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Denied("duplicate key in the body")
    return found


def _refuse_number(text: str) -> Any:
    raise Denied(f"the body has the number {text[:20]}")


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object in the body, read more strictly than the engine reads it."""
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_without_doubles,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as exc:
        raise Denied("the body is no JSON") from exc
    if not isinstance(found, dict):
        raise Denied("the body is no JSON object")
    return found


def _read_query(query: str, known: Mapping[str, str]) -> dict[str, str]:
    """The parameters: only known ones, each once, each of its form."""
    try:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as exc:
        raise Denied("the query cannot be read") from exc
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Denied("duplicate parameter in the query")
    for name, value in found.items():
        if name not in known:
            raise Denied(f"the parameter {name!r} is not allowed here")
        if not re.fullmatch(known[name], value):
            raise Denied(f"the parameter {name!r} may not be {value!r}")
    return found


# -- one rule for each kind of request

_FALSE = "0|false|False|"
_BOOL = f"1|true|True|{_FALSE}"
_STOP = {"t": "[0-9]{1,3}"}
_REMOVE = {"v": _BOOL, "force": _BOOL, "link": _FALSE}
_LOGS = {
    "stdout": _BOOL,
    "stderr": _BOOL,
    "timestamps": _BOOL,
    "details": _BOOL,
    "follow": _FALSE,
    "tail": "all|[0-9]{1,9}",
    "since": "[0-9]{1,12}",
    "until": "[0-9]{1,12}",
}
_CONTAINER_CALLS: dict[tuple[str, str], Mapping[str, str]] = {
    ("GET", "/json"): {},
    ("POST", "/start"): {},
    ("POST", "/stop"): _STOP,
    ("GET", "/logs"): _LOGS,
    ("DELETE", ""): _REMOVE,
}


def decide(policy: Policy, method: str, target: str, body: bytes) -> Call:
    """What the engine is asked for this request; Denied with the reason where that is nothing."""
    found = _TARGET.fullmatch(target)
    if not found:
        raise Denied("the address has signs that are not allowed")
    version, path, query = found[1], found[2], found[3] or ""
    if len(body) > BODY_LIMIT:
        raise Denied("the body is too large")
    if path in ("/_ping", "/version") and method in ("GET", "HEAD"):
        _expect_nothing(query, body)
        return Call(method, path)
    if version is None or int(version) < OLDEST_API:
        raise Denied(f"the address needs the version of the API, 1.{OLDEST_API} or newer")
    prefix = f"/v1.{int(version)}"
    if (method, path) == ("POST", "/containers/create"):
        given = _read_query(query, {"name": _NAME.pattern})
        return _create(policy, prefix, given.get("name", ""), read_body(body))
    if (method, path) == ("POST", "/volumes/create"):
        _expect_nothing(query, b"")
        return _create_volume(policy, prefix, read_body(body))
    if image := re.fullmatch(r"/images/(.+)/json", path):
        name = urllib.parse.unquote(image[1])
        if method == "GET" and name in policy["images"]:
            _expect_nothing(query, body)
            return Call("GET", f"{prefix}/images/{urllib.parse.quote(name, safe='/:')}/json")
        raise Denied(f"{name} is no image of this instance")
    if container := re.fullmatch(r"/containers/([A-Za-z0-9_.-]+)(/[a-z]+)?", path):
        name, verb = container[1], container[2] or ""
        known = _CONTAINER_CALLS.get((method, verb))
        if known is not None:
            if not (_ID.fullmatch(name) or _is_server_name(policy, name)):
                raise Denied(f"{name} is no server of this instance")
            if body:
                raise Denied("there is a body where none belongs")
            return Call(method, f"{prefix}/containers/{{}}{verb}", _read_query(query, known), container=name)
    raise Denied("this is nothing that a spawner needs")


def _expect_nothing(query: str, body: bytes) -> None:
    if query or body:
        raise Denied("there is a query or a body where none belongs")


def _is_server_name(policy: Policy, name: str) -> bool:
    # Names that were given before the settings changed begin in the same way.
    return bool(_NAME.fullmatch(name)) and (
        name.startswith(policy["prefix"] + "-") or pattern(policy["name"]).fullmatch(name) is not None
    )


def _create_volume(policy: Policy, prefix: str, body: dict[str, Any]) -> Call:
    body = {key: value for key, value in body.items() if value is not None}
    name, labels = body.pop("Name", ""), body.pop("Labels", {})
    # The driver `local` mounts anything from anywhere, if it is told so by options.
    if body.pop("Driver", "local") not in ("", "local") or body.pop("DriverOpts", {}) != {}:
        raise Denied("a volume may have no driver and no options")
    if body:
        raise Denied(f"a volume may not have {_some(body)}")
    if not isinstance(name, str) or not any(
        pattern(bind["source"]).fullmatch(name)
        for bind in policy["binds"]
        if not bind["source"].startswith("/")
    ):
        raise Denied(f"{name!r:.80} is no volume of this instance")
    wanted = {INSTANCE_LABEL: policy["instance"], ROLE_LABEL: "home"}
    if (
        not isinstance(labels, dict)
        or {key: value for key, value in labels.items() if key != USER_LABEL} != wanted
        or not isinstance(labels.get(USER_LABEL, ""), str)
    ):
        raise Denied("a volume has the labels of this instance's homes, and no other")
    return Call("POST", f"{prefix}/volumes/create", body={"Name": name, "Labels": labels}, volumes=(name,))


def _create(policy: Policy, prefix: str, name: str, body: dict[str, Any]) -> Call:
    if not _is_server_name(policy, name):
        raise Denied(f"{name or 'a container without a name'} is no server of this instance")
    config = _known_keys("", body, policy["config"], {}, _CONFIG_RULES)
    host = config.get("HostConfig")
    if not isinstance(host, dict):
        raise Denied("HostConfig is missing")
    host = _known_keys("HostConfig.", host, policy["host"], policy["also"], _HOST_RULES)
    if config.get("Image") not in policy["images"]:
        raise Denied(f"{config.get('Image')!r:.80} is no image of this instance")
    _check_limits(policy, host)
    _check_labels(policy, config.get("Labels"))
    _check_environment(policy, config.get("Env", []))
    _strings("Cmd", config.get("Cmd", []))
    volumes, targets = _check_binds(policy, host.get("Binds", []))
    mounted, more = _check_mounts(policy, host.get("Mounts", []))
    points = config.get("Volumes", {})
    if not isinstance(points, dict) or any(
        key not in targets | more or value != {} for key, value in points.items()
    ):
        raise Denied("Volumes has what Binds has not")
    return Call(
        "POST",
        f"{prefix}/containers/create",
        {"name": name},
        {**config, "HostConfig": host},
        volumes=tuple(sorted(volumes | mounted)),
    )


def _some(keys: Iterable[str]) -> str:
    return ", ".join(repr(key)[:40] for key in sorted(keys)[:5])


def _known_keys(
    where: str, given: dict[str, Any], model: Policy, also: Policy, rules: set[str]
) -> dict[str, Any]:
    """Without what is null, which is the same as absent; Denied for all that the settings do not say."""
    given = {key: value for key, value in given.items() if value is not None}
    unknown = given.keys() - model.keys() - also.keys() - rules
    if unknown:
        raise Denied(f"{where}{_some(unknown)} is not in the settings")
    missing = model.keys() - given.keys() - rules
    if missing:
        raise Denied(f"{where}{_some(missing)} of the settings is missing")
    for key in given.keys() - rules:
        allowed = [*([model[key]] if key in model else []), *also.get(key, [])]
        if not any(fits(one, given[key]) for one in allowed):
            raise Denied(f"{where}{key} may not be {given[key]!r:.80}")
    return given


def _check_limits(policy: Policy, host: Mapping[str, Any]) -> None:
    for key in LIMITS:
        rule = policy["limits"].get(key)
        if key in host:
            if rule is None:
                raise Denied(f"HostConfig.{key} is not in the settings")
            value = host[key]
            if type(value) is not int or not 0 < value <= rule["most"]:
                raise Denied(f"HostConfig.{key} may not be {value!r:.40}: at most {rule['most']}")
        elif rule and rule["required"]:
            raise Denied(f"HostConfig.{key} of the settings is missing")


def _check_labels(policy: Policy, labels: Any) -> None:
    wanted = policy["labels"]
    if (
        not isinstance(labels, dict)
        or labels.keys() != wanted.keys()
        or not all(
            isinstance(value, str) and pattern(wanted[key], _FREE).fullmatch(value)
            for key, value in labels.items()
        )
    ):
        raise Denied("a server has the labels of this instance's servers, and no other")


def _strings(what: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Denied(f"{what} is no list of strings")
    return value


def _check_environment(policy: Policy, environment: Any) -> None:
    for line in _strings("Env", environment):
        if line.upper().startswith(DEVICES) and not any(fits(one, line) for one in policy["devices"]):
            raise Denied(f"the variable {line[:60]!r} is not in the settings")


def _normal(source: str) -> bool:
    return not source.startswith("/") or posixpath.normpath(source) == source


def _check_binds(policy: Policy, binds: Any) -> tuple[set[str], set[str]]:
    """Names of the volumes that have to be this instance's, and where things are mounted."""
    volumes, targets = set(), set()
    for bind in _strings("Binds", binds):
        for rule in policy["binds"]:
            source, target = pattern(rule["source"]).pattern, pattern(rule["target"]).pattern
            found = re.fullmatch(f"({source}):({target}):{re.escape(rule['mode'])}", bind)
            if found and (not templated(rule["source"]) or _normal(found[1])):
                break
        else:
            raise Denied(f"the mount {bind[:120]!r} is not in the settings")
        targets.add(found[2])
        if templated(rule["source"]) and not found[1].startswith("/"):
            volumes.add(found[1])
    return volumes, targets


def _check_mounts(policy: Policy, mounts: Any) -> tuple[set[str], set[str]]:
    if not isinstance(mounts, list):
        raise Denied("Mounts is no list")
    volumes, targets = set(), set()
    for mount in mounts:
        rule = next((one for one in policy["mounts"] if fits(one, mount)), None)
        source = str((mount if rule else {}).get("Source") or "")
        if rule is None or (templated(str(rule.get("Source"))) and not _normal(source)):
            raise Denied(f"the mount {json.dumps(mount)[:120]} is not in the settings")
        targets.add(mount["Target"])
        if templated(str(rule.get("Source"))) and not source.startswith("/"):
            volumes.add(source)
    return volumes, targets


# -- what the engine tells of a thing


def own_container(policy: Policy, found: Mapping[str, Any]) -> bool:
    """Whether an inspected container is a user's server of this instance."""
    labels = (found.get("Config") or {}).get("Labels") or {}
    return labels.get(INSTANCE_LABEL) == policy["instance"] and labels.get(ROLE_LABEL) == "user"


def own_volume(policy: Policy, found: Mapping[str, Any]) -> bool:
    """Whether an inspected volume may be mounted: it is not said to be another instance's."""
    labels = found.get("Labels") or {}
    return labels.get(INSTANCE_LABEL, policy["instance"]) == policy["instance"]
