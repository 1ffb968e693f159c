# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role images cannot say, and what the host lacks: one sentence for each problem."""

from __future__ import annotations

import os.path
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.catalog.catalog import catalog_images
from ansible_collections.galilean.hub.plugins.module_utils.core import proxy
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_settings import delivery_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

# It may be missing: builds then trust what the image brings.
USUAL_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def indexes(settings: Settings) -> list[str]:
    names = {"pypi": "pypi_index", "npm": "npm_registry", "mirror": "base_mirror"}
    return proxy.problems({kind: settings[f"images_{name}"] for kind, name in names.items()})


def base(settings: Settings) -> list[str]:
    image, suite = settings["images_base_image"], settings["images_base_suite"]
    found = []
    if not re.fullmatch(r"([^@]+@sha256:[0-9a-f]{64})?", image):
        found.append(
            f"images_base_image is '{image}': name it with its digest, as in debian@sha256:<64 digits>, because tags change"
        )
    if not re.fullmatch(r"[a-z][a-z0-9-]*", suite):
        found.append(f"images_base_suite is '{suite}': name a release of the distribution, such as trixie")
    return found


def numbers(settings: Settings) -> list[str]:
    uid, digest = settings["images_user_id"], settings["images_software_digest"]
    found = []
    if uid not in (0, 1000) and not 65536 <= uid <= 99999:
        found.append(
            f"images_user_id is {uid}: give a number from 65536 to 99999, which neither accounts of the host nor engine and systemd use, or 0 for the owner of the existing homes"
        )
    if not re.fullmatch(r"([0-9a-f]{12})?", digest):
        found.append(
            f"images_software_digest is '{digest}': use the 12 hexadecimal digits at the end of the volume's name, or '' for the "
            "newest version"
        )
    return found


def _images(settings: Settings) -> list[dict[str, t.Any]]:
    """The list as the role sorts it. Raises HubError where it cannot be."""
    own = settings.role("images")
    return catalog_images(
        own["catalog"],
        own["catalog_extra"],
        own["software_stack"],
        own["files_path"],
        {"image": own["base_image"], "archive": own["base_archive"]},
    )


def files(settings: Settings) -> list[str]:
    images = _images(settings)
    missing = [one["file"] for one in images if one.get("file") and not settings.is_file(one["file"])] + [
        file["src"]
        for one in images
        for file in one.get("files") or []
        if not (settings.is_file(file["src"]) or settings.is_folder(file["src"]))
    ]
    if not missing:
        return []
    return [
        f"images_catalog names files that are not on the controller: {', '.join(missing)}. Create them, or correct "
        "images_files_path, path or archive"
    ]


def delivery(settings: Settings) -> list[str]:
    return delivery_problems(settings.role("images"), [one["parent"] for one in _images(settings)])


def look(settings: Settings) -> list[str]:
    path = settings["images_web_site_path"]
    if not path:
        return []
    said = f"images_web_site_path is '{path}'"
    if not settings.is_folder(path):
        return [absent(settings, said, path, "correct the path, or leave it empty", "folder")]
    if any(settings.is_folder(os.path.join(path, part)) for part in ("hub", "notebook")):
        return []
    return [
        f"{said}, where neither hub nor notebook is: put what the pages of the hub need into a folder hub in it, and what "
        "JupyterLab needs into a folder notebook (docs/web.md)"
    ]


def _build_files(settings: Settings) -> list[tuple[str, str]]:
    """Files that builds read where they run, by what names them."""
    own = settings.role("images", secrets=True)
    given = [
        ("images_base_keyring", own["base_keyring"]),
        ("images_ca_bundle", own["ca_bundle"]),
        *[(f"images_build_secrets.{name}", path) for name, path in own["build_secrets"].items()],
    ]
    return [(name, str(path)) for name, path in given if path and path != USUAL_BUNDLE]


def build_files(settings: Settings) -> list[str]:
    if settings["images_delivery"] == "host":
        return []
    return [
        absent(settings, f"{name} is {path}", path, "correct the path")
        for name, path in _build_files(settings)
        if not settings.is_file(path)
    ]


def host_build_files(settings: Settings) -> list[str]:
    there = settings.found["images"]["files"]
    # Nobody has looked where there is nothing to look for.
    if there is None:
        return []
    return [
        f"{name} is {path}, which is no file on {settings.host}: correct the path"
        for name, path in _build_files(settings)
        if path not in there
    ]


CHECKS = (indexes, base, numbers, files, delivery, look, build_files)
HOST_CHECKS = (host_build_files,)
