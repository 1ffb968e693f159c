# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import plan

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


@pytest.mark.parametrize(
    ("others", "images", "listed"),
    [
        (OLD, (), f"{'b' * 12}, {'c' * 12}, {'d' * 12}"),
        (OLD[:1], ("a" * 12, "b" * 12), f"{'a' * 12}, {'b' * 12}"),
        ([volume("b" * 12, sealed=False)], (), "none"),
    ],
)
def test_version_that_is_not_there(
    others: list[plan.ObservedVolume], images: tuple[str, ...], listed: str
) -> None:
    wanted = plan.VolumeSpec("site-software", "e" * 12, "", images)
    with pytest.raises(HubError, match=f"^digest is {'e' * 12}.*neither the volume .* there .{listed}.,"):
        plan.plan_present(wanted, None, others, 2)
    assert not plan.plan_present(wanted, volume("e" * 12), others, 9, None).seed


DAMAGE = plan.Damage(7, {f"f{number}": "is missing" for number in range(6)})


def test_plan_repair() -> None:
    made = plan.plan_present(SPEC, CURRENT, [], 2, DAMAGE)
    assert (made.seed, made.repair, made.changed) == (False, True, True)
    [(action, name, reason)] = made.reasons
    assert (action, name) == ("repair", SPEC.name)
    assert reason.startswith("f0 is missing, f1 is missing,")
    assert reason.endswith("f4 is missing and 2 more")
    assert (made.before, made.after) == ({SPEC.name: "damaged"}, {SPEC.name: "sealed"})
    assert not plan.plan_present(SPEC, CURRENT, [], 2, plan.Damage()).changed
    # One that has to be filled anyway is not repaired.
    assert not plan.plan_present(SPEC, volume("a" * 12, sealed=False), [], 2, DAMAGE).repair


def test_repair_without_the_image() -> None:
    without = plan.VolumeSpec(SPEC.prefix, SPEC.digest)
    with pytest.raises(HubError, match=r"differs from its manifest \(f0 is missing.*build or load") as caught:
        plan.plan_present(without, CURRENT, [], 2, DAMAGE)
    assert caught.value.details["differences"] == DAMAGE.paths


def test_shareable() -> None:
    whole = [
        plan.ObservedVolume(f"site-software-{letter * 12}", {}, "", created, {"digest": "x", "format": 1})
        for letter, created in (("b", "2026-01-02"), ("c", "2026-01-03"))
    ]
    assert plan.shareable([*whole, *OLD, volume("e" * 12, sealed=False)]) == [whole[1], whole[0]]


@pytest.mark.parametrize(
    ("status", "output", "words"),
    [
        (
            1,
            "Copied: 3 of 4\nFAILED: the image has no folder /x: correct it\n",
            "the image has no folder /x: cor",
        ),
        (
            127,
            "docker: Error response from daemon: OCI runtime create failed: starting container process "
            'caused: exec: "/usr/bin/python3": stat /usr/bin/python3: no such file or directory: unknown.',
            f"image {SPEC.image} has no /usr/bin/python3, which copies the files: install python3 in it",
        ),
        (
            125,
            "docker: Cannot connect to the Docker daemon at unix:///x.\n",
            "the Docker engine went away or",
        ),
        (
            1,
            'time="2026-11-21T10:17:04Z" level=error msg="error waiting for container: unexpected EOF"\n',
            "the Docker engine went away or refused (error waiting for container: unexpected EOF): see",
        ),
        (125, "", "the Docker engine went away or refused (no answer)"),
        (137, "Copied: 3 of 4\n", "it was stopped from outside (status 137)"),
        (1, "Traceback\nValueError: what\n", "ValueError: what"),
        (2, "", "status 2 without a word"),
    ],
)
def test_failure(status: int, output: str, words: str) -> None:
    error = plan.failure(SPEC, "seed", status, output, "/log")
    assert error.message.startswith(f"Volume {SPEC.name} was not filled: {words}")
    assert error.message.endswith("(log: /log).")
    assert error.details == {"log": "/log"}
    assert " was not repaired: " in plan.failure(SPEC, "repair", status, output, "/log").message


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
