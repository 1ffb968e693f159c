# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real OpenStack on this machine, for tests: `make lab-up` and `make lab-down`. See docs/lab.md."""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import json
import os
import secrets as random
import sys
import time
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import access
import host
import names
from commands import remove, write
from configs import HOST_UUID, SECRETS, Renderer
from contents import EXTERNAL_NETWORK, FLAVORS, Contents, clouds, clouds_text
from guest_image import GuestImages, variants
from settings import LabError, Settings
from system import System

CHECKOUT = Path(__file__).resolve().parents[2]
AGENT_LIMIT = 240


def secrets(path: Path) -> dict[str, str]:
    """Passwords, made at the first start and kept."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {name: random.token_hex(16) for name in SECRETS} | {HOST_UUID: str(uuid.uuid4())}
    write(path, json.dumps({**made, **known}, indent=1) + "\n", mode=0o600)
    return {**made, **known}


def keys(var: Path) -> None:
    """Keys that Keystone signs tokens and hides credentials with."""
    for name in ("fernet/0", "fernet/1", "credential/0", "credential/1"):
        file = var / "keystone" / name
        if not file.exists():
            write(file, base64.urlsafe_b64encode(random.token_bytes(32)).decode(), mode=0o600)


class Lab:
    """Brings the lab up and down, stage by stage."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.system = System(settings)
        self.started: list[str] = []
        self.timings: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> t.Iterator[None]:
        print(f"{name:<34}", end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print("failed", flush=True)
            raise
        self.timings[name] = round(time.monotonic() - began, 1)
        print(f"{self.timings[name]:7.1f} s", flush=True)

    def up(self) -> None:
        settings, system, began = self.settings, self.system, time.monotonic()
        host.check(settings, fresh=not system.init())
        with self.stage("OpenStack packages"):
            if system.init() and not system.tree_runs():
                raise LabError(
                    "The lab runs with other packages than these files ask for: call make lab-down first."
                )
            system.build()
        images = GuestImages(settings, system)
        # Beside the services, whose start waits more than it works.
        building = ThreadPoolExecutor(max_workers=1).submit(images.build)
        known = self._configure()
        with self.stage("Namespaces and network"):
            self._enter()
        with self.stage("Databases and message queue"):
            self._start("infrastructure")
        with self.stage("Tables"):
            system.call("schemas", limit=900)
        contents = Contents(settings, known)
        with self.stage("Identity and placement"):
            self._start("identity")
            contents.accounts()
        with self.stage("Services"):
            self._start("services")
        with self.stage("Agents"):
            # An earlier run's reports make them look alive for a minute or two.
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            self._start("agents")
            contents.wait_for_agents(AGENT_LIMIT, self._observe, since if self.started else "")
            if settings.dns:
                system.call("pools", limit=120)
        with self.stage("Guest images"):
            building.result()
            contents.images(images)
        with self.stage("Flavors, quotas, networks"):
            contents.offers()
            credential = contents.credential()
            self._write_clouds(clouds_text(clouds(settings, known, credential)))
            self.started += access.provide(settings, self._caller())
        self._summary(time.monotonic() - began, [*self.started, *contents.changed])

    def _configure(self) -> dict[str, str]:
        var = self.settings.var
        network = var / "network"
        if network.exists() and network.read_text().strip() != str(self.settings.network):
            raise LabError(
                f"LAB_NETWORK is {self.settings.network}, and the lab's state is of "
                f"{network.read_text().strip()}: give that one, or remove the state with "
                "make lab-down ARGS=--purge."
            )
        write(network, f"{self.settings.network}\n")
        known = secrets(var / "secrets.json")
        keys(var)
        renderer = Renderer(self.settings, known, host.site())
        more = names.files(renderer) if self.settings.dns else {}
        for name, content in {**renderer.files(), **more}.items():
            # The APIs' passwords are in there.
            write(var / "etc" / name, content, mode=0o600)
        return known

    def _enter(self) -> None:
        if self.system.enter():
            self.started.append("namespaces")
        host.forward(self.settings.state / "ip_forward")
        if host.plug(self.settings, self.system.init()):
            self.started.append("network")
        self.system.call("prepare", str(self.settings.network), limit=180)

    def _start(self, group: str) -> None:
        self.started += self.system.call("start", group, limit=600)["started"]

    def _observe(self) -> None:
        gone = self.system.call("state", limit=30)["gone"]
        if gone:
            raise LabError(
                f"{gone[0]} ended by itself; its log is {self.settings.var / 'log' / gone[0]}.log."
            )

    def _write_clouds(self, content: str) -> None:
        """Write clouds.yaml for whoever called, also through sudo."""
        file = self.settings.clouds_file
        write(file, content, mode=0o600)
        if caller := self._caller():
            os.chown(file, *caller)

    def _caller(self) -> tuple[int, int] | None:
        """Who called sudo, where somebody did."""
        ids = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID", "-1")
        return (int(ids[0]), int(ids[1])) if ids[0] else None

    def _summary(self, seconds: float, changed: list[str]) -> None:
        first, last = self.settings.pool
        address = self.settings.address
        names_line = (
            f"  names             Designate, answered for at {address}\n" if self.settings.dns else ""
        )
        write(self.settings.state / "timings.json", json.dumps(self.timings, indent=1) + "\n")
        print(
            f"The lab is up after {seconds:.0f} s"
            f"{f' ({len(changed)} things were started or made)' if changed else ', nothing was to do'}.\n"
            "  clouds            lab (project hub), lab-app (its application credential),\n"
            "                    lab-other (project other), lab-admin\n"
            f"  images            {', '.join(one.name for one in variants(self.settings))}\n"
            f"  flavors           {', '.join(FLAVORS)}\n"
            f"  external network  {EXTERNAL_NETWORK}: floating IPs {first} to {last}, reached from here\n"
            f"{names_line}"
            f"  logs              {self.settings.var / 'log'}\n"
            f"  export OS_CLIENT_CONFIG_FILE={self.settings.clouds_file} OS_CLOUD=lab",
            flush=True,
        )

    def down(self, purge: bool, everything: bool) -> None:
        began = time.monotonic()
        if os.geteuid() != 0:
            raise LabError("The lab belongs to root: call it as root, or with sudo.")
        if self.system.init():
            with self.stage("Guests, services, databases"):
                self.system.call("stop", *(["--purge"] if purge else []), limit=240)
        with self.stage("Namespaces and network"):
            self.system.leave()
            host.unplug(self.settings, self.settings.state / "ip_forward")
        self.settings.clouds_file.unlink(missing_ok=True)
        if purge:
            with self.stage("State"):
                remove(self.settings.var)
                access.forget(self.settings)
                (self.settings.state / "timings.json").unlink(missing_ok=True)
        if everything:
            with self.stage("Packages and images"):
                remove(self.settings.cache)
        kept = "" if everything else "; packages and images are kept" if purge else "; its state is kept"
        print(f"The lab is down after {time.monotonic() - began:.0f} s{kept}.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="bring the lab up, or what of it is missing")
    down = commands.add_parser("down", help="stop the lab")
    down.add_argument(
        "--purge", action="store_true", help="remove servers, volumes, databases and passwords, too"
    )
    down.add_argument(
        "--all", action="store_true", help="and the packages and images that the next start would use"
    )
    arguments = parser.parse_args()
    try:
        settings = Settings.from_environ(os.environ, CHECKOUT)
        settings.state.mkdir(parents=True, exist_ok=True)
        with open(settings.state / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise LabError("Another lab-up or lab-down is at work: wait for it.") from None
            lab = Lab(settings)
            if arguments.command == "up":
                lab.up()
            else:
                lab.down(arguments.purge or arguments.all, arguments.all)
    except (LabError, PermissionError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        # At once: an image that is being made beside is given up.
        os._exit(1)
    except KeyboardInterrupt:
        print(
            "\nStopped; make lab-up goes on from here, make lab-down removes what runs.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(130)
    return 0


if __name__ == "__main__":
    sys.exit(main())
