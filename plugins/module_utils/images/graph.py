# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Builds images at the same time, each when its parents are there."""

from __future__ import annotations

import typing as t
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


@dataclass
class Outcome:
    """What became of the images of a graph, each by its name."""

    built: list[str] = field(default_factory=list)
    failed: dict[str, HubError] = field(default_factory=dict)
    # Not tried, because a parent failed.
    skipped: list[str] = field(default_factory=list)

    def raise_failures(self) -> None:
        """One error for all that failed, with the details of the first."""
        if not self.failed:
            return
        errors = list(self.failed.values())
        texts = [error.message for error in errors]
        if self.skipped:
            texts.append(f"Not built, because a parent failed: {', '.join(self.skipped)}.")
        raise HubError("\n".join(texts), **errors[0].details)


def build_graph(
    parents: t.Mapping[str, t.Collection[str]], build: t.Callable[[str], None], parallel: int
) -> Outcome:
    """Build all images of ``parents``, up to ``parallel`` at a time.

    What does not depend on a failed image is built all the same. Only errors of the builds are outcomes: any other
    exception ends it, once the builds that run are over.
    """
    outcome = Outcome()
    waiting = dict(parents)
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        while waiting or running:
            lost = {*outcome.failed, *outcome.skipped}
            for name, needed in list(waiting.items()):
                if lost.intersection(needed):
                    outcome.skipped.append(name)
                elif set(needed) & set(parents) <= set(outcome.built):
                    running[pool.submit(build, name)] = name
                else:
                    continue
                del waiting[name]
                # From here on what is built on a skipped one is lost, too.
                lost.update(outcome.skipped)
            if not running:
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                try:
                    future.result()
                    outcome.built.append(name)
                except HubError as exc:
                    outcome.failed[name] = exc
    return outcome
