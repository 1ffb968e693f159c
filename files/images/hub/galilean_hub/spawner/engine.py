# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way to the Docker engine: through the broker, which is a container of its own and may be restarted."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import docker
import requests

# Seconds: Docker restarts a container in less than one.
PATIENCE = 10.0
# No answer, or a broker without an engine behind it.
AWAY = (requests.exceptions.ConnectionError, docker.errors.DockerException)


def _away(exc: Exception) -> bool:
    """Whether nobody answered: the request was not carried out, or that is not known."""
    if isinstance(exc, docker.errors.APIError):
        return exc.response is not None and exc.response.status_code == 503
    # What a client says that could not ask for the engine's version.
    return isinstance(exc, requests.exceptions.ConnectionError) or "fetching server API version" in str(exc)


def call(method: Callable[..., Any], *args: Any, patience: float = PATIENCE, **kwargs: Any) -> Any:
    """Call a method of a client, again while nobody answers.

    All that a spawner asks for may be asked twice: what was done already is said to be done, or, for a
    container that was created, its name to be taken.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            return method(*args, **kwargs)
        except AWAY as exc:
            if not _away(exc) or time.monotonic() > give_up:
                raise
        time.sleep(0.2)


def explain(exc: Exception) -> str:
    """A sentence for the user on an error of the engine's or the broker's; empty where none is needed."""
    if (
        isinstance(exc, docker.errors.APIError)
        and exc.response is not None
        and exc.response.status_code == 403
    ):
        return (
            "This hub's settings do not allow this server. Tell the administrators of this hub: its "
            "log shows what was denied."
        )
    if isinstance(exc, AWAY) and _away(exc):
        return "The machine that runs the servers does not answer. Try again in a minute."
    return ""


def wait(patience: float = 30.0) -> None:
    """Return when the engine answers; SystemExit with a sentence when it does not."""

    def ping() -> None:
        client = docker.from_env(timeout=10)
        try:
            client.ping()
        finally:
            client.close()

    try:
        call(ping, patience=patience)
    except Exception as exc:
        sys.exit(
            "The hub does not reach the Docker engine through its broker, so it does not start: "
            f"look at the log of the broker's container and start that ({type(exc).__name__}: {exc})"
        )
