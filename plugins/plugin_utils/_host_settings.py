# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this plugin util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of a host, worked out from the variables of Ansible when they are asked for."""

from __future__ import annotations

import functools
import os.path
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.dataloader import DataLoader

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import is_secret
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Unknown, convert

ROLES = Path(__file__).resolve().parents[2] / "roles"


class NeedsFactsError(Exception):
    """Raised inside a template that asks for a fact of the host before there are any."""


class NoFacts(t.Mapping[str, t.Any]):
    """Stands for the facts of a host that nobody has gathered yet: a template that reads one is known by it."""

    def __getitem__(self, name: str) -> t.Any:
        raise NeedsFactsError(name)

    def __iter__(self) -> t.Iterator[str]:
        raise NeedsFactsError

    def __len__(self) -> int:
        raise NeedsFactsError


@functools.cache
def role_specs(role: str) -> dict[str, t.Any]:
    """Every option of every entry point of a role."""
    file = ROLES / role / "meta" / "argument_specs.yml"
    found: dict[str, t.Any] = {}
    for entry in (yaml_load(file.read_text()) or {}).get("argument_specs", {}).values():
        found.update(entry.get("options") or {})
    return found


@functools.cache
def _variables(role: str, kind: str) -> dict[str, t.Any]:
    file = ROLES / role / kind / "main.yml"
    found = DataLoader().load_from_file(str(file), trusted_as_template=True) if file.is_file() else {}
    return found or {}


def role_defaults(role: str) -> dict[str, t.Any]:
    """The defaults of a role, as templates."""
    return _variables(role, "defaults")


@functools.cache
def role_names() -> tuple[str, ...]:
    """All roles of the collection, those with a longer name first: data_volume before data."""
    found = [file.parts[-3] for file in ROLES.glob("*/meta/argument_specs.yml")]
    return tuple(sorted(found, key=lambda name: (-len(name), name)))


def role_of(setting: str) -> str:
    """The role that a setting belongs to; empty where there is none."""
    return next((role for role in role_names() if setting.startswith(f"{role}_")), "")


def all_specs() -> dict[str, t.Any]:
    """Every option of every role."""
    return {name: spec for role in sorted(role_names()) for name, spec in role_specs(role).items()}


def all_defaults() -> dict[str, t.Any]:
    """Every default of every role."""
    return {name: value for role in sorted(role_names()) for name, value in role_defaults(role).items()}


def all_variables() -> dict[str, t.Any]:
    """Every default of every role, and what a role's defaults are made of."""
    own = {name: value for role in role_names() for name, value in _variables(role, "vars").items()}
    return {**own, **all_defaults()}


def needs_facts(exc: BaseException | None) -> bool:
    """Whether a template has failed because it asked for a fact too early."""
    while exc is not None:
        if isinstance(exc, NeedsFactsError):
            return True
        exc = exc.__cause__
    return False


class HostSettings:
    """See settings.typed.Settings."""

    def __init__(
        self,
        templar: t.Any,
        variables: t.Mapping[str, t.Any],
        wrong: t.Collection[str] = (),
    ) -> None:
        self.wrong = wrong
        self._templar = templar
        self._variables = variables
        self._worked_out: dict[str, t.Any] = {}
        self._engines: dict[str, t.Any] = {}
        self.host = str(variables.get("inventory_hostname", "localhost"))
        gathered = variables.get("ansible_facts")
        # A lookup in a template of ours is handed what we have put there.
        self.facts: t.Mapping[str, t.Any] = {} if isinstance(gathered, NoFacts) else gathered or {}
        self.found: t.Mapping[str, t.Any] = {}

    collection = str(ROLES.parent)

    @property
    def address(self) -> str:
        return str(self.variable("ansible_host", self.host))

    @property
    def local(self) -> bool:
        return str(self.variable("ansible_connection", "ssh")) == "local"

    def _engine(self, role: str) -> t.Any:
        """Templates of a role's settings; of all where none is named. What others have is seldom needed, and takes time to read."""
        if role not in self._engines:
            defaults = role_defaults(role) if role else all_variables()
            facts = self.facts or NoFacts()
            right = {name: value for name, value in self._variables.items() if name not in self.wrong}
            self._engines[role] = self._templar.copy_with_new_env(
                available_variables={
                    **defaults,
                    **right,
                    "ansible_facts": facts,
                    # What defaults say of files of the collection is the same for all roles.
                    "role_path": str(ROLES / (role or "jupyterhub")),
                }
            )
        return self._engines[role]

    def template(self, value: t.Any, role: str = "") -> t.Any:
        """A value, worked out. Raises AnsibleError."""
        try:
            return self._engine(role).template(value)
        except AnsibleUndefinedVariable:
            if not role:
                raise
            return self._engine("").template(value)

    def variable(self, name: str, default: t.Any) -> t.Any:
        """A variable that is no setting."""
        if name not in self._variables:
            return default
        own = self._templar.copy_with_new_env(available_variables=self._variables)
        try:
            return to_plain(own.template(self._variables[name]))
        except AnsibleUndefinedVariable:
            return to_plain(self.template(self._variables[name]))

    fact = variable

    def __getitem__(self, name: str) -> t.Any:
        if name not in self._worked_out:
            role = role_of(name)
            if name in self._variables and name not in self.wrong:
                raw = self._variables[name]
            elif role and name in role_defaults(role):
                raw = role_defaults(role)[name]
            else:
                raise Unknown(f"{name} is not set")
            try:
                value = self.template(raw, role)
            except AnsibleError as exc:
                raise Unknown(f"{name} cannot be worked out") from exc
            self._worked_out[name] = convert(to_plain(value), role_specs(role)[name])
        return self._worked_out[name]

    def role(self, name: str, secrets: bool = False) -> dict[str, t.Any]:
        found = {}
        for setting, spec in role_specs(name).items():
            if setting.startswith(f"{name}_") and (
                setting in role_defaults(name) or setting in self._variables
            ):
                value = self[setting]
                found[setting.removeprefix(f"{name}_")] = (
                    bool(value) if is_secret(spec) and not secrets else value
                )
        return found

    def is_file(self, path: str) -> bool:
        return os.path.isfile(path)

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(path)

    def content(self, path: str) -> bytes | None:
        try:
            return Path(path).expanduser().read_bytes()
        except (OSError, RuntimeError, ValueError):
            # Also where nobody has this home, or no path can be so.
            return None

    def beside_inventory(self, path: str) -> bool:
        return os.path.exists(os.path.join(str(self._variables.get("inventory_dir") or ""), path))
