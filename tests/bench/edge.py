# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the front door costs, and whether anybody notices a new certificate.

    python tests/bench/edge.py [--instance hub] [--changes 20] [--passes 3] [--json FILE]

1. New certificates, and reloads of nginx as changed settings need them, under load: wrk asks without a pause,
   many websockets of a kernel that prints all the time are open. Counts failed requests, closed websockets
   and lost messages.
2. The time of a request to a user's server through edge and proxy, against the same request to the server
   itself; and a download of 200 MB in the same two ways. Interleaved, so that a busy machine hits both.

Needs root, wrk (Debian has it), and an instance on this machine with no other users. The instance is switched
to edge_tls_mode self_signed for this, and back.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket
from results import bench_parser, publish
from spawn import container_address, container_of, docker, opened, start_together, users

ROOT = Path(__file__).resolve().parents[2]
BIG = 200 * 2**20
PRINT = """
import itertools, time
for number in itertools.count():
    print(number, flush=True)
    time.sleep(0.05)
"""


def configure(inventory: str, **settings: str) -> None:
    """Run the role edge with other settings."""
    command = [
        *(str(Path(sys.executable).parent / "ansible-playbook"), str(ROOT / "playbooks" / "configure.yml")),
        *("-i", str(ROOT / "inventories" / "common"), "-i", str(ROOT / inventory)),
        *("--tags", "edge", "-e", json.dumps(settings)),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The edge could not be configured:\n{done.stdout[-3000:]}")


@contextmanager
def encrypted(inventory: str) -> Iterator[None]:
    # What nginx can do is measured, and not how long an address waits in line.
    configure(inventory, edge_tls_mode="self_signed", edge_hub_rate="0", edge_server_rate="0")
    try:
        yield
    finally:
        configure(inventory)


def make_pair(folder: Path) -> Path:
    """A certificate and its key, named as certbot names them."""
    folder.mkdir()
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "9", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


class Listener:
    """One websocket of a kernel, and the numbers that came through it."""

    def __init__(self, url: str, token: str) -> None:
        self.numbers: list[int] = []
        self.lost = False
        self.ended = False
        self.socket = websocket.create_connection(
            f"{url}?session_id={uuid.uuid4().hex}",
            header=[f"Authorization: token {token}"],
            sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
            suppress_origin=True,
            timeout=60,
        )
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while not self.ended:
            try:
                message = json.loads(self.socket.recv())
            except (websocket.WebSocketException, OSError, ValueError):
                self.lost = not self.ended
                return
            if message["msg_type"] == "stream":
                self.numbers += [int(word) for word in message["content"]["text"].split()]

    def end(self) -> None:
        self.ended = True
        self.socket.close()
        self.thread.join(timeout=10)

    @property
    def gaps(self) -> int:
        """Numbers that are missing between the first and the last."""
        return self.numbers[-1] - self.numbers[0] + 1 - len(self.numbers) if self.numbers else -1


def execute(code: str) -> str:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "",
        "version": "5.4",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "allow_stdin": False,
        "stop_on_error": True,
    }
    return json.dumps(
        {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    )


def wrk(url: str, token: str, connections: int, seconds: int, kept: bool = True) -> subprocess.Popen[str]:
    command = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds}s",
        "--latency",
    ]
    command += ["--timeout", "10s", "--header", f"Authorization: token {token}"]
    command += [url] if kept else ["--header", "Connection: close", url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def read_wrk(process: subprocess.Popen[str]) -> dict[str, float]:
    """What wrk saw: requests, failed ones, and milliseconds of the median and of the slowest in a hundred."""
    said, _nothing = process.communicate()
    if process.returncode:
        raise SystemExit(f"wrk failed: {said}")
    scale = {"us": 1e-3, "ms": 1.0, "s": 1e3}

    def latency(percent: str) -> float:
        found = re.search(rf"^\s+{percent}%\s+([0-9.]+)(us|ms|s)$", said, re.MULTILINE)
        return round(float(found[1]) * scale[found[2]], 3) if found else -1.0

    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    failed = sum(map(int, errors.groups())) if errors else 0
    requests = re.search(r"(\d+) requests in", said)
    return {
        "requests": int(requests[1]) if requests else 0,
        "failed": failed + (int(refused[1]) if refused else 0),
        "p50_ms": latency("50"),
        "p99_ms": latency("99"),
    }


def under_load(
    change: Callable[[int], None], count: int, url: str, channels: str, token: str, sockets: int, kept: bool
) -> dict[str, Any]:
    """Make so many changes while requests and messages flow; kept: requests use connections again."""
    listeners = [Listener(channels, token) for _ in range(sockets)]
    listeners[0].socket.send(execute(PRINT))
    seconds: list[float] = []
    load = wrk(f"{url}/hub/health", token, 10, 3600, kept)
    try:
        time.sleep(1)
        for number in range(count):
            began = time.monotonic()
            change(number)
            seconds.append(time.monotonic() - began)
            time.sleep(0.5)
        time.sleep(1)
    finally:
        # wrk reports what it has seen so far when it is interrupted.
        load.send_signal(signal.SIGINT)
    seen = read_wrk(load)
    for listener in listeners:
        listener.end()
    return {
        "changes": count,
        "seconds_each": round(statistics.median(seconds), 2),
        "requests": seen["requests"],
        "failed_requests": seen["failed"],
        "websockets": sockets,
        "closed_websockets": sum(listener.lost for listener in listeners),
        "messages": sum(len(listener.numbers) for listener in listeners),
        "lost_messages": sum(max(listener.gaps, 0) for listener in listeners),
    }


def reload(instance: str) -> None:
    """What a change of the edge's settings does."""
    docker(
        "exec", f"{instance}-edge", "nginx", "-e", "/dev/stderr", "-c", "/etc/edge/nginx.conf", "-s", "reload"
    )


def changes(
    instance: str, url: str, channels: str, token: str, count: int, sockets: int
) -> dict[str, dict[str, Any]]:
    """New certificates, and reloads, each under load."""

    def renew(number: int) -> None:
        command = [f"/srv/{instance}/bin/certificate", "install", str(pairs[number % 2])]
        subprocess.run(command, check=True, capture_output=True)

    with tempfile.TemporaryDirectory() as scratch:
        pairs = [make_pair(Path(scratch) / name) for name in ("one", "two")]
        cases: dict[str, tuple[Callable[[int], None], bool]] = {
            "certificates": (renew, True),
            "certificates_new_connections": (renew, False),
            "reloads": (lambda _: reload(instance), True),
            "reloads_new_connections": (lambda _: reload(instance), False),
        }
        found = {}
        for name, (change, kept) in cases.items():
            found[name] = under_load(change, count, url, channels, token, sockets, kept)
            print(json.dumps({name: found[name]}), file=sys.stderr)
    return found


def download(url: str, token: str) -> float:
    """MB per second of a download that goes nowhere."""
    command = ["curl", "--silent", "--show-error", "--fail", "--insecure", "--output", "/dev/null"]
    command += [
        "--header",
        f"Authorization: token {token}",
        "--write-out",
        "%{speed_download} %{size_download}",
        url,
    ]
    speed, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    if int(size) != BIG:
        raise SystemExit(f"{url} gave {size} bytes")
    return float(speed) / 1e6


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--instance", default="hub", help="name of the instance (default: %(default)s)")
    parser.add_argument(
        "--inventory", default="inventories/local", help="its inventory (default: %(default)s)"
    )
    parser.add_argument("--url", default="https://127.0.0.1:8000", help="where it is (default: %(default)s)")
    parser.add_argument("--changes", type=int, default=20, help="of each kind (default: %(default)s)")
    parser.add_argument("--websockets", type=int, default=20, help="that stay open (default: %(default)s)")
    parser.add_argument("--passes", type=int, default=3, help="of what is compared (default: %(default)s)")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with encrypted(options.inventory), opened(options.instance) as hub, users(hub, 1) as (name,):
        token = hub.token
        start_together(hub, [name])
        server = f"{options.url}/user/{name}"
        container = container_of(options.instance, name)
        address = docker("inspect", "--format", container_address(f"{options.instance}-users"), container)
        direct = f"http://{address}:8888/user/{name}"
        docker("exec", container, "sh", "-c", f"head -c {BIG} /dev/urandom >$HOME/big.bin")
        kernel = hub.session.post(
            f"http://{address}:8888/user/{name}/api/kernels", json={}, timeout=60
        ).json()["id"]
        channels = f"{server.replace('https', 'wss')}/api/kernels/{kernel}/channels"
        changed = changes(options.instance, options.url, channels, token, options.changes, options.websockets)
        figures: dict[str, list[float]] = {}
        for _ in range(options.passes):
            for way, base in (("edge", server), ("direct", direct)):
                seen = read_wrk(wrk(f"{base}/api/status", token, 1, 8))
                for key in ("p50_ms", "p99_ms"):
                    figures.setdefault(f"{way}_{key}", []).append(seen[key])
                figures.setdefault(f"{way}_MB_per_s", []).append(download(f"{base}/files/big.bin", token))
    median = {key: round(statistics.median(values), 3) for key, values in figures.items()}
    added = {key: round(median[f"edge_{key}"] - median[f"direct_{key}"], 3) for key in ("p50_ms", "p99_ms")}
    ratio = round(median["edge_MB_per_s"] / median["direct_MB_per_s"], 2)
    publish({"changes": changed, "median": median, "added": added, "download_ratio": ratio}, options.json)
    # A reload ends idle connections, under requests that are on their way. Clients ask again, but not wrk.
    strict = [found for name, found in changed.items() if name != "reloads"]
    lost = sum(found["failed_requests"] for found in strict)
    lost += sum(found["closed_websockets"] + found["lost_messages"] for found in changed.values())
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
