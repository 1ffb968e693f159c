# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""home_migration: homes of other systems, in the layout of each, come into volumes of the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
import typing as t
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

UID = 77000
LONG = "somebody-with-a-very-long-name@example.org"
# sha256 of jupyter-<name>, as The Littlest JupyterHub cuts it.
LONG_FOLDER = "jupyter-somebody-with-a-ve-aab83"

Migrate = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def instance(prefix: str) -> str:
    return f"{prefix}mig"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """As a hub has it whose servers run with this number."""
    (tmp_path / "hub").mkdir()
    (tmp_path / "config").mkdir()
    config = {"user_id": UID, "traits": {"GalileanSpawner": {"disk_limit": "1G"}}}
    (tmp_path / "config" / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def migrate(
    run_module: ModuleRunner, refs: dict[str, t.Any], instance: str, state_dir: Path
) -> t.Iterator[Migrate]:
    own = {"instance": instance, "state_dir": str(state_dir), "image": str(refs["hub"])}
    yield lambda check=False, **more: run_module("home_migration", check=check, **{**own, **more})
    for name in docker("volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={instance}").split():
        docker("volume", "rm", name)


def place(volume: str) -> Path:
    return Path(docker("volume", "inspect", "--format={{.Mountpoint}}", volume))


def fill(folder: Path, owner: int) -> Path:
    """What people have: links, holes, old times, attributes, signs that break lines."""
    (folder / "work" / "data [1]").mkdir(parents=True)
    (folder / "work" / "a\nb*\\.ipynb").write_text("x")
    (folder / "work" / "data [1]" / "table.csv").write_text("1,2\n")
    (folder / "secret").write_text("s")
    (folder / "secret").chmod(0o600)
    os.link(folder / "secret", folder / "hard")
    (folder / "out").symlink_to("/etc/passwd")
    with open(folder / "sparse", "wb") as stream:
        stream.truncate(300 << 20)
    os.setxattr(folder / "secret", "user.note", b"mine")
    os.utime(folder / "secret", ns=(0, 999_999_999_123_456_789))
    for above, folders, files in os.walk(folder):
        for name in [".", *folders, *files]:
            os.lchown(os.path.join(above, name), owner, owner)
    folder.chmod(0o750)
    return folder


def look(folder: Path) -> dict[str, t.Any]:
    """Kind, mode, time and content of each file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        changed = 0 if path.is_dir() else seen.st_mtime_ns
        found[str(path.relative_to(folder))] = (seen.st_mode, changed, content)
    return found


def owners(folder: Path) -> set[tuple[int, int]]:
    return {(one.lstat().st_uid, one.lstat().st_gid) for one in [folder, *folder.rglob("*")]}


def rows(result: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    assert not result["failed"], result
    return {row["user"]: row for row in result["homes"]}


def test_tljh_again_and_again(migrate: Migrate, instance: str, tmp_path: Path) -> None:
    """The Littlest JupyterHub, while people work in both systems."""
    root = tmp_path / "home"
    anna = fill(root / "jupyter-anna", 1001)
    cut = fill(root / LONG_FOLDER, 1002)
    (root / "ubuntu").mkdir()
    call = {"source": "tljh", "root": str(root), "known": ["anna", LONG]}

    shown = migrate(check=True, **call)
    assert shown["changed"]
    assert {user: row["files"] for user, row in rows(shown).items()} == {"anna": 6, LONG: 6}
    assert not docker("volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={instance}")

    first = migrate(**call)
    assert rows(first)["anna"]["files"] == 6
    assert f"{LONG} (from {LONG_FOLDER}): 6 files" in " ".join(first["report"])
    volume = rows(first)["anna"]["volume"]
    assert volume == f"{instance}-home-anna"
    assert json.loads(docker("volume", "inspect", volume))[0]["Labels"]["galilean.hub.user"] == "anna"
    home = place(volume)
    assert look(home) == look(anna)
    assert look(place(rows(first)[LONG]["volume"])) == look(cut)
    assert owners(home) == {(UID, UID)}
    assert (home / "secret").stat().st_nlink == 2
    assert os.getxattr(home / "secret", "user.note") == b"mine"
    assert (home / "sparse").stat().st_blocks < 100
    again = migrate(**call)
    assert not again["changed"], again

    # Changed there, changed here, in both with the later change there, new there, gone here.
    time.sleep(0.1)
    (anna / "work" / "a\nb*\\.ipynb").write_text("newer")
    (home / "secret").write_text("mine is newer")
    (home / "work" / "data [1]" / "table.csv").write_text("3,4\n")
    time.sleep(0.1)
    (anna / "work" / "data [1]" / "table.csv").write_text("5,6,7\n")
    (anna / "new").write_text("n")
    second = rows(migrate(**call))["anna"]
    assert second["files"] == 2
    assert second["changed_in_both"] == ["hard", "secret", "work/data [1]/table.csv"]
    assert (home / "work" / "a\nb*\\.ipynb").read_text() == "newer"
    assert (home / "secret").read_text() == "mine is newer"
    assert (home / "work" / "data [1]" / "table.csv").read_text() == "3,4\n"
    assert (home / "new").read_text() == "n"
    assert not migrate(**call)["changed"]


def test_deploy_docker_and_legacy_names(migrate: Migrate, instance: str, prefix: str) -> None:
    """jupyterhub-deploy-docker: volumes that were ~/work, named by both escapes of DockerSpawner."""
    old = f"{prefix}-jupyterhub-user-"
    for name in ("bo-40example-2eorg", "cy_40example_2Eorg", "left-out"):
        docker("volume", "create", old + name)
        fill(place(old + name), 1000)
    known = ["bo@example.org", "cy@example.org"]
    call = {"source": "deploy_docker", "prefix": old, "known": known, "names": {"left-out": ""}}
    found = rows(migrate(**call))
    assert {user: row["source"] for user, row in found.items()} == {
        "bo@example.org": f"{old}bo-40example-2eorg", "cy@example.org": f"{old}cy_40example_2Eorg"
    }  # fmt: skip
    for row in found.values():
        home = place(row["volume"])
        assert [path.name for path in home.iterdir()] == ["work"]
        assert look(home / "work") == look(place(row["source"]))
        assert owners(home) == {(UID, UID)}
    assert not migrate(**call)["changed"]


def test_jukebox_containers(migrate: Migrate, refs: dict[str, t.Any], prefix: str) -> None:
    """Jukebox: nothing but the containers, with what users wrote in their layers; one of them runs."""
    script = (
        "mkdir -p /home/jovyan/nb && cd /home/jovyan && echo {0} >nb/{0}.ipynb && chown -R 1000:100 . && {1}"
    )
    for user, then in (("dora", "true"), ("emil", "exec sleep 600")):
        name = f"{prefix}-jupyter-{user}-40example-2eorg"
        argv = (
            "--detach",
            "--user=0",
            "--entrypoint=sh",
            f"--name={name}",
            f"--env=JUPYTERHUB_USER={user}@example.org",
        )
        docker("run", *argv, refs["hub"], "-c", script.format(user, then))
    docker("create", f"--name={prefix}-jupyter-fay", refs["hub"])
    deadline = time.monotonic() + 30
    call = {"source": "jukebox", "prefix": f"{prefix}-jupyter-", "unlisted": True}
    while len(migrate(check=True, **call).get("homes", [])) < 2 and time.monotonic() < deadline:
        time.sleep(0.5)
    found = rows(migrate(**call))
    assert set(found) == {"dora@example.org", "emil@example.org"}
    for user, row in found.items():
        home, name = place(row["volume"]), user.partition("@")[0]
        assert (home / "nb" / f"{name}.ipynb").read_text() == f"{name}\n"
        assert owners(home) == {(UID, UID)}
    assert not migrate(**call)["changed"]


def test_folders_of_running_and_large_homes(
    migrate: Migrate, instance: str, refs: dict[str, t.Any], state_dir: Path, tmp_path: Path
) -> None:
    """A tree of folders, as of an NFS export: who works is left alone, who has too much is told."""
    root = tmp_path / "export"
    for name in ("g.hopper", "ida", "lost+found", "big"):
        fill(root / name, 2000)
    with open(root / "big" / "large", "wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, 20 << 20)
    config = json.loads((state_dir / "config" / "config.json").read_text())
    config["traits"]["GalileanSpawner"]["disk_limit"] = "10M"
    (state_dir / "config" / "config.json").write_text(json.dumps(config))
    labels = [f"--label=galilean.hub.{key}={value}" for key, value in
              (("instance", instance), ("role", "home"), ("user", "ida"))]  # fmt: skip
    docker("volume", "create", *labels, f"{instance}-home-ida")
    mount = f"--mount=type=volume,src={instance}-home-ida,dst=/home,volume-nocopy"
    docker("run", "--detach", f"--name={instance}-ida", mount, "--entrypoint=sleep", refs["hub"], "600")
    # old,new / g.hopper,grace
    table = "b2xkLG5ldwpnLmhvcHBlcixncmFjZQo="
    call = {"source": "folders", "root": str(root), "known": ["grace", "ida", "big"], "names_table": table}
    found = rows(migrate(**call))
    assert {user: (row["source"], row["files"], row["skipped"]) for user, row in found.items()} == {
        "grace": ("g.hopper", 6, ""),
        "ida": ("ida", 0, "the server runs"),
        "big": ("big", 0, found["big"]["skipped"]),
    }
    assert "20.0 MiB, and its limit is 10.0 MiB" in found["big"]["skipped"]
    assert rows(migrate(over_limit=True, **call))["big"]["files"] == 7
    docker("rm", "--force", f"{instance}-ida")
    assert rows(migrate(**call))["ida"]["files"] == 6


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"known": ["anna"]}, "jupyter-bob (no account 'bob')"),
        (
            {"known": ["anna", "bob"], "names": {"bob": "anna"}},
            "'anna' would have the home jupyter-anna, too",
        ),
        ({"unlisted": True, "names": {"bob": "a/b"}}, "a name has no slash"),
        ({"unlisted": True, "names": {"bobby": "bob"}}, "bobby (not in the other system)"),
        ({"unlisted": True, "users": ["carl"]}, "users has carl, of whom the other system has no home"),
        ({"unlisted": True, "into": "a/b"}, "into is 'a/b'"),
        ({"unlisted": True, "prefix": "x-"}, "There is no home of tljh whose name begins with 'x-'"),
        ({"unlisted": True, "root": "/nowhere"}, "/nowhere"),
        ({"unlisted": True, "names_table": "bm9wZSxuZXcKYSxiCg=="}, "(migrate_names_file) has no column old"),
    ],
)
def test_refused_before_anything_is_touched(
    migrate: Migrate, instance: str, tmp_path: Path, call: dict[str, t.Any], said: str
) -> None:
    for name in ("anna", "bob"):
        (tmp_path / "home" / f"jupyter-{name}").mkdir(parents=True)
        (tmp_path / "home" / f"jupyter-{name}" / "x").touch()
    result = migrate(**{"source": "tljh", "root": str(tmp_path / "home"), **call})
    assert result["failed"]
    assert said in result["msg"], result["msg"]
    assert not docker("volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={instance}")


def test_names_that_were_cut(migrate: Migrate, tmp_path: Path) -> None:
    (tmp_path / "home" / LONG_FOLDER).mkdir(parents=True)
    result = migrate(source="tljh", root=str(tmp_path / "home"), unlisted=True)
    assert f"{LONG_FOLDER} (its system cut the name)" in result["msg"]


@pytest.mark.slow
def test_a_killed_copy_goes_on(
    migrate: Migrate, run_module: ModuleRunner, refs: dict[str, t.Any], instance: str, state_dir: Path
) -> None:
    """What the killed run had copied is not the user's: a later change in the old system comes along."""
    root = state_dir / "home"
    anna = root / "jupyter-anna"
    anna.mkdir(parents=True)
    for number in range(4000):
        (anna / f"{number:05}").write_text(f"{number}\n" * 200)
    own = {"instance": instance, "state_dir": str(state_dir), "image": str(refs["hub"])}
    call = {"source": "tljh", "root": str(root), "unlisted": True}
    process = run_module.start("home_migration", **own, **call)
    deadline = time.monotonic() + 60
    volume = f"{instance}-home-anna"
    while not docker("volume", "ls", "--quiet", f"--filter=name={volume}") and time.monotonic() < deadline:
        time.sleep(0.02)
    home = place(volume)
    while not (home / "00000").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    run_module.kill(process)
    time.sleep(0.5)
    there = len(list(home.iterdir()))
    assert 0 < there < 4001
    (anna / "00000").write_text("later")
    elsewhere = state_dir / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(home / ".galilean-migrating", ignore_errors=True)
    (home / ".galilean-migrating").symlink_to(elsewhere)
    done = rows(migrate(**call))["anna"]
    assert done["problem"] == ""
    assert done["changed_in_both"] == []
    assert (home / "00000").read_text() == "later"
    assert look(home) == look(anna)
    assert not list(elsewhere.iterdir())
    assert not migrate(**call)["changed"]


def test_nothing_is_written_outside_of_the_home(migrate: Migrate, instance: str, tmp_path: Path) -> None:
    """A user who puts links in the way while root copies."""
    anna = tmp_path / "home" / "jupyter-anna"
    victim = tmp_path / "victim"
    victim.mkdir()
    for number in range(300):
        (anna / "d" / f"{number:03}").mkdir(parents=True)
        (anna / "d" / f"{number:03}" / "file").write_text("x" * 1000)
    docker("volume", "create", f"--label=galilean.hub.instance={instance}", "--label=galilean.hub.role=home",
           "--label=galilean.hub.user=anna", f"{instance}-home-anna")  # fmt: skip
    home = place(f"{instance}-home-anna")
    stop = threading.Event()

    def attack() -> None:
        while not stop.is_set():
            for number in range(300):
                folder = home / "d" / f"{number:03}"
                try:
                    folder.rmdir()
                    folder.symlink_to(victim)
                except OSError:
                    continue

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        migrate(source="tljh", root=str(tmp_path / "home"), unlisted=True)
    finally:
        stop.set()
        thread.join()
    assert not list(victim.iterdir())


DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \\
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \\
    openssh-server rsync sudo
RUN useradd --create-home --shell /bin/bash ubuntu && mkdir -p /run/sshd && \\
    echo 'ubuntu ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ubuntu
CMD ["/usr/sbin/sshd", "-D"]
"""


@pytest.mark.slow
def test_from_another_host(
    migrate: Migrate, run_module: ModuleRunner, instance: str, prefix: str, base: str, tmp_path: Path
) -> None:
    """The Littlest JupyterHub on a machine of a cloud, where one logs in as ubuntu and homes are others'."""
    built = run_module(
        "image", name="old-host", repository_prefix=prefix, dockerfile_inline=DOCKERFILE, parent=base,
        secrets={"ca": "/etc/ssl/certs/ca-certificates.crt"}, path=str(tmp_path / "hub"),
        log_dir=str(tmp_path),
    )  # fmt: skip
    assert not built["failed"], built
    name, key = f"{prefix}-old-host", tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    docker("run", "--detach", f"--name={name}", built["image"]["ref"])
    script = f"""
        install -d -o ubuntu -m 700 /home/ubuntu/.ssh
        echo '{key.with_suffix(".pub").read_text().strip()}' >/home/ubuntu/.ssh/authorized_keys
        install -d -o 1001 -g 1001 -m 700 '/home/jupyter-anna' '/home/jupyter-anna/a b'
        echo hers >'/home/jupyter-anna/a b/it'"'s"' $HOME'
    """
    docker("exec", name, "sh", "-ec", script)
    address = docker("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
    host_key = docker("exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
    call = {
        "source": "tljh", "host": f"ubuntu@{address}", "ssh_key": key.read_text(), "unlisted": True,
        "known_hosts": f"{address} {host_key}",
    }  # fmt: skip
    home = place(rows(migrate(**call))["anna"]["volume"])
    assert (home / "a b" / "it's $HOME").read_text() == "hers\n"
    assert owners(home) == {(UID, UID)}
    assert not migrate(**call)["changed"]
    wrong = migrate(**{**call, "known_hosts": f"{address} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF"})
    assert "Host key verification failed" in wrong["msg"]
