# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Controller side of galilean.hub.check_settings: reads specs and variables, the judging is in module_utils."""

from __future__ import annotations

import importlib
import importlib.util
import re
import typing as t
from pathlib import Path

# Where a value stands in its file: ansible-core has no public way to ask yet.
from ansible._internal._datatag._tags import Origin
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import in_words
from ansible_collections.galilean.hub.plugins.module_utils.catalog import packages
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import (
    DRILL_PART,
    UNIT_PARTS,
    check_instance_name,
    instance_layout,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
from ansible_collections.galilean.hub.plugins.module_utils.derived import cloud, hub
from ansible_collections.galilean.hub.plugins.module_utils.settings import (
    inventory_files,
    yaml_text,
)
from ansible_collections.galilean.hub.plugins.module_utils.settings import names as settings_names
from ansible_collections.galilean.hub.plugins.module_utils.settings import secrets as settings_secrets
from ansible_collections.galilean.hub.plugins.module_utils.settings import spec as settings_spec
from ansible_collections.galilean.hub.plugins.module_utils.settings.alone import alone_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.files import too_deep
from ansible_collections.galilean.hub.plugins.module_utils.settings.paths import path_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Unknown, convert
from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import (
    ROLES,
    HostSettings,
    all_defaults,
    all_specs,
    needs_facts,
    role_names,
    role_of,
)

COLLECTIONS = ("community.crypto", "community.docker")
PORTS = ("edge_port", "edge_http_port")
# Bytes that no file of settings has.
LARGE = 1 << 20
VAULT = "$ANSIBLE_VAULT"
LOCAL = ("localhost", "127.0.0.1", "::1")
CHECKS = Path(__file__).resolve().parents[1] / "module_utils" / "checks"
# Which of their functions, by the option O(rules).
KINDS = {"roles": "CHECKS", "host": "HOST_CHECKS", "certificate": "CERTIFICATE_CHECKS"}
CHECKS_PACKAGE = "ansible_collections.galilean.hub.plugins.module_utils.checks"


def missing_collections() -> list[str]:
    """A sentence for each collection that the roles need and Ansible does not find."""
    return [
        f"The collection {name} is not installed: run 'make setup', or "
        f"'ansible-galaxy collection install {name}' where you do not use this checkout."
        for name in COLLECTIONS
        if importlib.util.find_spec(f"ansible_collections.{name}") is None
    ]


def _shown(path: str) -> str:
    file = Path(path)
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else path


def _line_of(origin: Origin) -> str:
    return f"{_shown(str(origin.path))}, line {origin.line_num}"


def _followed(value: t.Any, name: str, sentence: str) -> t.Any:
    """What a sentence that says name[0].key is about."""
    path = re.search(rf"\b{re.escape(name)}((?:\[\d+\]|\.\w+)+)", sentence)
    for index, key in re.findall(r"\[(\d+)\]|\.(\w+)", path[1]) if path else []:
        try:
            value = value[int(index)] if index else value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value if path else None


def _leaf(value: t.Any, text: str, words: t.Collection[str]) -> t.Any:
    """The first text or number below a value that is written so; of an entry with this name, the key that is among the words."""
    if isinstance(value, t.Mapping):
        if str(value.get("name")) == text:
            return next((one for key, one in value.items() if key in words and key != "name"), value["name"])
        value = [one for item in value.items() for one in item]
    if isinstance(value, (list, tuple)):
        return next((one for inner in value for one in [_leaf(inner, text, words)] if one is not None), None)
    return value if isinstance(value, (str, int, float)) and str(value) == text else None


def rules_of(role: str, kind: str) -> t.Sequence[t.Callable[[HostSettings], list[str]]]:
    """What a role refuses, as functions of module_utils/checks."""
    if not (CHECKS / f"{role}.py").is_file():
        return ()
    module = importlib.import_module(f"{CHECKS_PACKAGE}.{role}")
    return t.cast("t.Sequence[t.Callable[[HostSettings], list[str]]]", getattr(module, kind, ()))


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(("group", "roles", "rules"))

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._vars = task_vars or {}
        self._hosts: dict[str, HostSettings] = {}
        # Lines of the files of settings, by path.
        self._files: dict[str, list[str]] = {}
        rules, roles = self._task.args.get("rules", "all"), self._task.args.get("roles") or []
        self._specs, self._defaults = all_specs(), all_defaults()
        result["changed"] = False
        if rules == "all":
            result.update(self._all(roles))
        else:
            self._settings = HostSettings(self._templar, self._vars)
            if rules == "playbook":
                unknown = [
                    error for name in sorted(self._vars) for error in settings_names.playbook_name(name)
                ]
                errors = [*unknown, *self._given_to_playbook()]
            elif rules == "roles":
                # Where a role is run without a playbook of ours, nobody has looked at its values yet.
                errors = self._wrong(name for name in self._chosen() if role_of(name) in roles)
                errors += self._roles_problems(roles, KINDS[rules])
            else:
                errors = self._roles_problems(roles, KINDS[rules])
            if errors:
                # A role cannot tell what those before it have done.
                inside = self._task._role is not None
                lines = errors if inside else [f"Nothing has been changed on {self._host()}.", *errors]
                result.update(failed=True, msg=("\n" if inside else "\n- ").join(lines))
        if not result.get("failed") and rules in ("all", "roles") and "jupyterhub" in roles:
            try:
                result["msg"] = in_words(hub.login(self._settings))
                result["_ansible_verbose_always"] = True
            except Unknown as exc:
                # A setting that is built from facts: the role tells it once there are some.
                if not needs_facts(exc):
                    raise
        return result

    def _all(self, asked: list[str]) -> dict[str, t.Any]:
        """Names and values of all settings, and the rules of some roles."""
        roles = sorted(role_names())
        self._settings = HostSettings(self._templar, self._vars)
        own = {
            name
            for name in self._vars
            if not settings_names.NOT_SETTINGS.match(name) or name.startswith("ansible_")
        }
        given = {name for name in self._vars if name in self._specs}
        chosen = self._chosen()
        wrong = self._wrong(chosen)
        errors = [
            *missing_collections(),
            *self._misplaced(roles),
            *settings_names.misspelled(self._vars, self._specs, roles),
            *self._given_to_playbook(),
            *settings_spec.check_required(given, self._specs),
            *wrong,
            *self._check_layout(),
        ]
        errors += settings_names.clashes(self._placed(self._task.args.get("group", "hubs")), self._host())
        errors += [error for name in sorted(own) for error in self._secrets(name)]
        errors += self._roles_problems(asked, "CHECKS")
        # What several roles look at is said once.
        errors = list(dict.fromkeys(errors))
        result: dict[str, t.Any] = {"checked": len(chosen)}
        if errors:
            count = "One setting is" if len(errors) == 1 else f"{len(errors)} settings are"
            lines = [f"- {error}{self._place(error, own)}" for error in errors]
            result["failed"] = True
            result["msg"] = "\n".join([f"{count} not right; nothing has been touched.", *lines])
        return result

    def _roles_problems(self, roles: list[str], kind: str) -> list[str]:
        """What some roles refuse, each problem as a sentence."""
        settings = self._settings
        if kind != "CHECKS":
            settings.found = {role: settings.variable(f"__{role}_found", {}) for role in roles}
        elif "openstack" in roles:
            settings.found = {"openstack": self._openstack_hosts()}
        return [
            f"{sentence.strip().rstrip('.')}."
            for role in roles
            for rule in rules_of(role, kind)
            for sentence in self._broken(rule, role)
            if not any(re.search(rf"\b{name}\b", sentence) for name in settings.wrong)
        ]

    def _broken(self, rule: t.Callable[[HostSettings], list[str]], role: str) -> list[str]:
        """What one rule says. Where it cannot be asked, that is a finding of its own, but for what is told already."""
        try:
            return rule(self._settings)
        except Unknown as exc:
            # The role checks it again once there are facts.
            if self._settings.wrong or needs_facts(exc):
                return []
            reason = exc.message
        except HubError as exc:
            return [exc.message]
        except (
            AnsibleError,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as exc:
            if self._settings.wrong:
                return []
            reason = str(exc)
        return [f"The settings of the role {role} do not fit together ({reason.rstrip('.')})"]

    def _misplaced(self, roles: list[str]) -> list[str]:
        """Files of the inventory that nobody reads."""
        known = inventory_files.Known(
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
            *inventory_files.misplaced(sources, known),
            *inventory_files.taken_for_hosts(sources, origins),
        ]

    def _load_file(self, path: str) -> t.Any:
        """What a file of YAML holds; None where it cannot be read, which Ansible says where it needs it, or is no file of settings."""
        try:
            if Path(path).stat().st_size > LARGE:
                return None
            if too_deep(Path(path).read_text(encoding="utf-8", errors="replace")):
                return None
            return self._loader.load_from_file(path, cache="all")
        except (AnsibleError, OSError, ValueError):
            return None

    def _host(self) -> str:
        return str(self._vars["inventory_hostname"])

    def _chosen(self) -> list[str]:
        """Settings that are not at their defaults."""
        return sorted(name for name in self._vars if name in self._specs and not self._is_default(name))

    def _wrong(self, names: t.Iterable[str]) -> list[str]:
        """What is wrong with settings by themselves. It is told already, and should not hide the rest."""
        wrong = {name: found for name in names if (found := self._check(name))}
        self._settings = HostSettings(self._templar, self._vars, wrong)
        return [error for found in wrong.values() for error in found]

    def _check(self, name: str) -> list[str]:
        spec = self._specs[name]
        try:
            found = self._settings.template(self._vars[name], role_of(name))
        except AnsibleError as exc:
            # The role checks a value that is built from facts once it has them.
            if needs_facts(exc):
                return []
            reason = str(exc).strip().splitlines()[0].rstrip(".")
            if settings_spec.is_secret(spec) and "vault" not in reason.lower():
                reason = "the reason is not shown, it is a secret"
            return [f"{name} cannot be evaluated ({reason}): correct its {{{{ }}}}."]
        return [
            *settings_spec.check_value(name, to_plain(found), spec),
            *packages.setting_problems(name, to_plain(found)),
            *alone_problems(name, convert(to_plain(found), spec)),
            *path_problems(name, to_plain(found)),
            *yaml_text.misread(name, found, spec, self._written),
        ]

    def _given_to_playbook(self) -> list[str]:
        """What is wrong with the values that came with -e."""
        errors = []
        for name in settings_names.ALL_PLAYBOOK_VARIABLES:
            if name in self._vars:
                try:
                    value = to_plain(self._settings.template(self._vars[name]))
                except AnsibleError:
                    # Made of what is not known yet: it is told where it is needed.
                    continue
                errors += settings_names.playbook_value(name, value)
        return errors

    def _lines(self, path: str) -> list[str]:
        """Of a file of settings. Those of an encrypted file are not those of its content."""
        if path not in self._files:
            try:
                lines = Path(path).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                lines = []
            self._files[path] = [] if lines and lines[0].startswith(VAULT) else lines
        return self._files[path]

    def _written(self, value: t.Any) -> tuple[str, str] | None:
        """What stands in the file of settings for a value, and where; None where Ansible does not know, or it is encrypted."""
        origin = Origin.get_tag(value)
        if origin is None or not origin.path or not origin.line_num or not origin.col_num:
            return None
        lines = self._lines(origin.path)
        if origin.line_num > len(lines):
            return None
        return yaml_text.token_at(lines[origin.line_num - 1], origin.col_num), _line_of(origin)

    def _place(self, sentence: str, own: set[str]) -> str:
        """File and line of what a sentence is about, in brackets; empty where nobody knows, or it says so itself."""
        words = dict.fromkeys(re.findall(r"\w+", sentence))
        named = [name for word in words for name in (word, f"{word}_extra") if name in own]
        if not named or re.search(r", line \d", sentence):
            return ""
        values = [self._vars[name] for name in named]
        quoted = re.findall(r"'([^']+)'", sentence)
        tried = [
            *[_followed(self._vars[name], name, sentence) for name in named],
            *[_leaf(value, text, words) for text in reversed(quoted) for value in values],
            *[
                one
                for value in values
                if isinstance(value, t.Mapping)
                for key, one in value.items()
                if key in words
            ],
            *values,
        ]
        for value in tried:
            origin = Origin.get_tag(value)
            if (
                origin is not None
                and origin.path
                and origin.line_num
                and not Path(origin.path).is_relative_to(ROLES)
            ):
                return f" ({_line_of(origin)})"
        # Of true, false and nothing, Ansible does not know where they stand.
        key = re.compile(rf"^{re.escape(named[0])}\s*:")
        paths = {
            origin.path
            for name in own
            if (origin := Origin.get_tag(self._vars[name])) is not None and origin.path
        }
        lines = [
            f"{_shown(path)}, line {number}"
            for path in sorted(paths)
            for number, line in enumerate(self._lines(path), 1)
            if key.match(line)
        ]
        return f" ({lines[0]})" if len(lines) == 1 else ""

    def _secrets(self, name: str) -> list[str]:
        """A sentence for each secret of a variable that stands in plain text in a file that is shared."""
        spec = self._specs.get(name)
        errors = []
        for where, value in settings_secrets.plain_secrets(name, self._vars[name], spec):
            origin = Origin.get_tag(value)
            if origin is None or not origin.path or not self._is_public(Path(origin.path)):
                continue
            if "vault" in Path(origin.path).name:
                fix = "encrypt the file with ansible-vault encrypt"
            elif where == name:
                fix = "move it into secrets.yml in group_vars/all of your inventory, which git ignores, or encrypt it with ansible-vault"
            else:
                fix = (
                    'write "{{ a_name_of_yours }}" there, and give that name its value in secrets.yml in group_vars/all of your inventory, '
                    "which git ignores"
                )
            errors.append(
                f"{where} holds a secret in plain text in {_line_of(origin)}: {fix}. Change the secret if others have seen the file."
            )
        return errors

    def _is_public(self, path: Path) -> bool:
        """Whether it is a file of the inventory, or beside the playbook, that is not for secrets."""
        folders = [
            Path(str(one))
            for one in [*self._vars.get("ansible_inventory_sources", []), self._vars.get("playbook_dir", "")]
            if one
        ]
        folders = [folder if folder.is_dir() else folder.parent for folder in folders]
        if not any(
            path.is_relative_to(folder) or path.resolve().is_relative_to(folder.resolve())
            for folder in folders
        ):
            return False
        if path.stem == "secrets":
            return False
        return bool(self._lines(str(path)))

    def _openstack_hosts(self) -> list[t.Any]:
        """The settings of all hosts on a cloud, each as it sees them."""
        settings = [self._of(host) for host in self._vars["ansible_play_hosts_all"]]
        return [cloud.openstack_host(one) for one in settings if one["openstack_cloud"]]

    def _of(self, host: str) -> HostSettings:
        """The settings of any host of the inventory."""
        if host not in self._hosts:
            own = self._vars if host == self._host() else self._vars["hostvars"].raw_get(host)
            self._hosts[host] = HostSettings(self._templar, own)
        return self._hosts[host]

    def _check_layout(self) -> list[str]:
        """Every other name follows from the instance's: said here once, not by each role in its own words."""
        host = self._host()
        instance = self._value(host, "jupyterhub_instance")
        try:
            check_instance_name(instance, (*UNIT_PARTS, DRILL_PART))
            layout = instance_layout(
                instance,
                self._value(host, "jupyterhub_users_subnet"),
                self._value(host, "jupyterhub_state_root"),
            )
        except HubError as exc:
            return [f"{exc}."]
        return settings_names.shared_folder(
            instance, layout["state_dir"], self._value(host, "docker_data_root")
        )

    def _is_default(self, name: str) -> bool:
        return name in self._defaults and self._vars[name] == self._defaults[name]

    def _raw(self, host: str, name: str) -> t.Any:
        """A setting or another variable of any host of the inventory; empty when it cannot be worked out."""
        try:
            settings = self._of(host)
            value = settings[name] if role_of(name) else settings.variable(name, "")
        except (AnsibleError, KeyError, Unknown):
            return ""
        return "" if value is None else value

    def _value(self, host: str, name: str) -> str:
        return str(self._raw(host, name))

    def _names(self, host: str) -> tuple[str, ...]:
        """What browsers know the instance by."""
        aliases = self._raw(host, "edge_server_aliases")
        names = [self._raw(host, "edge_server_name"), *(aliases if isinstance(aliases, list) else [])]
        return tuple(str(name) for name in names if name)

    def _placed(self, group: str) -> list[settings_names.Placed]:
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
                settings_names.Placed(
                    host=str(host),
                    machine="this machine" if local else target,
                    instance=instance,
                    address=self._value(host, "edge_bind_address"),
                    ports={setting: self._value(host, setting) for setting in PORTS},
                    subnet=subnet,
                    shared=boolean(self._raw(host, "edge_sni_routing"), strict=False),
                    subdomains=boolean(self._raw(host, "edge_subdomains"), strict=False),
                    names=self._names(host),
                )
            )
        return placed
