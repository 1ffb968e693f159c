# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re

import pytest

from ansible_collections.galilean.hub.plugins.module_utils import _volume_plan as plan
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

SPEC = plan.VolumeSpec("site-software", "aaaaaaaaaaaa", "site/soft:aaaaaaaaaaaa")


def volume(
    digest: str, created: str = "", sealed: bool = True, users: tuple[str, ...] = ()
) -> plan.ObservedVolume:
    marker = {"digest": digest} if sealed else None
    return plan.ObservedVolume(f"site-software-{digest}", {}, "", created, marker, users)


CURRENT = volume("a" * 12)
OLD = [volume("b" * 12, "2026-01-03"), volume("c" * 12, "2026-01-02"), volume("d" * 12, "2026-01-01")]
# (current, others, keep, seeded, pruned)
CASES: list[tuple[plan.ObservedVolume | None, list[plan.ObservedVolume], int, bool, list[str]]] = [
    (None, [], 2, True, []),
    (CURRENT, [], 2, False, []),
    (volume("a" * 12, sealed=False), [], 2, True, []),
    (plan.ObservedVolume(SPEC.name, sealed={"digest": "other"}), [], 2, True, []),
    (CURRENT, OLD, 9, False, []),
    (CURRENT, OLD, 2, False, ["c" * 12, "d" * 12]),
    (CURRENT, OLD, 1, False, ["b" * 12, "c" * 12, "d" * 12]),
    (CURRENT, OLD, 0, False, ["b" * 12, "c" * 12, "d" * 12]),
    (None, OLD, 3, True, ["d" * 12]),
    (CURRENT, [volume("b" * 12, "2026", users=("x",)), volume("c" * 12, "2025")], 1, False, ["c" * 12]),
    (CURRENT, [volume("b" * 12, sealed=False)], 9, False, ["b" * 12]),
    (CURRENT, [volume("b" * 12, sealed=False, users=("x",))], 9, False, []),
]


@pytest.mark.parametrize(("current", "others", "keep", "seeded", "pruned"), CASES)
def test_plan_present(
    current: plan.ObservedVolume | None,
    others: list[plan.ObservedVolume],
    keep: int,
    seeded: bool,
    pruned: list[str],
) -> None:
    made = plan.plan_present(SPEC, current, others, keep)
    assert made.seed is seeded
    assert list(made.prune) == [f"site-software-{digest}" for digest in pruned]
    assert made.changed is (seeded or bool(pruned))
    assert (made.before != made.after) is made.changed
    assert len(made.reasons) == seeded + len(pruned)
    assert made.after[SPEC.name] == "sealed"


def test_version_that_is_not_there() -> None:
    wanted = plan.VolumeSpec("site-software", "e" * 12)
    with pytest.raises(
        HubError, match=f"^digest is {'e' * 12}.*choose one of site-software-{'b' * 12}, site-"
    ):
        plan.plan_present(wanted, None, OLD, 2)
    assert not plan.plan_present(wanted, volume("e" * 12), OLD, 9).changed


def test_plan_absent() -> None:
    assert plan.plan_absent(OLD).prune == tuple(sorted(item.name for item in OLD))
    assert not plan.plan_absent([]).changed
    message = f"These volumes are in use: site-software-{'f' * 12} by one, two."
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        plan.plan_absent([volume("f" * 12, users=("one", "two"))])


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("site-software-0123456789ab", "0123456789ab"),
        ("site-software-r-0123456789ab", ""),
        ("site-software", ""),
        ("other-0123456789ab", ""),
    ],
)
def test_version_of(name: str, version: str) -> None:
    assert plan.version_of(name, "site-software") == version


@pytest.mark.parametrize(
    ("prefix", "digest", "message"), [("Site", "", "prefix is 'Site'"), ("site", "123", "digest is '123'")]
)
def test_bad_input(prefix: str, digest: str, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        plan.check_spec(prefix, digest)
