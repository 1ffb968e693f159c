# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real registry server on loopback, the distribution's, in a container of its own."""

from __future__ import annotations

import contextlib
import time
import typing as t
import urllib.error
import urllib.request

from engine import ModuleRunner, docker

DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \\
    apt-get update -q && apt-get install -qy --no-install-recommends docker-registry
RUN printf '%s\\n' 'version: 0.1' 'storage: {filesystem: {rootdirectory: /var/lib/registry}}' \\
    'http: {addr: ":5000"}' > /etc/registry.yml
CMD ["docker-registry", "serve", "/etc/registry.yml"]
"""
CA = "/etc/ssl/certs/ca-certificates.crt"


@contextlib.contextmanager
def serving(run_module: ModuleRunner, prefix: str, base: str, log_dir: str) -> t.Iterator[str]:
    """Serve an empty registry; yields its address. An engine asks a registry on loopback without TLS."""
    built = run_module(
        "image",
        name="registry",
        repository_prefix=prefix,
        dockerfile_inline=DOCKERFILE,
        parent=base,
        secrets={"ca": CA},
        log_dir=log_dir,
    )
    assert not built["failed"], built
    name = f"{prefix}-registry"
    options = ["--detach", "--rm", f"--name={name}", "--publish=127.0.0.1::5000"]
    docker("run", *options, built["image"]["ref"])
    try:
        address = docker("port", name, "5000").splitlines()[0]
        for _ in range(100):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/v2/", timeout=2):
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"the registry does not answer: {docker('logs', name)}")
        yield address
    finally:
        docker("rm", "--force", "--volumes", name)
