# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Makes images, with a log."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.commands import (
    locked,
    prepare_dir,
    read_tail,
    run_logged,
    slot,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedImage
from ansible_collections.galilean.hub.plugins.module_utils.images import bootstrap, plan
from ansible_collections.galilean.hub.plugins.module_utils.images.build_context import (
    DOCKERFILE,
    BuildContext,
    read_context,
)
from ansible_collections.galilean.hub.plugins.module_utils.images.context_digest import file_sha256
from ansible_collections.galilean.hub.plugins.module_utils.images.load import (
    load_archive,
    load_rootfs,
    pull_image,
)


@dataclass(frozen=True)
class BuildJob:
    """How a built image is made, beyond what it is."""

    path: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str] = field(default_factory=dict)
    target: str | None = None
    parent: str | None = None
    parents: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    # Variables of a proxy, as proxy_environment has them.
    proxy: dict[str, str] = field(default_factory=dict)


def check_secrets(secrets: t.Mapping[str, str]) -> None:
    """Raise HubError if the file of a secret is missing, before a build of minutes starts."""
    for key, path in sorted(secrets.items()):
        if not os.path.isfile(path) or not os.access(path, os.R_OK):
            raise HubError(
                f"secrets has {key}: {path}, which is not a readable file on this host: create it, or leave {key} out."
            )


def build(engine: DockerCli, spec: plan.ImageSpec, job: BuildJob, log: Path, timeout: float) -> None:
    """Build an image from its context within timeout seconds; HubError has the failing step and its last output."""
    check_secrets(job.secrets)
    for setting, ref in [("parent", job.parent), *(("parents", ref) for ref in job.parents.values())]:
        if ref and engine.image(ref) is None:
            raise HubError(f"{setting} is {ref}, which is not on this host: build it first.")
    builder = engine.builder()
    # BuildKit knows them in capital letters, and gives them to each step in both.
    proxy = {key.upper(): value for key, value in job.proxy.items()}
    argv = plan.buildkit_argv(
        builder.client,
        builder.kind,
        spec,
        job.path,
        job.dockerfile,
        job.args,
        job.target,
        job.parent,
        job.parents,
        job.secrets,
        proxy,
    )
    env = {**builder.env, **proxy}
    failed = run_logged(argv, log, timeout, env=env)
    if failed and plan.lost_client(read_tail(log)):
        log.write_text("", encoding="utf-8")
        failed = run_logged(argv, log, timeout, env=env)
    if failed:
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
    proxy: t.Mapping[str, str],
    credentials: str = "",
) -> None:
    """Create an image from the distribution's package mirror; HubError has the last output of a failed bootstrap.

    timeout: seconds; proxy: variables, None for none; credentials: path of a file for apt.
    Through a file and not a pipe: the engine would take a cut-off archive of a failed bootstrap for a whole one.
    """
    if not shutil.which("mmdebstrap"):
        raise HubError("mmdebstrap is not on this host: install the package mmdebstrap.")
    if source.keyring and not os.path.isfile(source.keyring):
        raise HubError(
            f"keyring is {source.keyring}, which is not on this host: correct it, or leave it empty."
        )
    rootfs = scratch / "rootfs.tar"
    argv = bootstrap.mmdebstrap_argv(source, str(rootfs), credentials)
    # Not /tmp: that may be a small one in memory.
    env = {
        "TMPDIR": str(scratch),
        "DEBIAN_FRONTEND": "noninteractive",
        "SOURCE_DATE_EPOCH": bootstrap.SOURCE_DATE_EPOCH,
        **proxy,
    }
    if run_logged(argv, log, timeout, env=env):
        text = read_tail(log)
        lines = text.splitlines()[-40:]
        hint = bootstrap.bootstrap_hint(source, text)
        shown = "\n".join(lines)
        raise HubError(
            f"The bootstrap of {spec.repository} failed. {hint} Its last output (all of it: {log}):\n{shown}",
            log=str(log),
        )
    load_rootfs(engine, spec, rootfs, source.full_env, log, scratch, timeout)


def unpack_context(archive: str, files: t.Mapping[str, str], scratch: Path) -> str:
    """Unpack a context from the controller; HubError if it differs from the announced one."""
    target = scratch / "context"
    target.mkdir()
    with tarfile.open(archive) as tar:
        # The archive is ours: it was packed by the action plugin, and modes count.
        trusted = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
        tar.extractall(target, **trusted)  # type: ignore[arg-type]
    if BuildContext({path: str(target / path) for path in files}).hashes() != dict(files):
        raise HubError("The build context changed while it was sent to this host: run again.")
    return str(target)


def stage_context(context: BuildContext, scratch: Path) -> str:
    """Lay out a context that is more than one folder."""
    target = scratch / "context"
    target.mkdir()
    context.stage(str(target))
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


def parent_digest(parent: str, engine: DockerCli | None) -> str:
    """What stands for the parent in a digest; that one is not there is what its build says."""
    digest = plan.addressed_digest(parent)
    if digest:
        return digest
    image = engine.image(parent) if engine is not None else None
    return image.id if image else parent


def context_of(params: t.Mapping[str, t.Any]) -> BuildContext:
    """Return the build context of the module's parameters, on this machine; HubError without path and text."""
    if not params["path"] and params["dockerfile_inline"] is None:
        raise HubError(
            f"path is missing for image {params['name']}: name the folder with its build context, or give dockerfile_inline."
        )
    return read_context(
        params["path"], params["dockerfile"], params["dockerfile_inline"], params["files"] or ()
    )


def archive_digest(path: str | None) -> str:
    """Return the SHA-256 of an image's archive; HubError if it is not a file."""
    if not path or not os.path.isfile(path):
        raise HubError(
            f"archive is {path}, which is not a file: name the tar archive of an image or a root file system."
        )
    return file_sha256(path)


def desired_image(params: t.Mapping[str, t.Any], engine: DockerCli | None) -> plan.ImageSpec:
    """The image that the module's parameters describe."""
    plan.check_name(params["name"], params["repository_prefix"])
    source = params["source"]
    if source == "bootstrap":
        inputs = _bootstrap_spec(params).inputs()
    elif source == "registry":
        inputs = plan.registry_inputs(params["image"] or "")
    elif source == "archive":
        inputs = {"archive": params["_archive_digest"] or archive_digest(params["archive"])}
    else:
        parents = {key: str(ref) for key, ref in (params["parents"] or {}).items()}
        inputs = plan.build_inputs(
            params["_context_files"] or context_of(params).hashes(),
            params["dockerfile"] if params["dockerfile_inline"] is None else DOCKERFILE,
            _texts(params["args"]),
            params["target"],
            parent_digest(params["parent"], engine) if params["parent"] else None,
            {key: parent_digest(ref, engine) for key, ref in parents.items()},
        )
    return plan.ImageSpec(params["name"], params["repository_prefix"], inputs)


def newest_other(engine: DockerCli, repository: str) -> ObservedImage | None:
    """The newest image of a repository, to compare a missing one with."""
    for ref in engine.image_ids(repository):
        image = engine.image(ref)
        if image is not None:
            return image
    return None


def _build_context_path(params: t.Mapping[str, t.Any], scratch: Path) -> str:
    """The folder to build from: the one that was named, or one put together of several."""
    if params["_sent"]:
        return unpack_context(params["_sent"], params["_context_files"], scratch)
    if params["files"] or params["dockerfile_inline"] is not None:
        return stage_context(context_of(params), scratch)
    return str(params["path"])


def build_secrets(params: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The files that a build may read, by the secret's id; the CA bundle where the host has one."""
    bundle = params["ca_bundle"]
    found = {"ca": bundle} if bundle and os.path.isfile(bundle) else {}
    return {**found, **_texts(params["secrets"])}


def written_secrets(texts: t.Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Files with these texts, for the time of the build."""
    folder = scratch / "secrets"
    folder.mkdir(mode=0o700)
    for key, text in texts.items():
        (folder / key).touch(mode=0o600)
        (folder / key).write_text(text, encoding="utf-8")
    return {key: str(folder / key) for key in texts}


def _make(
    params: t.Mapping[str, t.Any], engine: DockerCli, spec: plan.ImageSpec, log: Path, scratch: Path
) -> None:
    source, timeout = params["source"], params["timeout"]
    proxy = _texts(params["proxy"] or {})
    texts = written_secrets(_texts(params["secret_texts"] or {}), scratch)
    if source == "bootstrap":
        credentials = texts.get("apt", "")
        bootstrap_image(engine, spec, _bootstrap_spec(params), log, scratch, timeout, proxy, credentials)
    elif source == "registry":
        pull_image(engine, spec, params["image"], log, timeout)
    elif source == "archive":
        env = {**bootstrap.DEFAULT_ENV, **_texts(params["env"])}
        archive = Path(params["_sent"] or params["archive"])
        load_archive(engine, spec, archive, params["archive"], env, log, scratch, timeout)
    else:
        job = BuildJob(
            _build_context_path(params, scratch),
            params["dockerfile"] if params["dockerfile_inline"] is None else DOCKERFILE,
            _texts(params["args"]),
            params["target"],
            params["parent"],
            _texts(params["parents"] or {}),
            {**texts, **build_secrets(params)},
            proxy,
        )
        build(engine, spec, job, log, timeout)


def log_path(folder: Path, spec: plan.ImageSpec) -> Path:
    """Where the log of the image's build is."""
    return folder / f"{spec.repository.replace('/', '-')}.log"


def make_image(
    params: t.Mapping[str, t.Any], engine: DockerCli, spec: plan.ImageSpec, started: t.Callable[[], None]
) -> None:
    """Make the image unless another run is just doing that; ``started`` is called when its turn has come."""
    log = log_path(prepare_dir(params["log_dir"], "log_dir"), spec)
    with locked(log.with_suffix(".lock")), slot(log.parent, params["parallel"]):
        current = engine.image(spec.ref)
        if current is not None and current.labels.get(plan.LABEL_DIGEST) == spec.digest:
            return
        started()
        log.write_text("", encoding="utf-8")
        log.chmod(0o640)
        with scratch_dir(log.with_suffix(".tmp")) as scratch:
            _make(params, engine, spec, log, scratch)
