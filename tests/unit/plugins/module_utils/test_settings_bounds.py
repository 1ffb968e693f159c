# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings import names
from ansible_collections.galilean.hub.plugins.module_utils.settings.bounds import BOUNDS, out_of_bounds
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import check_value
from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import all_specs


def numbers(options: t.Mapping[str, t.Any], where: str = "") -> t.Iterator[tuple[str, t.Any]]:
    """All numbers of the settings, and their defaults."""
    for name, spec in options.items():
        if {spec.get("type"), spec.get("elements")} & {"int", "float"}:
            yield f"{where}{name}", spec.get("default")
        yield from numbers(spec.get("options") or {}, f"{where}{name}.")


def test_each_number_has_a_bound_that_its_default_is_in() -> None:
    found = dict(numbers({**all_specs(), **names.ALL_PLAYBOOK_VARIABLES}))
    assert sorted(found) == sorted(BOUNDS)
    for setting, default in found.items():
        for one in default if isinstance(default, list) else [default]:
            assert one is None or out_of_bounds(setting, one) == []


@pytest.mark.parametrize("number", [".nan", float("nan"), float("inf"), "-inf", -1, -0.5, 1e400])
def test_what_no_number_of_the_settings_is(number: t.Any) -> None:
    if number != ".nan":
        assert [name for name in BOUNDS if not out_of_bounds(name, number)] == []
    assert check_value("jupyterhub_cpu_limit", number, {"type": "float", "default": 0.0})


@pytest.mark.parametrize(
    ("setting", "number", "said"),
    [
        ("jupyterhub_cpu_limit", 0, ""),
        ("jupyterhub_cpu_limit", 0.5, ""),
        ("jupyterhub_cpu_limit", "1.5", ""),
        ("jupyterhub_cull_timeout", 0, ""),
        ("jupyterhub_cull_timeout", 600, ""),
        ("jupyterhub_login_refresh", 0, ""),
        ("docker_nofile", 0, ""),
        ("images_keep", 0, ""),
        ("openstack_data_volume_gib", 0, ""),
        ("docker_mtu", 0, ""),
        ("jupyterhub_approval.max_removed", 0, ""),
        ("jupyterhub_approval.cache", 0, ""),
        ("jupyterhub_groups[3].pids_limit", 64, ""),
        # A number that is no setting of ours.
        ("my_number", -1, ""),
        ("jupyterhub_cpu_limit", 0.001, "give 0 (as many as the host has, at most 4), or 0.01 or more."),
        ("jupyterhub_pids_limit", 3, "no server works with less, so give 24 or more."),
        ("jupyterhub_pids_limit", 0, "no server works with less, so give 24 or more."),
        ("jupyterhub_groups[3].pids_limit", -5, "no server works with less, so give 24 or more."),
        ("jupyterhub_profiles[0].cpu_limit", 0, "give 0.01 or more."),
        (
            "jupyterhub_groups[0].cull_timeout",
            60,
            "the hub learns of activity every 300 seconds, so give 0 (never), or 600 or more.",
        ),
        ("jupyterhub_cull_every", 0, "give 1 or more."),
        ("jupyterhub_check_timeout", 0, "give 1 or more."),
        ("docker_log_max_file", 0, "give 1 or more."),
        ("docker_mtu", 100, "give 0 (that of the default route), or a number from 576 to 65535."),
        ("jupyterhub_approval.max_removed", 500, "give a number from 0 to 100."),
        ("jupyterhub_approval.interval", -1, "give 1 or more."),
        ("backup_hours[1]", 24, "give a number from 0 to 23."),
        ("edge_port", 70000, "give a number from 1 to 65535."),
        ("edge_port", 0, "give a number from 1 to 65535."),
        ("edge_http_port", 70000, "give a number from 0 to 65535."),
        ("edge_login_burst", "-5", "give 0 or more."),
        ("edge_workers", 0, "give 1 or more."),
        ("jupyterhub_token_max_age", -1, "give 0 or more."),
        ("jupyterhub_failed_login_limit", -1, "give 0 or more."),
        (
            "jupyterhub_connection_limit",
            9,
            "JupyterLab and pip would fail, so give 0 (no limit), or 50 or more.",
        ),
        ("jupyterhub_connection_rate", 501, "give a number from 0 to 500."),
        ("jupyterhub_open_files", 100, "no server works with less, so give 1024 or more."),
        ("edge_read_timeout", 59, "give 60 or more."),
        ("bootstrap_swappiness", 201, "give a number from 0 to 200."),
    ],
)
def test_bounds(setting: str, number: t.Any, said: str) -> None:
    assert out_of_bounds(setting, number) == ([f"{setting} is {number}: {said}"] if said else [])
