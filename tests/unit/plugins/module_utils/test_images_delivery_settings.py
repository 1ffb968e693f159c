# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings of delivery that cannot be meant."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_settings import delivery_problems


@pytest.mark.parametrize(
    ("settings", "parents", "expected"),
    [
        ({}, [], []),
        ({"delivery": "host", "registry": "https://unused"}, ["debian:13"], []),
        ({"delivery": "ship"}, [], ["images_delivery is 'ship': use one of host, controller, registry."]),
        ({"delivery": "registry"}, [], ["images_registry is empty, but images_delivery is registry: name"]),
        (
            {"delivery": "registry", "registry": "hub", "registry_push": "http://x"},
            [],
            ["images_registry is 'hub': give a host", "images_registry_push is 'http://x': give a host"],
        ),
        ({"registry_password": True}, [], ["images_registry_password is given without images_registry_use"]),
        ({"registry_password": True, "registry_username": "robot"}, [], []),
        (
            {"delivery": "controller"},
            ["base", "debian:13", "site/x", "galilean/base:0123456789ab", "x.org/y@sha256:" + "a" * 64],
            ["images_catalog builds on debian:13, site/x, which only an engine's own names tell"],
        ),
        ({"keep": -1, "cache_keep_gib": -2}, [], ["images_keep is -1: use 0", "images_cache_keep_gib is -2"]),
    ],
)
def test_delivery_problems(settings: dict[str, t.Any], parents: list[str], expected: list[str]) -> None:
    problems = delivery_problems(settings, parents)
    assert len(problems) == len(expected)
    assert all(problem.startswith(start) for problem, start in zip(problems, expected))
