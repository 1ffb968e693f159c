# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the notebook image keeps of cells' outputs. That pages show it is tested in tests/login."""

from __future__ import annotations

import typing as t

import pytest

Module = t.Callable[[str], t.Any]
MB = 2**20


@pytest.fixture
def store(module: Module, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    found = module("outputstore")
    monkeypatch.setattr(found.Kept, "kernels", {"k": found.Kept(), "l": found.Kept()})
    return found


def say(kept: t.Any, run: str, kind: str, **content: t.Any) -> None:
    kept.heard({"msg_type": kind, "msg_id": f"{kind}-{len(kept.runs[run].recent)}"}, {"msg_id": run}, content)


def shown(run: t.Any) -> list[t.Any]:
    return [one.get("text") or one.get("data") or one.get("ename") for one in run.model()["outputs"]]


def test_what_a_cell_puts_out(store: t.Any) -> None:
    store.Kept.asked("k", "1", "print()", "cell")
    # A console's line, and a kernel that nobody knows.
    store.Kept.asked("k", "2", "print()", "")
    store.Kept.asked("x", "3", "print()", "cell")
    kept = store.Kept.kernels["k"]
    assert list(kept.runs) == ["1"]
    run = kept.runs["1"]
    say(kept, "1", "execute_input", execution_count=7)
    say(kept, "1", "stream", name="stdout", text="one\n")
    say(kept, "1", "stream", name="stdout", text="two\n")
    say(kept, "1", "stream", name="stderr", text="three\n")
    say(kept, "1", "display_data", data={"text/plain": "old"}, transient={"display_id": "d"})
    say(kept, "1", "update_display_data", data={"text/plain": "new"}, transient={"display_id": "d"})
    assert shown(run) == ["one\ntwo\n", "three\n", {"text/plain": "new"}]
    say(kept, "1", "clear_output", wait=True)
    assert (len(shown(run)), run.model()["clear"]) == (3, True)
    say(kept, "1", "error", ename="KeyError", evalue="x", traceback=[])
    say(kept, "1", "status", execution_state="idle")
    found = run.model()
    assert shown(run) == ["KeyError"]
    assert (found["count"], found["status"], found["done"], found["clear"]) == (7, "error", True, False)
    assert found["recent"][-1] == "status-8"


def test_what_is_kept_until_when(store: t.Any) -> None:
    kept = store.Kept.kernels["k"]
    for number in ("1", "2"):
        store.Kept.asked("k", number, "1", f"cell-{number}")
    kept.shown(["1"])
    assert list(kept.runs) == ["1", "2"], "it has not ended yet"
    say(kept, "1", "status", execution_state="idle")
    kept.shown(["1", "nothing"])
    assert list(kept.runs) == ["2"]
    # Another process.
    kept.heard({"msg_type": "status"}, {}, {"execution_state": "starting"})
    assert kept.runs["2"].done
    store.Kept.asked("k", "3", "1", "cell-2")
    assert list(kept.runs) == ["3"], "the same cell again"


def test_a_progress_bar_takes_no_room(store: t.Any) -> None:
    store.Kept.asked("k", "1", "", "cell")
    kept = store.Kept.kernels["k"]
    for number in range(5000):
        say(kept, "1", "stream", name="stderr", text=f"\r{number:5} of 5000 " + "#" * 40)
    assert kept.runs["1"].size < 3 * store.LONG_LINE
    assert shown(kept.runs["1"])[0].endswith(f"\r 4999 of 5000 {'#' * 40}")
    assert store.visible("abc\rX\r") == "Xbc\r"


def test_there_is_a_bound(store: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [store.bound(one * MB) // MB for one in (64, 2048, 64_000, 0)] == [4, 51, 64, 64]
    monkeypatch.setattr(store.Kept, "most", MB)
    kept, other = store.Kept.kernels["k"], store.Kept.kernels["l"]
    store.Kept.asked("l", "0", "", "cell")
    say(other, "0", "stream", name="stdout", text="o" * (MB // 2))
    say(other, "0", "status", execution_state="idle")
    store.Kept.asked("k", "1", "", "cell")
    for _ in range(1000):
        say(kept, "1", "stream", name="stdout", text="x" * 4999 + "\n")
    assert other.runs == {}
    first, rest = shown(kept.runs["1"])
    assert first.startswith("The beginning of this output was not kept")
    assert MB // 2 < len(rest) < MB + 2 * store.SOME
    # More than all may take: that is told.
    say(kept, "1", "display_data", data={"image/png": "y" * 2 * MB})
    (told,) = shown(kept.runs["1"])
    assert told.startswith("The beginning")
    for number in range(store.MOST_RUNS + 10):
        store.Kept.asked("k", f"n{number}", "", f"cell-{number}")
        say(kept, f"n{number}", "status", execution_state="idle")
    assert len(kept.runs) == store.MOST_RUNS + 1
