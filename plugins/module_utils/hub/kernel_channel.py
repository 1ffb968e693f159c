# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A kernel's websocket, and one request over it."""

from __future__ import annotations

import abc
import typing as t
import uuid

from ansible_collections.galilean.hub.plugins.module_utils.hub.kernel_messages import Execution, request


class Channel(abc.ABC):
    """The websocket of a kernel."""

    @abc.abstractmethod
    def send(self, text: str) -> None:
        """Send one text frame."""

    @abc.abstractmethod
    def receive(self, timeout: float) -> str | bytes:
        """Return the next frame; raise HubApiError where none comes in time."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close the websocket."""


def converse(
    channel: Channel, msg_type: str, content: dict[str, t.Any], remaining: t.Callable[[], float]
) -> Execution:
    """Send one request and return all that came back for it; remaining() gives the seconds left, or raises."""
    execution = Execution(uuid.uuid4().hex)
    channel.send(request(msg_type, execution.msg_id, uuid.uuid4().hex, content))
    while not execution.done:
        execution.feed(channel.receive(remaining()))
    return execution
