# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What engine_usage counts and engine_prune removes, on an engine that nothing else uses."""

from __future__ import annotations

import json
import typing as t

import pytest
from engine import ModuleRunner, docker
from inner_engine import InnerEngine

# Nothing here runs, so images need no programs. Each version has a layer of its own and one that all share.
SETUP = """
mkdir -p /root/context /root/config /root/state /var/log/galilean-hub && cd /root/context
export DOCKER_BUILDKIT=1
head -c 50000 /dev/urandom > common
tar c common | docker import - t/base:1 >/dev/null
version() {
  head -c "$2" /dev/urandom > data
  printf 'FROM %s\\nCOPY data /data\\nCMD ["/x"]\\n' "${4:-t/base:1}" > Dockerfile
  docker build -q -t "$1" ${3:+--label galilean.hub.digest=$3} . >/dev/null
}
for number in 1 2 3 4 5 6; do
  version t/app:00000000000$number ${number}00000 00000000000$number
done
# A parent and its child that go together share a layer that nothing else has.
version t/part:00000000000a 70000 00000000000a
version t/whole:00000000000a 80000 00000000000a t/part:00000000000a
version t/part:00000000000b 70000 00000000000b
version t/whole:00000000000b 80000 00000000000b t/part:00000000000b
for number in 1 2 3; do version other/app:$number 10000; done
# Two that lost their names to others, of which one is ours.
version t/lost:1 20000 00000000000c; version t/lost:1 20000 00000000000c
version other/lost:1 30000; version other/lost:1 30000
docker builder prune --all --force >/dev/null
docker create --name t-user t/app:000000000001 >/dev/null
cat > /root/config/config.json <<'JSON'
{"traits": {"DockerSpawner": {"image": "t/app:000000000002", "volumes": {"t-software-a-000000000002": {}}}}}
JSON
docker create --name other-hub --label galilean.hub.role=hub --label galilean.hub.instance=other \
  -v /root/config:/etc/jupyterhub -v /root/state:/srv/jupyterhub other/app:1 >/dev/null
# Somebody whom that hub has renamed.
echo '{"lovelace": "ada"}' > /root/state/homes.json
docker volume create --label galilean.hub.role=home --label galilean.hub.user=ada \
  --label galilean.hub.instance=other other-home-ada >/dev/null
volume() {
  docker volume create --label galilean.hub.role=$2 --label galilean.hub.stack=$3 \
    --label galilean.hub.user=ada --label galilean.hub.instance=hub "$1" >/dev/null
  head -c 1000 /dev/urandom > /var/lib/docker/volumes/$1/_data/content
}
sealed() { volume "$1" software "$2"; touch /var/lib/docker/volumes/$1/_data/.sealed; sleep 1.1; }
sealed t-software-a-000000000001 t-software-a
sealed t-software-a-000000000002 t-software-a
sealed t-software-a-000000000003 t-software-a
sealed t-software-a-000000000004 t-software-a
volume t-software-b-000000000001 software t-software-b
volume t-software-c-000000000001 software t-software-c
volume hub-home-ada home ''
docker volume create somebody >/dev/null
"""
POLICY: dict[str, t.Any] = {
    "repository_prefix": "t",
    "keep": 2,
    "wanted": ["t/app:000000000003", "t/whole:00000000000b", "t/part:00000000000b"],
    "software_keep": 2,
}
GONE = {
    # Of six, the wanted one and the newest stay, and those that a container or a configuration names.
    "t/app:000000000004",
    "t/app:000000000005",
    # More than two versions that nobody needs; unfinished.
    "t-software-a-000000000001",
    "t-software-b-000000000001",
}


@pytest.fixture(scope="module")
def inner(
    run_module: ModuleRunner, prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[InnerEngine]:
    engine = InnerEngine(f"{prefix}-engine", run_module, tmp_path_factory.mktemp("engine"))
    try:
        engine.shell(SETUP)
        yield engine
    finally:
        engine.remove()


def layers(inner: InnerEngine) -> int:
    """The bytes that all layers take, as the engine says."""
    totals = inner("engine_usage", keep=0)["usage"]["totals"]
    return int(totals["images"])


def names(result: dict[str, t.Any]) -> set[str]:
    assert "removed" in result, result
    return {row["name"] for row in result["removed"] if not row["name"].startswith("sha256:")}


def everything(inner: InnerEngine) -> set[str]:
    """The names of all that is there."""
    images = inner.docker("image", "ls", "--all", "--format={{.Repository}}:{{.Tag}}={{.ID}}")
    volumes, containers = inner.docker("volume", "ls", "--quiet"), inner.docker("ps", "--all", "--quiet")
    return {*images.split(), *volumes.split(), *containers.split()}


def test_usage(inner: InnerEngine) -> None:
    usage = inner("engine_usage", **POLICY)["usage"]
    app = next(row for row in usage["images"] if row["repository"] == "t/app")
    assert app["ours"]
    assert [version["ref"][-1] for version in app["versions"]] == list("654321"), "the newest first"
    newest = app["versions"][0]
    assert newest["unique_bytes"] == 600_000
    assert newest["shared_bytes"] == newest["bytes"] - 600_000 == 50_000
    assert {version["ref"][-1]: version["users"] for version in app["versions"] if version["users"]} == {
        "1": ["t-user"],
        "2": ["(a hub's configuration)"],
    }
    assert [version["ref"] for version in app["versions"] if version["wanted"]] == ["t/app:000000000003"]
    assert [(row["name"], row["user"], row["instance"], row["bytes"] >= 1000) for row in usage["homes"]] == [
        ("hub-home-ada", "ada", "hub", True),
        ("other-home-ada", "lovelace", "other", False),
    ]
    assert {row["name"][-14:]: row["sealed"] for row in usage["software"]} == {
        "a-000000000001": True,
        "a-000000000002": True,
        "a-000000000003": True,
        "a-000000000004": True,
        "b-000000000001": False,
        "c-000000000001": False,
    }
    assert [row["name"] for row in usage["other_volumes"]] == ["somebody"]
    assert usage["disk"]["path"] == "/var/lib/docker"
    assert usage["disk"]["free_bytes"] > 0
    assert usage["freeable"]["images"] == 900_000 + 20_000


def test_prune(inner: InnerEngine) -> None:
    # A volume that is just being filled is not finished, either.
    inner.shell("flock /var/log/galilean-hub/t-software-c.lock sleep 300 >/dev/null 2>&1 &")
    before, size = everything(inner), layers(inner)
    check = inner("engine_prune", check=True, **POLICY)
    assert everything(inner) == before
    assert names(check) == GONE | {"t-software-c-000000000001"}
    assert check["bytes"] == sum(row["bytes"] for row in check["removed"])
    assert all(f'"{name}": "' in check["printed"] for name in GONE), check["printed"]

    real = inner("engine_prune", **POLICY)
    assert real["changed"]
    assert names(real) == GONE
    assert real["spared"] == ["t-software-c-000000000001"]
    images = [row for row in real["removed"] if row["kind"] == "image"]
    # Ours without a name went, too, somebody's did not.
    assert [row["bytes"] for row in images if row["name"].startswith("sha256:")] == [20_000]
    assert size - layers(inner) == sum(row["bytes"] for row in images) == 920_000
    left = inner.docker("image", "ls", "--format={{.Repository}}:{{.Tag}}").split()
    assert left.count("<none>:<none>") == 1
    assert {ref[-1] for ref in left if ref.startswith("t/app:")} == set("1236")
    assert sum(ref.startswith("other/app:") for ref in left) == 3
    assert {"hub-home-ada", "somebody"} <= set(inner.docker("volume", "ls", "--quiet").split())
    assert set(inner.docker("ps", "--all", "--format={{.Names}}").split()) == {"t-user", "other-hub"}

    inner.shell("pkill -x flock; pkill -x sleep; sleep 0.2")
    again = inner("engine_prune", **POLICY)
    assert names(again) == {"t-software-c-000000000001"}, "nobody fills it any more"
    last = inner("engine_prune", **POLICY)
    assert (last["changed"], last["removed"]) == (False, [])


def test_layers_that_only_images_share_that_go(inner: InnerEngine) -> None:
    size = layers(inner)
    policy = {**POLICY, "keep": 1}
    check, real = inner("engine_prune", check=True, **policy), inner("engine_prune", **policy)
    wanted = {"t/app:000000000006", "t/part:00000000000a", "t/whole:00000000000a"}
    assert names(check) == names(real) == wanted
    assert check["bytes"] == real["bytes"] == size - layers(inner) == 600_000 + 70_000 + 80_000


# The client shows sizes rounded.
ASK = """
import http.client, json, socket
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect("/var/run/docker.sock")
connection.request("GET", "/v1.41/system/df")
print(json.dumps(json.load(connection.getresponse())["BuildCache"]))
"""


def cached(inner: InnerEngine) -> list[dict[str, t.Any]]:
    """The records of the build cache."""
    return list(json.loads(docker("exec", inner.name, "python3", "-c", ASK)) or [])


def test_build_cache(inner: InnerEngine) -> None:
    inner.shell(
        """
        cd /root/context; export DOCKER_BUILDKIT=1
        for number in 1 2 3 4; do
          head -c 1000000 /dev/urandom > data
          printf 'FROM t/base:1\\nCOPY data /data\\nCOPY common /common\\n' > Dockerfile
          docker build -q -t cached:$number . >/dev/null
          sleep 0.2
        done
        docker rmi cached:1 cached:2 cached:3 >/dev/null
        """
    )
    before = {record["ID"] for record in cached(inner)}
    limit = {**POLICY, "keep": 0, "cache_keep_gib": 2_500_000 / 2**30}
    assert not inner("engine_prune", **limit)["changed"], "somebody's engine keeps its cache"

    check = inner("engine_prune", check=True, foreign=True, **limit)
    row = next(row for row in check["removed"] if row["kind"] == "build cache")
    assert {record["ID"] for record in cached(inner)} == before
    real = inner("engine_prune", foreign=True, **limit)
    gone = before - {record["ID"] for record in cached(inner)}
    done = next(row for row in real["removed"] if row["kind"] == "build cache")
    assert done["name"] == f"{len(gone)} records"
    # The engine decides about single records.
    assert row["bytes"] == pytest.approx(done["bytes"], abs=1_000_000)
    own = [record for record in cached(inner) if not record["Shared"]]
    assert 0 < sum(record["Size"] for record in own) <= 2_500_000
    assert not inner("engine_prune", foreign=True, **limit)["changed"]

    # All that was not used in this minute stays for a day, and goes after no time at all.
    assert not inner("engine_prune", foreign=True, **{**limit, "cache_keep_gib": 0, "cache_keep_days": 1})[
        "changed"
    ]
    assert inner("engine_prune", foreign=True, **{**limit, "cache_keep_gib": 0, "cache_keep_days": 0.00003})[
        "changed"
    ]
    assert [record for record in cached(inner) if not record["Shared"] and not record["InUse"]] == []
    # What an image has is no cache to be removed.
    assert inner.docker("image", "ls", "--quiet", "cached:4")


def test_a_command_that_talks_to_another_engine(run_module: ModuleRunner, inner: InnerEngine) -> None:
    """It would name a socket that is another engine's here."""
    command = ["docker", "exec", inner.name, "docker"]
    for module in ("engine_usage", "engine_prune"):
        result = run_module(module, check=True, docker_cli=command)
        assert result["failed"]
        assert "does not talk to the engine at unix:///var/run/docker.sock of this host" in result["msg"]
