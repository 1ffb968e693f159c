# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After restarts, somebody else's options and a take-over: containers never stopped."""

from __future__ import annotations

import json

from testinfra.host import Host


def test_the_container_lived_through_it_all(host: Host) -> None:
    state = json.loads(host.check_output("docker inspect survivor --format '{{json .}}'"))
    assert state["State"]["Running"]
    assert state["RestartCount"] == 0


def test_the_engine_is_ours_again_and_the_others_options_are_kept(host: Host) -> None:
    assert "galilean.hub.managed=true" in host.check_output("docker info --format '{{json .Labels}}'")
    assert host.run("grep --quiet owner=somebody /etc/docker/daemon.json.*").succeeded


def test_the_engine_outlives_a_kill(host: Host) -> None:
    """A containerised or minimal machine has nobody who starts it again: the next run of the role does."""
    if host.file("/run/systemd/system").exists:
        host.check_output("systemctl kill --signal KILL docker.service")
        run = host.run("for i in $(seq 60); do docker info > /dev/null && exit 0; sleep 0.5; done; exit 1")
        assert run.succeeded
        assert host.check_output("docker inspect survivor --format '{{.State.Running}}'") == "true"
