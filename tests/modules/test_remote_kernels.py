# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Environments with kernels or Spark elsewhere: at a real Kernel Gateway, and a real standalone cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from browser import visit
from confined import confined
from engine import apply_images, docker
from environments import BASE, SERVE, TOKEN, Server
from login_hub import login_hub
from playwright.sync_api import expect

# Their images are made for these tests alone.
pytestmark = pytest.mark.slow

LOGIN = "login-token-of-ada-7f21"
IMAGES = [
    {"name": "gateway", "parent": "notebook", "pip": ["jupyter_kernel_gateway==3.0.1"]},
    # As docs/kernels.md has it.
    {"name": "spark-client", "parent": "notebook", "pip": ["pyspark-client==4.2.0", "pandas<3"]},
    {
        "name": "spark-cluster",
        "parent": "notebook",
        "apt": ["openjdk-21-jre-headless"],
        "pip": ["pyspark[connect]==4.2.0", "pandas<3"],
    },
]
# The sum is the cluster's, and the function runs in Python on its worker.
SESSION = """
import socket
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.getOrCreate()
where = udf(lambda _: socket.gethostname())
total = spark.range(1000).selectExpr("sum(id)").first()[0]
print("FOUND", total, spark.range(1).select(where("id")).first()[0])
"""
# A cell with it, in the kernel "Python 3".
CELL = """
import sys
from jupyter_client.manager import KernelManager

manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
sys.exit(client.execute_interactive(sys.argv[1], timeout=240)["content"]["status"] != "ok")
"""


class Local(Server):
    """A server in the network of this machine, where the hub that keeps logins is."""

    def __init__(self, container: str, port: int) -> None:
        self.container, self.url = container, f"http://127.0.0.1:{port}"


def wait_until(done: t.Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 90
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    done = apply_images(tmp_path_factory.mktemp("remote"), {"images_catalog_extra": IMAGES})
    assert done.status == 0, done.said
    return done.refs


@pytest.fixture(scope="module")
def gateway(images: dict[str, t.Any], prefix: str) -> t.Iterator[str]:
    name = f"{prefix}-gateway"
    docker(
        *("run", "--detach", "--init", f"--name={name}"),
        *("--entrypoint=jupyter-kernelgateway", images["gateway"]),
        *("--ip=0.0.0.0", "--port=8888", f"--KernelGatewayApp.auth_token={LOGIN}"),
        "--JupyterWebsocketPersonality.list_kernels=True",
    )
    address = docker("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)
    yield f"http://{address}:8888"
    docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="module")
def server(
    gateway: str, images: dict[str, t.Any], prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Local]:
    with login_hub(tmp_path_factory.mktemp("login-hub")) as hub:
        hub.provide(LOGIN)
        given = {
            **hub.server("ada"),
            "JUPYTER_GATEWAY_URL": gateway,
            "GALILEAN_GATEWAY_LOGIN": "1",
            # What this gateway takes; a proxy before it would take Bearer.
            "JUPYTER_GATEWAY_AUTH_SCHEME": "token",
        }
        port, here = free_port(), [part.replace("0.0.0.0", "127.0.0.1") for part in SERVE]
        container = docker(
            *(
                "run",
                "--detach",
                "--network=host",
                f"--name={prefix}-remote",
                *confined(),
                "--volume=/home/jovyan",
            ),
            *(f"--env={key}={value}" for key, value in given.items()),
            *(str(images["notebook"]), *here, f"--ServerApp.port={port}"),
        )
        local = Local(container, port)

        def answers() -> bool:
            try:
                return local.get("api")[0] == 200
            except OSError:
                return False

        try:
            wait_until(answers, "the server")
            yield local
        finally:
            docker("rm", "--force", "--volumes", container)


def test_a_cell_runs_at_the_gateway(server: Local, prefix: str, tmp_path: Path) -> None:
    there = docker("exec", f"{prefix}-gateway", "hostname")
    with visit(server.url, tmp_path) as person:
        person.go(f"{BASE}/lab?token={TOKEN}")
        person.new_notebook()
        person.page.keyboard.type("import socket; print(socket.gethostname(), 6 * 7)")
        assert [said.strip() for said in person.run_all()] == [f"{there} 42"]
        person.picture("cell")
    assert LOGIN not in server.logs()


def test_a_gateway_without_the_login_is_closed(gateway: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{gateway}/api/kernels", timeout=30)


def test_a_gateway_that_is_away_is_told(server: Local, prefix: str, tmp_path: Path) -> None:
    docker("stop", f"{prefix}-gateway")
    try:
        with visit(server.url, tmp_path) as person:
            person.go(f"{BASE}/lab?token={TOKEN}")
            notice = person.page.get_by_text("The kernels of this environment run at http://")
            expect(notice.first).to_be_visible()
            person.page.wait_for_timeout(1000)
            person.picture("away")
        notices = json.loads(server.get("galilean/kernels")[2])["notices"]
        assert [one["key"] for one in notices] == ["gateway"]
    finally:
        docker("start", f"{prefix}-gateway")


@pytest.fixture
def cluster(images: dict[str, t.Any], prefix: str) -> t.Iterator[str]:
    """Master, worker and Spark Connect server, each in a container of a network of theirs; its name."""
    network, image = f"{prefix}-spark", str(images["spark-cluster"])
    docker("network", "create", network)
    find = "import pyspark; print(*pyspark.__path__)"
    home = docker("run", "--rm", f"--name={network}-home", "--entrypoint=python3", image, "-c", find)
    package = "org.apache.spark"
    parts = {
        "master": ("spark-class", f"{package}.deploy.master.Master", "--host", "master", "--port", "7077"),
        "worker": (
            *("spark-class", f"{package}.deploy.worker.Worker", "--cores", "1", "--memory", "1g"),
            *("--work-dir", "/tmp/work", "spark://master:7077"),
        ),
        "connect": (
            *("spark-submit", "--master", "spark://master:7077", "--conf", "spark.executor.memory=512m"),
            *("--class", f"{package}.sql.connect.service.SparkConnectServer", "spark-internal"),
        ),
    }
    try:
        for part, (program, *arguments) in parts.items():
            docker(
                *("run", "--detach", "--init", f"--name={network}-{part}", f"--hostname={part}"),
                *(f"--network={network}", f"--network-alias={part}", f"--env=SPARK_HOME={home}"),
                *("--env=PYSPARK_PYTHON=/usr/bin/python3", f"--entrypoint={home}/bin/{program}", image),
                *arguments,
            )
        yield network
    finally:
        for part in parts:
            print(docker("logs", f"{network}-{part}", check=False)[-2000:])
            docker("rm", "--force", "--volumes", f"{network}-{part}", check=False)
        docker("network", "rm", network)


def test_spark_of_a_cluster(cluster: str, images: dict[str, t.Any], prefix: str) -> None:
    argv = [
        *("docker", "run", "--rm", f"--name={prefix}-session", f"--network={cluster}", *confined()),
        *("--volume=/home/jovyan", "--env=SPARK_REMOTE=sc://connect:15002", str(images["spark-client"])),
        *("/opt/notebook/bin/python", "-c", CELL, SESSION),
    ]
    end = time.monotonic() + 180
    while True:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode == 0:
            break
        # The cluster is still starting.
        assert time.monotonic() < end, done.stderr
        time.sleep(2)
    assert "FOUND 499500 worker" in done.stdout
