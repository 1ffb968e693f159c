# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What systemd runs, and when."""

from __future__ import annotations

import json
import re
import time

import pytest
from testinfra.host import Host


def told(host: Host, command: str) -> str:
    run = host.run(command)
    assert run.succeeded, f"{command}: {run.stdout}{run.stderr}"
    return str(run.stdout)


@pytest.mark.parametrize(
    ("service", "ports"),
    [("prometheus-node-exporter", {9100}), ("prometheus", {9090}), ("prometheus-alertmanager", {9093})],
)
def test_services_run_after_a_boot_and_listen_on_loopback(host: Host, service: str, ports: set[int]) -> None:
    assert host.service(service).is_running
    assert host.service(service).is_enabled
    process = told(host, f"systemctl show --property MainPID --value {service}").strip()
    listens = re.findall(rf"(\S+):(\d+) .*pid={process},", told(host, "ss -Hltnp"))
    assert {(address, int(port)) for address, port in listens} == {("127.0.0.1", port) for port in ports}


def test_timers_gather_and_check(host: Host) -> None:
    timers = told(host, "systemctl list-timers --all --no-legend")
    for name in ("hub-metrics", "hub-check"):
        assert f"{name}.timer" in timers
        assert host.service(f"{name}.timer").is_enabled
        # What a timer starts does its work as a service.
        told(host, f"systemctl start {name}.service")
    last = json.loads(told(host, "cat /srv/hub/hubctl/check.json"))
    assert last["ok"], last
    # Nobody reads a line each minute that says that all is well.
    assert told(host, "journalctl --quiet --unit hub-metrics.service").strip() == ""


def test_prometheus_watches_the_hub(host: Host) -> None:
    query = "promtool query instant http://127.0.0.1:9090 'galilean_hub_check_ok{hub=\"bookworm\"}'"
    deadline = time.monotonic() + 150
    while not (found := told(host, query).strip()):
        assert time.monotonic() < deadline
        time.sleep(5)
    assert " => 1 @" in found
    told(
        host,
        "amtool config routes show --config.file=/etc/prometheus/alertmanager.yml | grep --quiet operators",
    )
