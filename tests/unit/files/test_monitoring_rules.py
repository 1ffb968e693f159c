# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Alerts, tested with Prometheus' own tool; and what rules, console and dashboard have in common."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "roles" / "monitoring" / "files"
RULES = FILES / "galilean_hub.rules.yml"
# `make unit` unpacks it there.
PROMTOOL = ROOT / ".cache" / "prometheus" / "usr" / "bin" / "promtool"


def alerts() -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    return found


def test_each_alert_fires_for_what_it_is_about(tmp_path: Path) -> None:
    cases = Path(__file__).with_name("galilean_hub.rules.test.yml").read_text(encoding="utf-8")
    # None is left out.
    assert sorted(set(re.findall(r'alertname="(\w+)"', cases))) == sorted(one["alert"] for one in alerts())
    (tmp_path / "rules.test.yml").write_text(cases.replace("RULES", str(RULES)), encoding="utf-8")
    done = subprocess.run(
        [PROMTOOL, "test", "rules", tmp_path / "rules.test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for one in alerts():
        notes = one["annotations"]
        assert set(notes) == {"summary", "action", "docs"}, one["alert"]
        assert one["labels"]["severity"] in ("critical", "warning", "info")
        file, _, anchor = notes["docs"].partition("#")
        headings = re.findall(r"(?m)^#+ (.*)$", (ROOT / file).read_text(encoding="utf-8"))
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings], one[
            "alert"
        ]
        assert f"| `{one['alert']}` | {one['labels']['severity']} |" in page


def test_the_dashboard_for_grafana_asks_no_source_of_one_site() -> None:
    dashboard = json.loads((FILES / "grafana" / "hubs.json").read_text(encoding="utf-8"))
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {"${datasource}"}
    assert all(
        'hub=~"$hub"' in target["expr"] for panel in dashboard["panels"] for target in panel["targets"]
    )
