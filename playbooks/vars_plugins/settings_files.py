# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks at the files of settings before Ansible reads them.

Ansible loads vars plugins beside a playbook by itself, and asks them before its own: so this works with any
ansible.cfg, and where the collection is installed.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible import constants, context
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.parsing.vault import VaultLib
from ansible.plugins.vars import BaseVarsPlugin

from ansible_collections.galilean.hub.plugins.module_utils.settings.files import file_problems

YAML = (".yml", ".yaml")


def settings_files(folder: Path) -> list[Path]:
    """Files with variables: in group_vars and host_vars, and the inventory's own in this folder."""
    found = [
        file
        for part in ("group_vars", "host_vars")
        for file in sorted((folder / part).rglob("*"))
        if file.is_file()
        and file.suffix in ("", *YAML)
        and not any(name.startswith(".") or name.endswith("~") for name in file.relative_to(folder).parts)
    ]
    for source in context.CLIARGS.get("inventory") or constants.DEFAULT_HOST_LIST:
        place = Path(str(source)).resolve()
        files = sorted(place.iterdir()) if place == folder else [place] if place.parent == folder else []
        found += [file for file in files if file.is_file() and file.suffix in YAML]
    return found


class VarsModule(BaseVarsPlugin):
    """Ansible's entry point. It brings no variables."""

    is_stateless = True
    seen: t.ClassVar[set[Path]] = set()

    def get_vars(self, loader: t.Any, path: t.Any, entities: t.Any) -> dict[str, t.Any]:
        """Raises an error for what is wrong in the folder, when it is asked about it for the first time."""
        folder = Path(str(path)).resolve()
        if folder in self.seen or not folder.is_dir():
            return {}
        self.seen.add(folder)
        problems = [
            f"- {self._shown(file)}{f', line {line},' if line else ''} {said}."
            for file in settings_files(folder)
            for line, said in self._looked_at(file, loader)
        ]
        if problems:
            raise AnsibleParserError(
                "Files of settings cannot be read; nothing has been touched.\n" + "\n".join(problems)
            )
        return {}

    def _looked_at(self, file: Path, loader: t.Any) -> list[tuple[int, str]]:
        try:
            return file_problems(file.read_bytes(), self._decrypt(loader))
        except OSError as exc:
            return [(0, f"cannot be read ({exc.strerror}): make it readable for who runs Ansible")]

    @staticmethod
    def _shown(file: Path) -> str:
        return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)

    @staticmethod
    def _decrypt(loader: t.Any) -> t.Callable[[str], str] | None:
        vault: VaultLib = loader._vault
        if not vault.secrets:
            return None

        def decrypt(text: str) -> str:
            try:
                return vault.decrypt(text.strip().encode()).decode()
            except AnsibleError as exc:
                raise ValueError(str(exc)) from exc

        return decrypt
