# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Jobs that mostly wait, at the same time."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

LANES = 16


def side_by_side(jobs: t.Iterable[t.Callable[[], t.Any]]) -> None:
    """Do all jobs, at most 16 at a time, and then raise what they raised, sentences of several in one HubError."""
    with ThreadPoolExecutor(max_workers=LANES) as pool:
        futures = [pool.submit(job) for job in jobs]
        raised = [found for future in futures if (found := future.exception()) is not None]
    for found in raised:
        if not isinstance(found, HubError):
            raise found
    if raised:
        raise HubError(" ".join(str(found) for found in raised))
