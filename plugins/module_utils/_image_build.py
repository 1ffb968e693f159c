# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Builds and imports images, with a log. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils import _bootstrap as bootstrap
from ansible_collections.galilean.hub.plugins.module_utils import _image_plan as plan
from ansible_collections.galilean.hub.plugins.module_utils._commands import (
    locked,
    prepare_dir,
    read_tail,
    run_logged,
    slot,
)
from ansible_collections.galilean.hub.plugins.module_utils._context_digest import describe_context
from ansible_collections.galilean.hub.plugins.module_utils._docker_cli import DockerCli, Engine
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError


@dataclass(frozen=True)
class BuildJob:
    """How a built image is made, beyond what it is."""

    path: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    parent: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)


def check_secrets(secrets: t.Mapping[str, str]) -> None:
    """Every secret's file must be there before a build of minutes starts."""
    for key, path in sorted(secrets.items()):
        if not os.path.isfile(path) or not os.access(path, os.R_OK):
            raise HubError(
                f"secrets has {key}: {path}, which is not a readable file on this host: create it, or leave {key} out."
            )


def build(engine: DockerCli, spec: plan.ImageSpec, job: BuildJob, log: Path, timeout: float) -> None:
    """Build an image from its context; on failure say which step failed and show its last output."""
    check_secrets(job.secrets)
    if job.parent and engine.image(job.parent) is None:
        raise HubError(f"parent is {job.parent}, which is not on this host: build it first.")
    builder = engine.builder()
    argv = plan.buildkit_argv(
        builder.client,
        builder.kind,
        spec,
        job.path,
        job.dockerfile,
        job.args,
        job.target,
        job.parent,
        job.secrets,
    )
    if run_logged(argv, log, timeout, env=builder.env):
        step, lines = plan.failure_of(read_tail(log))
        where = f" at step {step}" if step else ""
        shown = "\n".join(lines)
        raise HubError(
            f"The build of {spec.repository} failed{where}. Its last output (all of it: {log}):\n{shown}",
            step=step,
            log=str(log),
        )


def bootstrap_image(
    engine: DockerCli,
    spec: plan.ImageSpec,
    source: bootstrap.BootstrapSpec,
    log: Path,
    scratch: Path,
    timeout: float,
) -> None:
    """Make an image out of the distribution's package mirror.

    Through a file and not a pipe: the engine would take a cut-off archive of a failed bootstrap for a whole one.
    """
    if not shutil.which("mmdebstrap"):
        raise HubError("mmdebstrap is not on this host: install the package mmdebstrap.")
    if source.keyring and not os.path.isfile(source.keyring):
        raise HubError(
            f"keyring is {source.keyring}, which is not on this host: correct it, or leave it empty."
        )
    archive = str(scratch / "base.tar")
    argv = bootstrap.mmdebstrap_argv(source, archive)
    # Not /tmp: that may be a small one in memory.
    if run_logged(argv, log, timeout, env={"TMPDIR": str(scratch), "DEBIAN_FRONTEND": "noninteractive"}):
        text = read_tail(log)
        lines = text.splitlines()[-40:]
        hint = bootstrap.bootstrap_hint(source, text)
        shown = "\n".join(lines)
        raise HubError(
            f"The bootstrap of {spec.repository} failed. {hint} Its last output (all of it: {log}):\n{shown}",
            log=str(log),
        )
    argv = bootstrap.import_argv(engine.client, source, spec.labels, archive, spec.ref)
    if run_logged(argv, log, timeout):
        raise HubError(
            f"The engine refused the bootstrapped archive: {read_tail(log, 2000).strip()}", log=str(log)
        )


def unpack_context(archive: str, files: t.Mapping[str, str], scratch: Path, dockerfile: str) -> str:
    """Unpack a context that came from the controller, and make sure that it is the one that was announced."""
    target = scratch / "context"
    target.mkdir()
    with tarfile.open(archive) as tar:
        # The archive is ours: it was packed by the action plugin, and modes count.
        trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
        tar.extractall(target, **trusted)  # type: ignore[arg-type]
    if describe_context(str(target), dockerfile) != dict(files):
        raise HubError("The build context changed while it was sent to this host: run again.")
    return str(target)


@contextlib.contextmanager
def scratch_dir(path: Path) -> t.Iterator[Path]:
    """A folder of our own, free of what a killed run left in it, gone afterwards."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _texts(values: t.Mapping[str, t.Any]) -> dict[str, str]:
    # The way Ansible writes booleans in templates, so that true from YAML and from Jinja are one value.
    return {str(key): str(value) for key, value in values.items()}


def _bootstrap_spec(params: t.Mapping[str, t.Any]) -> bootstrap.BootstrapSpec:
    return bootstrap.BootstrapSpec(
        params["suite"],
        tuple(params["packages"]),
        params["mirror"],
        params["keyring"],
        params["serial"],
        _texts(params["env"]),
    )


def parent_digest(parent: str, engine: Engine | None, check_mode: bool) -> str:
    """What stands for the parent in a digest."""
    digest = plan.addressed_digest(parent)
    if digest:
        return digest
    image = engine.image(parent) if engine is not None else None
    if image is None and not check_mode:
        raise HubError(f"parent is {parent}, which is not on this host: build or load it first.")
    return image.id if image else parent


def desired_image(params: t.Mapping[str, t.Any], engine: Engine | None, check_mode: bool) -> plan.ImageSpec:
    """The image that the module's parameters describe."""
    plan.check_name(params["name"], params["repository_prefix"])
    if params["source"] == "bootstrap":
        inputs = _bootstrap_spec(params).inputs()
    else:
        files = params["_context_files"]
        if not files:
            if not params["path"]:
                raise HubError(
                    f"path is missing for image {params['name']}: name the folder with its build context."
                )
            files = describe_context(params["path"], params["dockerfile"])
        parent = parent_digest(params["parent"], engine, check_mode) if params["parent"] else None
        inputs = plan.build_inputs(
            files, params["dockerfile"], _texts(params["args"]), params["target"], parent
        )
    return plan.ImageSpec(params["name"], params["repository_prefix"], inputs)


def newest_other(engine: Engine, repository: str) -> plan.ObservedImage | None:
    """The newest image of a repository, to compare a missing one with."""
    for ref in engine.image_ids(repository):
        image = engine.image(ref)
        if image is not None:
            return image
    return None


def make_image(params: t.Mapping[str, t.Any], engine: DockerCli, spec: plan.ImageSpec) -> Path:
    """Build or bootstrap the image unless another run is just doing that; return the log's path."""
    folder = prepare_dir(params["log_dir"], "log_dir")
    stem = spec.repository.replace("/", "-")
    log = folder / f"{stem}.log"
    with locked(folder / f"{stem}.lock"), slot(folder, params["parallel"]):
        current = engine.image(spec.ref)
        if current is not None and current.labels.get(plan.LABEL_DIGEST) == spec.digest:
            return log
        log.write_text("", encoding="utf-8")
        log.chmod(0o640)
        with scratch_dir(folder / f"{stem}.tmp") as scratch:
            if params["source"] == "bootstrap":
                bootstrap_image(engine, spec, _bootstrap_spec(params), log, scratch, params["timeout"])
                return log
            path = params["path"]
            if params["_context_archive"]:
                archive = params["_context_archive"]
                path = unpack_context(archive, params["_context_files"], scratch, params["dockerfile"])
                os.unlink(archive)
            secrets = _texts(params["secrets"])
            job = BuildJob(
                path,
                params["dockerfile"],
                _texts(params["args"]),
                params["target"],
                params["parent"],
                secrets,
            )
            build(engine, spec, job, log, params["timeout"])
    return log
