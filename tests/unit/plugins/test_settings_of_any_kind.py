# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whatever YAML can bring for a setting ends in sentences, of its type or of the rules: in no exception."""

from __future__ import annotations

import datetime
import functools
import importlib
import re
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.galilean.hub.plugins.module_utils.catalog import packages
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.derived import cloud
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import check_value, is_secret
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import convert
from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import all_specs, role_names

SettingsOf = t.Callable[..., t.Any]
Spec = t.Mapping[str, t.Any]

CHECKS = "ansible_collections.galilean.hub.plugins.module_utils.checks"
SPECS = all_specs()
# Few for each, as there are hundreds of settings; what was found once stays in the tables of other tests.
EXAMPLES = 10

# Texts that something reads: as address, network, size, number, time, path, pattern or name.
TEXTS = st.sampled_from(
    [
        "", " ", "0", "-1", "5", "1e9", "nan", "auto", "no", "x", "Ada", "a b", "a:b", "a\nb", "/",
        "/srv/../etc", "~x/a", "../a", "https://[x", "http://h:99999/", "https://u:p@h/x y", "sftp://u@h:port//x",
        "rest:https://[x/", "//[", "ssh:[", "10.0.0.0/8", "10.0.0.5/8", "10.0.0.0/99", "fe80::1%eth0", "::/0",
        "12:30", "25:99", "2026-02-30", "9G", "½", "٣", "(", "[", "{", "*.x", "%", "\\", "\x00",
        "ssh-ed25519 AAAA", "debian@sha256:", "é", "\ud800", "a" * 300, "99999999999999999999",
    ]
)  # fmt: skip
NUMBERS = st.sampled_from([0, 1, -1, 3.11, 1.0, 2026, 20231234, 65536, 10**30, 10**400, 1e308])
NO_NUMBERS = st.sampled_from([float("nan"), float("inf"), float("-inf")])
DAYS = st.sampled_from([datetime.date(2026, 1, 1), datetime.datetime(2026, 1, 1, 12)])
SCALARS = TEXTS | NUMBERS | NO_NUMBERS | DAYS | st.booleans() | st.none() | st.just(b"\xff")
ANY = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2),
    max_leaves=4,
)


def fitting(spec: Spec) -> st.SearchStrategy[t.Any]:
    """Values that Ansible takes for this type, of any kind."""
    options = spec.get("options") or {}
    kind = spec.get("type", "str")
    if spec.get("choices") and kind != "list":
        return st.sampled_from(spec["choices"])
    if kind == "list":
        return st.lists(
            fitting(
                {"type": spec.get("elements", "raw"), "options": options, "choices": spec.get("choices")}
            ),
            max_size=2,
        )
    if kind == "dict" and options:
        known = {name: fitting(one) for name, one in options.items()}
        needed = {name for name, one in options.items() if one.get("required")}
        return st.fixed_dictionaries(
            {name: known[name] for name in needed},
            optional={name: one | st.none() for name, one in known.items() if name not in needed},
        )
    if kind == "dict":
        return st.dictionaries(SCALARS, ANY, max_size=2)
    if kind == "bool":
        return st.booleans() | st.sampled_from(["yes", "off", "1", 0])
    if kind == "int":
        return st.sampled_from([0, 1, -1, 5, "5", 5.0, "1e3", 65536, 10**30])
    if kind == "float":
        return NUMBERS | NO_NUMBERS | st.sampled_from(["1.5", "nan"])
    if kind in ("str", "path"):
        return TEXTS | NUMBERS | NO_NUMBERS | DAYS
    return ANY


# What other settings say, for rules that ask for nothing otherwise.
USUAL: dict[str, t.Any] = {}
PUBLIC = {
    "edge_bind_address": "0.0.0.0",
    "edge_server_name": "hub.example.org",
    "edge_tls_mode": "acme",
    "jupyterhub_subdomains": True,
    "jupyterhub_approval": {"source": "url", "url": "https://example.org/list"},
    "jupyterhub_users": [{"name": "ada", "groups": ["staff"]}],
    "openstack_cloud": "sky",
    "openstack_deployment": "hub",
    "openstack_ssh_networks": ["192.0.2.0/24"],
    "openstack_image": "debian",
    "openstack_flavor": "m1",
    "openstack_public_key_file": __file__,
    "backup_repository": "rest:https://backup.example.org/hub",
    "data_volume_serial": "12345678",
}
PROVIDED = {"edge_bind_address": "10.0.0.1", "edge_tls_mode": "provided", "images_delivery": "controller"}
ENGINE = {"disk_free_gib": 50, "mode": "managed", "ready": True, "cli": "docker", "buildkit": True}
FOUND: dict[str, t.Any] = {
    "bootstrap": {"has_locale": True, "swap_right": False, "swap_free": "99000000000"},
    "docker": {"engine": ENGINE, "release": "Debian-12", "releases": ["Debian-12"], "problems": []},
    "edge": {"names": [], "ports": [{"port": 8000, "available": False, "reason": "x"}], "pair": []},
    "images": {"files": None},
    "jupyterhub": {"folders": [], "files": [], "addresses": {}, "fib_trie": "", "approved": ""},
}


class Changed:
    """The settings of a host with one of them given; all others as they are worked out once."""

    wrong: t.Collection[str] = ()
    found: t.Mapping[str, t.Any] = FOUND

    def __init__(self, others: t.Any, name: str, value: t.Any) -> None:
        self._others, self._name, self._value = others, name, convert(value, SPECS[name])

    def __getattr__(self, attribute: str) -> t.Any:
        return getattr(self._others, attribute)

    def __getitem__(self, name: str) -> t.Any:
        return self._value if name == self._name else self._others[name]

    def role(self, name: str, secrets: bool = False) -> dict[str, t.Any]:
        found: dict[str, t.Any] = dict(self._others.role(name, secrets))
        if self._name.startswith(f"{name}_"):
            hidden = is_secret(SPECS[self._name]) and not secrets
            found[self._name.removeprefix(f"{name}_")] = bool(self._value) if hidden else self._value
        return found


def ask(found: t.Any) -> list[str]:
    """What all roles say of a host's settings, before and after they have looked at it."""
    known = {"openstack": [cloud.openstack_host(found)] if found["openstack_cloud"] else []}
    found.found = {**FOUND, **known}
    sentences = []
    for role in role_names():
        try:
            module = importlib.import_module(f"{CHECKS}.{role}")
        except ModuleNotFoundError:
            continue
        for rule in (*getattr(module, "CHECKS", ()), *getattr(module, "HOST_CHECKS", ())):
            try:
                sentences += rule(found)
            except HubError as exc:
                sentences.append(exc.message)
    return sentences


MADE: dict[str, t.Any] = {}


@pytest.fixture
def hosts(settings_of: SettingsOf) -> t.Callable[..., t.Any]:
    """A host with some settings, worked out once for all tests."""

    def host(variables: dict[str, t.Any]) -> t.Any:
        key = repr(sorted(variables.items()))
        if key not in MADE:
            MADE[key] = settings_of(**variables)
            MADE[key].role = functools.cache(MADE[key].role)
        return MADE[key]

    return host


@pytest.mark.parametrize("name", sorted(SPECS))
def test_whatever_fits_the_type_ends_in_sentences(hosts: t.Callable[..., t.Any], name: str) -> None:
    spec = SPECS[name]
    kind = re.match(r"jupyterhub_login_([a-z]+)$", name)
    login = {"jupyterhub_authenticator": kind[1]} if kind and spec.get("type") == "dict" else {}
    # More of what has many parts.
    examples = min(EXAMPLES * (1 + len(spec.get("options") or ())), 10 * EXAMPLES)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(fitting(spec), st.sampled_from([USUAL, PUBLIC, PROVIDED]))
    def asked(value: t.Any, others: dict[str, t.Any]) -> None:
        if not check_value(name, value, spec) + packages.setting_problems(name, value):
            assert all(isinstance(one, str) for one in ask(Changed(hosts({**others, **login}), name, value)))

    asked()


@pytest.mark.parametrize("name", sorted(SPECS))
def test_whatever_does_not_fit_the_type_is_one_sentence(name: str) -> None:
    spec = SPECS[name]

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @given(ANY)
    def judged(value: t.Any) -> None:
        assert all(sentence.startswith(name) for sentence in check_value(name, value, spec))
        convert(value, spec)

    judged()
