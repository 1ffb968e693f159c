# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Controller side of galilean.hub.check_settings: reads specs and variables, the judging is in module_utils."""

from __future__ import annotations

import importlib.util
import re
import typing as t
from pathlib import Path

# Where a value stands in its file: ansible-core has no public way to ask yet.
from ansible._internal._datatag._tags import Origin
from ansible.errors import AnsibleError
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils import (
    _inventory_files,
    _packages,
    _settings,
    _settings_names,
    _yaml_text,
)
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils._instance import instance_layout
from ansible_collections.galilean.hub.plugins.module_utils._plain import to_plain

ROLES = Path(__file__).resolve().parents[2] / "roles"
COLLECTIONS = ("community.crypto", "community.docker")
PORTS = ("edge_port", "edge_http_port")
# Bytes that no file of settings has.
LARGE = 1 << 20
LOCAL = ("localhost", "127.0.0.1", "::1")


def load_specs(roles: Path) -> tuple[dict[str, t.Any], list[str]]:
    """Every option of every entry point of every role, and the names of the roles."""
    specs: dict[str, t.Any] = {}
    files = sorted(roles.glob("*/meta/argument_specs.yml"))
    for file in files:
        for entry in (yaml_load(file.read_text()) or {}).get("argument_specs", {}).values():
            specs.update(entry.get("options") or {})
    return specs, [file.parts[-3] for file in files]


def missing_collections() -> list[str]:
    """A sentence for each collection that the roles need and Ansible does not find."""
    return [
        f"The collection {name} is not installed: run 'make setup', or "
        f"'ansible-galaxy collection install {name}' where you do not use this checkout."
        for name in COLLECTIONS
        if importlib.util.find_spec(f"ansible_collections.{name}") is None
    ]


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(("group",))

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        # Lines of the files of settings, by path.
        self._files: dict[str, list[str]] = {}
        self._specs, roles = load_specs(ROLES)
        self._defaults = self._load_defaults()
        # A setting may be built from others that are left at their defaults: those must be in reach as well.
        self._engine = self._templar.copy_with_new_env(available_variables={**self._defaults, **self._vars})
        given = {name for name in self._vars if name in self._specs}
        chosen = sorted(name for name in given if not self._is_default(name))
        errors = [
            *missing_collections(),
            *self._misplaced(roles),
            *_settings_names.misspelled(self._vars, self._specs, roles),
            *_settings.check_required(given, self._specs),
            *[error for name in chosen for error in self._check(name)],
            *self._check_layout(),
        ]
        errors += _settings_names.clashes(self._placed(self._task.args.get("group", "hubs")), self._host())
        result["changed"] = False
        result["checked"] = len(chosen)
        if errors:
            result["failed"] = True
            count = "One setting is" if len(errors) == 1 else f"{len(errors)} settings are"
            result["msg"] = "\n".join(
                [f"{count} not right; nothing has been touched.", *[f"- {error}" for error in errors]]
            )
        return result

    def _misplaced(self, roles: list[str]) -> list[str]:
        """Files of the inventory that nobody reads."""
        known = _inventory_files.Known(
            groups=self._vars.get("groups", {}),
            settings=self._specs.keys(),
            roles=roles,
            load=self._load_file,
            checkout=ROLES.parent,
        )
        sources = self._vars.get("ansible_inventory_sources") or []
        origins = {
            str(host): str(self._vars["hostvars"][host].get("inventory_file") or "")
            for host in known.names("host")
        }
        return [
            *_inventory_files.misplaced(sources, known),
            *_inventory_files.taken_for_hosts(sources, origins),
        ]

    def _load_file(self, path: str) -> t.Any:
        """What a file of YAML holds; None where it cannot be read, which Ansible says where it needs it, or is no file of settings."""
        try:
            if Path(path).stat().st_size > LARGE:
                return None
            return self._loader.load_from_file(path, cache="all")
        except (AnsibleError, OSError, ValueError):
            return None

    def _host(self) -> str:
        return str(self._vars["inventory_hostname"])

    def _load_defaults(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = {}
        for kind in ("defaults", "vars"):
            for file in sorted(ROLES.glob(f"*/{kind}/main.yml")):
                found.update(self._loader.load_from_file(str(file), trusted_as_template=True) or {})
        return found

    def _needs_facts(self, name: str, seen: set[str] | None = None) -> bool:
        """True when the value is built from facts of the host, which nobody has asked yet."""
        seen = seen if seen is not None else set()
        if name in seen:
            return False
        seen.add(name)
        text = str(self._vars.get(name, self._defaults.get(name, "")))
        if "{{" not in text and "{%" not in text:
            return False
        if "ansible_facts" in text:
            return True
        words = set(re.findall(r"\w+", text)) & (self._defaults.keys() | self._specs.keys())
        return any(self._needs_facts(word, seen) for word in words)

    def _check(self, name: str) -> list[str]:
        spec = self._specs[name]
        # The role checks a value that is built from facts once it has them.
        if self._needs_facts(name):
            return []
        try:
            found = self._engine.template(self._vars[name])
        except AnsibleError as exc:
            reason = str(exc).strip().splitlines()[0].rstrip(".")
            if _settings.is_secret(spec) and "vault" not in reason.lower():
                reason = "the reason is not shown, it is a secret"
            return [f"{name} cannot be worked out ({reason}): correct what stands in its {{{{ }}}}."]
        return [
            *_settings.check_value(name, to_plain(found), spec),
            *_packages.setting_problems(name, to_plain(found)),
            *_yaml_text.misread(name, found, spec, self._written),
        ]

    def _written(self, value: t.Any) -> tuple[str, str] | None:
        """What stands in the file of settings for a value, and where; None where Ansible does not know, or it is encrypted."""
        origin = Origin.get_tag(value)
        if origin is None or not origin.path or not origin.line_num or not origin.col_num:
            return None
        if origin.path not in self._files:
            try:
                lines = Path(origin.path).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                lines = []
            # Lines of an encrypted file are not those of its content.
            self._files[origin.path] = [] if lines and lines[0].startswith("$ANSIBLE_VAULT") else lines
        lines = self._files[origin.path]
        if origin.line_num > len(lines):
            return None
        place = f"{origin.path}, line {origin.line_num}"
        return _yaml_text.token_at(lines[origin.line_num - 1], origin.col_num), place

    def _check_layout(self) -> list[str]:
        """Every other name follows from the instance's: said here once, not by each role in its own words."""
        host = self._host()
        instance = self._value(host, "jupyterhub_instance")
        try:
            layout = instance_layout(
                instance,
                self._value(host, "jupyterhub_users_subnet"),
                self._value(host, "jupyterhub_state_root"),
            )
        except HubError as exc:
            return [f"{exc}."]
        return _settings_names.shared_folder(
            instance, layout["state_dir"], self._value(host, "docker_data_root")
        )

    def _is_default(self, name: str) -> bool:
        return name in self._defaults and self._vars[name] == self._defaults[name]

    def _raw(self, host: str, name: str) -> t.Any:
        """A setting of any host of the inventory, or its default; empty when it cannot be worked out."""
        try:
            others = self._vars["hostvars"][host]
            value = others[name] if name in others else self._engine.template(self._defaults.get(name, ""))
        except (AnsibleError, KeyError):
            return ""
        return "" if value is None else to_plain(value)

    def _value(self, host: str, name: str) -> str:
        return str(self._raw(host, name))

    def _names(self, host: str) -> tuple[str, ...]:
        """What browsers know the instance by."""
        aliases = self._raw(host, "edge_server_aliases")
        names = [self._raw(host, "edge_server_name"), *(aliases if isinstance(aliases, list) else [])]
        return tuple(str(name) for name in names if name)

    def _placed(self, group: str) -> list[_settings_names.Placed]:
        placed = []
        for host in self._vars.get("groups", {}).get(group, []):
            target = self._value(host, "ansible_host") or host
            local = self._value(host, "ansible_connection") == "local" or target in LOCAL
            instance = self._value(host, "jupyterhub_instance")
            try:
                subnet = instance_layout(instance, self._value(host, "jupyterhub_users_subnet"))[
                    "users_subnet"
                ]
            except HubError:
                subnet = ""
            placed.append(
                _settings_names.Placed(
                    host=str(host),
                    machine="this machine" if local else target,
                    instance=instance,
                    address=self._value(host, "edge_bind_address"),
                    ports={setting: self._value(host, setting) for setting in PORTS},
                    subnet=subnet,
                    shared=boolean(self._raw(host, "edge_shared"), strict=False),
                    subdomains=boolean(self._raw(host, "edge_subdomains"), strict=False),
                    names=self._names(host),
                )
            )
        return placed
