# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One user fills the disk: by a home or shared folder beyond its limit, by writing until nothing is free."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker, wait_until
from user_client import UserClient

MIB = 2**20
People = t.Callable[[str], UserClient]


def home_of(person: UserClient) -> dict[str, t.Any]:
    """What JupyterLab is told of the home."""
    found: dict[str, t.Any] = person.client.ask("GET", f"{person.server}/galilean/disk").json()
    return found


def fill(person: UserClient, path: str, mib: int) -> None:
    """Write so many MiB from a notebook, on to the disk."""
    person.run(
        f"import os\nwith open({path!r}, 'ab') as f:\n"
        f"    for _ in range({mib}):\n        f.write(os.urandom({MIB}))\n"
        "    f.flush()\n    os.fsync(f.fileno())"
    )


def state(site: Deployment) -> dict[str, t.Any]:
    argv = as_root(["cat", f"/srv/{site.instance}/disk/state.json"])
    found: dict[str, t.Any] = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    return found


def ask_for_a_start(person: UserClient, *accept: int) -> t.Any:
    url = f"{person.client.url}/hub/api/users/{person.name}/server"
    return person.client.ask("POST", url, accept, {})


def refused(person: UserClient) -> str:
    """What a start is answered that is refused."""
    answer = ask_for_a_start(person, 400, 403, 503)
    return str(answer.json()["message"])


def test_a_home_that_is_too_large(site: Deployment, people: People) -> None:
    """Before: no setting limited a home."""
    sam, bob = people("sam"), people("bob")
    sam.open_kernel("python3")
    # A hole takes nothing, whatever its length.
    sam.run("import os\nopen('hole', 'wb').truncate(2**40)")
    fill(sam, "large", 52)
    wait_until(lambda: home_of(sam)["state"] == "over", 60, "the notice in JupyterLab")
    assert "limit is 50.0 MiB" in home_of(sam)["message"]
    # Each sees the own home only.
    assert home_of(bob)["message"] == ""
    begin = time.monotonic()
    # A file that no folder has any more counts as well.
    sam.run(f"gone = open('gone', 'wb', 0)\nos.unlink('gone')\nprint(gone.write(bytes({10 * MIB})))")
    wait_until(lambda: not sam.state().running, 60, "the end of a server that wrote on")
    print(f"stopped {time.monotonic() - begin:.1f} s after the limit")
    assert bob.state().ready
    # Others start; who wrote waits a moment, and is told so.
    assert "because of what it wrote" in refused(sam)
    people("cleo")
    wait_until(lambda: started(sam), 90, "the next start")
    # What was hidden is gone with the server.
    assert home_of(sam)["state"] == "over"
    sam.delete("large")
    wait_until(lambda: home_of(sam)["state"] == "ok", 60, "the home after cleaning up")
    sam.stop()
    sam.start()


def test_a_shared_folder_that_is_too_large(people: People) -> None:
    """Found: a shared folder had no limit: whoever may write there filled the disk, and nobody was told."""
    bob, cleo = people("bob"), people("cleo")

    def lab() -> t.Any:
        return home_of(bob)["folders"][0]

    for person in (bob, cleo):
        person.open_kernel("python3")
    # Without write(): a file that has its room at once, and is filled in memory.
    cleo.run(
        "import mmap, os\nfile = open('shared/lab/large', 'w+b')\n"
        f"def more(size):\n    os.posix_fallocate(file.fileno(), 0, size * {MIB})\n"
        f"    with mmap.mmap(file.fileno(), size * {MIB}) as room:\n        room[:] = os.urandom(len(room))\n"
        "more(52)"
    )
    wait_until(lambda: lab()["state"] == "over", 60, "the notice in JupyterLab")
    assert lab()["message"].startswith("shared/lab takes 52.0 MiB, its limit is 50.0 MiB.")
    # Who writes much elsewhere is not taken for the one who writes there.
    fill(bob, "own", 100)
    begin = time.monotonic()
    cleo.run("more(62)")
    wait_until(lambda: not cleo.state().running, 60, "the end of a server that wrote on")
    print(f"stopped {time.monotonic() - begin:.1f} s after the limit")
    assert bob.state().ready
    wait_until(lambda: lab()["state"] == "full", 20, "the notice of others")
    bob.run("import os\nos.unlink('shared/lab/large')\nos.unlink('own')")
    wait_until(lambda: lab()["state"] == "ok", 60, "the folder after cleaning up")


def started(person: UserClient) -> bool:
    """Try to start the server; False while it is refused."""
    answer = ask_for_a_start(person, 201, 202, 400)
    if answer.status == 400:
        time.sleep(2)
        return False
    person.start()
    return True


def tell(site: Deployment, folder: Path, told: dict[str, t.Any]) -> None:
    """Give the hub this instead of the agent's last answer."""
    file = folder / "state.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    # In place: its owner and mode stay.
    subprocess.run(as_root(["cp", str(file), f"/srv/{site.instance}/disk/state.json"]), check=True)


@pytest.fixture
def full_disk(site: Deployment, tmp_path: Path) -> t.Iterator[None]:
    """The hub is told of a disk with less free than the reserve; what measures it holds still meanwhile."""
    container = site.container("disk")
    docker("pause", container)
    before = state(site)
    space = {**before["space"], "volumes": {**before["space"]["volumes"], "free": before["reserve"] - MIB}}
    try:
        tell(site, tmp_path, {**before, "time": time.time(), "space": space})
        yield
    finally:
        # The agent writes again only when there is something new, or after its pause.
        tell(site, tmp_path, {**before, "time": time.time()})
        docker("unpause", container)


def test_below_the_reserve_no_server_starts(
    site: Deployment, authority: Path, people: People, full_disk: None
) -> None:
    """Before: nothing looked at the disk once the hub was there."""
    dora = UserClient(site.url, site.token, "dora", ca=str(authority))
    if not dora.state().exists:
        dora.client.create_user("dora")
    assert "disk is nearly full" in refused(dora)
    # Whose server runs works on.
    assert home_of(people("bob"))["state"] == "ok"


def test_what_looks_after_the_disk_can_do_little(site: Deployment) -> None:
    """It is root and sees all homes: so it is in no network, and may change nothing but its own folders."""
    model = json.loads(docker("inspect", site.container("disk")))[0]
    assert model["HostConfig"]["NetworkMode"] == "none"
    assert model["HostConfig"]["ReadonlyRootfs"]
    assert not model["HostConfig"]["Privileged"]
    assert not [mount for mount in model["Mounts"] if mount["Source"].endswith("docker.sock")]
    writable = {mount["Destination"] for mount in model["Mounts"] if mount["RW"]}
    if not state(site)["quota"]:
        # It also keeps the audit log, out of reach of the hub.
        assert writable == {"/srv/disk", "/srv/audit"}
        assert sorted(model["HostConfig"]["CapAdd"]) == ["DAC_READ_SEARCH", "SYS_PTRACE"]
    assert {"total", "free"} <= set(state(site)["space"]["volumes"])


def test_it_costs_nothing_while_nobody_writes(site: Deployment) -> None:
    """Less than half a hundredth of a processor."""
    number = docker("inspect", "--format", "{{.State.Pid}}", site.container("disk"))

    def spent() -> float:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    before = spent()
    time.sleep(10)
    used = (spent() - before) / 10
    print(f"{used * 100:.2f} % of a processor")
    assert used < 0.005


def test_a_file_stays_in_its_project(people: People) -> None:
    """Where the kernel keeps the limit of a home: its owner could take files out of it (chattr -p)."""
    bob = people("bob")
    bob.open_kernel("python3")
    code = (
        "import errno, fcntl\n"
        "open('kept', 'w').close()\n"
        "for command, size in ((0x401C5820, 28), (0x40086602, 8)):\n"
        "    with open('kept', 'rb') as f:\n"
        "        try:\n"
        "            fcntl.ioctl(f, command, bytearray(size))\n"
        "            print('done')\n"
        "        except OSError as exc:\n"
        "            print(errno.errorcode[exc.errno])"
    )
    assert bob.run(code).split() == ["EPERM", "EPERM"]
