# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images import plan

FILES = {"Dockerfile": "a" * 64, "d": "b" * 64, "d/one": "c" * 64}
SPEC = plan.ImageSpec("hub", "site", plan.build_inputs(FILES, args={"X": "1"}, parent="123456789abc"))


def observed(spec: plan.ImageSpec) -> plan.ObservedImage:
    return plan.ObservedImage("sha256:1", spec.labels, 10)


CHANGES: list[tuple[str, dict[str, t.Any]]] = [
    ("nothing", {}),
    ("a file", {"files": {**FILES, "d/one": "d" * 64}}),
    ("a new file", {"files": {**FILES, "d/two": "d" * 64}}),
    ("an argument", {"args": {"X": "2"}}),
    ("no argument", {"args": {}}),
    ("the target", {"target": "build"}),
    ("the parent", {"parent": "aaaaaaaaaaaa"}),
    ("the dockerfile", {"dockerfile": "Other"}),
]


def test_every_input_changes_the_digest() -> None:
    digests = []
    for _name, change in CHANGES:
        inputs = {"files": FILES, "args": {"X": "1"}, "parent": "123456789abc", **change}
        digests.append(plan.ImageSpec("hub", "site", plan.build_inputs(**inputs)).digest)
    assert digests[0] == SPEC.digest
    assert len(set(digests)) == len(CHANGES)


def test_digest_is_stable() -> None:
    # Another value here means that every image of every site is built anew.
    assert SPEC.ref == "site/hub:59cc62f4347f"
    reordered = plan.build_inputs(dict(reversed(list(FILES.items()))), args={"X": "1"}, parent="123456789abc")
    assert plan.ImageSpec("other", "prefix", reordered).digest == SPEC.digest


def test_labels() -> None:
    labels = SPEC.labels
    assert labels["galilean.hub.digest"] == SPEC.digest
    assert json.loads(labels["galilean.hub.inputs"]) == {
        "argument X": "1",
        "dockerfile": "Dockerfile",
        "file Dockerfile": "a" * 12,
        "file d": "b" * 12,
        "file d/one": "c" * 12,
        "parent": "123456789abc",
    }


@pytest.mark.parametrize("names", [[f"d{i % 3}/f{i}" for i in range(1000)], [f"f{i}" for i in range(1000)]])
def test_labels_of_a_big_context_stay_small(names: list[str]) -> None:
    one = plan.label_inputs(plan.build_inputs(dict.fromkeys(names, "a" * 64)))
    two = plan.label_inputs(plan.build_inputs({**dict.fromkeys(names, "a" * 64), names[0]: "b" * 64}))
    assert len(json.dumps(one)) < 1000
    assert len(plan.explain(one, two)) == 1


def test_long_arguments_are_hashed() -> None:
    inputs = plan.build_inputs({}, args={"LONG": "x" * 65, "SHORT": "x" * 64})
    assert len(inputs["argument LONG"]) == 64
    assert inputs["argument SHORT"] == "x" * 64
    assert "xx" not in inputs["argument LONG"]


OLDER = plan.ImageSpec("hub", "site", plan.build_inputs(FILES, args={"X": "0"}, parent="0" * 12))
PLANS: list[tuple[plan.ObservedImage | None, plan.ObservedImage | None, str, list[str]]] = [
    (observed(SPEC), None, "none", []),
    (None, None, "build", ["there is no image site/hub yet"]),
    (
        None,
        observed(OLDER),
        "build",
        ["argument X changed from 0 to 1", "parent changed from 000000000000 to 123456789abc"],
    ),
    (observed(OLDER), None, "build", [f"{SPEC.ref} holds something else: it carries another digest"]),
    (None, observed(SPEC), "build", [f"{SPEC.ref} is missing"]),
    (None, plan.ObservedImage("sha256:2", {"galilean.hub.inputs": "not json"}), "build", []),
]


@pytest.mark.parametrize(("current", "latest", "action", "reasons"), PLANS)
def test_plan_present(
    current: plan.ObservedImage | None, latest: plan.ObservedImage | None, action: str, reasons: list[str]
) -> None:
    made = plan.plan_present(SPEC, current, latest)
    assert made.action == action
    assert made.changed is (action != "none")
    if reasons:
        assert made.reasons == reasons


def test_plan_absent() -> None:
    assert not plan.plan_absent([]).changed
    assert plan.plan_absent(["site/hub:1"]).before == {"site/hub:1": "present"}


def test_explain() -> None:
    one, two = {"file a": "1", "file b": "1", "target": "x"}, {"file a": "2", "file c": "1", "target": "y"}
    changes = ["file a changed", "file b is gone", "file c is new", "target changed from x to y"]
    assert plan.explain(one, two) == changes


@pytest.mark.parametrize(
    ("ref", "digest"),
    [
        ("galilean/hub:0123456789ab", "0123456789ab"),
        ("registry.example/site/hub:0123456789ab", "0123456789ab"),
        ("galilean/hub:0123456789abc", None),
        ("galilean/hub:0123456789aB", None),
        ("sha256:0123456789ab\n", None),
    ],
)
def test_addressed_digest(ref: str, digest: str | None) -> None:
    assert plan.addressed_digest(ref) == digest


@pytest.mark.parametrize(
    ("name", "prefix", "message"),
    [
        ("Hub", "site", "name is 'Hub'"),
        ("a//b", "site", "name is 'a//b'"),
        ("hub", "Site", "repository_prefix is 'Site'"),
        ("hub", "site/", "repository_prefix is 'site/'"),
    ],
)
def test_bad_names(name: str, prefix: str, message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}"):
        plan.check_name(name, prefix)


def test_bad_argument() -> None:
    with pytest.raises(HubError, match=r"^args has 'BASE'"):
        plan.build_inputs({}, args={"BASE": "x"})


@pytest.mark.parametrize("name", ["BASE", "a-b", "X"])
def test_bad_parents(name: str) -> None:
    with pytest.raises(HubError, match=f"^parents has '{name}'"):
        plan.build_inputs({}, args={"X": "1"}, parents={name: "site/x:1"})


def test_parents_count() -> None:
    one = plan.build_inputs({}, parents={"TOOLS": "0" * 12})
    two = plan.build_inputs({}, parents={"TOOLS": "1" * 12})
    assert plan.explain(one, two) == [f"parent TOOLS changed from {'0' * 12} to {'1' * 12}"]


def test_registry_inputs() -> None:
    digest = "sha256:" + "0a" * 32
    assert plan.registry_inputs(f"registry.example:5000/a/debian:trixie@{digest}") == {"image": digest}
    assert plan.registry_inputs(f"debian@{digest}") == {"image": digest}, (
        "from another mirror, the same image"
    )


@pytest.mark.parametrize("image", ["", "debian:trixie", "debian@sha256:12", "debian@sha256:" + "G" * 64])
def test_bad_registry_image(image: str) -> None:
    with pytest.raises(HubError, match=f"^image is '{re.escape(image)}': name a registry's image with its"):
        plan.registry_inputs(image)


def test_label_argv() -> None:
    argv = plan.label_argv(["docker"], "builtin", SPEC)
    assert argv[-1] == "-"
    assert f"--tag={SPEC.ref}" in argv
    assert f"--label=galilean.hub.digest={SPEC.digest}" in argv


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"dockerfile": "Other"}, "--file=/ctx/Other"),
        ({"args": {"X": "a b"}}, "--build-arg=X=a b"),
        ({"parent": "site/base:1"}, "--build-arg=BASE=site/base:1"),
        ({"parents": {"TOOLS": "site/tools:1"}}, "--build-arg=TOOLS=site/tools:1"),
        ({"target": "stage"}, "--target=stage"),
        ({"secrets": {"ca": "/a/b.crt"}}, "--secret=id=ca,src=/a/b.crt"),
    ],
)
def test_buildkit_argv_options(options: dict[str, t.Any], argument: str) -> None:
    argv = plan.buildkit_argv(["docker", "--context=x"], "buildx", SPEC, "/ctx", **options)
    assert argv[:5] == ["docker", "--context=x", "buildx", "build", "--load"]
    assert argument in argv


LOG_BUILTIN = """\
#6 [2/3] RUN true
#6 0.312 fine
#6 DONE 0.4s

#7 [3/3] RUN echo one; exit 3
#7 0.301 one
#7 1.5 two words
#7 ERROR: executor failed running [/bin/sh -c echo one; exit 3]: exit code: 3
------
 > [3/3] RUN echo one; exit 3:
------
executor failed running [/bin/sh -c echo one; exit 3]: exit code: 3
"""


def test_failure_of() -> None:
    step, lines = plan.failure_of(LOG_BUILTIN)
    assert step == "[3/3] RUN echo one; exit 3"
    assert lines[:2] == ["one", "two words"]
    assert lines[-1].startswith("ERROR: executor failed")
    assert plan.failure_of(LOG_BUILTIN, lines=1)[1] == lines[-1:]


def test_failure_without_a_step() -> None:
    assert plan.failure_of("no space left\n\nreally\n") == ("", ["no space left", "really"])
    assert plan.failure_of("") == ("", [])


@pytest.mark.parametrize(
    ("last", "lost"),
    [
        ("rpc error: code = Internal desc = unexpected EOF", True),
        ("failed to solve: no active session for 3kx: context deadline exceeded", True),
        ("executor failed running [/bin/sh -c false]: exit code: 1", False),
        ("", False),
    ],
)
def test_a_client_that_was_lost_is_no_failure_of_a_step(last: str, lost: bool) -> None:
    assert plan.lost_client(f"#5 [2/3] RUN true\n------\n{last}\n") is lost


def test_a_proxy_is_named_without_its_value() -> None:
    spec = plan.ImageSpec("x", "p", {})
    argv = plan.buildkit_argv(["docker"], "builtin", spec, "/c", from_environment=["HTTPS_PROXY", "NO_PROXY"])
    assert [word for word in argv if "PROXY" in word] == ["--build-arg=HTTPS_PROXY", "--build-arg=NO_PROXY"]
