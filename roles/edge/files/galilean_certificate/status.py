# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The state of the certificate, for people, for `verify` and for Prometheus."""

from __future__ import annotations

import calendar
import json
import time
import typing as t
from pathlib import Path

from . import pair
from .nginx import Nginx
from .settings import Settings

FILE, METRICS = "status.json", "certificate.prom"


def remembered(settings: Settings) -> dict[str, t.Any]:
    """What the last renewal left."""
    try:
        found = json.loads((Path(settings.folder) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def observe(settings: Settings) -> dict[str, t.Any]:
    """Look at what is served, and add what is remembered of the last renewal."""
    der = Nginx(settings).served()
    state: dict[str, t.Any] = {"instance": settings.instance, "mode": settings.mode, "served": None}
    if der is not None:
        told = pair.facts(der)
        state["served"] = {
            "serial": told.serial,
            "issuer": told.issuer,
            "names": told.names,
            "begins": stamp(told.begins),
            "ends": stamp(told.ends),
            "days_left": int((told.ends - time.time()) // 86400),
        }
    # Where nothing is renewed any more, an old failure says nothing.
    state["renewal"] = remembered(settings).get("renewal") if settings.mode == "acme" else None
    state["problem"] = problem(settings, state["served"], state["renewal"])
    return state


def problem(settings: Settings, served: dict[str, t.Any] | None, renewal: dict[str, t.Any] | None) -> str:
    """What `verify` complains of; empty for nothing."""
    if served is None:
        where = f"{settings.host}:{settings.port}"
        return f"Nothing shows a certificate at {where}: see docker logs {settings.container}."
    days = served["days_left"]
    if renewal and not renewal["ok"]:
        failed = f"The last renewal of the certificate failed ({renewal['tried']})"
        return f"{failed}, it has {days} days left: {renewal['message']}"
    if days < settings.warn_days:
        return (
            f"The certificate has {days} days left (until {served['ends']}), less than edge_tls_warn_days, {settings.warn_days}: "
            "run site.yml again, or give a new one."
        )
    return ""


def stamp(seconds: float) -> str:
    """A moment as ISO 8601 text in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds(text: str) -> int:
    """A moment that `stamp` wrote, in seconds since 1970."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def renewed(before: dict[str, t.Any] | None, ok: bool, message: str, now: float) -> dict[str, t.Any]:
    """What is remembered of a renewal: the last try, and the last one that went well."""
    return {
        "tried": stamp(now),
        "ok": ok,
        "succeeded": stamp(now) if ok else (before or {}).get("succeeded"),
        "message": message,
    }


def metrics(state: dict[str, t.Any]) -> str:
    """The state as text for Prometheus' node exporter. Moments, not days: they do not become stale."""
    label = f'{{instance_name="{state["instance"]}"}}'
    lines: list[str] = []

    def add(name: str, meaning: str, value: int) -> None:
        full = f"galilean_hub_certificate_{name}"
        lines.extend([f"# HELP {full} {meaning}", f"# TYPE {full} gauge", f"{full}{label} {value}"])

    add("served", "1 when the edge shows a certificate, else 0.", int(state["served"] is not None))
    if state["served"]:
        add(
            "not_after_timestamp_seconds",
            "End of the served certificate, in seconds since 1970.",
            seconds(state["served"]["ends"]),
        )
    renewal = state.get("renewal")
    if renewal:
        add("renewal_ok", "1 when the last renewal did not fail, else 0.", int(renewal["ok"]))
        add(
            "renewal_tried_timestamp_seconds",
            "Moment of the last renewal, in seconds since 1970.",
            seconds(renewal["tried"]),
        )
    return "\n".join(lines) + "\n"


def keep(settings: Settings, state: dict[str, t.Any]) -> None:
    """Write status and metrics, where they differ."""
    text = json.dumps(state, indent=2) + "\n"
    _write(Path(settings.folder) / FILE, text)
    text = metrics(state)
    _write(Path(settings.folder) / METRICS, text)
    if settings.metrics_file:
        _write(Path(settings.metrics_file), text)


def _write(path: Path, text: str) -> None:
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    pair.write(path, text, 0, 0o644)
