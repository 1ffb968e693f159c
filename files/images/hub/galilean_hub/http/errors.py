# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An error that people can read."""

from __future__ import annotations

from typing import Any

from tornado import web


def refused(status: int, text: str, reason: str, log: str, *args: Any, retry: int = 0) -> web.HTTPError:
    """The error that shows a person the text, and leaves a line in the log."""
    error = web.HTTPError(status, log, *args, reason=reason)
    # What JupyterHub's pages show.
    error.jupyterhub_message = text  # type: ignore[attr-defined]
    if retry:
        error.headers = {"Retry-After": str(retry)}  # type: ignore[attr-defined]
    return error
