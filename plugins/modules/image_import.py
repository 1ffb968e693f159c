#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images from the controller's engine in a host's."""

from __future__ import annotations

import os
import shutil
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_engine import (
    DeliveryEngine,
    free_space,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import space_problem

DOCUMENTATION = r"""
module: image_import
short_description: Import images of the controller's engine on a host
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Sends an archive of M(galilean.hub.image_export) to the host over Ansible's connection, and loads it into the host's engine.
    The host needs no registry and no other network.
  - The free space on the host is checked first. The archive is removed from the host afterwards. The next run removes archives of
    a killed run.
  - The host then has the same images as the controller, with the same IDs.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which runs on the controller and sends the archive.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  archive:
    description: Return value RV(galilean.hub.image_export#module:archive) of M(galilean.hub.image_export).
    type: dict
    required: true
  path:
    description: Folder on the host for the archive, with enough free space.
    type: path
    default: /var/cache/galilean-hub
  timeout:
    description: Timeout of loading in seconds.
    type: int
    default: 3600
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.image_export
"""

EXAMPLES = r"""
- name: Send and load what was exported for the host
  galilean.hub.image_import:
    archive: "{{ exported.archive }}"
  register: imported

- name: Stop where the host's engine wants all layers
  ansible.builtin.assert:
    that: not imported.refused
"""

RETURN = r"""
images:
  description: ID of each existing image on the host, by reference.
  returned: success
  type: dict
  sample: {'galilean/hub:3f1c02aa9b7e': 'sha256:9c1d0f5a'}
refused:
  description:
    - Reason why the engine refused an archive without the layers that it reported, or an empty text.
    - It then needs an archive with all layers. If the engine refuses that one, the module fails.
  returned: success
  type: str
  sample: ''
seconds:
  description: Duration of sending in seconds.
  returned: when something was sent
  type: float
  sample: 12.5
"""

# What other controllers have left, and nobody comes back for.
FORGOTTEN_SECONDS = 86400
ARGUMENT_SPEC: dict[str, t.Any] = {
    "archive": {"type": "dict", "required": True},
    "path": {"type": "path", "default": "/var/cache/galilean-hub"},
    "timeout": {"type": "int", "default": 3600},
    "docker_cli": {"type": "list", "elements": "str"},
    # From the action plugin only: what to do, the name of the folder for this run, folders of runs that are over,
    # the account that sends, and the host's name for messages.
    "_step": {"type": "str", "choices": ["look", "prepare", "load", "clean"], "default": "look"},
    "_folder": {"type": "str", "default": ""},
    "_over": {"type": "list", "elements": "str", "default": []},
    "_sender": {"type": "int", "default": 0},
    "_host": {"type": "str", "default": "The host"},
}


def missing_of(images: t.Mapping[str, str], present: t.Mapping[str, str]) -> list[str]:
    """The images that are not there."""
    return [ref for ref in images if ref not in present]


def report(
    images: t.Mapping[str, str], before: t.Collection[str], after: t.Mapping[str, str], **more: t.Any
) -> dict[str, t.Any]:
    """The result, and what it changed."""
    came = sorted(ref for ref in images if ref in after and ref not in before)
    return {
        "changed": bool(came),
        "images": dict(after),
        "refused": "",
        "diff": {"before": {}, "after": dict.fromkeys(came, "imported")},
        **more,
    }


def clean(folder: Path, names: t.Iterable[str]) -> None:
    """Remove what runs have left that are over, and what nobody has touched for a day."""
    for name in names:
        if name and "/" not in name:
            shutil.rmtree(folder / name, ignore_errors=True)
    if folder.is_dir():
        for path in folder.iterdir():
            newest = max([path.stat().st_mtime, *(item.stat().st_mtime for item in path.glob("*"))])
            if time.time() - newest > FORGOTTEN_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def prepare(params: dict[str, t.Any], engine: DeliveryEngine) -> dict[str, t.Any]:
    """Make sure that there is room, and a folder into which the connection's account may write."""
    folder = prepare_dir(params["path"], "images_transfer_dir")
    clean(folder, params["_over"])
    archive = params["archive"]
    root = engine.info().get("DockerRootDir") or str(folder)
    # The engine unpacks the archive beside its data before it makes layers of it.
    needed = {str(folder): int(archive["bytes"]), root: 2 * int(archive["unpacked"])}
    problem = space_problem(
        params["_host"], needed, free_space(needed), f"loading {', '.join(sorted(archive['images']))}"
    )
    if problem:
        raise HubError(problem)
    own = folder / params["_folder"]
    own.mkdir(mode=0o700, exist_ok=True)
    if os.getuid() == 0:
        os.chown(own, params["_sender"], -1)
    return {"changed": False, "destination": str(own / "images.tar.gz")}


def load(params: dict[str, t.Any], engine: DeliveryEngine) -> dict[str, t.Any]:
    """Load what was sent, and see that the images came."""
    images: dict[str, str] = params["archive"]["images"]
    before = engine.present(list(images))
    own = Path(params["path"], params["_folder"])
    try:
        complaint = engine.load(own / "images.tar.gz", params["timeout"])
    finally:
        shutil.rmtree(own, ignore_errors=True)
    after = engine.present(list(images))
    missing = missing_of(images, after)
    if missing and params["archive"]["whole"]:
        raise HubError(
            f"The engine of {params['_host']} did not take {', '.join(missing)}: {complaint or 'it says that it did'}. "
            "See its log, or set images_delivery to host."
        )
    refused = (complaint or "it loaded something else") if missing else ""
    return report(images, before, after, refused=refused)


def observe(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Whether something is to be sent; in check mode that is the result."""
    images = params["archive"]["images"]
    try:
        present = DeliveryEngine(params["docker_cli"]).present(list(images))
    except EngineAway as exc:
        if not check_mode:
            raise
        warning = f"{exc} In check mode this counts as an engine without images."
        return report(images, {}, images, warnings=[warning])
    missing = missing_of(images, present)
    if check_mode:
        return report(images, present, {**images, **present})
    return {
        **report(images, present, present),
        "_missing": missing,
        "_folders": folders(Path(params["path"])),
    }


def folders(path: Path) -> list[str]:
    """What runs have left there or are just using."""
    return sorted(item.name for item in path.iterdir()) if path.is_dir() else []


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    params = module.params
    try:
        if params["_step"] == "look":
            result = observe(params, module.check_mode)
        elif params["_step"] == "prepare":
            result = prepare(params, DeliveryEngine(params["docker_cli"]))
        elif params["_step"] == "load":
            result = load(params, DeliveryEngine(params["docker_cli"]))
        else:
            clean(Path(params["path"]), [params["_folder"], *params["_over"]])
            result = {"changed": False}
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
