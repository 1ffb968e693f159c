# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import typing as t

import pytest
from galilean_hub.check import kernel as messages

IDLE = {"execution_state": "idle"}


def frame(msg_type: str, content: dict[str, t.Any], parent: str = "m1") -> str:
    return json.dumps({"msg_type": msg_type, "parent_header": {"msg_id": parent}, "content": content})


OK = frame("execute_reply", {"status": "ok"})
END = frame("status", IDLE)

# frames, (done, output, error)
CONVERSATIONS: list[tuple[str, list[str | bytes], tuple[bool, str, str]]] = [
    ("nothing yet", [], (False, "", "")),
    ("reply but not idle", [OK], (False, "", "")),
    ("idle but no reply", [END], (False, "", "")),
    ("stream", [frame("stream", {"name": "stdout", "text": "42\n"}), OK, END], (True, "42\n", "")),
    ("output after the reply", [OK, frame("stream", {"text": "late\n"}), END], (True, "late\n", "")),
    ("result", [frame("execute_result", {"data": {"text/plain": "42"}}), OK, END], (True, "42\n", "")),
    (
        "result in lines",
        [frame("execute_result", {"data": {"text/plain": ["4", "2"]}}), OK, END],
        (True, "42\n", ""),
    ),
    ("picture without text", [frame("display_data", {"data": {"image/png": "x"}}), OK, END], (True, "", "")),
    (
        "error",
        [
            frame("error", {"ename": "ValueError", "evalue": "\x1b[31mno\nway\x1b[0m", "traceback": []}),
            frame("execute_reply", {"status": "error", "ename": "ValueError", "evalue": "no way"}),
            END,
        ],
        (True, "", "the code raised ValueError: no way"),
    ),
    (
        "error only in the reply",
        [frame("execute_reply", {"status": "error", "ename": "SystemExit", "evalue": ""}), END],
        (True, "", "the code raised SystemExit"),
    ),
    ("another request's output", [frame("stream", {"text": "theirs"}, "m2"), OK, END], (True, "", "")),
    ("unreadable frames", [b"\x00\x01", "{", "[1]", "7", OK, END], (True, "", "")),
    ("kernel died", [frame("status", {"execution_state": "restarting"}, "")], (True, "", "the kernel died")),
    ("kernel gone", [frame("status", {"execution_state": "dead"}, "")], (True, "", "the kernel died")),
]


@pytest.mark.parametrize(
    ("frames", "expected"), [c[1:] for c in CONVERSATIONS], ids=[c[0] for c in CONVERSATIONS]
)
def test_execution(frames: list[str | bytes], expected: tuple[bool, str, str]) -> None:
    execution = messages.Execution("m1")
    for text in frames:
        execution.feed(text)
    assert (execution.done, execution.output, execution.error) == expected


def test_output_is_cut() -> None:
    execution = messages.Execution("m1")
    for _ in range(3):
        execution.feed(frame("stream", {"text": "x" * messages.OUTPUT_LIMIT}))
    assert len(execution.output) == messages.OUTPUT_LIMIT


def test_request_is_one_shell_message() -> None:
    message = json.loads(messages.request("execute_request", "m1", "s1", messages.execute_content("1")))
    assert message["channel"] == "shell"
    assert message["header"]["msg_id"] == "m1"
    assert message["header"]["msg_type"] == "execute_request"
    assert message["content"]["code"] == "1"
    assert message["content"]["allow_stdin"] is False


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({}, {}),
        (
            {"implementation": "ipython", "implementation_version": "9", "language_info": {"name": "python"}},
            {"ipython": "9", "python": ""},
        ),
        ({"language_info": {"name": "R", "version": "4.5"}}, {"R": "4.5"}),
    ],
)
def test_kernel_versions(reply: dict[str, t.Any], expected: dict[str, str]) -> None:
    assert messages.kernel_versions(reply) == expected
