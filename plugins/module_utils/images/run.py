# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the image module does, step by step. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import prepare_dir
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli, EngineAway
from ansible_collections.galilean.hub.plugins.module_utils.images.build import (
    desired_image,
    make_image,
    newest_other,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.plan import Plan, plan_absent, plan_present


def report(plan: Plan, **more: t.Any) -> dict[str, t.Any]:
    """The part of the result that every state has."""
    actions = [{"action": plan.action, "reasons": plan.reasons}] if plan.changed else []
    return {
        "changed": plan.changed,
        "actions": actions,
        "diff": {"before": plan.before, "after": plan.after},
        **more,
    }


def run_present(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that the image exists."""
    engine: DockerCli | None = None
    warnings = []
    try:
        engine = DockerCli(params["docker_cli"])
        spec = desired_image(params, engine, check_mode)
        current = engine.image(spec.ref)
    except EngineAway as exc:
        if not check_mode:
            raise
        engine, current = None, None
        spec = desired_image(params, None, check_mode)
        warnings.append(f"{exc} In check mode this counts as an engine without images.")
    latest = None
    if current is None and engine is not None:
        latest = newest_other(engine, spec.repository)
    plan = plan_present(spec, current, latest)
    result = report(plan, image={"name": spec.name, "ref": spec.ref, "digest": spec.digest})
    if warnings:
        result["warnings"] = warnings
    announced = params["_context_files"] or params["_archive_digest"]
    if plan.changed and announced and not params["_sent"]:
        if not check_mode:
            # The action plugin puts context or archive there, and then runs the module again.
            result["log_dir"] = str(prepare_dir(params["log_dir"], "log_dir"))
        return {**result, "_needed": True}
    if plan.changed and not check_mode and engine is not None:
        result["log"] = str(make_image(params, engine, spec))
        current = engine.image(spec.ref)
    if current is not None and (not plan.changed or not check_mode):
        result["image"].update(id=current.id, size=current.size)
    return result


def run_absent(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make sure that no image of this name exists."""
    engine = DockerCli(params["docker_cli"])
    repository = "/".join(part for part in (params["repository_prefix"], params["name"]) if part)
    refs = engine.image_refs(repository)
    if not check_mode:
        for ref in refs:
            engine.remove_image(ref)
    return report(plan_absent(repository, refs))
