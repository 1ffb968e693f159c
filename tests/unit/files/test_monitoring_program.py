# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program that gathers metrics: what it makes of what it reads. A real hub is in tests/e2e."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from galilean_monitoring import collect, engine
from galilean_monitoring.settings import Problem, Settings, load
from galilean_monitoring.text import Families, Text, add, labelled, quoted, render

LABELS = {"instance_name": "lab"}


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("up 1", 'up{instance_name="lab"} 1'),
        ("up{} 1.5e3", 'up{instance_name="lab"} 1.5e3'),
        ('a{b="c",} NaN', 'a{instance_name="lab",b="c"} NaN'),
        ('a{b="x} 1",c="\\"\\\\\\n"} +Inf 12', 'a{instance_name="lab",b="x} 1",c="\\"\\\\\\n"} +Inf'),
        # Of a program that knows its instance, and of a value that only looks as if.
        ('a{instance_name="other"} 1', 'a{instance_name="other"} 1'),
        ('a{b=",instance_name="} 1', 'a{instance_name="lab",b=",instance_name="} 1'),
    ],
)
def test_values_get_the_name_of_the_instance(line: str, result: str) -> None:
    assert labelled(line, LABELS) == result


@pytest.mark.parametrize("line", ["a", "a b", 'a{b="c} 1', "a{b=c} 1", "<html>", "a 1 2 3", "1a 1"])
def test_what_is_not_in_the_format_is_refused_as_a_whole(line: str) -> None:
    families: Families = {}
    with pytest.raises(ValueError, match=r"not in the format|could not convert"):
        add(families, f"good 1\n{line}\n", "", {})
    assert families == {}


def test_a_source_speaks_for_itself_only_and_families_stay_together() -> None:
    families: Families = {}
    hub = (
        "# HELP hub_x X.\n# TYPE hub_x histogram\n"
        'hub_x_bucket{le="1"} 1\nhub_x_count 1\nhub_x_sum 1\nnode_load1 9\n# TYPE up gauge\nup 1\n'
    )
    add(families, hub, "hub_", LABELS)
    add(families, "# a remark\nnode_load1 2\nhub_x_count 7\n", "node_", LABELS)
    add(families, "hub_x_count 3\n", "hub_", {"instance_name": "other"})
    assert render(families).splitlines() == [
        "# HELP hub_x X.",
        "# TYPE hub_x histogram",
        'hub_x_bucket{instance_name="lab",le="1"} 1',
        'hub_x_count{instance_name="lab"} 1',
        'hub_x_sum{instance_name="lab"} 1',
        'hub_x_count{instance_name="other"} 3',
        'node_load1{instance_name="lab"} 2',
    ]


@pytest.mark.parametrize("name", ["ada\u2028x", "ada\rx", "ada\x85x", "ada\x0bx"])
def test_names_end_no_line(name: str) -> None:
    """Before: all of a source was gone while a server of such a user ran."""
    families: Families = {}
    add(families, f'a{{user="{name}"}} 1\nb 2\n', "", {})
    assert render(families) == f'a{{user="{name}"}} 1\nb{{}} 2\n'


def test_names_of_users_are_quoted() -> None:
    text = Text()
    text.add("a", "A.", 2.5, user='x"\\\n} 1')
    text.add("a", "A.", 10**15)
    assert str(text) == '# HELP a A.\n# TYPE a gauge\na{user="x\\"\\\\\\n} 1"} 2.500\na{} 1000000000000000\n'
    assert quoted("ada") == '"ada"'


@pytest.mark.parametrize(
    ("cgroup", "files"),
    [
        (
            "0::/system.slice/docker-1.scope\n",
            {
                "system.slice/docker-1.scope/memory.current": "300\n",
                "system.slice/docker-1.scope/memory.stat": "anon 1\ninactive_file 100\n",
                "system.slice/docker-1.scope/cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
            },
        ),
        (
            "4:memory:/docker/1\n2:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n0::/docker/1\n",
            {
                "memory/docker/1/memory.usage_in_bytes": "300\n",
                "memory/docker/1/memory.stat": "inactive_file 7\ntotal_inactive_file 100\n",
                "cpuacct/docker/1/cpuacct.usage": "2500000000\n",
            },
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_memory_and_processors_of_a_container(tmp_path: Path, cgroup: str, files: dict[str, str]) -> None:
    files = {"proc/7/cgroup": cgroup, **{f"sys/{name}": text for name, text in files.items()}}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert engine.usage(7, tmp_path / "proc", tmp_path / "sys") == engine.Usage(200, 2.5)


@pytest.mark.parametrize(
    ("state", "up"),
    [
        ({"Running": True, "Pid": 0}, 1),
        ({"Running": True, "Pid": 0, "Health": {"Status": "starting"}}, 1),
        ({"Running": True, "Pid": 0, "Health": {"Status": "unhealthy"}}, 0),
        ({"Running": False, "Pid": 0}, 0),
        (None, 0),
    ],
)
def test_parts_that_are_up(state: dict[str, t.Any] | None, up: int) -> None:
    labels = {"galilean.hub.role": "hub"}
    one = {"Config": {"Labels": labels, "Env": None}, "State": state, "HostConfig": {}}
    told = engine.metrics([one] if state else [], {"hub": "lab-hub"})
    assert f'galilean_hub_part_up{{part="hub"}} {up}\n' in told


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    values: dict[str, t.Any] = {
        "instance": "lab",
        "state_dir": str(tmp_path),
        "edge_dir": str(tmp_path),
        "host": "hub.example.org",
        **dict.fromkeys(("hub_metrics", "proxy_metrics", "node_metrics"), "http://127.0.0.1:9/metrics"),
        "containers": {"hub": "lab-hub", "edge": "lab-edge"},
        "socket": str(tmp_path / "no.sock"),
        "check_minutes": 30,
    }
    (tmp_path / "settings.json").write_text(json.dumps(values))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "metrics-token").write_text("a" * 64 + "\n")
    for part in ("hubctl", "disk", "backup"):
        (tmp_path / part).mkdir()
    return load(str(tmp_path))


def test_what_is_away_is_told_and_the_rest_is_there(settings: Settings) -> None:
    """One source is broken, one is there, the others do not answer."""
    (settings.state / "backup" / "backup.prom").write_text('galilean_hub_backup_ok{instance_name="lab"} 1\n')
    last = {"time": "1970-01-01T00:01:40Z", "ok": False, "timings": {"start": 1.5}}
    (settings.state / "hubctl" / "check.json").write_text(json.dumps(last))
    os.mkfifo(settings.state / "disk" / "state.json")
    found = collect.run(settings)
    assert set(found["problems"]) == {"hub", "proxy", "edge", "engine", "homes", "host"}
    text = settings.endpoint.read_text()
    assert 'galilean_hub_backup_ok{instance_name="lab"} 1\n' in text
    assert 'galilean_hub_check_ok{instance_name="lab"} 0\n' in text
    assert 'galilean_hub_check_timestamp_seconds{instance_name="lab"} 100\n' in text
    assert 'galilean_hub_check_step_seconds{instance_name="lab",step="start"} 1.500\n' in text
    assert 'galilean_hub_source_up{instance_name="lab",source="hub"} 0\n' in text
    assert 'galilean_hub_source_up{instance_name="lab",source="files"} 1\n' in text
    token = settings.state / "metrics-token.conf"
    assert token.read_text() == f'"~^Bearer {"a" * 64}$" 1;\n'
    # The edge reads both as a member of the group of its folder, and nobody else does.
    assert {path.stat().st_mode & 0o777 for path in (token, settings.endpoint)} == {0o640}


def test_no_link_is_followed_to_what_the_hub_may_not_read(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="symbolic links"):
        collect.read_foreign(tmp_path / "link")


def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(
        Problem, match=r"settings.json cannot be used .* run the role galilean.hub.monitoring"
    ):
        load(str(tmp_path))
