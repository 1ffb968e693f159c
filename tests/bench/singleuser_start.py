#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long a user's server takes from "docker run" to its first answer, with each cut undone in turn.

Needs an engine on this machine and a built notebook image; a stand-in for the hub runs in a container of the
same image. Rounds are interleaved, so that other load meets all variants alike; compare ratios.

    tests/bench/singleuser_start.py galilean/notebook:<digest> --repeat 7
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = "/opt/notebook/lib/python3.13/site-packages"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
LABEL = "galilean.hub.bench=singleuser-start"

# Versions do not matter here, the grammar that is compiled at import does.
FORMAT_CHECKERS = "rfc3987-syntax fqdn isoduration uri-template webcolors"
ADD_CHECKERS = f"/usr/bin/python3 -m pip install --quiet --no-cache-dir --target {PACKAGES} {FORMAT_CHECKERS}"
DROP_BYTECODE = "find /opt/notebook -name __pycache__ -prune -exec rm -rf {} +"

HUB = """
import http.server, json
class Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"version": "6.1.1"}).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()
http.server.ThreadingHTTPServer(("", 8081), Hub).serve_forever()
"""


@dataclass
class Variant:
    """One way to start the image: what is undone, and how."""

    name: str
    cuts: str = "defer,gc"
    script: str = ""  # run as root in a copy of the image
    extensions: bool = False
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


VARIANTS = (
    Variant("as delivered"),
    Variant("without: format checkers left out", script=ADD_CHECKERS),
    Variant("without: hub's database and pages deferred", cuts="gc"),
    Variant("without: no garbage collection during import", cuts="defer"),
    Variant("without: two unused extensions off", extensions=True),
    Variant("without: bytecode compiled at build", script=DROP_BYTECODE),
    Variant("nothing but compiled bytecode", cuts="", script=ADD_CHECKERS, extensions=True),
    Variant(
        "none of the cuts",
        cuts="",
        script=f"{ADD_CHECKERS} && {DROP_BYTECODE}",
        extensions=True,
    ),
)


def docker(*args: str) -> str:
    """Run the docker client and return what it prints."""
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"docker {' '.join(args)}\n{done.stderr.strip()}")
    return done.stdout.strip()


def address(container: str) -> str:
    return docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container
    )


@contextlib.contextmanager
def hub(image: str) -> Iterator[str]:
    """A stand-in for the hub: a server asks it for its version before it answers anyone."""
    container = docker("run", "--detach", "--label", LABEL, "--entrypoint", "python3", image, "-c", HUB)
    try:
        yield f"http://{address(container)}:8081/hub/api"
    finally:
        docker("rm", "--force", container)


@contextlib.contextmanager
def changed_images(image: str, variants: list[Variant]) -> Iterator[dict[str, str]]:
    """Return script -> image in which it has been run; the images are removed afterwards."""
    images = {"": image}
    trust = ["--volume", f"{CA_BUNDLE}:{CA_BUNDLE}:ro"] if CA_BUNDLE.exists() else []
    try:
        for script in {variant.script for variant in variants} - {""}:
            container = docker(
                "create",
                "--label",
                LABEL,
                "--user",
                "root",
                "--entrypoint",
                "sh",
                *trust,
                image,
                "-ec",
                script,
            )
            docker("start", "--attach", container)
            images[script] = docker(
                "commit",
                *("--change", 'ENTRYPOINT ["/opt/notebook/bin/entry"]'),
                *("--change", 'CMD ["/opt/notebook/bin/singleuser"]'),
                *("--change", "USER jovyan"),
                container,
            )
            docker("rm", container)
        yield images
    finally:
        for made in set(images.values()) - {image}:
            docker("rmi", "--force", made)


def environment(hub_url: str) -> dict[str, str]:
    """What a hub sets for a user's server."""
    return {
        "JUPYTERHUB_API_TOKEN": "0" * 32,
        "JUPYTERHUB_API_URL": hub_url,
        "JUPYTERHUB_ACTIVITY_URL": f"{hub_url}/users/bench/activity",
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-bench",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": "/user/bench/oauth_callback",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:servers!user=bench"]',
        "JUPYTERHUB_OAUTH_SCOPES": '["access:servers!user=bench"]',
        "JUPYTERHUB_SERVER_NAME": "",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/bench/",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/bench/",
        "JUPYTERHUB_USER": "bench",
    }


def mounts(variant: Variant, folder: Path) -> list[str]:
    """The settings files that undo a cut made by configuration."""
    found = []
    if variant.extensions:
        extra = folder / "extensions.json"
        extra.write_text(
            '{"ServerApp": {"jpserver_extensions": {"jupyter_lsp": true, "notebook_shim": true}}}'
        )
        found += ["--volume", f"{extra}:/etc/jupyter/jupyter_server_config.d/bench.json:ro"]
    for file in folder.iterdir():
        file.chmod(0o644)
    return found


def answers(host: str) -> bool:
    connection = http.client.HTTPConnection(host, 8888, timeout=5)
    try:
        connection.request("GET", "/user/bench/api")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def measure(variant: Variant, image: str, extra: list[str], env: dict[str, str], timeout: float) -> None:
    """Start one server, note wall time, processor time and memory, remove it."""
    options = [part for item in env.items() for part in ("--env", "=".join(item))]
    started = time.monotonic()
    container = docker(
        "run",
        "--detach",
        "--label",
        LABEL,
        *options,
        "--env",
        f"NOTEBOOK_START_CUTS={variant.cuts}",
        *extra,
        image,
    )
    try:
        host = address(container)
        while not answers(host):
            if time.monotonic() - started > timeout:
                raise SystemExit(
                    f"{variant.name}: no answer after {timeout:.0f} s\n{docker('logs', container)}"
                )
            time.sleep(0.01)
        variant.wall.append(time.monotonic() - started)
        first = docker("inspect", "--format", "{{.State.Pid}}", container)
        # The server is the eldest child of the init process.
        process = Path("/proc", Path(f"/proc/{first}/task/{first}/children").read_text().split()[0])
        ticks = process.joinpath("stat").read_text().rpartition(")")[2].split()
        variant.cpu.append((int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK"))
        status = dict(line.split(":", 1) for line in process.joinpath("status").read_text().splitlines())
        # The server's own pages: those of its files are shared with every other server on the host.
        variant.memory.append(int(status["RssAnon"].split()[0]) / 1024)
    finally:
        docker("rm", "--force", container)


def table(variants: list[Variant]) -> str:
    """Markdown. On a machine that does other things too, the least processor time is the steadiest figure."""
    rows = [
        "| variant | wall s, median | processor s, median | least | ratio of least | own memory MiB |",
        "|---|---|---|---|---|---|",
    ]
    for variant in variants:
        rows.append(
            f"| {variant.name} | {statistics.median(variant.wall):.2f} | {statistics.median(variant.cpu):.2f}"
            f" | {min(variant.cpu):.2f} | {min(variant.cpu) / min(variants[0].cpu):.2f}"
            f" | {statistics.median(variant.memory):.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("image", help="the notebook image, as in 'docker images'")
    parser.add_argument("--repeat", type=int, default=5, help="rounds (default 5)")
    parser.add_argument(
        "--quick", action="store_true", help="only with and without all cuts; needs no network"
    )
    parser.add_argument("--timeout", type=float, default=120, help="seconds for one start (default 120)")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    arguments = parser.parse_args()

    variants = list(VARIANTS)
    if arguments.quick:
        variants = [VARIANTS[0], Variant("no cuts at start", cuts="", extensions=True)]
    with (
        tempfile.TemporaryDirectory() as scratch,
        hub(arguments.image) as url,
        changed_images(arguments.image, variants) as images,
    ):
        Path(scratch).chmod(0o755)
        env = environment(url)
        extra = {variant.name: mounts(variant, Path(scratch)) for variant in variants}
        for _ in range(arguments.repeat):
            for variant in variants:
                measure(variant, images[variant.script], extra[variant.name], env, arguments.timeout)
    print(table(variants))
    if arguments.json:
        figures = {v.name: {"wall": v.wall, "cpu": v.cpu, "memory_mib": v.memory} for v in variants}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
