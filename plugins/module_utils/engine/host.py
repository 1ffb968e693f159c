# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Looks at the Docker engine of this host."""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import tempfile
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.unix_socket import exchange
from ansible_collections.galilean.hub.plugins.module_utils.engine import state

SOCKET = "/var/run/docker.sock"
PID_FILE = "/var/run/docker.pid"
# An interpreter of its own, such as a virtual environment's, brings these itself.
LIBRARIES = {"python3-requests": "requests"}
# Variables of the site's proxy, a line each; also read by systemd.
PROXY_FILE = "/etc/docker/galilean-hub-proxy.env"
DAEMON_JSON = "/etc/docker/daemon.json"
# Of an engine that the role starts without systemd.
LOG = "/var/log/docker-engine.log"


def read(path: str) -> str:
    """Return a file's text, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return ""


def output(argv: list[str], timeout: float = 30) -> tuple[int, str]:
    """Run a command; exit code 127 if it is missing, 124 after timeout seconds."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
        return done.returncode, done.stdout + done.stderr
    except FileNotFoundError:
        return 127, ""
    except subprocess.TimeoutExpired:
        return 124, ""


def engine_info(timeout: float = 10) -> dict[str, t.Any]:
    """Ask the engine without a client, for at most timeout seconds."""
    try:
        status, text = exchange(SOCKET, "GET", "/info", timeout)
        data = json.loads(text) if status == 200 else {}
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return data if isinstance(data, dict) else {}


def observe_client(path: str, ready: bool) -> state.Client:
    """Ask a client for its version, its connection and its buildx."""
    code, text = output([path, "version", "--format", "{{.Client.Version}}"])
    version = text.strip().splitlines()[0] if text.strip() else ""
    # Without an engine the client still prints its own version, and fails.
    reaches = ready and code == 0
    needs_plugin = state.major(version) >= 23
    return state.Client(path, version, needs_plugin and output([path, "buildx", "version"])[0] == 0, reaches)


def client_paths(given: str | None) -> list[str]:
    """Return the docker commands of the host, those first in PATH first."""
    folders = [*os.environ.get("PATH", "").split(":"), "/usr/bin", "/usr/local/bin", "/bin"]
    paths = [given] if given else [os.path.join(folder, "docker") for folder in folders if folder]
    found: dict[str, str] = {}
    for path in paths:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def find_client(paths: t.Sequence[str], ready: bool) -> state.Client | None:
    """Return the client to use; the later ones are only asked when the earlier ones will not do."""
    seen: list[state.Client] = []
    for path in paths:
        seen.append(observe_client(path, ready))
        if seen[-1].reaches and seen[-1].buildkit:
            break
    return state.choose_client(seen)


def missing_packages(names: t.Sequence[str]) -> list[str]:
    """Return the Debian packages that are not installed, of those named."""
    if not names or not shutil.which("dpkg-query"):
        return []
    text = output(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names])[1]
    installed = {line.split()[0] for line in text.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def _free_gib(path: str) -> float:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return round(shutil.disk_usage(path).free / 2**30, 1)


def _number(path: str) -> int | None:
    text = read(path).strip()
    return int(text) if text.isdigit() else None


def digest(path: str) -> str:
    """Return the SHA-256 of a file, empty when there is none."""
    try:
        with open(path, "rb") as handle:
            return hashlib.sha256(handle.read()).hexdigest()
    except OSError:
        return ""


def observe(
    wanted: str,
    client: str | None,
    packages: t.Sequence[str],
    engine_packages: t.Sequence[str],
    data_root: str,
    files: t.Sequence[str],
    kernel: t.Mapping[str, int],
    options: t.Mapping[str, t.Any],
) -> dict[str, t.Any]:
    """Return everything that the role decides by."""
    info = engine_info()
    systemd = os.path.isdir("/run/systemd/system")
    daemon_json = read(DAEMON_JSON)
    dockerd = shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/usr/local/bin")
    # An upgrade may have brought another than the one that runs.
    program = output([dockerd, "--version"])[1] if dockerd else ""
    program = program.replace("Docker version ", "").split(",")[0].strip()
    mode = state.choose_mode(wanted, bool(info), bool(dockerd), daemon_json)
    needed = [
        *(name for name in packages if not (name in LIBRARIES and importlib.util.find_spec(LIBRARIES[name]))),
        *(engine_packages if mode == "managed" else []),
    ]
    found = find_client(client_paths(client), bool(info))
    interface = state.default_interface(read("/proc/net/route"))
    interface6 = state.default_interface6(read("/proc/net/ipv6_route"))
    pid = _engine_pid()
    here = str(info.get("DockerRootDir") or state.data_root(daemon_json))
    limits = (
        state.hard_nofile(read("/proc/1/limits"))
        if systemd
        else resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    )
    return {
        "ready": bool(info),
        "running": bool(pid),
        "log": "" if info else engine_log(systemd),
        "mode": mode,
        "stale": bool(info) and (state.is_stale(daemon_json, info.get("Labels")) or not _has_proxy(pid)),
        "version": str(info.get("ServerVersion") or program),
        "systemd": systemd,
        "dockerd": dockerd or "",
        "can_validate": state.major(program) >= 23,
        "cli": found.path if found else "",
        "buildkit": found.buildkit if found else "",
        "socket_gid": os.stat(SOCKET).st_gid if os.path.exists(SOCKET) else None,
        "missing_packages": missing_packages(needed),
        "disk_free_gib": _free_gib(info.get("DockerRootDir") or data_root),
        "data_root": here,
        "wanted_data_root": str(options.get("data-root") or data_root),
        "volumes": _volumes(here),
        "mtu": _number(f"/sys/class/net/{interface}/mtu") if interface else None,
        "nofile_limit": limits if limits > 0 else 0,
        "bridge_nf": _number("/proc/sys/net/bridge/bridge-nf-call-iptables"),
        "ip_forward": _number("/proc/sys/net/ipv4/ip_forward"),
        "ipv6": bool(info) and state.serves_ipv6(info, daemon_json, read(f"/proc/{pid}/cmdline").split("\0")),
        "ipv6_forward": _number("/proc/sys/net/ipv6/conf/all/forwarding"),
        "ipv6_interface": interface6,
        "ipv6_accept_ra": _number(f"/proc/sys/net/ipv6/conf/{interface6}/accept_ra") if interface6 else None,
        "files": {path: digest(path) for path in files},
        "kernel_low": state.low_tables(
            kernel, {name: _number("/proc/sys/" + name.replace(".", "/")) for name in kernel}
        ),
        "options_problem": options_problem(dockerd, program, options)
        if dockerd and options and mode == "managed"
        else "",
    }


def _volumes(data_root: str) -> int:
    """How many volumes there are in the engine's data folder."""
    try:
        return sum(one.is_dir() for one in os.scandir(os.path.join(data_root, "volumes")))
    except OSError:
        return 0


def _alive(pid: int) -> bool:
    """True for an engine that runs; where nobody collects dead children, one that ended stays as a zombie."""
    stat = read(f"/proc/{pid}/stat")
    return "(dockerd)" in stat and stat.rpartition(")")[2].split()[0] != "Z"


def _engine_pid() -> int:
    """Return the running engine's process, 0 when there is none."""
    pid = _number(PID_FILE) or 0
    return pid if pid and _alive(pid) else 0


def _proxy() -> dict[str, str]:
    """The proxy that the engine is to use, by variable, as the role has written it."""
    lines = [line.partition("=") for line in read(PROXY_FILE).splitlines() if "=" in line]
    return {name: value for name, _, value in lines}


def _has_proxy(pid: int) -> bool:
    """Whether a running engine has that proxy."""
    there = read(f"/proc/{pid}/environ").split("\0")
    return all(f"{name}={value}" in there for name, value in _proxy().items())


def what_to_do(engine: t.Mapping[str, t.Any]) -> str:
    """Return 'start', 'restart' or '' for an engine that is to run."""
    if not engine["ready"]:
        return "start"
    if engine["mode"] != "managed":
        return ""
    if engine["stale"]:
        return "restart"
    # It runs now, but would not come back with the host.
    lost = engine["systemd"] and output(["systemctl", "is-enabled", "--quiet", "docker.service"])[0] != 0
    return "start" if lost else ""


def options_problem(dockerd: str, version: str, options: t.Mapping[str, t.Any]) -> str:
    """What the engine's own program has against options of a site; empty for nothing, and where it cannot say."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "daemon.json")
        argv = [dockerd, "--validate", "--config-file", path]
        if state.major(version) < 23:
            # It cannot only look. But it reads the file first, and then ends before it touches anything, as there is
            # no such level of its log.
            options = {name: value for name, value in options.items() if name != "log-level"}
            argv = [dockerd, "--log-level", "none", "--config-file", path]
        with open(path, "w", encoding="utf-8") as handle:
            json.dump(options, handle)
        code, text = output(argv)
    if code == 0 or "unable to configure the Docker daemon" not in text:
        return ""
    return (
        f"docker_daemon_options is {json.dumps(options)}, which Docker {version} of this host refuses "
        f"({state.refusal(text)}): use the names and types of Docker's daemon.json."
    )


def engine_log(systemd: bool) -> str:
    """The last words of an engine that does not answer."""
    if systemd:
        return state.last_words(
            output(["journalctl", "-u", "docker.service", "-n", "60", "-o", "cat", "--no-pager"])[1]
        )
    return state.last_words("\n".join(read(LOG).splitlines()[-60:]))
