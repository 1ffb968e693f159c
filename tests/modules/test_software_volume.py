# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The software_volume module against the real engine."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import time
import typing as t
from pathlib import Path

import pytest
from confined import confined, spawner
from engine import ModuleRunner, docker

MODULE = "ansible_collections.galilean.hub.plugins.modules.software_volume"
# Versions differ in a few bytes of one file only: size and time are the same, as after a build without times.
TREE = """\
mkdir -p /opt/software/bin /opt/software/lib && cd /opt/software && echo "echo version {version}" > bin/tool
chmod 755 bin/tool && ln -s tool bin/link && ln bin/tool bin/hard && mkdir -m 700 private
yes software | head -c {size} > big && chown 1000:1000 big
for number in $(seq 300); do echo $number > lib/$number; done
find . -exec touch -h -d @1600000000 {{}} +
"""
SUMS = "find . -type f ! -name .sha256sums -exec sha256sum {} + > .sha256sums\n"
FILES = 303


def make_image(ref: str, base: str, script: str) -> str:
    """An image without a build, which would take longer."""
    container = docker("create", base, "sh", "-ec", script)
    try:
        docker("start", "--attach", container)
        docker("commit", container, ref)
    finally:
        docker("rm", "--force", container)
    return ref


@pytest.fixture(scope="module")
def images(prefix: str, base: str) -> list[str]:
    """Three versions of a stack; the second one brings the hashes of its files."""
    return [
        make_image(
            f"{prefix}/software:{str(version) * 12}",
            base,
            TREE.format(version=version, size=3_000_000) + (SUMS if version == 2 else ""),
        )
        for version in (1, 2, 3)
    ]


@pytest.fixture(scope="module")
def large(prefix: str, base: str) -> str:
    """One that takes long enough for a run to be killed."""
    return make_image(f"{prefix}/large:{'7' * 12}", base, TREE.format(version=1, size=200_000_000))


class Stack:
    """The volumes of one test."""

    def __init__(self, run: ModuleRunner, prefix: str, base: str, folder: Path) -> None:
        self.run, self.prefix, self.base, self.folder = run, prefix, base, folder
        self.log = folder / "log" / f"{prefix}.log"
        self.numbers = itertools.count()

    def params(self, params: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"prefix": self.prefix, "log_dir": str(self.log.parent), **params}

    def argv(self, check: bool, params: dict[str, t.Any]) -> list[str]:
        given = self.folder / f"params-{next(self.numbers)}.json"
        given.write_text(
            json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_check_mode": check, **self.params(params)}})
        )
        return [sys.executable, "-m", MODULE, str(given)]

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": self.run.env["ANSIBLE_COLLECTIONS_PATH"]}

    def __call__(self, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        """Run the module as Ansible does on a host, without the seconds that Ansible itself takes."""
        argv = self.argv(check, params)
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False, timeout=300)
        assert done.stdout, done.stderr
        return {"failed": False, **json.loads(done.stdout)}

    def through_ansible(self, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return self.run("software_volume", check=check, **self.params(params))

    def start(self, **params: t.Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv(False, params), env=self.env, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def volumes(self) -> set[str]:
        return set(docker("volume", "ls", "--quiet", f"--filter=name={self.prefix}").split())

    def name(self, image: str) -> str:
        return f"{self.prefix}-{image.rpartition(':')[2]}"

    def inside(self, image: str, script: str, mode: str = "ro,nocopy") -> str:
        """What a script says in a version of the software."""
        mount = f"--volume={self.name(image)}:/opt/software:{mode}"
        argv = ("run", "--rm", "--network=none", mount, "--workdir=/opt/software", self.base)
        return docker(*argv, "sh", "-c", script)

    def observe(self, image: str) -> tuple[str, dict[str, str]]:
        """What the tool says in a version of the software, and the inode of each file."""
        said, *lines = self.inside(image, "sh bin/link; find . -type f -printf '%p %i\\n'").splitlines()
        return said, dict(line.split(" ") for line in lines)


@pytest.fixture
def stack(
    run_module: ModuleRunner, prefix: str, base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Stack:
    name = request.node.name.removeprefix("test_").translate(str.maketrans("_[", "--", "]"))
    return Stack(run_module, f"{prefix}-{name}", base, tmp_path)


@pytest.fixture
def links(images: list[str], stack: Stack) -> bool:
    """Whether this user sees the engine's folders; otherwise everything is copied, which is right as well."""
    docker("volume", "create", f"{stack.prefix}-probe")
    where = docker("volume", "inspect", "--format={{.Mountpoint}}", f"{stack.prefix}-probe")
    docker("volume", "rm", f"{stack.prefix}-probe")
    return os.access(Path(where).parent.parent, os.W_OK)


def test_create_again_absent(stack: Stack, images: list[str], base: str) -> None:
    image = images[0]
    name = stack.name(image)
    check = stack.through_ansible(check=True, image=image)
    assert check["changed"]
    assert check["volume"]["name"] == name
    assert stack.volumes() == set()
    assert not stack.log.parent.exists()

    first = stack.through_ansible(image=image)
    assert first["changed"], first
    assert first["actions"] == [{"action": "seed", "volume": name, "reason": "it does not exist"}]
    assert first["volume"]["files"] == FILES
    assert first["volume"]["size_bytes"] > 3_000_000
    assert first["volume"]["shared_bytes"] == 0
    assert f"Sealed: {FILES} files" in Path(first["log"]).read_text()
    assert not stack(image=image)["changed"]
    again = stack(check=True, image=image)
    assert not again["changed"]
    assert again["volume"] == first["volume"]

    labels = json.loads(docker("volume", "inspect", name))[0]["Labels"]
    assert labels["galilean.hub.role"] == "software"
    assert labels["galilean.hub.digest"] == first["volume"]["digest"]
    seen = stack.inside(image, "sh bin/link; stat -c '%a %u %h %Y %n' big bin/hard private .sealed .manifest")
    assert seen.splitlines()[:4] == [
        "version 1",
        "644 1000 1 1600000000 big",
        "755 0 2 1600000000 bin/hard",
        "700 0 2 1600000000 private",
    ]
    assert [line.split()[:3] for line in seen.splitlines()[4:]] == [["444", "0", "1"]] * 2

    assert stack(check=True, state="absent")["changed"]
    assert stack.volumes() == {name}
    # What a killed run has left does not count as a user.
    docker("create", f"--name={name}-seed", f"--volume={name}:/x", base)
    assert stack(state="absent")["changed"]
    assert not stack(state="absent")["changed"]
    assert stack.volumes() == set()


def test_next_versions_share(stack: Stack, images: list[str], links: bool) -> None:
    """The second brings the hashes of its files, the third has to be read."""
    before: dict[str, str] = {}
    for number, image in enumerate(images, 1):
        made = stack(image=image, keep=3)
        assert made["changed"], made
        said, after = stack.observe(image)
        assert said == f"version {number}"
        own = {"./bin/tool", "./bin/hard", "./.sealed", "./.manifest"}
        shared = {path for path in after if after[path] == before.get(path)}
        assert set(after) - shared == (own if before and links else set(after))
        assert (made["volume"]["shared_bytes"] > 3_000_000) is bool(shared)
        told = f"Shared with the older version: {FILES - 2} files" in stack.log.read_text()
        assert told is bool(shared)
        before = after
    for image in images:
        assert not stack(image=image, verify=True, keep=3)["changed"]


def test_hashes_of_the_image_below(stack: Stack, images: list[str], prefix: str) -> None:
    """An image on top of another one has its hashes, too, but not its files."""
    change = "cd /opt/software && echo 'echo version 4' > bin/tool && touch -d @1600000000 bin/tool"
    above = make_image(f"{prefix}/software:{'4' * 12}", images[1], change)
    stack(image=images[1])
    assert stack(image=above)["changed"]
    assert stack.observe(above)[0] == "version 4"


def test_engine_elsewhere(stack: Stack, images: list[str], tmp_path: Path) -> None:
    """A client that talks to another host's engine: its folders are not here, so everything is copied."""
    client = tmp_path / "docker"
    client.write_text(f'#!/bin/sh\n{shlex.quote(which("docker"))} "$@" | sed s#/volumes/#/elsewhere/#\n')
    client.chmod(0o755)
    stack(image=images[0])
    made = stack(image=images[1], docker_cli=[str(client)])
    assert made["changed"], made
    assert made["volume"]["shared_bytes"] == 0
    assert stack.observe(images[1])[0] == "version 2"


def which(program: str) -> str:
    return subprocess.run(["which", program], check=True, capture_output=True, text=True).stdout.strip()


def test_verify_and_repair(stack: Stack, images: list[str], prefix: str, base: str) -> None:
    old = make_image(f"{prefix}/software:{'9' * 12}", base, TREE.format(version=9, size=1000))
    stack(image=old)
    stack(image=images[0])
    # Through the files that both versions share, as a faulty disk would; size and time stay.
    damage = (
        "printf X | dd of=lib/7 conv=notrunc status=none; touch -d @1600000000 lib/7; rm bin/link; touch new"
    )
    stack.inside(images[0], damage, "rw")
    untouched = stack.observe(old)[1]["./lib/7"]
    check = stack(check=True, image=images[0], verify=True)
    assert check["changed"]
    reason = "bin/link is missing, lib/7 differs in content, new should not be there"
    assert check["actions"] == [{"action": "repair", "volume": stack.name(images[0]), "reason": reason}]

    user = docker("create", f"--name={stack.prefix}-user", f"--volume={stack.name(images[0])}:/x:ro", base)
    repaired = stack(image=images[0], verify=True)
    assert repaired["changed"], repaired
    docker("rm", user)
    assert stack.inside(images[0], "cat lib/7; sh bin/link; ls new || true") == "7\nversion 1"
    assert not stack(image=images[0], verify=True)["changed"]
    assert stack.observe(old)[1]["./lib/7"] == untouched, "what others share is replaced, not written to"

    # The other version has the damage as well where files are shared; here it has it anyway.
    stack.inside(old, "rm -f lib/7", "rw")
    docker("image", "rm", old)
    lost = stack(image=images[0], digest="9" * 12, verify=True)
    assert lost["failed"]
    assert (
        "differs from its manifest (lib/7 is missing), and the image that it was filled from" in lost["msg"]
    )
    assert lost["differences"] == {"lib/7": "is missing"}


def test_back_to_an_older_version(stack: Stack, images: list[str]) -> None:
    digests = [image.rpartition(":")[2] for image in images]
    for image in images[:2]:
        stack(image=image)
    back = stack(image=images[1], digest=digests[0])
    assert not back["changed"], "it is still there"
    assert back["volume"]["name"] == stack.name(images[0])
    # Its volume is gone, its image is not.
    assert stack(image=images[1], keep=1)["volume"]["pruned"] == [stack.name(images[0])]
    check = stack(check=True, image=images[1], digest=digests[0])
    assert check["actions"][0]["reason"] == "it does not exist"
    back = stack(image=images[1], digest=digests[0])
    assert back["changed"], back
    assert back["volume"]["digest"] == digests[0]
    assert stack.observe(images[0])[0] == "version 1"
    assert stack.volumes() == {stack.name(image) for image in images[:2]}, "the newer one is not in the way"
    unknown = stack(image=images[1], digest="0123456789ab")
    assert unknown["failed"]
    assert "neither the volume" in unknown["msg"]
    assert all(digest in unknown["msg"] for digest in digests)


def test_versions_in_use_stay(stack: Stack, images: list[str], base: str) -> None:
    names = []
    for image in images:
        names.append(stack(image=image, keep=3)["volume"]["name"])
        # The engine tells creation times in whole seconds.
        time.sleep(1)
    user = docker("create", "--name", f"{stack.prefix}-user", f"--volume={names[0]}:/opt/software:ro", base)
    check = stack(check=True, image=images[2], keep=1)
    assert check["volume"]["pruned"] == [names[1]], "the first is in use"
    assert stack.volumes() == set(names)
    # The one that is wanted now is not the newest.
    pruned = stack(image=images[2], digest=names[1].rpartition("-")[2], keep=1)
    assert pruned["volume"]["pruned"] == [names[2]]
    assert stack.volumes() == set(names[:2])
    used = stack(state="absent")
    assert used["failed"]
    assert f"{names[0]} by {stack.prefix}-user" in used["msg"]
    docker("rm", user)


def kill_while(process: subprocess.Popen[bytes], condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the module ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("also", ["module", pytest.param("container", marks=pytest.mark.slow)])
def test_killed(stack: Stack, images: list[str], large: str, also: str) -> None:
    """Killed with its container, it is done again; a container that lives on may have come to its end."""
    stack(image=images[0])
    process = stack.start(image=large)
    kill_while(process, lambda: bool(docker("ps", "--quiet", f"--filter=name={stack.prefix}")))
    if also == "container":
        docker("kill", f"{stack.name(large)}-seed")
        assert stack(check=True, image=large)["changed"], "an unfinished volume does not count"
        assert stack(image=large)["changed"]
    else:
        assert not stack(image=large)["failed"]
    assert not stack(image=large, verify=True)["changed"]
    assert docker("ps", "--all", "--quiet", f"--filter=name={stack.prefix}") == ""
    assert stack.volumes() == {stack.name(images[0]), stack.name(large)}
    # What was shared with the killed one is as it was.
    assert not stack(image=images[0], verify=True)["changed"]


def test_unfinished_volumes(stack: Stack, images: list[str], base: str) -> None:
    name, older = stack.name(images[0]), f"{stack.prefix}-0123456789ab"
    for volume in (name, older):
        docker("volume", "create", f"--label=galilean.hub.stack={stack.prefix}", volume)
    stack.inside(images[0], "touch half", "rw")
    user = docker("create", f"--volume={name}:/v", base)
    used = stack(image=images[0])
    assert used["failed"]
    assert "was not finished, and is in use by" in used["msg"]
    docker("rm", user)
    result = stack(image=images[0])
    reasons = {action["volume"]: action["reason"] for action in result["actions"]}
    assert reasons == {name: "it was not finished", older: "it was not finished"}
    assert stack.volumes() == {name}
    assert stack.inside(images[0], "ls") == "big\nbin\nlib\nprivate"


def test_no_room(stack: Stack, images: list[str], tmp_path: Path) -> None:
    """Volumes on a disk that is too small: seen before anything is copied."""
    client = tmp_path / "docker"
    small = "volume create --opt type=tmpfs --opt device=tmpfs --opt o=size=1m"
    client.write_text(
        f'#!/bin/sh\ncase "$1 $2" in "volume create") shift 2; set -- {small} "$@";; esac\n'
        f'exec {shlex.quote(which("docker"))} "$@"\n'
    )
    client.chmod(0o755)
    result = stack(image=images[0], docker_cli=[str(client)])
    assert result["failed"]
    assert f"Volume {stack.name(images[0])} was not filled: this takes 4." in result["msg"]
    assert "MB are free where the engine has its volumes: remove images or volumes" in result["msg"]
    assert result["msg"].endswith(f"(log: {stack.log}).")
    assert "Copied" not in stack.log.read_text()
    assert stack.volumes() == set()


def test_image_without_python(stack: Stack, prefix: str, tmp_path: Path) -> None:
    archive = tmp_path / "empty.tar"
    with tarfile.open(archive, "w") as tar:
        folder = tarfile.TarInfo("opt/software")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    image = f"{prefix}/empty:{'1' * 12}"
    docker("import", str(archive), image)
    result = stack(image=image)
    assert result["failed"]
    assert f"image {image} has no /usr/bin/python3, which copies the files: install python3" in result["msg"]
    assert stack.volumes() == set()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"image": "nothing/here:0123456789ab"},
            "image is nothing/here:0123456789ab, which is not on this host",
        ),
        ({"image": "BASE", "source_path": "/opt/nothing"}, "the image has no folder /opt/nothing"),
        ({"digest": "short"}, "digest is 'short'"),
        ({}, "any of the following are missing: image, digest"),
    ],
    ids=["image", "folder", "digest", "nothing"],
)
def test_bad_input(stack: Stack, base: str, params: dict[str, t.Any], message: str) -> None:
    given: dict[str, t.Any] = {key: base if value == "BASE" else value for key, value in params.items()}
    result = stack(**given)
    assert result["failed"]
    assert message in result["msg"]
    assert stack.volumes() == set(), "a failed seeding leaves nothing"


# What somebody may try who is root in a container; prints what worked.
ATTEMPTS = """
import ctypes, json, os, sys

where = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if function(*args):
        raise OSError(ctypes.get_errno(), "refused")


def mount(flags, source=None, kind=None):
    call(libc.mount, source, where.encode(), kind, ctypes.c_ulong(flags), None)


READONLY_OFF = 32  # MS_REMOUNT, without MS_RDONLY
BIND, NEW_USER, NEW_MOUNTS = 4096, 0x10000000, 0x20000
tool, folder = f"{where}/bin/tool", f"{where}/bin"
attempts = {
    "write": lambda: open(tool, "a").close(),
    "overwrite": lambda: open(tool, "w").close(),
    "truncate": lambda: os.truncate(tool, 0),
    "create": lambda: open(f"{where}/new", "w").close(),
    "chmod": lambda: os.chmod(tool, 0o777),
    "chown": lambda: os.chown(tool, 0, 0),
    "utime": lambda: os.utime(tool),
    "link": lambda: os.link(tool, f"{folder}/another"),
    "symlink": lambda: os.symlink("tool", f"{folder}/symbolic"),
    "rename": lambda: os.rename(f"{folder}/link", f"{folder}/renamed"),
    "mkdir": lambda: os.mkdir(f"{where}/folder"),
    "unlink": lambda: os.unlink(tool),
}
escapes = {
    "remount": lambda: mount(READONLY_OFF),
    "remount of the bind": lambda: mount(READONLY_OFF | BIND),
    "another mount": lambda: mount(0, b"tmpfs", b"tmpfs"),
    "unmount": lambda: call(libc.umount2, where.encode(), 2),
    "device": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0)),
    "namespace": lambda: (call(libc.unshare, NEW_USER | NEW_MOUNTS), mount(READONLY_OFF | BIND)),
}
worked = []
for name, attempt in {**attempts, **escapes}.items():
    try:
        attempt()
    except OSError:
        continue
    worked.append(name)
print(json.dumps({"user": os.getuid(), "worked": worked, "tried": [*attempts]}))
"""


def test_root_in_a_container_cannot_write(stack: Stack, images: list[str]) -> None:
    """Mounted and confined as the hub does it; the same attempts work in a folder of the container's own."""
    stack(image=images[0])
    volume = stack.name(images[0])
    mount = spawner(software={"volume": volume, "path": "/opt/software"})["volumes"][volume]
    options = (*confined(), f"--volume={volume}:{mount['bind']}:{mount['mode']}")

    def attempt(where: str, first: str) -> dict[str, t.Any]:
        argv = ("run", "--rm", "--network=none", "--user=0:0", *options, stack.base, "sh", "-c")
        said = docker(*argv, f'{first} && exec python3 -c "$0" {where}', ATTEMPTS)
        return dict(json.loads(said))

    assert attempt("/opt/software", "test -x /opt/software/bin/tool") == {
        "user": 0,
        "worked": [],
        "tried": [*attempt("/tmp/own", "cp -r /opt/software /tmp/own")["worked"]],
    }
    assert not stack(image=images[0], verify=True)["changed"]
