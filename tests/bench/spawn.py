# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long users wait for their server, on the instance that runs on this machine.

    python tests/bench/spawn.py --instance hub [--users 20] [--repeats 5] [--json FILE]

1. One warm user through the hub, against `docker run` of the same image with the same options until its
   server answers; both interleaved in one run, so that a busy machine hits both.
2. Many users at once: the hub as it is deployed; the same hub with DockerSpawner itself and its defaults;
   and that with the stock start command of JupyterHub as well. The configuration is put back at the end.

Ratios within one run can be compared, seconds of different runs cannot. Needs root and no other users on the
instance, to which it adds a service that may use everybody's servers, until the end.
"""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from results import bench_parser, publish

# The service with everybody's servers is the one of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from admin_service import service

POLL = 0.02
DEADLINE = 600


def docker(*argv: str) -> str:
    """Output of a docker command; its error output reaches the terminal when it fails."""
    return subprocess.run(["docker", *argv], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def container_of(instance: str, user: str) -> str:
    """The container of a user's server, whose name does not say whose it is."""
    labels = {"instance": instance, "role": "user", "user": user}
    return docker("ps", "--quiet", *(f"--filter=label=galilean.hub.{key}={labels[key]}" for key in labels))


def resident(container: str) -> float:
    """Resident memory of a container's processes in MiB; what several share is split among them (PSS)."""
    pids = [line.strip() for line in docker("top", container, "-o", "pid").splitlines()[1:]]
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return round(sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024, 1)


def container_address(network: str) -> str:
    """Format of `docker inspect` that prints a container's address in a network."""
    return '{{(index .NetworkSettings.Networks "' + network + '").IPAddress}}'


class Instance:
    """A running instance: its files, its containers, and its hub's API."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.config = Path("/srv") / name / "config" / "config.json"
        self.token = secrets.token_hex(16)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"token {self.token}"
        address = container_address(f"{name}-core")
        self.base = f"http://{docker('inspect', '--format', address, f'{name}-proxy')}:8000"

    def call(self, method: str, path: str) -> requests.Response:
        return self.session.request(method, f"{self.base}/hub/api{path}", timeout=300)

    def wait(self) -> None:
        """Return when the hub answers."""
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                if self.call("GET", "/").ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"The hub of {self.name} does not answer")

    def configure(self, text: str) -> None:
        """Give the hub other data, and return when it answers."""
        self.config.write_text(text)
        docker("restart", "--time", "10", f"{self.name}-hub")
        self.wait()

    def ready(self) -> set[str]:
        """Names of the users whose server is ready."""
        return {user["name"] for user in self.call("GET", "/users?state=ready&limit=500").json()}

    def stop(self, names: list[str]) -> None:
        """Stop the users' servers and forget the users."""
        for name in names:
            self.call("DELETE", f"/users/{name}/server")
        give_up = time.monotonic() + 120
        while self.ready() & set(names) and time.monotonic() < give_up:
            time.sleep(0.2)
        for name in names:
            self.call("DELETE", f"/users/{name}")


@contextmanager
def opened(name: str) -> Iterator[Instance]:
    """The instance, with a service that may use everybody's servers until the end."""
    hub = Instance(name)
    kept = hub.config.read_text()
    data = json.loads(kept)
    for trait, entries in service(hub.token)["JupyterHub"].items():
        data["traits"]["JupyterHub"].setdefault(trait, []).extend(entries)
    try:
        hub.configure(json.dumps(data))
        yield hub
    finally:
        hub.configure(kept)


@contextmanager
def users(hub: Instance, count: int) -> Iterator[list[str]]:
    """That many users, who are gone afterwards; their homes too."""
    names = [f"bench-{number}" for number in range(count)]
    for name in names:
        hub.call("POST", f"/users/{name}")
    try:
        yield names
    finally:
        hub.stop(names)
        for name in names:
            escaped = name.replace("-", "-2d")
            volume = f"{hub.name}-home-{escaped}"
            subprocess.run(["docker", "volume", "rm", "-f", volume], check=False, stdout=subprocess.DEVNULL)


def start_together(hub: Instance, names: list[str]) -> list[float]:
    """Ask for everybody's server at once; return the seconds until each was ready, in order of readiness."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(names)) as pool:
        answers = [pool.submit(hub.call, "POST", f"/users/{name}/server") for name in names]
        done: dict[str, float] = {}
        while len(done) < len(names) and time.monotonic() - began < DEADLINE:
            if any(answer.done() and not answer.result().ok for answer in answers):
                break
            for name in hub.ready() - set(done):
                done[name] = time.monotonic() - began
            time.sleep(0.1 if len(names) == 1 else 0.25)
        failed = [
            f"{answer.result().status_code} {answer.result().text}"
            for answer in answers
            if not answer.result().ok
        ]
    if failed or len(done) < len(names):
        raise SystemExit(f"{len(names) - len(done)} of {len(names)} servers did not start: {failed[:3]}")
    return sorted(done.values())


def start_one(hub: Instance, name: str) -> float:
    """Seconds from the request to a server that the hub calls ready."""
    began = time.monotonic()
    answer = hub.call("POST", f"/users/{name}/server")
    while answer.status_code == 202 and name not in hub.ready():
        time.sleep(POLL)
    if answer.status_code not in (201, 202):
        raise SystemExit(f"The server did not start: {answer.status_code} {answer.text}")
    return time.monotonic() - began


def plain_run(hub: Instance, name: str, container: dict[str, Any]) -> float:
    """Seconds of `docker run` with the options of a container that the hub made, until its server answers."""
    host, config = container["HostConfig"], container["Config"]
    argv = ["run", "--detach", "--name", f"{hub.name}-bench", "--network", host["NetworkMode"]]
    argv += [f"--volume={bind}" for bind in host["Binds"] or []]
    argv += [f"--env={value}" for value in config["Env"]]
    argv += [f"--cap-drop={capability}" for capability in host["CapDrop"] or []]
    for option in host["SecurityOpt"] or []:
        name, _, profile = option.partition("=")
        if name == "seccomp" and profile.startswith("{"):
            # The engine takes the content of the profile, the client the name of a file with it.
            file = Path(tempfile.gettempdir()) / f"{hub.name}-seccomp.json"
            file.write_text(profile)
            option = f"{name}={file}"
        argv.append(f"--security-opt={option}")
    argv += ["--read-only"] if host["ReadonlyRootfs"] else []
    argv += [f"--tmpfs={path}:{options}" for path, options in (host["Tmpfs"] or {}).items()]
    argv += [
        f"--memory={host['Memory']}",
        f"--memory-swap={host['MemorySwap']}",
        f"--pids-limit={host['PidsLimit']}",
    ]
    argv += [f"--cpu-period={host['CpuPeriod']}", f"--cpu-quota={host['CpuQuota']}"]
    argv += ["--init"] if host["Init"] else []
    argv += [config["Image"], *(config["Cmd"] or [])]
    began = time.monotonic()
    docker(*argv)
    try:
        form = container_address(host["NetworkMode"])
        address = f"http://{docker('inspect', '--format', form, f'{hub.name}-bench')}:8888/user/{name}/api"
        while time.monotonic() - began < DEADLINE:
            try:
                if requests.get(address, timeout=5).ok:
                    return time.monotonic() - began
            except requests.ConnectionError:
                time.sleep(POLL)
        raise SystemExit("The server of the plain container does not answer")
    finally:
        docker("rm", "--force", f"{hub.name}-bench")


def one_user(hub: Instance, repeats: int) -> dict[str, Any]:
    """Part 1: the hub's own share of a start."""
    through_hub: list[float] = []
    plain: list[float] = []
    with users(hub, 1) as [name]:
        start_one(hub, name)  # warm: the home exists, the image's files are in the page cache
        container = json.loads(docker("inspect", container_of(hub.name, name)))[0]
        time.sleep(5)
        memory = resident(container["Id"])
        hub.call("DELETE", f"/users/{name}/server")
        for _ in range(repeats):
            plain.append(plain_run(hub, name, container))
            through_hub.append(start_one(hub, name))
            hub.call("DELETE", f"/users/{name}/server")
    return {
        "through_hub_s": round(statistics.median(through_hub), 2),
        "docker_run_s": round(statistics.median(plain), 2),
        "ratio": round(statistics.median(through_hub) / statistics.median(plain), 2),
        "idle_server_mib": memory,
    }


def dockerspawner_defaults(data: dict[str, Any]) -> None:
    """DockerSpawner as it comes: only what it cannot do without on this host stays."""
    data["traits"]["JupyterHub"]["spawner_class"] = "dockerspawner.DockerSpawner"
    del data["traits"]["JupyterHub"]["concurrent_spawn_limit"]
    # Whose home it is, only our spawner can tell.
    volumes = data["traits"]["DockerSpawner"]["volumes"]
    data["traits"]["DockerSpawner"]["volumes"] = {
        name.replace("{home}", "{username}"): place for name, place in volumes.items()
    }
    spawner = data["traits"]["DockerSpawner"]
    needed = ("image", "pull_policy", "remove", "network_name", "use_internal_ip", "prefix", "volumes")
    data["traits"]["DockerSpawner"] = {key: spawner[key] for key in needed}
    # The broker lets no server start without these.
    data["traits"]["DockerSpawner"]["extra_create_kwargs"] = spawner["extra_create_kwargs"]
    data["traits"]["DockerSpawner"]["extra_host_config"] = {"security_opt": ["no-new-privileges"]}
    data["traits"]["DockerSpawner"].update(start_timeout=DEADLINE, http_timeout=DEADLINE)


def stock_command(data: dict[str, Any]) -> None:
    """And JupyterHub's own start command in place of the image's."""
    dockerspawner_defaults(data)
    data["traits"]["DockerSpawner"]["cmd"] = ["/opt/notebook/bin/jupyterhub-singleuser"]


def many_users(hub: Instance, count: int) -> dict[str, Any]:
    """Part 2: the same crowd before three hubs."""
    kept = hub.config.read_text()
    variants: dict[str, Callable[[dict[str, Any]], None] | None] = {
        "deployed": None,
        "dockerspawner_defaults": dockerspawner_defaults,
        "dockerspawner_defaults_stock_command": stock_command,
    }
    results: dict[str, Any] = {}
    try:
        for variant, change in variants.items():
            data = json.loads(kept)
            if change:
                change(data)
            hub.configure(json.dumps(data))
            with users(hub, count) as names:
                times = start_together(hub, names)
            results[variant] = {
                "first_s": round(times[0], 2),
                "median_s": round(statistics.median(times), 2),
                "last_s": round(times[-1], 2),
            }
            print(f"{variant}: {results[variant]}", file=sys.stderr)
    finally:
        hub.configure(kept)
    for variant in list(variants)[1:]:
        results[f"ratio_to_{variant}"] = {
            key: round(results["deployed"][f"{key}_s"] / results[variant][f"{key}_s"], 2)
            for key in ("first", "median", "last")
        }
    return results


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--instance", default="hub", help="name of the instance (default: %(default)s)")
    parser.add_argument("--users", type=int, default=20, help="size of the crowd (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="starts of one user (default: %(default)s)")
    options = parser.parse_args()
    parts = {part: resident(f"{options.instance}-{part}") for part in ("hub", "broker", "proxy", "edge")}
    with opened(options.instance) as hub:
        results = {
            "footprint_mib": {**parts, "together": round(sum(parts.values()), 1)},
            "one_user": one_user(hub, options.repeats),
            f"{options.users}_users": many_users(hub, options.users),
        }
    publish(results, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
