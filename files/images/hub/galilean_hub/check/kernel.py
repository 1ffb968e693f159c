# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The Jupyter kernel protocol, as much of it as running one piece of code needs."""

from __future__ import annotations

import abc
import datetime
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

# A check prints a few lines. Whatever runs away is cut, so that neither the log nor the controller suffers.
OUTPUT_LIMIT = 10_000

ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def request(msg_type: str, msg_id: str, session: str, content: dict[str, Any]) -> str:
    """Return one message of the shell channel as the text of a websocket frame."""
    message = {
        "channel": "shell",
        "header": {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "session": session,
            "username": "hub_check",
            "version": "5.3",
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        },
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }
    return json.dumps(message)


def execute_content(code: str) -> dict[str, Any]:
    """Return the content of an execute_request: nothing is kept, and nobody is there to answer input()."""
    return {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }


class Execution:
    """What came back for one request: feed it frame after frame until it is done.

    A request is done when its reply is there and the kernel says that it is idle again: output that was still
    on its way to the websocket arrives before that.
    """

    def __init__(self, msg_id: str) -> None:
        self.msg_id = msg_id
        self.output = ""
        self.error = ""
        self.reply: dict[str, Any] = {}
        self._replied = False
        self._idle = False

    @property
    def done(self) -> bool:
        return self._replied and self._idle

    def feed(self, frame: str | bytes) -> None:
        """Take one websocket frame. Frames of other requests and ones that cannot be read change nothing."""
        message = parse_frame(frame)
        msg_type = message.get("msg_type") or message.get("header", {}).get("msg_type", "")
        content = message.get("content", {})
        state = content.get("execution_state", "")
        if msg_type == "status" and state in ("restarting", "dead"):
            # The server says so for the kernel as a whole, with no request as parent.
            self.error = self.error or "the kernel died"
            self._replied = self._idle = True
            return
        if message.get("parent_header", {}).get("msg_id") != self.msg_id:
            return
        if msg_type == "status":
            self._idle = self._idle or state == "idle"
        elif msg_type == "stream":
            self._add(content.get("text", ""))
        elif msg_type in ("execute_result", "display_data"):
            self._add(plain_text(content))
        elif msg_type == "error":
            self.error = error_sentence(content)
        elif msg_type.endswith("_reply"):
            self.reply = content
            self._replied = True
            if content.get("status") == "error":
                self.error = self.error or error_sentence(content)

    def _add(self, text: str) -> None:
        room = OUTPUT_LIMIT - len(self.output)
        self.output += text[: max(room, 0)]


def parse_frame(frame: str | bytes) -> dict[str, Any]:
    """Return the message in a text frame; an empty one for anything else (binary widget traffic)."""
    if isinstance(frame, bytes):
        return {}
    try:
        message = json.loads(frame)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def plain_text(content: dict[str, Any]) -> str:
    """Return the text form of a result, ended by a newline."""
    text = content.get("data", {}).get("text/plain", "")
    if isinstance(text, list):
        text = "".join(text)
    return f"{text}\n" if text else ""


def error_sentence(content: dict[str, Any]) -> str:
    """Return the exception of an error message as 'Name: value', on one line and without terminal colours."""
    name = content.get("ename") or "an error"
    value = ANSI_ESCAPE.sub("", str(content.get("evalue") or ""))
    value = " ".join(value.split())
    return f"the code raised {name}: {value}" if value else f"the code raised {name}"


def kernel_versions(reply: dict[str, Any]) -> dict[str, str]:
    """Return what a kernel_info_reply says about itself: its implementation and its language."""
    versions = {}
    if reply.get("implementation"):
        versions[str(reply["implementation"])] = str(reply.get("implementation_version", ""))
    language = reply.get("language_info", {})
    if language.get("name"):
        versions[str(language["name"])] = str(language.get("version", ""))
    return versions


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
    channel: Channel, msg_type: str, content: dict[str, Any], remaining: Callable[[], float]
) -> Execution:
    """Send one request and return all that came back for it; remaining() gives the seconds left or raises."""
    execution = Execution(uuid.uuid4().hex)
    channel.send(request(msg_type, execution.msg_id, uuid.uuid4().hex, content))
    while not execution.done:
        execution.feed(channel.receive(remaining()))
    return execution
