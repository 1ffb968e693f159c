# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""home_volume, home_info and home_uid against the real engine."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

# Whatever a user may leave: links that lead out, names that break lines and options, bits, holes, old times.
HOSTILE_TREE = r"""
set -e
cd /home/jovyan
chown 1000:100 . && chmod 0751 .
mkdir -p work/.hidden deep/$(printf 'a%.0s' $(seq 200))/$(printf 'b%.0s' $(seq 200))
printf 'x' > "work/a
b"
printf 'y' > "$(printf 'c\033[31m\t\\"')"
printf 'z' > ./--checkpoint-action=exec=sh
printf 'u' > 'ünï ćødé'
printf 'v' > "$(printf 'latin\351')"
ln -s /etc/passwd out
ln -s ../../../../../../etc out-folder
ln -s loop loop
ln -s nowhere dangling
printf '#!/bin/sh\n' > work/run && chmod 6755 work/run
chmod 1770 work/.hidden
printf 'secret' > work/.hidden/none && chmod 0000 work/.hidden/none
truncate -s 300M sparse && printf 'end' >> sparse
ln sparse hard
mkfifo pipe
touch -d 1999-12-31T23:59:59.123456789 work/a*
chown -h 1000:100 out work work/run && chown 12345:54321 'ünï ćødé'
chmod 6755 work/run
"""
# All that tar keeps of every entry, and the content of the files.
LOOK = r"""find . -printf '%p %y %m %U %G %s %T@ %l %n\0' | sort -z | sha256sum
find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum"""


@pytest.fixture
def instance(prefix: str, request: pytest.FixtureRequest) -> str:
    """The name of an instance that is this test's own."""
    return prefix + re.sub(r"\W", "", request.node.name)[-8:].lower()


@pytest.fixture
def image(refs: dict[str, t.Any]) -> str:
    return str(refs["hub"])


Homes = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def homes(run_module: ModuleRunner, instance: str, image: str, tmp_path: Path) -> Homes:
    """The module, for homes of this instance and archives in a folder of this test."""

    def call(state: str, user: str, check: bool = False, **more: t.Any) -> dict[str, t.Any]:
        own = {"user": user, "instance": instance, "image": image, "archive_dir": str(tmp_path / "a")}
        return run_module("home_volume", check=check, state=state, **{**own, **more})

    return call


def make_home(instance: str, user: str, image: str, script: str, volume: str = "") -> str:
    """A volume as the hub makes it, filled as root by a script."""
    volume = volume or f"{instance}-home-{user}"
    docker(
        *("volume", "create", f"--label=galilean.hub.instance={instance}", "--label=galilean.hub.role=home"),
        *(f"--label=galilean.hub.user={user}", volume),
    )
    inside(volume, image, script)
    return volume


def inside(volume: str, image: str, script: str) -> str:
    """What a script in the home says."""
    return docker(
        *("run", "--rm", "--network=none", "--user=0:0", "--workdir=/home/jovyan"),
        *("--mount", f"type=volume,src={volume},dst=/home/jovyan,volume-nocopy"),
        *("--entrypoint=sh", image, "-c", script),
    )


def test_home_from_archive_to_restored(
    run_module: ModuleRunner, homes: Homes, instance: str, image: str, tmp_path: Path
) -> None:
    volume = make_home(instance, "anna", image, HOSTILE_TREE)
    before = inside(volume, image, LOOK)
    folder = tmp_path / "a"

    shown = homes("archived", "anna", check=True)
    assert shown["changed"], shown
    assert not folder.exists()
    made = homes("archived", "anna")
    assert made["changed"], made
    archive = Path(made["archives"][0]["path"])
    assert re.fullmatch(rf"{volume}-\d{{8}}T\d{{6}}Z\.tar\.gz", archive.name)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert archive.stat().st_mode & 0o777 == 0o600
    # The hole takes nothing.
    assert archive.stat().st_size < 1 << 20
    assert made["archives"][0]["home_bytes"] < 1 << 20
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        archive.name, f"{archive.name}.json",
    ]  # fmt: skip
    assert not list(folder.glob(".*.partial"))
    assert json.loads(Path(f"{archive}.json").read_text())["user"] == "anna"
    again = homes("archived", "anna")
    assert not again["changed"], again
    assert again["archives"] == made["archives"]

    info = run_module("home_info", instance=instance, archive_dir=str(folder))
    assert [(home["user"], home["volume"]) for home in info["homes"]] == [("anna", volume)]
    assert [one["path"] for one in info["archives"]] == [str(archive)]

    full = homes("restored", "anna")
    assert f"(volume {volume})" in full["msg"]
    assert "has files" in full["msg"]
    assert homes("absent", "anna", check=True)["changed"]
    assert docker("volume", "ls", "--quiet", f"--filter=name={volume}") == volume
    gone = homes("absent", "anna")
    assert gone["actions"] == [f"delete the volume {volume} with all files in it"]
    assert docker("volume", "ls", "--quiet", f"--filter=name={volume}") == ""
    assert not homes("absent", "anna")["changed"]
    # Nobody's home is nothing to archive.
    assert not homes("archived", "anna")["changed"]

    assert homes("restored", "anna", check=True)["changed"]
    assert docker("volume", "ls", "--quiet", f"--filter=name={volume}") == ""
    back = homes("restored", "anna")
    assert back["changed"], back
    assert inside(volume, image, LOOK) == before
    assert inside(volume, image, "du -k sparse | cut -f1") in {"0", "4", "8"}
    assert not homes("restored", "anna")["changed"]
    labels = json.loads(docker("volume", "inspect", volume))[0]["Labels"]
    assert labels["galilean.hub.user"] == "anna"
    assert labels["galilean.hub.role"] == "home"


def test_a_change_makes_another_archive(homes: Homes, instance: str, image: str) -> None:
    volume = make_home(instance, "berta", image, "echo one > file")
    first = homes("archived", "berta")["archives"][0]["path"]
    # Same size and same time: only the entry itself tells.
    inside(volume, image, "touch -r file ref; echo two > file; touch -r ref file; rm ref")
    second = homes("archived", "berta")
    assert second["changed"], second
    assert second["archives"][0]["path"] != first
    homes("absent", "berta")
    homes("restored", "berta", archive=Path(first).name)
    assert inside(volume, image, "cat file") == "one"


def test_a_renamed_user_has_the_home_and_nobody_else(
    run_module: ModuleRunner, instance: str, image: str, tmp_path: Path
) -> None:
    volume = make_home(instance, "ada", image, "echo hers > file")
    (tmp_path / "homes.json").write_text(json.dumps({"ada@x": "ada"}), encoding="utf-8")
    common: dict[str, t.Any] = {
        "instance": instance, "archive_dir": str(tmp_path / "a"), "hub_dir": str(tmp_path),
    }  # fmt: skip
    # Somebody else has the old name now, and leaves.
    assert not run_module("home_volume", state="archived", user="ada", image=image, **common)["changed"]
    assert not run_module("home_volume", state="absent", user="ada", **common)["changed"]
    run_module("home_volume", state="archived", user="ada@x", image=image, **common)
    info = run_module("home_info", **common)
    known = [(one["user"], one["volume"]) for one in info["homes"] + info["archives"]]
    assert known == [("ada@x", volume)] * 2
    run_module("home_volume", state="absent", user="ada@x", **common)
    none = run_module("home_volume", state="restored", user="ada", image=image, **common)
    assert "has no archive" in none["msg"]
    assert run_module("home_volume", state="restored", user="ada@x", image=image, **common)["changed"]
    assert inside(volume, image, "cat file") == "hers"
    assert run_module("home_info", **common)["homes"][0]["user"] == "ada@x"


@pytest.mark.parametrize("user", ["../../etc", "x y;$(id)`id`\"q'", "ünï@%2e%2e", "a=b,c"])
def test_hostile_names(homes: Homes, instance: str, image: str, tmp_path: Path, user: str) -> None:
    # The spawner makes the volume's name of the user's; here only the label has that.
    volume = make_home(instance, user, image, "echo mine > file", f"{instance}-home-hostile")
    make_home(instance, user[:-1], image, "echo other > file", f"{instance}-home-other")
    made = homes("archived", user)
    assert made["volumes"] == [volume], made
    assert Path(made["archives"][0]["path"]).parent == tmp_path / "a"
    assert homes("absent", user)["volumes"] == [volume]
    assert homes("restored", user)["changed"]
    assert inside(volume, image, "cat file") == "mine"
    assert inside(f"{instance}-home-other", image, "cat file") == "other"


def test_what_is_refused(homes: Homes, instance: str, image: str, prefix: str, tmp_path: Path) -> None:
    volume = make_home(instance, "carl", image, "head -c 3000000 /dev/urandom > file")
    container = f"{instance}-user-carl"
    docker(
        *("run", "--detach", "--name", container, "--network=none", "--volume", f"{volume}:/home/jovyan"),
        *("--entrypoint=sleep", image, "600"),
    )
    for state in ("archived", "absent"):
        for check in (True, False):
            result = homes(state, "carl", check=check)
            assert f"while {container} uses the volume {volume}" in result["msg"]
    docker("rm", "--force", container)
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], check=True)
    try:
        result = homes("archived", "carl", archive_dir=str(small))
        assert "needs up to 2.9 MiB, but the disk of" in result["msg"]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert "of whom" in homes("restored", "carl")["msg"]
    assert "no archive in" in homes("restored", "carl", archive="../x")["msg"]
    none = homes("archived", "carl", image=f"{prefix}/none:1")
    assert "not on this host" in none["msg"]
    assert docker("volume", "ls", "--quiet", f"--filter=name={volume}") == volume


def test_somebody_elses_archive(homes: Homes, instance: str, image: str) -> None:
    make_home(instance, "dora", image, "echo dora > file")
    name = Path(homes("archived", "dora")["archives"][0]["path"]).name
    assert "holds the home of 'dora'" in homes("restored", "emil", archive=name)["msg"]


@pytest.mark.slow
def test_killed_runs_leave_nothing_that_looks_whole(
    run_module: ModuleRunner, instance: str, image: str, tmp_path: Path
) -> None:
    volume = make_home(instance, "fred", image, "head -c 400000000 /dev/urandom > file")
    folder = tmp_path / "a"
    common: dict[str, t.Any] = {
        "user": "fred",
        "instance": instance,
        "archive_dir": str(folder),
        "image": image,
    }
    process = run_module.start("home_volume", state="archived", **common)
    wait_for(lambda: any(path.stat().st_size > 1 << 20 for path in folder.glob(".*.partial")))
    run_module.kill(process)
    assert not list(folder.glob("*.tar.gz"))
    assert run_module("home_info", instance=instance, archive_dir=str(folder))["archives"] == []
    made = run_module("home_volume", state="archived", **common)
    assert made["changed"], made
    assert not list(folder.glob(".*.partial"))
    before = inside(volume, image, LOOK)
    run_module("home_volume", state="absent", user="fred", instance=instance)
    process = run_module.start("home_volume", state="restored", **common)
    wait_for(lambda: docker("ps", "--quiet", f"--filter=name={volume}-archive") != "")
    wait_for(lambda: inside_file(f"{volume}-archive"))
    run_module.kill(process)
    back = run_module("home_volume", state="restored", **common)
    assert back["changed"], back
    assert inside(volume, image, LOOK) == before


def inside_file(container: str) -> bool:
    return "file" in docker("exec", container, "ls", "/.home", check=False).split()


def wait_for(condition: t.Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


# 60 nested folders with long names, a file larger than any disk, and what else may lie around there.
BLOCKING_TREE = r"""python3 - <<'END'
import os
os.chdir("/home/jovyan")
os.chown(".", 1000, 100)
with open("sparse", "wb") as file:
    file.truncate(8 << 40)
    file.seek((1 << 40) + 5)
    file.write(b"middle")
os.setxattr("sparse", "user.note", b"\xff\n")
for number in range(60):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
with open("file", "w") as file:
    file.write("deep")
os.link("file", "hard")
os.symlink("../" * 80 + "etc", "out")
os.mkfifo("pipe")
os.utime("file", ns=(1, 946684799123456789))
os.chmod(".", 0o1751)
END"""
DEEP_LOOK = r"""python3 - <<'END'
import os
os.chdir("/home/jovyan")
seen = [os.stat("sparse").st_size, os.stat("sparse").st_blocks < 100, os.getxattr("sparse", "user.note")]
with open("sparse", "rb") as file:
    file.seek(1 << 40)
    seen.append(file.read(20))
while os.path.isdir("d" * 200):
    seen.append(oct(os.stat(".").st_mode)[-4:])
    seen.append(os.stat(".").st_mtime_ns)
    os.chdir("d" * 200)
for name in sorted(os.listdir(".")):
    found = os.lstat(name)
    seen.append((name, found.st_mode, found.st_nlink, found.st_mtime_ns))
print(seen, oct(os.stat(".").st_mode), open("hard").read(), os.readlink("out"))
END"""


@pytest.mark.slow
def test_no_tree_blocks_archive_and_restoring(homes: Homes, instance: str, image: str) -> None:
    """Found before: the comparison could not enter the path, and read eight terabytes of nothing."""
    volume = make_home(instance, "gina", image, BLOCKING_TREE)
    before = inside(volume, image, DEEP_LOOK)
    made = homes("archived", "gina", timeout=60)
    assert made["changed"], made
    assert not homes("archived", "gina", timeout=60)["changed"]
    assert homes("absent", "gina")["changed"]
    back = homes("restored", "gina", timeout=60)
    assert back["changed"], back
    assert inside(volume, image, DEEP_LOOK) == before


# Whose everything is, and what must stay as it is. Names need not be text.
OWNERS = r"find . -printf '%U %G %m %T@ %s %l %p\0' | base64 --wrap=0"


def rows(listing: str) -> list[list[str]]:
    """User, group and the rest of each entry that OWNERS lists."""
    text = base64.b64decode(listing).decode("latin-1")
    return sorted(row.split(" ", 2) for row in text.split("\0") if row)


def given(listing: str) -> list[list[str]]:
    """What OWNERS shall list after all of 1000 was given to 77000."""
    new = {"1000": "77000"}
    return sorted([new.get(user, user), new.get(group, group), rest] for user, group, rest in rows(listing))


def test_homes_change_hands(
    run_module: ModuleRunner, instance: str, image: str, refs: dict[str, t.Any], tmp_path: Path
) -> None:
    """From 1000, which older versions used, to another number; and an archive that was made before."""

    def home_uid(check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        """Homes are looked at as root."""
        become = [] if os.geteuid() == 0 else ["--become"]
        return run_module.run([*run_module.argv("home_uid", params, check), *become])

    state = tmp_path / instance
    team = state / "shared" / "team"
    team.mkdir(parents=True)
    (state / "hub").mkdir()
    share = (
        *("run", "--rm", "--network=none", "--user=0:0", f"--volume={team}:/team", "--workdir=/team"),
        *("--entrypoint=sh", image, "-c"),
    )
    docker(*share, "echo x > file && ln -s /etc/passwd out && chown -hR 1000:1000 .")
    volume = make_home(
        instance, "anna", image, HOSTILE_TREE + "chown -hR --from=0:0 1000:1000 . && chown 0 hard"
    )
    # The hub has made it, and no server has used it yet.
    make_home(instance, "new", image, "true")
    call: dict[str, t.Any] = {"instance": instance, "state_dir": str(state)}
    move: dict[str, t.Any] = {**call, "state": "moved", "uid": 77000, "image": image}
    home: dict[str, t.Any] = {
        "user": "anna", "instance": instance, "image": image,
        "archive_dir": str(tmp_path / "archive"), "hub_dir": str(state / "hub"),
    }  # fmt: skip
    before, shared = inside(volume, image, OWNERS), docker(*share, OWNERS)
    assert {"0", "1000", "12345"} <= {user for user, _group, _rest in rows(before)}
    assert run_module("home_volume", state="archived", **home)["changed"]

    decided = home_uid(**call)
    assert (decided["changed"], decided["uid"], decided["to_move"]) == (False, 1000, []), decided
    # Built for a new instance: it does not fit these homes.
    wrong = home_uid(**call, images=[refs["notebook"]])
    assert (
        f"The image {refs['notebook']} runs as 77000, and homes and shared folders belong to 1000"
        in wrong["msg"]
    )
    asleep = ("--entrypoint=sleep", image, "infinity")
    docker("run", "--detach", f"--name={instance}-hub", "--stop-timeout=1", *asleep)
    server = f"{instance}-user-1"
    labels = (f"--label=galilean.hub.instance={instance}", "--label=galilean.hub.role=user")
    docker("run", "--detach", f"--name={server}", *labels, *asleep)
    for parameters in (move, {**call, "uid": 77000}):
        assert f"1 servers of users run ({server})" in home_uid(**parameters)["msg"]
    docker("rm", "--force", server)
    assert home_uid(check=True, **move)["to_move"] == [volume, str(team)]
    assert docker("inspect", "--format={{.State.Running}}", f"{instance}-hub") == "true"
    assert inside(volume, image, OWNERS) == before

    moved = home_uid(**move)
    assert moved["changed"], moved
    assert rows(inside(volume, image, OWNERS)) == given(before)
    assert rows(docker(*share, OWNERS)) == given(shared)
    # All but the second name of one file.
    assert moved["entries"] == sum("1000" in row[:2] for row in rows(before) + rows(shared)) - 1
    assert f"2 of 2, {team}: 3 entries" in docker(
        *share[:5], f"--volume={state}:/state", *share[-3:], "cat /state/move.log"
    )
    # It could have started servers of the old number meanwhile; the role makes it anew.
    assert docker("ps", "--all", "--quiet", f"--filter=name={instance}-hub") == ""
    assert not home_uid(**move)["changed"]
    assert home_uid(**call, images=[refs["notebook"]])["uid"] == 77000

    # As a run that was killed leaves it.
    inside(volume, image, "chown -h 1000:1000 out pipe . && chown 1000 work/run")
    assert "belong to more than one number: 1 to 1000" in home_uid(**call)["msg"]
    assert home_uid(**move)["entries"] == 4
    assert inside(volume, image, "find . -user 1000 -o -group 1000") == ""

    (state / "config").mkdir()
    (state / "config" / "config.json").write_text('{"user_id": 77000}')
    assert run_module("home_volume", state="absent", user="anna", instance=instance)["changed"]
    assert run_module("home_volume", state="restored", **home)["changed"]
    assert rows(inside(volume, image, OWNERS)) == given(before)
    assert not run_module("home_volume", state="restored", **home)["changed"]
