# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Check a data file against the classes that are really installed in this image.

JupyterHub ignores settings whose class or trait it does not know (one story of many is
2i2c-org/infrastructure issue 8692). This reads the data from standard input and prints a JSON list of
sentences, empty when all is well.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import json
import sys
from collections.abc import Iterable
from typing import Any

from galilean_broker import model
from traitlets import HasTraits, TraitError
from traitlets.config import Config, Configurable

from .loader import SCHEMA, SECRETS, configure

# Accepted by the classes, and yet not what the site means any more.
DEPRECATED = {
    ("DockerSpawner", "image_whitelist"): "allowed_images",
    ("DockerSpawner", "container_image"): "image",
    ("DockerSpawner", "container_prefix"): "prefix",
    ("DockerSpawner", "remove_containers"): "remove",
    ("DockerSpawner", "container_ip"): "host_ip",
    ("DockerSpawner", "container_port"): "port",
    ("Authenticator", "whitelist"): "allowed_users",
}


def defined_classes() -> dict[str, type[Configurable]]:
    """All configurable classes that are defined by now, by name."""
    found: dict[str, type[Configurable]] = {}
    todo: list[type[Configurable]] = [Configurable]
    while todo:
        cls = todo.pop()
        for child in cls.__subclasses__():
            if found.setdefault(child.__name__, child) is child:
                todo.append(child)
    return found


def installed_classes(names: Iterable[str]) -> dict[str, type[Configurable]]:
    """The configurable classes of JupyterHub, and of the installed plugins where these names ask for them."""
    # Slow, and only this function needs them: what counts is that their classes get defined.
    for module in ("authorization.access", "spawner.docker_spawner"):
        importlib.import_module(f"galilean_hub.{module}")
    entries = [
        entry
        for group in ("jupyterhub.authenticators", "jupyterhub.spawners", "jupyterhub.proxies")
        for entry in importlib.metadata.entry_points(group=group)
    ]
    # Those of a class that is asked for first: to load all of them takes a second, and is only needed for one
    # that is no plugin's main class, or is none at all.
    wanted = set(names)
    entries.sort(key=lambda entry: entry.attr not in wanted)
    for entry in entries:
        if entry.attr not in wanted and wanted <= defined_classes().keys():
            break
        try:
            entry.load()
        except ImportError:
            # An optional dependency is missing: then its class cannot be used, nor configured.
            continue
    return defined_classes()


def nearest(name: str, names: Any) -> str:
    """'; did you mean x?' with the nearest of the names, or nothing."""
    match = difflib.get_close_matches(name, names, 1, 0.6)
    return f", did you mean {match[0]}?" if match else ""


def lint_value(cls: type[HasTraits], name: str, value: Any) -> str:
    """Why the trait does not take the value, or nothing."""
    trait = cls.class_traits()[name]
    holder = cls.__new__(cls)
    try:
        trait._validate(holder, value)
    except (TraitError, TypeError, ValueError) as exc:
        return str(exc).split("\n")[0]
    except Exception:
        # A validator that needs a whole running hub cannot be asked here.
        return ""
    return ""


def lint(config: dict[str, dict[str, Any]], classes: dict[str, type[Configurable]]) -> list[str]:
    """Sentences on everything in `config` that no installed class would take."""
    sentences = []
    for class_name, traits in config.items():
        cls = classes.get(class_name)
        if cls is None:
            sentences.append(f"{class_name}: no such class is installed{nearest(class_name, classes)}")
            continue
        known = cls.class_trait_names(config=True)
        for name, value in traits.items():
            instead = next(
                (DEPRECATED[b.__name__, name] for b in cls.__mro__ if (b.__name__, name) in DEPRECATED), ""
            )
            if instead:
                sentences.append(f"{class_name}.{name}: this is an old name, use {instead}")
            elif name not in known:
                sentences.append(f"{class_name}.{name}: {class_name} has no such trait{nearest(name, known)}")
            else:
                problem = lint_value(cls, name, value)
                if problem:
                    sentences.append(f"{class_name}.{name} is {value!r}: {problem}")
    return sentences


def main() -> int:
    """Entry point of `python -m galilean_hub.lint`."""
    data = json.load(sys.stdin)
    traits = data.get("traits", {})
    sentences = lint(traits, installed_classes(traits))
    if data.get("schema") != SCHEMA:
        sentences.append(f"schema is {data.get('schema')!r}, this image reads {SCHEMA}")
    if not sentences:
        try:
            sites = {one["name"]: "00" * 32 for one in data.get("services") or []}
            configure(
                Config(), data, dict.fromkeys(SECRETS, "00" * 32) | {"service-tokens": json.dumps(sites)}
            )
        except SystemExit as exc:
            sentences.append(str(exc))
    if not sentences and "broker" in data:
        # A server that the broker would deny is better known before the old hub ends.
        sentences = model.problems(data)
    json.dump(sentences, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
