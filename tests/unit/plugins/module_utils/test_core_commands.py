# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core import commands
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


def test_run_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    argv = ["sh", "-c", "cat; echo $WORD; echo wrong >&2; exit 3"]
    assert commands.run_logged(argv, log, 10, env={"WORD": "hello"}, stdin="in\n") == 3
    assert commands.read_tail(log) == "before\nin\nhello\nwrong\n"
    assert commands.read_tail(log, 6) == "wrong\n"


def test_time_limit(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(HubError, match=r"^sh was stopped after 0 s: raise timeout") as caught:
        commands.run_logged(["sh", "-c", "sleep 30 & sleep 30"], tmp_path / "log", 0.3)
    assert time.monotonic() - started < 5
    assert caught.value.details["log"] == str(tmp_path / "log")


@pytest.mark.parametrize("manager", ["locked", "slot"])
def test_one_at_a_time(tmp_path: Path, manager: str) -> None:
    order: list[str] = []

    def hold(name: str) -> None:
        held = commands.locked(tmp_path / "lock") if manager == "locked" else commands.slot(tmp_path, 1)
        with held:
            order.extend([name, name])
            time.sleep(0.1)
            order.append(name)

    threads = [threading.Thread(target=hold, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order in (list("aaabbb"), list("bbbaaa"))


def test_as_many_slots_as_allowed(tmp_path: Path) -> None:
    with commands.slot(tmp_path, 2), commands.slot(tmp_path, 2):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["slot-0.lock", "slot-1.lock"]


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match=r"^log_dir is .*, which cannot be created: Not a directory"):
        commands.prepare_dir(str(tmp_path / "file/below"), "log_dir")
