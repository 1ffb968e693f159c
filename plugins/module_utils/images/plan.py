# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one content-addressed image should be, and what is to be done for it. Pure: no engine, no files, no clock."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import LABEL_INPUTS, ObservedImage

# Part of every digest: raise it when the way images are built changes, so that all of them are built anew.
FORMAT = "2"
TAG_LENGTH = 12
LABEL_DIGEST = "galilean.hub.digest"
LABEL_IMAGE = "galilean.hub.image"
# A label travels in one argument of a command, which the kernel limits to 128 KiB.
MAX_LABEL_FILES = 400

_NAME = re.compile(r"^[a-z0-9]+(?:[._-][a-z0-9]+)*\Z")
_ADDRESSED = re.compile(r"^[a-z0-9][a-z0-9./_-]*:([0-9a-f]{12})\Z")
_REGISTRY = re.compile(r"^[a-z0-9][a-zA-Z0-9./:_-]*@(sha256:[0-9a-f]{64})\Z")
_ARG = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class ImageSpec:
    """One image as it should be: its name and everything that decides its content."""

    name: str
    prefix: str
    inputs: dict[str, str]

    @property
    def digest(self) -> str:
        text = json.dumps({"format": FORMAT, "inputs": self.inputs}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def repository(self) -> str:
        return f"{self.prefix}/{self.name}" if self.prefix else self.name

    @property
    def ref(self) -> str:
        return f"{self.repository}:{self.digest[:TAG_LENGTH]}"

    @property
    def labels(self) -> dict[str, str]:
        inputs = label_inputs(self.inputs)
        return {
            LABEL_DIGEST: self.digest,
            LABEL_IMAGE: self.name,
            LABEL_INPUTS: json.dumps(inputs, sort_keys=True, separators=(",", ":")),
        }


@dataclass(frozen=True)
class Plan:
    """What is to be done, why, and how that looks as a diff."""

    action: str
    reasons: list[str]
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> bool:
        return self.action != "none"


def check_name(name: str, prefix: str) -> None:
    """Raise HubError for names that the engine would refuse later and less clearly."""
    if not _NAME.match(name):
        raise HubError(
            f"name is {name!r}: use lower-case letters and digits, with single dots, dashes or underscores between."
        )
    if prefix and not all(_NAME.match(part) for part in prefix.split("/")):
        raise HubError(
            f"repository_prefix is {prefix!r}: use lower-case letters, digits, dots, dashes, underscores and slashes."
        )


def addressed_digest(ref: str) -> str | None:
    """The digest in the tag of a content-addressed reference; None for any other reference."""
    match = _ADDRESSED.match(ref)
    return match.group(1) if match else None


def _short(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def build_inputs(
    files: t.Mapping[str, str],
    dockerfile: str = "Dockerfile",
    args: t.Mapping[str, str] | None = None,
    target: str | None = None,
    parent: str | None = None,
    parents: t.Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return all inputs of a built image, without secrets; HubError for an argument name that is not valid."""
    inputs = {f"file {path}": value for path, value in files.items()}
    inputs["dockerfile"] = dockerfile
    for key, value in (args or {}).items():
        if not _ARG.match(key) or key == "BASE":
            raise HubError(f"args has {key!r}: use letters, digits and underscores; BASE is set by parent.")
        # Builders record arguments in the image's history anyway, so a short one is kept readable for the diff.
        inputs[f"argument {key}"] = value if len(value) <= 64 else _short(value)
    if target:
        inputs["target"] = target
    if parent:
        inputs["parent"] = parent
    for key, value in (parents or {}).items():
        if not _ARG.match(key) or key == "BASE" or key in (args or {}):
            raise HubError(
                f"parents has {key!r}: use letters, digits and underscores, no name of args, and not BASE."
            )
        inputs[f"parent {key}"] = value
    return inputs


def registry_inputs(image: str) -> dict[str, str]:
    """Return the input of a registry image, its digest; HubError without a digest."""
    match = _REGISTRY.match(image)
    if not match:
        raise HubError(
            f"image is {image!r}: name a registry's image with its digest, as in debian@sha256:<64 digits>, "
            "because tags change."
        )
    return {"image": match.group(1)}


def label_inputs(inputs: t.Mapping[str, str]) -> dict[str, str]:
    """The inputs short enough for a label: hashes cut, and a big context summed up by its top folders."""
    files = {key: value for key, value in inputs.items() if key.startswith("file ")}
    out = {key: value for key, value in inputs.items() if key not in files}
    if len(files) <= MAX_LABEL_FILES:
        out.update({key: value[:TAG_LENGTH] for key, value in files.items()})
        return out
    groups: dict[str, list[str]] = {}
    for key, value in sorted(files.items()):
        groups.setdefault(key.split("/", 1)[0], []).append(f"{key}={value}")
    # Many files at the top level make many groups: then one sum for all of them.
    if len(groups) > MAX_LABEL_FILES:
        groups = {"file *": [line for lines in groups.values() for line in lines]}
    out.update({key: _short("\n".join(lines))[:TAG_LENGTH] for key, lines in groups.items()})
    return out


def explain(before: t.Mapping[str, str], after: t.Mapping[str, str]) -> list[str]:
    """One phrase for every input that differs."""
    out = []
    for key in sorted(set(before) | set(after)):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if new is None:
            out.append(f"{key} is gone")
        elif old is None:
            out.append(f"{key} is new")
        else:
            out.append(f"{key} changed" if key.startswith("file ") else f"{key} changed from {old} to {new}")
    return out


def plan_present(spec: ImageSpec, current: ObservedImage | None, latest: ObservedImage | None) -> Plan:
    """Plan for an image that should be there; ``latest`` is the newest other image of the same name."""
    after = label_inputs(spec.inputs)
    if current is not None and current.labels.get(LABEL_DIGEST) == spec.digest:
        return Plan("none", [], after, after)
    before = latest.inputs if latest is not None else {}
    if current is not None:
        reasons = [f"{spec.ref} holds something else: it carries another digest"]
    elif latest is None:
        reasons = [f"there is no image {spec.repository} yet"]
    else:
        reasons = explain(before, after) or [f"{spec.ref} is missing"]
    return Plan("build", reasons, before, after)


def plan_absent(refs: t.Sequence[str]) -> Plan:
    """Plan for images of which no version should be there."""
    if not refs:
        return Plan("none", [], {}, {})
    return Plan("remove", [f"{ref} is to be removed" for ref in refs], dict.fromkeys(refs, "present"), {})


def buildkit_argv(
    client: t.Sequence[str],
    builder: str,
    spec: ImageSpec,
    path: str,
    dockerfile: str = "Dockerfile",
    args: t.Mapping[str, str] | None = None,
    target: str | None = None,
    parent: str | None = None,
    parents: t.Mapping[str, str] | None = None,
    secrets: t.Mapping[str, str] | None = None,
    from_environment: t.Iterable[str] = (),
) -> list[str]:
    """The build command: ``buildx`` loads its result into the engine, ``builtin`` is the client's own BuildKit.

    from_environment: arguments whose value is in the command's environment, not in the list of processes. Those of a proxy
    (HTTP_PROXY and the like) reach each step, and BuildKit keeps them out of digests, layers and history.
    """
    argv = [*client, "buildx", "build", "--load"] if builder == "buildx" else [*client, "build"]
    argv += ["--progress=plain", "--pull=false", f"--file={path.rstrip('/')}/{dockerfile}"]
    # The engine names an image only when its last step is done: a failed or killed build leaves no tag.
    argv.append(f"--tag={spec.ref}")
    argv += [f"--label={key}={value}" for key, value in sorted(spec.labels.items())]
    if parent:
        argv.append(f"--build-arg=BASE={parent}")
    argv += [
        f"--build-arg={key}={value}" for key, value in sorted({**(args or {}), **(parents or {})}.items())
    ]
    argv += [f"--build-arg={key}" for key in sorted(from_environment)]
    if target:
        argv.append(f"--target={target}")
    argv += [f"--secret=id={key},src={value}" for key, value in sorted((secrets or {}).items())]
    return [*argv, path]


def label_argv(client: t.Sequence[str], builder: str, spec: ImageSpec) -> list[str]:
    """The command that names an image that is there and writes its labels; the Dockerfile comes on standard input."""
    argv = [*client, "buildx", "build", "--load"] if builder == "buildx" else [*client, "build"]
    argv += ["--progress=plain", "--pull=false", f"--tag={spec.ref}"]
    argv += [f"--label={key}={value}" for key, value in sorted(spec.labels.items())]
    return [*argv, "-"]


_STEP = re.compile(r"^#(\d+) (\[.*)\Z")
_OUTPUT = re.compile(r"^#(\d+) (?:\d+(?:\.\d+)? )?(.*)\Z")


# What is said of a secret or a file that the builder asked its client for, when that did not answer in time: no step has failed.
_LOST = re.compile(
    r"rpc error: code = \w+ desc = (?:unexpected EOF|no active session|.*context canceled)|no active session for"
)


def lost_client(log: str) -> bool:
    """Whether a build has ended only because the builder lost its client for a moment, as a busy machine makes it."""
    return any(_LOST.search(line) for line in log.splitlines()[-5:])


def failure_of(log: str, lines: int = 40) -> tuple[str, list[str]]:
    """The step at which a build failed and the last lines of its output, from BuildKit's plain log."""
    steps: dict[str, str] = {}
    output: dict[str, list[str]] = {}
    failed = ""
    rows = [row.rstrip() for row in log.splitlines() if row.strip()]
    for row in rows:
        step = _STEP.match(row)
        if step:
            steps.setdefault(step.group(1), step.group(2))
            continue
        match = _OUTPUT.match(row)
        if not match:
            continue
        number, text = match.groups()
        if text.startswith("ERROR"):
            failed = failed or number
        output.setdefault(number, []).append(text)
    if not failed:
        return "", rows[-lines:]
    # "CANCELED" lines and the like of steps that ran beside the failing one stay out.
    return steps.get(failed, f"#{failed}"), output[failed][-lines:]
