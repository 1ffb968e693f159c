# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user's own container lets its user do: to the server in it, to the engine's disk and to others."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker
from user_client import UserClient

# How attempts end: "ok", or the name of the error.
ATTEMPTS = """
import ctypes, errno, fcntl, os, platform, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
# Numbers of system calls: the newer ones are the same everywhere.
arm = platform.machine() == "aarch64"
numbers = {
    "ptrace": 117 if arm else 101, "process_vm_readv": 270 if arm else 310, "kcmp": 272 if arm else 312,
    "pidfd_getfd": 438, "io_uring_setup": 425, "io_setup": 0 if arm else 206, "bpf": 280 if arm else 321,
    "userfaultfd": 282 if arm else 323, "perf_event_open": 241 if arm else 298, "keyctl": 219 if arm else 250,
    "unshare": 97 if arm else 272, "setns": 268 if arm else 308, "mount": 40 if arm else 165,
    "clone3": 435, "fsopen": 430, "fanotify_init": 262 if arm else 300,
}
found = {}
for name, number in numbers.items():
    ctypes.set_errno(0)
    first = 0x10000000 if name == "unshare" else 1
    done = libc.syscall(number, first, 0, 0, 0, 0, 0)
    found[name] = "ok" if done >= 0 else errno.errorcode[ctypes.get_errno()]
def attempt(name, action):
    try:
        action()
        found[name] = "ok"
    except OSError as exc:
        found[name] = errno.errorcode.get(exc.errno, str(exc))
for name, family in {"AF_VSOCK": 40, "AF_ALG": 38, "AF_PACKET": 17, "AF_INET": 2, "AF_UNIX": 1}.items():
    kind = socket.SOCK_SEQPACKET if name == "AF_ALG" else socket.SOCK_STREAM
    attempt(name, lambda: socket.socket(family, kind).close())
for name, numbers in {
    "ICMP": (2, 2, 1), "ICMPv6": (10, 2, 58), "SCTP": (2, 1, 132), "DCCP": (2, 6, 33),
    "UDP-Lite": (2, 2, 136), "MPTCP": (2, 1, 262), "L2TP": (2, 2, 115),
    "USERSOCK": (16, 3, 2), "GENERIC": (16, 3, 16),
}.items():
    attempt(name, lambda: socket.socket(*numbers).close())
with open("leased", "w") as file:
    attempt("lease", lambda: fcntl.fcntl(file, 1024, 1))
    attempt("fcntl", lambda: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 0))
attempt("interfaces", socket.if_nameindex)
# Lets everything pass.
program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
filter = struct.pack("HL", 1, ctypes.addressof(program))
attempt("filter", lambda: socket.socket().setsockopt(socket.SOL_SOCKET, 26, filter))
attempt("keepalive", lambda: socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
libc.prctl(38, 1, 0, 0, 0)
found["prctl"] = "ok" if libc.prctl(22, 2, filter, 0, 0) == 0 else errno.errorcode[ctypes.get_errno()]
"""
TAKE_OVER = """
server = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and int(pid) > 1
              and b"/opt/notebook/bin/singleuser" in open(f"/proc/{pid}/cmdline", "rb").read())
for pid in (1, server):
    for file in ("mem", "environ", "maps"):
        attempt(f"taken {pid == 1} {file}", lambda: open(f"/proc/{pid}/{file}", "rb").read(1))
    attempt(f"taken {pid == 1} fd", lambda: os.listdir(f"/proc/{pid}/fd"))
"""


@pytest.fixture(scope="module")
def eve(people: t.Callable[[str], UserClient]) -> UserClient:
    """A user who tries things in a notebook."""
    eve = people("eve")
    eve.open_kernel("python3")
    return eve


@pytest.fixture(scope="module")
def model(site: Deployment, eve: UserClient) -> dict[str, t.Any]:
    """What the engine knows of Eve's container."""
    (model,) = json.loads(docker("inspect", eve.container(site.instance)))
    return dict(model)


def outcome(eve: UserClient, code: str) -> dict[str, str]:
    answer: dict[str, str] = json.loads(eve.run(f"{code}\nimport json; print(json.dumps(found))"))
    return answer


def test_system_calls_beyond_what_programs_need_are_refused(eve: UserClient) -> None:
    """Found: ptrace, io_uring, vsock, leases and unusual kinds of sockets were open to every notebook."""
    found = outcome(eve, ATTEMPTS)
    assert {found.pop(name) for name in ("AF_INET", "AF_UNIX", "fcntl", "interfaces", "keepalive")} == {"ok"}
    assert {found.pop(name) for name in ("clone3", "io_uring_setup", "io_setup")} == {"ENOSYS"}
    assert set(found.values()) == {"EPERM"}, found


def test_the_servers_process_belongs_to_nobody_else(eve: UserClient) -> None:
    """Found: a notebook opened the memory of the server's process and of the first one.

    The first process of the container would do as well: it decides when the container ends.
    """
    found = outcome(eve, ATTEMPTS.split("for name, family")[0] + TAKE_OVER)
    taken = {name: end for name, end in found.items() if name.startswith("taken ")}
    assert len(taken) == 8
    assert set(taken.values()) <= {"EACCES", "EPERM"}, taken


def test_no_file_of_the_home_is_a_program_of_the_server(eve: UserClient) -> None:
    """Found: nbconvert's templates, which run in the server's process; where the page's scripts are."""
    for template in ("lab", "base", "classic"):
        eve.run(f"import os; os.makedirs(os.path.expanduser('~/{template}'), exist_ok=True)")
        eve.write(f"{template}/conf.json", '{"mimetypes": {"text/html": true}}')
        eve.write(f"{template}/index.html.j2", "eve@{{ cycler.__init__.__globals__.os.getpid() }}")
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "format": "json", "content": notebook}
    eve.client.ask("PUT", f"{eve.server}/api/contents/x.ipynb", (200, 201), model)
    page = eve.client.ask("GET", f"{eve.server}/nbconvert/html/x.ipynb").text
    assert "<html" in page
    assert "eve@" not in page
    folder = "os.path.expanduser('~/.jupyter/labconfig')"
    eve.run(f"import os; os.makedirs({folder}, exist_ok=True)")
    eve.run(
        f"open({folder} + '/page_config.json', 'w').write('"
        '{"fullStaticUrl": "/user/eve/files/eve@", "appName": "eve@"}\')'
    )
    page = eve.client.ask("GET", f"{eve.server}/lab").text
    assert "fullStaticUrl" in page
    assert "eve@" not in page


def test_no_name_tells_who_is_there(
    site: Deployment, eve: UserClient, people: t.Callable[[str], UserClient]
) -> None:
    """Found: the reverse name of an address was <instance>-user-<name>."""
    bob = people("bob")
    (model,) = json.loads(docker("inspect", bob.container(site.instance)))
    (address,) = {network["IPAddress"] for network in model["NetworkSettings"]["Networks"].values()}
    for text in (model["Name"], model["Config"]["Hostname"]):
        assert "bob" not in text
    said = eve.run(
        f"import socket\ntry: print(socket.gethostbyaddr('{address}'))\nexcept OSError as exc: print(exc)"
    )
    assert "bob" not in said
    for guess in ("bob", f"{site.instance}-user-bob"):
        said = eve.run(
            f"import socket\ntry: print(socket.gethostbyname('{guess}'))\nexcept OSError: print('none')"
        )
        assert said == "none", guess
    # The operator finds it.
    assert model["Config"]["Labels"]["galilean.hub.user"] == "bob"


def test_one_server_cannot_fill_the_engines_disk(eve: UserClient) -> None:
    """Found: 1,500 of 1,500 MiB went to /tmp in the container's layer."""
    code = """
import os
writable = sorted(
    path for _, path, _, options, *_ in map(str.split, open("/proc/mounts"))
    if options.startswith("rw") and os.access(path, os.W_OK) and os.path.isdir(path)
)
print(writable, [os.statvfs(path).f_blocks * os.statvfs(path).f_frsize >> 20 for path in writable])
try:
    with open("/tmp/large", "wb") as file:
        for _ in range(3000):
            file.write(bytes(2**20))
    print("written")
except OSError as exc:
    print(exc.strerror)
finally:
    os.remove("/tmp/large")
try:
    open("/var/lib/x", "w")
except OSError as exc:
    print(exc.strerror)
"""
    said = eve.run(code)
    folders = said.splitlines()[0]
    assert folders.startswith("['/dev/mqueue', '/dev/shm', '/home/jovyan', '/tmp', '/var/tmp']"), folders
    assert said.splitlines()[1:] == ["No space left on device", "Read-only file system"]


def test_programs_are_compiled_and_run_in_tmp(eve: UserClient) -> None:
    code = (
        "import os, subprocess; open('/tmp/x', 'w').write('#!/bin/sh\\necho ran'); os.chmod('/tmp/x', 0o755)"
    )
    assert eve.run(f"{code}; print(subprocess.check_output('/tmp/x', text=True))") == "ran"


def test_files_that_are_open_have_an_end(eve: UserClient) -> None:
    assert eve.run("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))") == "(16384, 16384)"


def test_a_host_without_memory_ends_users_servers_first(site: Deployment, model: dict[str, t.Any]) -> None:
    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    parts = ("hub", "proxy", "edge")
    scores = [
        score(int(docker("inspect", "--format={{.State.Pid}}", site.container(part)))) for part in parts
    ]
    assert score(model["State"]["Pid"]) > 100 > scores[0] > scores[1] > scores[2] >= 0


def test_output_of_a_server_has_an_end(model: dict[str, t.Any]) -> None:
    """Under systemd, too: the journal's rate is one for all containers of the engine."""
    config = model["HostConfig"]["LogConfig"]
    assert config == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}


def test_no_image_gives_rights(site: Deployment, model: dict[str, t.Any]) -> None:
    """Found: 11 programs in hub and edge, 13 in the notebook's, that run as root or in a group of theirs."""
    names = [*site.owned("container"), model["Id"]]
    images = sorted({docker("inspect", "--format={{.Config.Image}}", name) for name in names})
    assert len(images) == 4
    for image in images:
        container = docker("create", image)
        try:
            # Not by a program of the image: some have none.
            script = f"docker export {container} | tar --list --verbose"
            listing = subprocess.run(
                as_root(["sh", "-c", script]), capture_output=True, text=True, check=True
            )
        finally:
            docker("rm", container)
        files = [line for line in listing.stdout.splitlines() if line.startswith("-")]
        assert len(files) > 10, image
        assert [line for line in files if "s" in line[:10].lower()] == [], image


# What somebody leaves in a folder that all share; each would run as whoever comes by.
HOSTILE = """
cd /shared && git -c safe.directory='*' init -q trap && cd trap && mark='touch /shared/ran; false'
say() { git -c safe.directory='*' -C /shared/trap "$@"; }
echo text > file && say add file && say -c user.name=m -c user.email=m@x commit -qm one
say config core.fsmonitor "$mark" && say config core.pager "$mark" && say config diff.external "$mark"
say config core.sshCommand "$mark" && say config alias.st "!$mark" && say config filter.x.clean "$mark"
say config remote.origin.url ssh://x/y && echo '* filter=x' > .gitattributes && cd .git/hooks
printf '#!/bin/sh\\n%s\\n' "$mark" > post-checkout && cp post-checkout pre-commit && cd ../..
chmod +x .git/hooks/* && echo more >> file
git init -q --bare /shared/bare.git && cp .git/config /shared/bare.git/config
"""
VISITOR = """
rm -f /shared/ran; ln -s /shared ~/shared
for folder in /shared/trap ~/shared/trap /shared/bare.git; do
  cd $folder
  for words in status diff log st fetch 'checkout -b x' 'commit -am x'; do git $words; done
  git clone $folder ~/copy
done >/dev/null 2>&1
if [ -e /shared/ran ]; then echo ran; else echo nothing ran; fi
mkdir ~/own && cd ~/own && git init -q . && echo x > x && git add x
git -c user.name=v -c user.email=v@x commit -qm mine && git clone -q ~/own /tmp/own
git -C /tmp/own log --format=%s
"""


def test_servers_are_nobody_on_the_host(model: dict[str, t.Any]) -> None:
    """Found: they were 1000, the first account of most hosts, who could read and signal what is theirs."""
    user, group = docker("exec", model["Id"], "sh", "-c", "id -u; id -G").split()
    assert user == group
    for kind in ("passwd", "group"):
        there = subprocess.run(["getent", kind, user], capture_output=True, text=True, check=False)
        assert (there.returncode, there.stdout) == (2, "")
    homes = [mount["Source"] for mount in model["Mounts"] if mount["Destination"] == "/home/jovyan"]
    assert len(homes) == 1
    owner = subprocess.run(
        as_root(["stat", "--format=%u %g", *homes]), capture_output=True, text=True, check=True
    )
    assert owner.stdout.split() == [user, group]


def test_git_in_shared_folders_runs_no_code_of_others(model: dict[str, t.Any], site: Deployment) -> None:
    """Found: it did. All servers are the same number, so git took everybody's repository for one's own."""
    volume, image = f"{site.instance}-attack-shared", model["Config"]["Image"]
    options = ("run", "--rm", "--network=none", f"--volume={volume}:/shared", "--entrypoint=bash")
    try:
        docker(*options, "--user=0", image, "-c", "chown jovyan:jovyan /shared")
        docker(*options, image, "-c", HOSTILE)
        # The trap works on whoever has it for one's own.
        trust = "git config --global --add safe.directory '*'; cd /shared/trap; git status; ls /shared/ran"
        assert docker(*options, image, "-c", f"({trust}) 2>/dev/null | tail -n 1") == "/shared/ran"
        assert docker(*options, image, "-c", VISITOR).splitlines() == ["nothing ran", "mine"]
    finally:
        docker("volume", "rm", "--force", volume)
