# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the image module does, step by step."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import (
    DockerCli,
    EngineAway,
)
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedImage
from ansible_collections.galilean.hub.plugins.module_utils.images.build import (
    desired_image,
    log_path,
    make_image,
    newest_other,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import to_build
from ansible_collections.galilean.hub.plugins.module_utils.images.graph import build_graph
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import (
    ImageSpec,
    Plan,
    plan_absent,
    plan_present,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.progress import ENDED

# What nobody has come back for.
FORGOTTEN_SECONDS = 86400


@dataclass(frozen=True)
class Wanted:
    """One image of the list: what it is, how it is made, and the names of its parents in the list."""

    spec: ImageSpec
    params: dict[str, t.Any]
    parents: tuple[str, ...]


def items_of(params: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the module's images, each with the common options; HubError for an entry without a name."""
    shared = {key: value for key, value in params.items() if key != "images"}
    shared["parallel"] = params["parallel"] or os.cpu_count() or 1
    items = params["images"] or [{}]
    found = [{**shared, **{key: value for key, value in item.items() if value is not None}} for item in items]
    for item, given in zip(found, items):
        if not isinstance(item.get("name"), str):
            raise HubError(f"images has an entry without a name: {given}. Give it one.")
        item["_sent"] = (params.get("_sent") or {}).get(item["name"])
    return found


def wanted_images(items: t.Sequence[dict[str, t.Any]], engine: DockerCli | None) -> list[Wanted]:
    """All images of the list, each with the reference of its parents in its digest."""
    refs: dict[str, str] = {}
    out = []
    for item in items:
        named = [item["parent"], *(item["parents"] or {}).values()]
        params = {
            **item,
            "parent": refs.get(item["parent"], item["parent"]),
            "parents": {key: refs.get(ref, ref) for key, ref in (item["parents"] or {}).items()},
        }
        spec = desired_image(params, engine)
        out.append(Wanted(spec, params, tuple(name for name in named if name in refs)))
        refs[spec.name] = spec.ref
    return out


@dataclass(frozen=True)
class Comparison:
    """The images of the list, those of them that the engine has, and the plans for those to be built."""

    wanted: list[Wanted]
    found: dict[str, ObservedImage]
    plans: dict[str, Plan]

    def report(self) -> dict[str, t.Any]:
        """What the module says of all that."""
        missing = {name: plan.reasons for name, plan in self.plans.items()}
        changing = [image.spec for image in self.wanted if image.spec.name in self.plans]
        return {
            "changed": bool(missing),
            "refs": {image.spec.name: image.spec.ref for image in self.wanted},
            "missing": missing,
            "actions": [
                {"action": "build", "image": name, "reasons": reasons} for name, reasons in missing.items()
            ],
            "diff": {
                side: {spec.repository: getattr(self.plans[spec.name], side) for spec in changing}
                for side in ("before", "after")
            },
        }

    def report_single(self, engine: DockerCli | None) -> dict[str, t.Any]:
        """The same for one image instead of a list: with facts about it, and no heading in the diff."""
        spec = self.wanted[0].spec
        facts: dict[str, t.Any] = {"name": spec.name, "ref": spec.ref, "digest": spec.digest}
        current = self.found.get(spec.ref)
        if self.plans:
            current = engine.image(spec.ref) if engine is not None else None
        if current is not None:
            facts.update(id=current.id, size=current.size)
        result = self.report()
        diff = {side: values.get(spec.repository, {}) for side, values in result["diff"].items()}
        return {**result, "image": facts, "diff": diff}


def compare(
    items: t.Sequence[dict[str, t.Any]], only: t.Sequence[str] | None, engine: DockerCli | None
) -> Comparison:
    """What is there and what is not; one call of the engine where nothing is missing."""
    wanted = wanted_images(items, engine)
    specs = {image.spec.name: image.spec for image in wanted}
    found = engine.images([spec.ref for spec in specs.values()]) if engine else {}
    there = {
        name for name, spec in specs.items() if not plan_present(spec, found.get(spec.ref), None).changed
    }
    plans = {}
    for name in to_build(items, there, only):
        spec = specs[name]
        current = found.get(spec.ref)
        latest = newest_other(engine, spec.repository) if engine and current is None else None
        plans[name] = plan_present(spec, current, latest)
    return Comparison(wanted, found, plans)


class ProgressFile:
    """Says what the builds do, to the action plugin that shows it."""

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.lock = threading.Lock()

    def __call__(self, event: str, name: str = "", seconds: float = 0) -> None:
        if self.path:
            with self.lock, open(self.path, "a", encoding="utf-8") as stream:
                stream.write(f"{event} {name} {seconds:.0f}\n")


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs have left: an operator who is gone reads no progress, and a job's result is for its run."""
    for pattern in ("builds-*.progress", "*.sent", "jobs/j*"):
        for path in folder.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                    path.unlink()


def build_missing(
    params: t.Mapping[str, t.Any], wanted: t.Sequence[Wanted], missing: t.Container[str], engine: DockerCli
) -> dict[str, float]:
    """Build what is missing, at the same time as far as that goes; returns the seconds that each build took."""
    images = {image.spec.name: image for image in wanted if image.spec.name in missing}
    say = ProgressFile(params.get("_progress"))
    begun: dict[str, float] = {}
    seconds: dict[str, float] = {}

    def begin(name: str) -> None:
        begun[name] = time.monotonic()
        say("building", name)

    def build(name: str) -> None:
        event = "failed"
        try:
            make_image(images[name].params, engine, images[name].spec, lambda: begin(name))
            event = "built"
        finally:
            # What another run has built in the meantime was never begun.
            if name in begun:
                seconds[name] = round(time.monotonic() - begun[name], 1)
                say(event, name, seconds[name])

    remove_leftovers(Path(params["log_dir"]))
    try:
        outcome = build_graph(
            {name: image.parents for name, image in images.items()}, build, wanted[0].params["parallel"]
        )
    finally:
        for path in (params.get("_sent") or {}).values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        say(ENDED)
    outcome.raise_failures()
    return seconds


def run_present(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that the images exist, or say only what is missing."""
    items, single = items_of(params), not params["images"]
    engine: DockerCli | None = None
    more: dict[str, t.Any] = {}
    try:
        engine = DockerCli(params["docker_cli"])
        comparison = compare(items, params["only"], engine)
    except EngineAway as exc:
        if not check_mode:
            raise
        engine, comparison = None, compare(items, params["only"], None)
        more["warnings"] = [f"{exc} In check mode this counts as an engine without images."]
    missing = comparison.plans
    if params["state"] == "planned":
        more["changed"] = False
    if missing and not single:
        disk = engine.free_bytes() if engine else None
        more["disk"] = {"path": disk[0], "free": disk[1]} if disk else {}
    if missing and engine and not check_mode and params["state"] != "planned":
        folder = prepare_dir(params["log_dir"], "log_dir")
        if params["_compare"]:
            # The action plugin sends what is needed, and then runs the module again.
            more["log_dir"] = str(folder)
        else:
            more["seconds"] = build_missing(params, comparison.wanted, missing, engine)
            if single:
                more["log"] = str(log_path(folder, comparison.wanted[0].spec))
    return {**(comparison.report_single(engine) if single else comparison.report()), **more}


def run_absent(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that no image of these names exists."""
    engine = DockerCli(params["docker_cli"])
    refs: list[str] = []
    for item in items_of(params):
        repository = "/".join(part for part in (item["repository_prefix"], item["name"]) if part)
        refs += engine.image_refs(repository)
    if not check_mode:
        for ref in refs:
            engine.remove_image(ref)
    plan = plan_absent(refs)
    actions = [{"action": plan.action, "reasons": plan.reasons}] if plan.changed else []
    return {
        "changed": plan.changed,
        "actions": actions,
        "diff": {"before": plan.before, "after": plan.after},
    }
