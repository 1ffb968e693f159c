# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of how images come to hosts, checked. Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.registry_plan import check_registry

WAYS = ("host", "controller", "registry")
# What is named by its content is the same everywhere; what only a tag names may be one thing here and another there.
_BY_CONTENT = re.compile(r":[0-9a-f]{12}\Z|@sha256:[0-9a-f]{64}\Z")


def _registry_problems(settings: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for key in ("registry", "registry_push"):
        if settings.get(key):
            try:
                check_registry(str(settings[key]), f"images_{key}")
            except HubError as exc:
                yield exc.message


def delivery_problems(settings: t.Mapping[str, t.Any], parents: t.Sequence[str] = ()) -> list[str]:
    """Return one sentence for each setting that cannot be meant; names without ``images_``."""
    way = settings.get("delivery", "host")
    problems = []
    if way not in WAYS:
        problems.append(f"images_delivery is {way!r}: use one of {', '.join(WAYS)}.")
    if way == "registry":
        if not settings.get("registry"):
            problems.append(
                "images_registry is empty, but images_delivery is registry: name the registry, such as registry.example.org/hub."
            )
        problems += _registry_problems(settings)
    if settings.get("registry_password") and not settings.get("registry_username"):
        problems.append(
            "images_registry_password is given without images_registry_username: name the account, too."
        )
    loose = sorted({name for name in parents if re.search("[:/]", name) and not _BY_CONTENT.search(name)})
    if way != "host" and loose:
        problems.append(
            f"images_catalog builds on {', '.join(loose)}, which only an engine's own names tell, but images_delivery is {way}: "
            "make it an image of the list, with image (by digest) or archive."
        )
    for key in ("keep", "cache_keep_gib"):
        if int(settings.get(key, 0)) < 0:
            problems.append(f"images_{key} is {settings[key]}: use 0 for no limit, or more.")
    return problems
