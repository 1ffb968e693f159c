# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What may go and what may not; an engine that it goes from is in tests/modules."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.usage import policy as usage
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import (
    Cached,
    Container,
    Image,
    Observed,
    Policy,
    Volume,
)

OURS = {usage.LABEL_DIGEST: "x"}


def image(ref: str, named: int, *layers: str, ours: bool = True, size: int = 10) -> Image:
    return Image(
        f"sha256:{ref}",
        (ref,),
        OURS if ours else {},
        size * len(layers),
        0,
        f"{named:09}",
        layers,
        (size,) * len(layers),
    )


HUB = [image(f"g/hub:{number}", number, "base", f"hub{number}") for number in range(1, 6)]
POLICY = Policy("g", frozenset({"g/hub:5"}), keep=2)


def names(observed: Observed, policy: Policy = POLICY) -> list[str]:
    return [item.name for item in usage.plan_prune(observed, policy, 1000.0).items]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["g/hub:1", "g/hub:2", "g/hub:3"]),
        ({"keep": 4}, ["g/hub:1"]),
        ({"keep": 5}, []),
        ({"keep": 0}, []),
        # Back to an old one: that counts as one of those to keep.
        ({"wanted": frozenset({"g/hub:1"})}, ["g/hub:2", "g/hub:3", "g/hub:4"]),
        ({"wanted": frozenset({"g/hub:1", "g/hub:2", "g/hub:3"})}, ["g/hub:4", "g/hub:5"]),
        # Other lists' images are theirs.
        ({"prefix": "other"}, []),
        ({"prefix": "g/hub"}, []),
    ],
)
def test_versions(change: dict[str, t.Any], expected: list[str]) -> None:
    assert names(Observed(tuple(HUB)), dataclasses.replace(POLICY, **change)) == expected


def test_what_is_in_use_stays() -> None:
    containers = (Container("a", "sha256:g/hub:1"), Container("b", "sha256:g/hub:2", running=True))
    observed = Observed(tuple(HUB), containers, named=frozenset({"g/hub:3", "unrelated"}))
    assert names(observed) == []
    assert usage.users_of_images(observed) == {
        "sha256:g/hub:1": ["a"],
        "sha256:g/hub:2": ["b"],
        "sha256:g/hub:3": ["(a hub's configuration)"],
    }


def test_what_is_not_ours_stays() -> None:
    foreign = [image(f"g/theirs:{number}", number, "x", ours=False) for number in range(5)]
    lost = [Image("sha256:lost", (), {}), Image("sha256:ours", (), OURS)]
    observed = Observed((*foreign, *lost))
    assert names(observed) == ["sha256:ours"]
    assert names(observed, dataclasses.replace(POLICY, foreign=True)) == ["sha256:lost", "sha256:ours"]
    # A name from a registry is a name.
    pulled = Image("sha256:pulled", ("r.org/x@sha256:1",), OURS)
    assert names(Observed((pulled,)), dataclasses.replace(POLICY, foreign=True)) == []


def test_layers_count_once() -> None:
    images = (
        image("g/core:1", 1, "base", "core"),
        image("g/core:2", 2, "base", "core2"),
        image("g/hub:1", 1, "base", "core", "hub"),
        image("g/hub:2", 2, "base", "core2", "hub2"),
    )
    plan = usage.plan_prune(Observed(images), Policy("g", keep=1), 0.0)
    assert {item.name: item.size for item in plan.items} == {"g/core:1": 10, "g/hub:1": 10}
    assert plan.size == 20
    # While the parent stays, so does its layer.
    plan = usage.plan_prune(Observed(images), Policy("g", frozenset({"g/core:1", "g/core:2"}), keep=1), 0.0)
    assert {item.name: item.size for item in plan.items} == {"g/hub:1": 10}


def test_an_image_with_another_name_frees_nothing() -> None:
    twice = Image("sha256:1", ("g/hub:1", "site/hub:stable"), OURS, 10, 0, f"{1:09}", ("a",), (10,))
    plan = usage.plan_prune(Observed((twice, image("g/hub:2", 2, "b"))), Policy("g", keep=1), 0.0)
    assert [(item.name, item.size) for item in plan.items] == [("g/hub:1", 0)]


def software(name: str, created: int, sealed: bool | None = True, stack: str = "g-software-a") -> Volume:
    labels = {usage.LABEL_ROLE: "software", usage.LABEL_STACK: stack}
    return Volume(name, labels, 100, f"{created:09}", sealed)


def test_volumes() -> None:
    volumes = (
        *(software(f"a{number}", number) for number in range(1, 5)),
        software("unfinished", 9, sealed=False),
        software("being-filled", 9, sealed=False),
        software("unknown", 9, sealed=None),
        software("other1", 1, stack="x-software-a"),
        software("other2", 2, stack="x-software-a"),
        Volume("home", {usage.LABEL_ROLE: "home", usage.LABEL_USER: "ada"}, 5, sealed=False),
        Volume("somebody", {}, 5, sealed=False),
    )
    observed = Observed(
        volumes=volumes, containers=(Container("seed", volumes=("being-filled",)),), named=frozenset({"a1"})
    )
    assert names(observed) == ["unfinished"]
    assert names(observed, dataclasses.replace(POLICY, software_keep=1)) == ["a2", "a3", "unfinished"]


CACHE = (
    Cached("source", 100, 10.0),
    Cached("parent", 200, 20.0),
    Cached("child", 300, 40.0),
    Cached("leaf", 50, 30.0),
    Cached("shared", 1000, 5.0, shared=True),
    Cached("used", 400, 1.0, in_use=True),
)


@pytest.mark.parametrize(
    ("keep", "age", "records", "size"),
    [
        (1050, 0, 0, 0),
        (1049, 0, 1, 100),
        (940, 0, 2, 300),
        (1, 0, 4, 650),
        (0, 1000 - 15, 1, 100),
        (0, 1000 - 35, 3, 350),
        (1049, 1000 - 35, 3, 350),
        (700, 1000 - 15, 3, 350),
    ],
)
def test_cache(keep: int, age: int, records: int, size: int) -> None:
    policy = dataclasses.replace(POLICY, cache_keep=keep, cache_age=age)
    item = usage.plan_cache(Observed(cache=CACHE), policy, now=1000.0)
    assert (item.name if item else "0 records", item.size if item else 0) == (f"{records} records", size)


def test_cache_of_others_stays() -> None:
    policy = dataclasses.replace(POLICY, cache_keep=1)
    assert not usage.plan_prune(Observed(cache=CACHE), policy, 1000.0).changed
    for observed, mine in (
        (Observed(cache=CACHE, managed=True), policy),
        (Observed(cache=CACHE), dataclasses.replace(policy, foreign=True)),
    ):
        plan = usage.plan_prune(observed, mine, 1000.0)
        assert [(item.kind, item.name, item.size) for item in plan.items] == [
            ("build cache", "4 records", 650)
        ]


def test_repository_of() -> None:
    port = "registry.example.org:5000"
    refs = ("galilean/hub:1", f"{port}/x/hub:1", f"{port}/hub@sha256:1", "hub:1")
    assert [usage.repository_of(ref) for ref in refs] == [
        "galilean/hub",
        f"{port}/x/hub",
        f"{port}/hub",
        "hub",
    ]


def test_usage() -> None:
    observed = Observed(
        (*HUB, image("x/big:1", 1, *"abcdef", ours=False)),
        (Container("c", "sha256:g/hub:1", {usage.LABEL_INSTANCE: "i"}, 7, True, ("home",)),),
        (
            Volume("home", {usage.LABEL_ROLE: "home", usage.LABEL_USER: "ada", usage.LABEL_INSTANCE: "i"}, 5),
            software("s", 1),
        ),
        CACHE,
        layers_bytes=123,
        managed=True,
        limits={"home": 20},
    )
    found = usage.usage(observed, dataclasses.replace(POLICY, cache_keep=1049), 1000.0)
    assert [row["repository"] for row in found["images"]] == ["x/big", "g/hub"]
    hub = found["images"][1]
    assert [version["ref"] for version in hub["versions"]][:2] == ["g/hub:5", "g/hub:4"]
    assert [version["wanted"] for version in hub["versions"]] == [True, False, False, False, False]
    home = {"name": "home", "bytes": 5, "users": ["c"], "instance": "i", "user": "ada", "limit_bytes": 20}
    assert found["homes"] == [home]
    assert found["totals"] == {
        "images": 123,
        "homes": 5,
        "software": 100,
        "other_volumes": 0,
        "containers": 7,
        "build_cache": 1050,
    }
    # The base is shared; what goes is the two that nobody uses, beside the cache.
    assert found["freeable"] == {"images": 20, "software": 0, "build_cache": 100}


DEFAULTS = {key: spec.get("default") for key, spec in usage.POLICY_SPEC.items()}


def test_policy_from() -> None:
    policy = usage.policy_from({**DEFAULTS, "wanted": ["a"], "cache_keep_gib": 0.5, "cache_keep_days": 2.0})
    assert (policy.prefix, policy.wanted, policy.keep) == ("galilean", frozenset({"a"}), 3)
    assert (policy.cache_keep, policy.cache_age, policy.foreign) == (2**29, 172800, False)


@pytest.mark.parametrize("key", ["keep", "software_keep", "cache_keep_gib", "cache_keep_days"])
def test_policy_with_less_than_nothing(key: str) -> None:
    with pytest.raises(HubError, match=f"^{key} is -1: use 0 for no limit, or more"):
        usage.policy_from({**DEFAULTS, key: -1})
