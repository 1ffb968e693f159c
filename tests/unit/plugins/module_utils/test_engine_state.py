# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine import state
from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import MARKER

OURS = json.dumps({"labels": [MARKER, "galilean.hub.options=1"]})
OLD = state.Client("/usr/bin/docker", "20.10.24+dfsg1", False, True)
BARE = state.Client("/usr/local/bin/docker", "28.2.2", False, True)
NEW = state.Client("/usr/bin/docker", "26.1.5+dfsg1", True, True)
AWAY = state.Client("/opt/docker", "26.1.5", True, False)


@pytest.mark.parametrize(
    ("clients", "path", "buildkit"),
    [
        ([], None, None),
        ([AWAY], None, None),
        ([BARE, OLD], "/usr/bin/docker", "builtin"),
        ([BARE], "/usr/local/bin/docker", ""),
        ([AWAY, BARE, NEW], "/usr/bin/docker", "buildx"),
    ],
)
def test_choose_client(clients: list[state.Client], path: str | None, buildkit: str | None) -> None:
    found = state.choose_client(clients)
    assert (found and found.path, found and found.buildkit) == (path, buildkit)


@pytest.mark.parametrize(
    ("wanted", "ready", "installed", "daemon_json", "mode"),
    [
        ("auto", False, False, "", "managed"),
        ("auto", False, True, "", "managed"),
        ("auto", True, True, "", "existing"),
        ("auto", False, True, "{}", "existing"),
        ("auto", True, True, "not json", "existing"),
        ("auto", True, True, OURS, "managed"),
        ("auto", False, False, OURS, "managed"),
        ("managed", True, True, "{}", "managed"),
        ("existing", True, False, OURS, "existing"),
    ],
)
def test_choose_mode(wanted: str, ready: bool, installed: bool, daemon_json: str, mode: str) -> None:
    assert state.choose_mode(wanted, ready, installed, daemon_json) == mode


def test_an_existing_engine_must_exist() -> None:
    with pytest.raises(HubError, match="docker_engine is 'existing', but the host has no Docker engine"):
        state.choose_mode("existing", False, False, "")
    with pytest.raises(HubError, match="has options of a Docker engine in /etc/docker/daemon"):
        state.choose_mode("auto", False, False, "{}")


@pytest.mark.parametrize(
    ("daemon_json", "running", "stale"),
    [
        (OURS, [MARKER, "galilean.hub.options=1"], False),
        (OURS, ["galilean.hub.options=1", MARKER], False),
        (OURS, [MARKER, "galilean.hub.options=0"], True),
        (OURS, None, True),
        ("{}", ["a=b"], False),
        ("[]", [], False),
    ],
)
def test_is_stale(daemon_json: str, running: list[str] | None, stale: bool) -> None:
    assert state.is_stale(daemon_json, running) is stale


HEAD = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


def test_default_interface() -> None:
    def found(*routes: str) -> str:
        return state.default_interface(HEAD + "".join(f"{route} 0 0 0\n" for route in routes))

    assert found() == ""
    local = "eth0 000011AC 0 1 0 0 0 0000FFFF"
    assert found("eth0 00000000 010011AC 0003 0 0 0 00000000", local) == "eth0"
    # The cheaper one; and half of all addresses are no default.
    assert found("wlan0 00000000 1 3 0 0 600 00000000", "ens3 00000000 1 3 0 0 100 00000000") == "ens3"
    assert found("tun0 00000000 1 3 0 0 0 00000080") == ""


ANY6, GATE6, NONE6 = "0" * 32, "fe80" + "0" * 27 + "1", "0" * 32


def test_default_interface6() -> None:
    assert state.default_interface6("") == ""
    assert (
        state.default_interface6(f"{ANY6} 00 {ANY6} 00 {NONE6} ffffffff 00000001 00000000 00200200 lo\n")
        == ""
    )
    table = (
        f"{ANY6} 00 {ANY6} 00 {GATE6} 00000400 00000001 00000000 00450003 ens3\n"
        f"{ANY6} 00 {ANY6} 00 {GATE6} 00000064 00000001 00000000 00000003 eth0.5\n"
        f"fd00{'0' * 28} 40 {ANY6} 00 {NONE6} 00000001 00000001 00000000 00000001 tun0\n"
    )
    assert state.default_interface6(table) == "eth0.5"


@pytest.mark.parametrize(
    ("version", "experimental", "daemon_json", "arguments", "serves"),
    [
        ("20.10.24+dfsg1", False, "", [""], False),
        ("20.10.24+dfsg1", True, "", [], False),
        ("20.10.24+dfsg1", False, '{"ip6tables": true}', [], False),
        ("20.10.24+dfsg1", True, '{"ip6tables": true}', ["/usr/sbin/dockerd", ""], True),
        ("26.1.5", True, "", ["dockerd", "--experimental", "--ip6tables"], True),
        ("26.1.5", True, "", ["dockerd", "--ip6tables=false"], False),
        ("27.0.1", False, "", [], True),
        ("29.1.0", False, '{"ip6tables": false}', [], False),
        ("29.1.0", False, "[]", ["dockerd", "--ip6tables=false"], False),
        ("29.1.0", False, "no json", [], True),
        ("", False, "", [], False),
    ],
)
def test_serves_ipv6(
    version: str, experimental: bool, daemon_json: str, arguments: list[str], serves: bool
) -> None:
    info = {"ServerVersion": version, "ExperimentalBuild": experimental}
    assert state.serves_ipv6(info, daemon_json, arguments) is serves


def test_hard_nofile() -> None:
    line = "Max open files            1024                 {}                files"
    assert [state.hard_nofile(text) for text in (line.format(20000), line.format("unlimited"), "")] == [
        20000,
        0,
        0,
    ]


def test_last_words_prefers_what_went_wrong() -> None:
    log = 'level=info msg="fine"\nlevel=error msg="no cgroups"\nlevel=info msg="also fine"\n'
    assert state.last_words(log) == 'level=error msg="no cgroups"'
    assert state.last_words("one\ntwo\n\nthree", lines=2) == "two\nthree"


def test_refusal() -> None:
    fault = "the following directives don't match any configuration option: live-restor"
    said = f"unable to configure the Docker daemon with file /tmp/a/daemon.json: {fault}\n"
    assert state.refusal(said) == fault
    assert state.refusal("something else\n") == "something else"


def test_low_tables() -> None:
    wanted = {"small": 10, "enough": 10, "no.limit": 10, "missing": 10}
    assert state.low_tables(wanted, {"small": 9, "enough": 10, "no.limit": 0, "missing": None}) == [
        "small=10"
    ]


READY = {
    "ready": True, "mode": "managed", "cli": "/usr/bin/docker", "buildkit": "buildx", "missing_packages": [],
    "options_problem": "", "data_root": "/var/lib/docker", "wanted_data_root": "/var/lib/docker",
    "volumes": 3,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"options_problem": "It is wrong."}, ["It is wrong."]),
        ({"buildkit": ""}, ["no docker command on the host has BuildKit: install the package docker-buildx"]),
        ({"buildkit": "", "cli": "", "mode": "existing"}, ["no docker command on the host reaches it"]),
        # The role installs what is missing.
        ({"buildkit": "", "missing_packages": ["docker-buildx"]}, []),
        ({"buildkit": "", "missing_packages": ["docker-buildx"], "mode": "existing"}, ["has BuildKit"]),
        ({"buildkit": "", "cli": "", "ready": False}, []),
        (
            {"wanted_data_root": "/srv/docker"},
            ["docker_data_root is /srv/docker, but Docker keeps 3 volumes in /var/lib/docker: move them"],
        ),
        ({"wanted_data_root": "/srv/docker", "volumes": 0}, []),
        # Nothing of it is changed.
        ({"wanted_data_root": "/srv/docker", "mode": "existing"}, []),
    ],
)
def test_host_problems(changes: dict[str, object], words: list[str]) -> None:
    problems = state.host_problems({**READY, **changes})
    assert len(problems) == len(words)
    assert all(part in problem for part, problem in zip(words, problems))


def test_a_data_folder_that_was_copied_may_change() -> None:
    assert not state.host_problems({**READY, "wanted_data_root": "/srv/docker"}, moved=True)


@pytest.mark.parametrize(
    ("daemon_json", "folder"),
    [
        ("", "/var/lib/docker"),
        ("[]", "/var/lib/docker"),
        ("no JSON", "/var/lib/docker"),
        ('{"data-root": "/data"}', "/data"),
    ],
)
def test_data_root(daemon_json: str, folder: str) -> None:
    assert state.data_root(daemon_json) == folder
