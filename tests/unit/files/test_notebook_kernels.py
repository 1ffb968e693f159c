# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the notebook image decides of kernels: which packages they take, what is said when they end, sizes.

That they do so behind a hub is tested in tests/login.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

Module = t.Callable[[str], t.Any]
GB, MB = 2**30, 2**20
HOME = "/home/jovyan"
SITE = f"{HOME}/.local/lib/python3.13/site-packages"


def package(folder: Path, name: str, version: str, requires: t.Sequence[str] = (), top: str = "") -> None:
    """Install a package that can be imported."""
    top = top or name
    (folder / top).mkdir(parents=True)
    (folder / top / "__init__.py").write_text(f"version = {version!r}\n", encoding="utf-8")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (info / "RECORD").write_text(f"{top}/__init__.py,,\n{info.name}/METADATA,,\n", encoding="utf-8")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where packages ship, with a kernel that is all there, and where a user has theirs."""
    ships, theirs = tmp_path / "ships", tmp_path / "theirs"
    theirs.mkdir()
    needs = [
        "traitlets>=5.4",
        "pyzmq>=25",
        "typing_extensions>=4.10",
        'appnope; sys_platform == "darwin"',
        'sphinx; extra == "docs"',
    ]
    package(ships, "ipykernel", "7.4", needs)
    package(ships, "traitlets", "5.16")
    package(ships, "pyzmq", "27.3", ["six"], top="zmq")
    package(ships, "typing_extensions", "4.16")
    package(ships, "six", "1.17")
    package(ships, "sphinx", "9.0")
    package(ships, "requests", "2.34")
    return ships, theirs


@pytest.mark.parametrize(
    ("name", "top", "version", "passed"),
    [
        ("ipykernel", "", "5.5.6", True),
        ("traitlets", "", "4.3.3", True),
        # Said to be enough, by what the others require; it is not.
        ("traitlets", "", "5.4.0", True),
        ("traitlets", "", "6.0", False),
        ("pyzmq", "zmq", "26.2", True),
        ("typing_extensions", "", "3.7.4", True),
        ("typing-Extensions", "typing_extensions", "4.11", False),
        # Of no interest to Jupyter: whatever a user needs.
        ("six", "", "1.3.0", False),
        ("requests", "", "1.0", False),
        ("sphinx", "", "1.0", False),
        ("numpy", "", "1.26", False),
        ("traitlets", "", "6.of.my.own", True),
    ],
)
def test_what_a_kernel_takes_from_the_home(
    module: Module, folders: tuple[Path, Path], name: str, top: str, version: str, passed: bool
) -> None:
    ships, theirs = folders
    package(theirs, name, version, top=top)
    names, said = module("galilean_kernel").choose([str(ships)], [str(theirs)], False)
    assert names == ({top or name} if passed else set())
    assert [version in one for one in said] == [True] * passed


def test_a_module_without_a_version_is_none_of_a_kernels(module: Module, folders: tuple[Path, Path]) -> None:
    ships, theirs = folders
    (theirs / "zmq.py").write_text("1/0\n", encoding="utf-8")
    (theirs / "six").mkdir()
    names, said = module("galilean_kernel").choose([str(ships)], [str(theirs)], False)
    # A folder alone hides no package.
    assert names == {"zmq"}
    assert said == [str(theirs / "zmq.py")]
    finder = module("galilean_kernel").Shipped(names, [str(ships)])
    assert finder.find_spec("zmq").origin == str(ships / "zmq" / "__init__.py")
    assert finder.find_spec("six") is None


def test_at_the_second_try_all_come_from_where_they_ship(module: Module, folders: tuple[Path, Path]) -> None:
    ships, theirs = folders
    package(theirs, "six", "1.16")
    assert module("galilean_kernel").choose([str(ships)], [str(theirs)], True)[0] == {"six"}


@pytest.mark.parametrize(
    ("code", "lines", "killed", "said"),
    [
        (-9, [], True, "was stopped: all memory of your server (2 GB) was in use."),
        (-9, [], False, "was ended by another program (SIGKILL)."),
        (-11, ["Fatal Python error: Segmentation fault"], False, "crashed in compiled code (SIGSEGV)."),
        (-70, [], False, "crashed in compiled code (signal 70)."),
        (0, ["old words"], False, "ended by itself: its code told it to (such as `exit()`)."),
        (3, ["one", "", "the last"], False, "ended with code 3, and said last: the last."),
        (3, ["galilean-note: none of it", "[IPKernelApp] WARNING | no"], False, "ended with code 3. Its"),
    ],
)
def test_why_a_kernel_ended(module: Module, code: int, lines: list[str], killed: bool, said: str) -> None:
    assert said in module("kernelwords").ended(code, lines, killed, 2 * GB)


@pytest.mark.parametrize(
    ("code", "killed"), [(-9, True), (137, True), (247, True), (-15, False), (0, False), (9, False)]
)
def test_a_kernel_that_was_killed(module: Module, code: int, killed: bool) -> None:
    """Or the one behind a shell or a Python that starts it."""
    assert module("kernelwords").killed(code) is killed


@pytest.mark.parametrize(
    ("session", "state", "flags", "threads", "signals", "dies"),
    [
        (7, "S", 0x400000, 9, 0, False),
        (7, "D", 0x400000, 9, 0x100, True),
        (7, "R", 0x400004, 9, 0, True),
        # Its first thread has ended, others have not.
        (7, "Z", 0x40000C, 3, 0, True),
        # Its parent does not ask for it.
        (7, "Z", 0x40000C, 1, 0, False),
        (7, "S", 0x400000, 1, 0x2, False),
        (8, "R", 0x400004, 1, 0x100, False),
    ],
)
def test_what_is_about_to_be_gone(
    module: Module,
    tmp_path: Path,
    session: int,
    state: str,
    flags: int,
    threads: int,
    signals: int,
    dies: bool,
) -> None:
    none = " 0" * 10
    stat = f"70 (a) b) {state} 1 1 {session} 0 -1 {flags}{none} {threads}{none} {signals}{none}"
    (tmp_path / "70").mkdir()
    (tmp_path / "70" / "stat").write_text(f"{stat}\n", encoding="utf-8")
    # Gone since the folder was read.
    (tmp_path / "71").mkdir()
    assert module("kernelwords").dying(7, tmp_path) is dies


def test_why_a_kernel_does_not_start(module: Module, tmp_path: Path) -> None:
    words = module("kernelwords")
    place = f"{SITE}/traitlets/__init__.py"
    error = f"ImportError: cannot import name 'Callable' from 'traitlets' ({place})"
    lines = ["Traceback (most recent call last):", f'  File "{HOME}/x.py", line 1, in <module>', error]
    assert words.not_started(1, lines, HOME) == (error, f"`mv '{SITE}/traitlets' ~`")
    assert words.not_started(7, [], HOME) == ("it ended with code 7, without a word", "")
    startup = f"{HOME}/.ipython/profile_default/startup/00.py"
    lines = [f'  File "{startup}", line 1', "SyntaxError: invalid syntax"]
    assert words.not_started(1, lines, HOME)[1] == f"`mv '{startup}' '{startup}.off'`"
    # R says last that it halts.
    lines = ["Error: object 'x' not found", "Execution halted"]
    assert words.not_started(1, lines, HOME)[0] == "Error: object 'x' not found"
    # By its package, which may have another name.
    site = tmp_path / "lib" / "site-packages"
    package(site, "pyzmq", "22", top="zmq")
    lines = [f'  File "{site}/zmq/__init__.py", line 1, in <module>', "ImportError: old"]
    assert words.not_started(1, lines, str(tmp_path))[1] == "`pip uninstall pyzmq`"


@pytest.mark.parametrize(
    ("asked", "memory", "expected"),
    [
        ("", 2 * GB, 2 * GB // 10),
        ("", 128 * MB, 16 * MB),
        ("", 64 * GB, 512 * MB),
        ("", 0, 128 * MB),
        (str(300 * MB), 2 * GB, 300 * MB),
        # A group's servers with less memory than the rest.
        (str(300 * MB), 512 * MB, 128 * MB),
        ("many", 1 * GB, GB // 10),
    ],
)
def test_how_large_a_message_may_be(module: Module, asked: str, memory: int, expected: int) -> None:
    assert module("kernelwords").message_limit(asked, memory) == expected


def test_memory(module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the limit counts, and whom to ask when it is used up."""
    words = module("kernelwords")
    used, stats = tmp_path / "used", tmp_path / "stats"
    monkeypatch.setattr(words, "USED", (str(tmp_path / "none"), str(used)))
    monkeypatch.setattr(words, "STATS", (str(stats),))
    assert words.memory_used() == 0
    used.write_text(f"{3 * GB}\n")
    assert words.memory_used() == 3 * GB
    for version in (f"inactive_file {GB}\n", f"inactive_file 5\nanon 1\ntotal_inactive_file {GB}\n"):
        stats.write_text(f"anon 7\n{version}")
        assert words.memory_used() == 2 * GB
    assert words.spent(GB).endswith("an environment with more memory is needed.")
    monkeypatch.setenv("GALILEAN_CONTACT", "help@example.org")
    assert words.spent(GB).endswith("with more memory is needed: ask help@example.org.")


def test_a_notice_before_a_kernel_is_stopped(module: Module) -> None:
    words = module("kernelwords")
    # One that is shown is not shown again with each minute.
    said = [words.idle(left).split(",")[0] for left in (610, 590, 460, 440, 170, 140, 20)]
    assert said == [
        f"is stopped in about {time}"
        for time in (
            "10 minutes",
            "10 minutes",
            "10 minutes",
            "5 minutes",
            "5 minutes",
            "2 minutes",
            "a minute",
        )
    ]
    words.tell("idle", "it ends", action=("Keep it running", "kernels/1/keep"))
    assert words.notices()[0]["action"] == {"label": "Keep it running", "path": "kernels/1/keep"}


def test_notices_take_the_place_of_earlier_ones(module: Module) -> None:
    words = module("kernelwords")
    heard: list[int] = []
    words.listen(lambda: heard.append(1))
    words.tell("a", "it ended")
    first = words.notices()[0]["id"]
    words.tell("a", "it ended", again=False)
    assert [one["id"] for one in words.notices()] == [first]
    words.tell("a", "it ended")
    assert [one["id"] for one in words.notices()] != [first]
    words.untell("a")
    words.untell("a")
    assert (words.notices(), len(heard)) == ([], 3)


def test_a_clean_start_leaves_the_homes_programs_out(module: Module) -> None:
    clean = module("cleanstart")
    assert clean.without_home(f"{HOME}/.local/bin:/usr/bin:{HOME}2/bin", HOME) == f"/usr/bin:{HOME}2/bin"
    assert [clean.asked({"GALILEAN_CLEAN": one}) for one in ("1", "0", "")] == [True, False, False]
