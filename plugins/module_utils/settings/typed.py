# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Settings of a host as roles, checks and what follows from several of them read them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


class Unknown(HubError):
    """A setting that cannot be worked out here, such as one that is built from facts of the host before they are gathered."""


class Settings(t.Protocol):
    """The settings of one host, and the files of the controller that they name."""

    # Its name in the inventory.
    host: str
    # The folder of this collection on the controller.
    collection: str
    # Facts of the host; empty as long as they are not gathered.
    facts: t.Mapping[str, t.Any]
    # What a role's tasks have found on the host (__<role>_found), by role.
    found: t.Mapping[str, t.Any]
    # Settings that are wrong by themselves, which is reported already. The default stands for them: nobody has chosen what follows from it.
    wrong: t.Collection[str]

    @property
    def address(self) -> str:
        """The address that Ansible reaches it by."""

    @property
    def local(self) -> bool:
        """Whether it is the machine that Ansible runs on."""

    def __getitem__(self, name: str) -> t.Any:
        """A setting of any role by its full name, converted as its spec says. Raises Unknown."""

    def role(self, name: str, secrets: bool = False) -> dict[str, t.Any]:
        """The settings of a role, their names without its prefix. In place of a secret stands whether there is one."""

    def fact(self, name: str, default: t.Any) -> t.Any:
        """What an earlier role has left for later ones (settings.names.LEFT_FACTS)."""

    def is_file(self, path: str) -> bool:
        """Whether it is a file on the controller."""

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder on the controller."""

    def content(self, path: str) -> bytes | None:
        """The content of a file of the controller; None where there is none."""

    def beside_inventory(self, path: str) -> bool:
        """Whether a path is there when it is taken as one of the folder of the inventory."""


def convert(value: t.Any, spec: t.Mapping[str, t.Any]) -> t.Any:
    """A value in the type of its spec, and all that is in it. One that does not fit stays as it is: spec.check_value has the sentence for it."""
    kind = spec.get("type", "str")
    try:
        if value is None:
            return None
        if kind == "bool":
            return boolean(value)
        if kind == "int":
            return int(float(value)) if not isinstance(value, int) else int(value)
        if kind == "float":
            return float(value)
    except (TypeError, ValueError, OverflowError):
        return value
    options = spec.get("options") or {}
    if kind == "list" and isinstance(value, (list, tuple)):
        element = {"type": spec.get("elements", "raw"), "options": options}
        return [convert(one, element) for one in value]
    if kind == "dict" and isinstance(value, t.Mapping):
        # YAML's 5, true and 2026-01-01 are keys as well, and no code of ours looks for one.
        return {
            str(key): convert(one, options.get(str(key)) or {"type": "raw"}) for key, one in value.items()
        }
    if kind in ("str", "path") and not isinstance(value, (dict, list)):
        return str(value)
    return value


def absent(
    settings: Settings, said: str, path: str, fix: str, kind: str = "file", short: bool = False
) -> str:
    """The sentence for a file or folder that is not on the controller, with what to write where it lies in the inventory."""
    if path and not path.startswith(("/", "~")) and settings.beside_inventory(path):
        fix = f'write "{{{{ inventory_dir }}}}/{path}"'
    what = (
        f": no such {kind} on the controller, {fix}"
        if short
        else f", which is no {kind} on the controller: {fix}"
    )
    return said + what
