# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A hub that is tried beside the one that runs: what it is started with. Pure: no I/O."""

from __future__ import annotations

import ipaddress
import json
import typing as t
from urllib.parse import urlsplit

# The hub, what it reaches the engine through, and what leads to its one server.
PARTS = ("broker", "proxy", "hub")
PROXY = "trial-proxy"
# What tells the proxy that each server has a host name of its own (files/images/proxy/start.mjs).
HOST_ROUTING = "GALILEAN_HOST_ROUTING"
OWN_DATABASE = "sqlite:////srv/jupyterhub/"
# What of a spawner's settings is the instance's; a class may set what its parent sets, too.
SPAWNERS = ("Spawner", "DockerSpawner", "GalileanSpawner")


def trial_name(instance: str) -> str:
    """No instance can have a dot in its name, so nothing of the trial is called like something of another instance."""
    return f"{instance}.trial"


def database_name(data: t.Mapping[str, t.Any]) -> str:
    """Name of the database's file in the hub's folder; empty where the site has a database elsewhere."""
    url = str(data.get("traits", {}).get("JupyterHub", {}).get("db_url", ""))
    name = url[len(OWN_DATABASE) :] if url.startswith(OWN_DATABASE) else ""
    return "" if "/" in name or "?" in name else name


def server_images(data: t.Mapping[str, t.Any]) -> list[str]:
    """The images that users' servers are started from."""
    own: dict[str, t.Any] = {}
    for name in SPAWNERS:
        own.update(data.get("traits", {}).get(name, {}))
    images = [own.get("image"), *(profile.get("image") for profile in own.get("profiles") or [])]
    return list(dict.fromkeys(str(image) for image in images if image))


def images_in_question(
    data: t.Mapping[str, t.Any], former: t.Mapping[str, t.Any], same_hub: bool
) -> list[str]:
    """Images of which it is not known whether they work with the hub; same_hub: its JupyterHub is the former one's."""
    known = server_images(former) if same_hub else []
    return [image for image in server_images(data) if image not in known]


def addresses(subnet: str) -> dict[str, str]:
    """Of hub and proxy in the trial's network: by them the hub tells users' servers from the proxy."""
    network = ipaddress.ip_network(subnet)
    return {"hub": str(network[2]), "proxy": str(network[3])}


def trial_data(
    data: t.Mapping[str, t.Any], images: t.Sequence[str], network: t.Mapping[str, str]
) -> dict[str, t.Any]:
    """The data file of the trial: the same settings, with containers, network and homes of its own, and without what acts on users.

    Each of the images is an environment, by its number.
    """
    instance, name = str(data["instance"]), trial_name(str(data["instance"]))
    found: dict[str, t.Any] = json.loads(json.dumps(data))
    traits = found["traits"]
    hub = traits.setdefault("JupyterHub", {})
    if not database_name(data):
        hub["db_url"] = f"{OWN_DATABASE}trial.sqlite"
    hub["public_url"] = f"http://{PROXY}:8000{urlsplit(str(hub.get('public_url', ''))).path or '/'}"
    for trait in ("subdomain_host", "cookie_host_prefix_enabled"):
        hub.pop(trait, None)
    # Of services that the hub would start, their names stay, as roles have them.
    hub["services"] = [
        {key: value for key, value in service.items() if key not in ("command", "url")}
        for service in hub.get("services") or []
    ]
    traits.setdefault("ConfigurableHTTPProxy", {})["api_url"] = f"http://{PROXY}:8001"
    own: dict[str, t.Any] = {}
    for one in SPAWNERS:
        own.update(traits.setdefault(one, {}))
        for trait in ("network_name", "prefix", "volumes", "profiles", "folders", "repositories", "groups"):
            traits[one].pop(trait, None)
    home = f"{instance}-home"
    volumes = {
        name + source[len(instance) :] if source.startswith(f"{home}-") else source: target
        for source, target in (own.get("volumes") or {}).items()
        # Others' templates would make volumes, too.
        if "{" not in source or source.startswith(f"{home}-")
    }
    labels = traits["DockerSpawner"].setdefault("extra_create_kwargs", {}).setdefault("labels", {})
    labels["galilean.hub.instance"] = name
    traits["DockerSpawner"].update(network_name=name, prefix=f"{name}-user", volumes=volumes)
    traits["GalileanSpawner"].update(
        instance=name,
        default_profile_users=[],
        profiles=[{"name": str(number), "image": image} for number, image in enumerate(images)],
    )
    return {**found, "instance": name, "culler": None, "network": dict(network), "trial": True}


def run_argv(
    instance: str,
    part: t.Mapping[str, t.Any],
    image: str,
    user: str,
    folders: t.Mapping[str, str],
    network: t.Mapping[str, str],
) -> list[str]:
    """Words for docker run: the container as the instance has it, with folders of the trial in place of the instance's own.

    part: one of the role's containers; user: number of account and group, of which it may have another account; folders: the
    instance's folder -> the trial's; network: addresses by role.
    """
    name, role = trial_name(instance), str(part["role"])
    account, _colon, group = user.partition(":")
    place = [f"--network={name}", f"--ip={network[role]}"] if role in network else ["--network=none"]
    alias = {"proxy": PROXY, "hub": "hub"}.get(role)
    volumes = []
    for volume in part.get("volumes") or []:
        source, rest = str(volume).split(":", 1)
        volumes.append(f"--volume={folders.get(source, source)}:{rest}")
    return [
        "run", "--detach", f"--name={name}-{role}", "--init", "--read-only", "--tmpfs=/tmp:mode=1777", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", "--pids-limit=512", f"--memory={part['memory']}", "--no-healthcheck",
        "--log-driver=json-file", "--log-opt=max-size=10m",
        f"--user={part.get('user') or account}:{group}",
        f"--label=galilean.hub.instance={name}", f"--label=galilean.hub.role=trial-{role}",
        *place, *([f"--network-alias={alias}"] if alias else []),
        *[f"--group-add={one}" for one in part.get("groups") or []],
        # The trial's hub has no host names for servers: its proxy would find no route by a path.
        *[f"--env={key}={value}" for key, value in sorted((part.get("env") or {}).items()) if key != HOST_ROUTING],
        *volumes, image, *(part.get("command") or []),
    ]  # fmt: skip


def reason(log: str) -> str:
    """What a program said last, as the part of a sentence."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else "it said nothing"
