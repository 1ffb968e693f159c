# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The part of the lab that runs in its namespaces, with Debian's Python: databases, programs, the bridge.

    inside.py ADDRESS prepare | start GROUP | schemas | pools | stop [--purge] | state

Each command can be killed and called again. It ends by itself when whoever called it is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from configs import REGION, SOCKET
from daemons import ETC, LOG, RUN, Daemon, everything, groups, infrastructure
from settings import BRIDGE, BRIDGE_PORT, INSIDE_STATE, LabError

DONE = INSIDE_STATE / "done"
SCHEMAS = INSIDE_STATE / "schemas"
FOLDERS = (
    "home", "log/rabbitmq", "glance/images", "glance/staging", "glance/locks", "nova/instances", "nova/tmp",
    "nova/locks", "nova/mnt", "nova-fake/instances", "neutron/locks", "cinder/mnt", "cinder/share",
    "cinder/conversion", "cinder/locks", "designate/locks", "named", "keystone/fernet",
    "keystone/credential", "rabbitmq",
)  # fmt: skip
LOG_LINES = 20
# Seconds. A busy machine needs several times what a quiet one does.
READY_LIMIT, STOP_LIMIT, GUEST_LIMIT, SYNC_LIMIT = 240, 20, 60, 600


def tail(name: str) -> str:
    """The last lines of a program's log, or of what it printed when it came to no log."""
    for file in (LOG / f"{name}.log", LOG / f"{name}.out"):
        if file.exists() and file.stat().st_size:
            return "\n".join(file.read_text(errors="replace").splitlines()[-LOG_LINES:])
    return "(it logged nothing)"


def run(*argv: str, limit: float = 60, **options: t.Any) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=limit, check=False, **options)
    if done.returncode:
        raise LabError(f"{' '.join(argv)} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return str(done.stdout)


def sql(statement: str) -> str:
    return run("mariadb", "--no-defaults", "-uroot", f"--socket={SOCKET}", "-N", input=statement, limit=300)


def dns() -> bool:
    """Whether this lab has Designate."""
    return (ETC / "designate").exists()


# --- Programs -----------------------------------------------------------------------------------------------


def started_at(pid: int) -> str:
    """When a process started, in the kernel's ticks: a number that comes again belongs to another one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def digest(daemon: Daemon) -> str:
    """Of all that a program was started with."""
    found = hashlib.sha256(json.dumps([daemon.argv, daemon.env]).encode())
    for name in daemon.config:
        found.update((ETC / name).read_bytes())
    return found.hexdigest()


def record(daemon: Daemon) -> dict[str, t.Any]:
    """What is known of a program that runs; nothing where it does not."""
    try:
        known: dict[str, t.Any] = json.loads((RUN / f"{daemon.name}.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if known["started"] and started_at(known["pid"]) == known["started"] else {}


def start(daemon: Daemon) -> None:
    with open(LOG / f"{daemon.name}.out", "ab") as output:
        process = subprocess.Popen(
            daemon.argv,
            env={**os.environ, **daemon.env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    known = {"pid": process.pid, "started": started_at(process.pid), "digest": digest(daemon)}
    (RUN / f"{daemon.name}.json").write_text(json.dumps(known))


def end(daemons: list[Daemon]) -> None:
    """Ask programs to end, and end what does not."""
    for number, limit in ((signal.SIGTERM, STOP_LIMIT), (signal.SIGKILL, 5)):
        deadline = time.monotonic() + limit
        for daemon in daemons:
            if known := record(daemon):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(known["pid"], number)
        while any(record(daemon) for daemon in daemons) and time.monotonic() < deadline:
            time.sleep(0.1)
    for daemon in daemons:
        (RUN / f"{daemon.name}.json").unlink(missing_ok=True)


def answers(ready: str) -> bool:
    try:
        if ready.startswith("http"):
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(ready, timeout=5):
                pass
        elif ready.startswith("/"):
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(5)
                link.connect(ready)
        else:
            address, _, port = ready.partition(":")
            socket.create_connection((address, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def bring_up(daemons: list[Daemon]) -> list[str]:
    """Start what does not run or has other settings by now, and wait until all answer."""
    stale = [daemon for daemon in daemons if (known := record(daemon)) and known["digest"] != digest(daemon)]
    end(stale)
    started = [daemon for daemon in daemons if not record(daemon)]
    for daemon in started:
        start(daemon)
    deadline = time.monotonic() + READY_LIMIT
    for daemon in daemons:
        while not daemon.ready or not answers(daemon.ready):
            if not record(daemon):
                raise LabError(f"{daemon.name} ended by itself; its last lines:\n{tail(daemon.name)}")
            if not daemon.ready:
                break
            if time.monotonic() > deadline:
                raise LabError(
                    f"{daemon.name} does not answer at {daemon.ready} after {READY_LIMIT} s; "
                    f"its last lines:\n{tail(daemon.name)}"
                )
            time.sleep(0.2)
    return [daemon.name for daemon in started]


# --- Databases ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def once(name: str) -> t.Iterator[bool]:
    """Whether a step is still to be done; when it ends well, it is done."""
    todo = not (DONE / name).exists()
    yield todo
    if todo:
        (DONE / name).touch()


def manage(name: str, *argv: str) -> None:
    """Run a service's own administration command; its output goes beside the logs."""
    with open(LOG / f"schema-{name}.out", "ab") as output:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=SYNC_LIMIT,
            check=False,
        )
    if done.returncode:
        raise LabError(f"{' '.join(argv[:4])} failed; its last lines:\n{tail(f'schema-{name}')}")


def restore(database: str, dump: Path) -> None:
    sql(f"SET foreign_key_checks=0; USE {database};\n{dump.read_text()}")


def schema(database: str, *argv: str, name: str) -> None:
    """Give an empty database its tables: as an earlier run dumped them, or by the service's own command."""
    kept = SCHEMAS / f"{database}.sql"
    if kept.exists():
        return restore(database, kept)
    manage(name, *argv)
    text = run("mariadb-dump", "--no-defaults", "-uroot", f"--socket={SOCKET}", database, limit=300)
    part = kept.with_suffix(".part")
    part.write_text(text)
    part.replace(kept)


def fresh(*databases: str) -> None:
    """Begin anew: what was killed in the middle of a change of tables cannot be continued."""
    for database in databases:
        sql(f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb3;")


def keystone_schema(address: str, password: str) -> None:
    with once("keystone") as todo:
        if not todo:
            return
        config = ("--config-file", str(ETC / "keystone/keystone.conf"))
        fresh("keystone")
        schema("keystone", "keystone-manage", *config, "db_sync", name="keystone")
        url = f"http://{address}:5000/v3"
        # The password goes by the environment: a command line is for all to read.
        os.environ["OS_BOOTSTRAP_PASSWORD"] = password
        manage(
            "keystone", "keystone-manage", *config, "bootstrap", "--bootstrap-admin-url", url,
            "--bootstrap-internal-url", url, "--bootstrap-public-url", url, "--bootstrap-region-id", REGION,
        )  # fmt: skip


def nova_schema() -> None:
    with once("nova") as todo:
        if not todo:
            return
        command = ("nova-manage", "--config-file", str(ETC / "nova/nova.conf"))
        fresh("nova_api", "nova", "nova_cell0")
        schema("nova_api", *command, "api_db", "sync", name="nova")
        schema("nova", *command, "db", "sync", "--local_cell", name="nova")
        # The cell of servers that found no host has the same tables.
        restore("nova_cell0", SCHEMAS / "nova.sql")
        manage("nova", *command, "cell_v2", "map_cell0")
        manage("nova", *command, "cell_v2", "create_cell", "--name", "cell1")


def plain_schema(name: str, *argv: str) -> None:
    with once(name) as todo:
        if todo:
            fresh(name)
            schema(name, *argv, name=name)


def schemas(address: str, password: str) -> None:
    """Tables of all services. Their commands are slow starters, so they run side by side."""
    plain = {
        "neutron": ("neutron-db-manage", "neutron/neutron.conf", "neutron/ml2.ini", "upgrade heads"),
        "cinder": ("cinder-manage", "cinder/cinder.conf", "db sync"),
        "glance": ("glance-manage", "glance/glance-api.conf", "db_sync"),
        "placement": ("placement-manage", "placement/placement.conf", "db sync"),
    }
    if dns():
        plain["designate"] = ("designate-manage", "designate/designate.conf", "database sync")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        tasks = [pool.submit(nova_schema), pool.submit(keystone_schema, address, password)]
        for name, (program, *files, command) in plain.items():
            options = [word for file in files for word in ("--config-file", str(ETC / file))]
            tasks.append(pool.submit(plain_schema, name, program, *options, *command.split()))
        for task in tasks:
            task.result()


def pools() -> None:
    """Tell Designate of its name server, by the service that keeps its books."""
    with once("pools") as todo:
        if todo:
            config = ("--config-file", str(ETC / "designate/designate.conf"))
            file = ("--file", str(ETC / "designate/pools.yml"))
            manage("designate", "designate-manage", *config, "pool", "update", *file)


# --- Commands -----------------------------------------------------------------------------------------------


def prepare(address: str, network: str) -> None:
    """Folders, an empty database server, and the bridge that routers and the machine meet at."""
    for folder in FOLDERS:
        (INSIDE_STATE / folder).mkdir(parents=True, exist_ok=True)
    for folder in ("fernet", "credential"):
        os.chmod(INSIDE_STATE / "keystone" / folder, 0o700)
    with once("mysql") as todo:
        if todo:
            shutil.rmtree(INSIDE_STATE / "mysql", ignore_errors=True)
            run(
                "mariadb-install-db", "--no-defaults", f"--datadir={INSIDE_STATE}/mysql", "--user=root",
                "--auth-root-authentication-method=normal", "--skip-test-db", limit=120,
            )  # fmt: skip
    run("ip", "link", "set", "lo", "up")
    if not Path("/sys/class/net", BRIDGE).exists():
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "link", "set", BRIDGE_PORT, "master", BRIDGE, "up")
    run("ip", "address", "replace", f"{address}/{network.partition('/')[2]}", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    # Security groups are rules for packets inside a bridge.
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables").write_text("1")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def stop(address: str, purge: bool) -> None:
    """End services first, so that they take no note of the guests' end, then guests, then the rest."""
    below = infrastructure()
    end([daemon for daemon in everything(address, dns()) if daemon.name not in {one.name for one in below}])
    virsh = ("virsh", "-c", "qemu:///system")
    guests = run(*virsh, "list", "--name").split() if record(below[-1]) else []
    if not purge:
        for guest in guests:
            subprocess.run([*virsh, "shutdown", guest], capture_output=True, timeout=30, check=False)
        deadline = time.monotonic() + GUEST_LIMIT
        while run(*virsh, "list", "--name").split() if guests else False:
            if time.monotonic() > deadline:
                break
            time.sleep(0.5)
    for guest in guests:
        subprocess.run([*virsh, "destroy", guest], capture_output=True, timeout=30, check=False)
    end(below)


def watch_caller() -> None:
    """The caller holds the other end of our input: when it is killed, nobody waits for us any more."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os._exit(130)

    threading.Thread(target=watch, daemon=True).start()


def main(address: str, command: str, *rest: str) -> dict[str, t.Any]:
    if command == "prepare":
        prepare(address, rest[0])
    elif command == "start":
        return {"started": bring_up(groups(address, dns())[rest[0]])}
    elif command == "schemas":
        schemas(address, json.loads((INSIDE_STATE / "secrets.json").read_text())["admin"])
    elif command == "pools":
        pools()
    elif command == "stop":
        stop(address, purge="--purge" in rest)
    elif command == "state":
        return {"gone": [daemon.name for daemon in everything(address, dns()) if not record(daemon)]}
    return {}


if __name__ == "__main__":
    watch_caller()
    for _folder in (DONE, RUN, LOG):
        _folder.mkdir(parents=True, exist_ok=True)
    with open(RUN / "lock", "w") as lock:
        # An earlier caller that was killed may leave its last command behind for a moment.
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            print(json.dumps(main(*sys.argv[1:])), flush=True)
        except LabError as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
    os._exit(0)
