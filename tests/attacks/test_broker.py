# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub that was broken into. Before, the engine's socket was in its container: it was root on the host.

Attacks are Python in the hub's own container, under the hub's own account, with the library that the hub has.
"""

from __future__ import annotations

import json
import subprocess
import time
import typing as t

import pytest
from deployment import Deployment, as_root, docker
from user_client import UserClient

# What the attacks share: a client, one that sends bytes, and a container's options that the hub may have.
TOOLS = '''
import copy, docker, json, os, socket, sys
sys.path.insert(0, "/opt/galilean")
from galilean_broker.model import compile_policy

client = docker.from_env(timeout=30).api
V = "/v" + client.api_version
data = json.load(open("/etc/jupyterhub/config.json"))
policy = compile_policy(data)
i = data["instance"]
# With its labels, it goes with the instance.
home = {"galilean.hub.instance": i, "galilean.hub.role": "home", "galilean.hub.user": "mallory"}
client.create_volume(f"{i}-home-mallory", labels=home)
made = []

def good():
    """A body as the spawner sends it."""
    return copy.deepcopy({
        **policy["config"], "Image": policy["images"][0], "Env": ["A=b"], "Cmd": ["sleep", "60"],
        "Labels": policy["labels"], "Volumes": {},
        "HostConfig": {
            **policy["host"], "Binds": [f"{i}-home-mallory:/home/jovyan:rw"], "Mounts": [],
            **{key: rule["most"] for key, rule in policy["limits"].items()},
        },
    })

def create(body, name="attack"):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    answer = client.post(client.base_url + V + f"/containers/create?name={i}-user-{name}", data=text,
                         headers={"Content-Type": "application/json"})
    if answer.status_code == 201:
        made.append(answer.json()["Id"])
    return answer

def with_host(**options):
    body = good()
    body["HostConfig"].update(options)
    return create(body)

def with_config(**options):
    return create({**good(), **options})

def ask(method, path, body=None):
    return client.request(method, client.base_url + path, json=body)

def raw(data):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect("/run/broker/docker.sock")
    s.sendall(data)
    try:
        return s.recv(4096).decode(errors="replace")
    except OSError:
        return ""

def outcome(attack):
    try:
        answer = eval(attack)
    except Exception as exc:
        return type(exc).__name__ + ": " + str(exc)
    finally:
        for found in made:
            client.remove_container(found, force=True)
        made.clear()
    if isinstance(answer, str):
        return answer.split("\\r\\n")[0]
    return f"{answer.status_code} {answer.text[:300]}"

print(json.dumps([outcome(attack) for attack in json.load(sys.stdin)]))
'''

MOUNTS = [
    'with_host(Binds=["/:/home/jovyan:rw"])',
    'with_host(Binds=["/etc:/home/jovyan:ro"])',
    'with_host(Binds=["/var/run/docker.sock:/home/jovyan:rw"])',
    'with_host(Binds=[f"/srv/{i}/secrets:/home/jovyan:ro"])',
    'with_host(Binds=[f"/srv/{i}/welcome/../secrets:/opt/welcome:ro"])',
    'with_host(Binds=[f"/srv/{i}/welcome:/opt/welcome:rw"])',
    'with_host(Binds=[f"/srv/{i}/welcome:/opt/welcome:ro,rshared"])',
    'with_host(Binds=[f"/srv/{i}/welcome:/etc:ro"])',
    'with_host(Binds=["other-home-alice:/home/jovyan:rw"])',
    'with_host(Binds=[f"{i}-home-x/../../../etc:/home/jovyan:rw"])',
    'with_host(Binds=[f"{i}-home-x:/home/jovyan:rw\\n"])',
    'with_host(Mounts=[{"Type": "bind", "Source": "/", "Target": "/host"}])',
    'with_host(Mounts=[{"Type": "volume", "Target": "/host", "VolumeOptions": {"DriverConfig":'
    ' {"Name": "local", "Options": {"type": "none", "o": "bind", "device": "/"}}}}])',
    'with_host(Mounts=[{"Type": "tmpfs", "Target": "/dev/shm"}])',
    "with_host(VolumesFrom=[f'{i}-broker'])",
    'with_host(VolumeDriver="local")',
    'with_host(Tmpfs={"/etc": "exec"})',
    'with_config(Volumes={"/host": {}})',
    'with_config(Volumes={"/home/jovyan": {"Source": "/"}})',
]
POWERS = [
    "with_host(Privileged=True)",
    "with_host(privileged=True)",
    "with_host(PRIVILEGED=True)",
    'with_host(CapAdd=["SYS_ADMIN"])',
    "with_host(CapDrop=[])",
    "with_host(CapDrop=None)",
    'with_host(PidMode="host")',
    'with_host(pidmode="host")',
    'with_host(IpcMode="host")',
    'with_host(UTSMode="host")',
    'with_host(UsernsMode="host")',
    'with_host(CgroupnsMode="host")',
    'with_host(Cgroup="container:x")',
    'with_host(CgroupParent="/")',
    'with_host(NetworkMode="host")',
    'with_host(NetworkMode=f"{i}-core")',
    'with_host(NetworkMode=f"container:{i}-proxy")',
    'with_host(SecurityOpt=["no-new-privileges", "seccomp=unconfined"])',
    'with_host(SecurityOpt=["no-new-privileges", "apparmor=unconfined"])',
    "with_host(SecurityOpt=[])",
    "with_host(MaskedPaths=[])",
    "with_host(ReadonlyPaths=[])",
    'with_host(Devices=[{"PathOnHost": "/dev/mem", "PathInContainer": "/x", "CgroupPermissions": "rwm"}])',
    'with_host(DeviceRequests=[{"Count": -1, "Capabilities": [["gpu"]]}])',
    'with_host(DeviceCgroupRules=["a *:* rwm"])',
    'with_host(Sysctls={"kernel.core_pattern": "|/x"})',
    'with_host(Runtime="io.containerd.runc.v1.linux")',
    'with_host(GroupAdd=["0"])',
    'with_host(PortBindings={"8888/tcp": [{"HostPort": "80"}]})',
    "with_host(PublishAllPorts=True)",
    'with_host(RestartPolicy={"Name": "always"})',
    'with_host(LogConfig={"Type": "syslog", "Config": {"syslog-address": "tcp://192.0.2.1:1"}})',
    'with_host(Links=[f"{i}-hub:x"])',
    'with_host(ExtraHosts=["hub:192.0.2.1"])',
    'with_host(ContainerIDFile="/etc/x")',
    "with_host(OomScoreAdj=-1000)",
    'with_host(Ulimits=[{"Name": "nproc", "Soft": -1, "Hard": -1}])',
    'with_config(User="0")',
    'with_config(Entrypoint=["sh"])',
    'with_config(Runtime="x")',
    'with_config(MacAddress="02:00:00:00:00:01")',
    'with_config(Healthcheck={"Test": ["CMD-SHELL", "x"], "Interval": 1})',
    'with_config(OnBuild=["RUN x"])',
    'with_config(NetworkingConfig={"EndpointsConfig": {f"{i}-core": {}}})',
    'with_config(NetworkingConfig={"EndpointsConfig": {f"{i}-users": {"Aliases": ["hub"]}}})',
    'with_config(Env=["NVIDIA_VISIBLE_DEVICES=all"])',
    'with_config(Env=["AMD_VISIBLE_DEVICES=all"])',
    'with_config(hostconfig={"Privileged": True})',
    'with_config(**{"Ho\\u017ftConfig": {"Privileged": True}})',
    "with_config(HostConfig=None)",
]
LIMITS = [
    "with_host(Memory=0)",
    "with_host(Memory=None)",
    "with_host(Memory=-1)",
    "with_host(Memory=1 << 60)",
    "with_host(Memory=1e9)",
    "with_host(Memory=True)",
    "with_host(MemorySwap=-1)",
    "with_host(PidsLimit=-1)",
    "with_host(PidsLimit=0)",
    "with_host(CpuQuota=10 ** 9)",
    "with_host(CpuQuota=-1)",
    "with_host(CpuShares=262144)",
    "with_host(ShmSize=1 << 40)",
    "with_host(OomKillDisable=True)",
]
WHOSE = [
    'with_config(Image="alpine")',
    'with_config(Image=f"{policy[\'images\'][0]}@sha256:" + "0" * 64)',
    "with_config(Labels={})",
    'with_config(Labels={**policy["labels"], "galilean.hub.instance": "other"})',
    'with_config(Labels={**policy["labels"], "galilean.hub.role": "hub"})',
    'with_config(Labels={**policy["labels"], "com.example.proxy": "x"})',
    'create(good(), "../other")',
    'ask("POST", f"{V}/containers/create?name={i}-hub2", good())',
    'ask("POST", f"{V}/containers/create", good())',
    'ask("POST", f"{V}/containers/create?name={i}-user-x&name={i}-hub", good())',
    'ask("POST", f"{V}/containers/create?name={i}-user-x&platform=x", good())',
    'create(json.dumps(good())[:-1] + \', "HostConfig": {"Privileged": true}}\')',
    'create(json.dumps(good()) + "{}")',
    'create(b"\\xff\\xfe")',
    "create('[' * 100000)",
    'create("{}" + " " * (1 << 20))',
    'ask("POST", f"{V}/volumes/create", {"Name": f"{i}-home-x", "Driver": "local",'
    ' "DriverOpts": {"type": "none", "o": "bind", "device": "/"}})',
    'ask("POST", f"{V}/volumes/create", {"Name": f"{i}-home-x", "driveropts": {"device": "/"}})',
    'ask("POST", f"{V}/volumes/create", {"Name": "other-home-x"})',
    'ask("POST", f"{V}/volumes/create", {"Name": f"{i}-home-x", "Driver": "rexray"})',
    'ask("POST", f"{V}/volumes/create", {"Name": f"{i}-home-x", "ClusterVolumeSpec": {}})',
]
# {} is one of the instance's containers that no user has.
OTHERS = [
    ("GET", "/containers/{}/json"),
    ("GET", "/containers/{}/logs?stdout=1"),
    ("POST", "/containers/{}/start"),
    ("POST", "/containers/{}/stop"),
    ("POST", "/containers/{}/kill"),
    ("POST", "/containers/{}/exec"),
    ("POST", "/containers/{}/update"),
    ("POST", "/containers/{}/rename?name=x"),
    ("POST", "/containers/{}/attach?stream=1"),
    ("GET", "/containers/{}/archive?path=/"),
    ("PUT", "/containers/{}/archive?path=/"),
    ("GET", "/containers/{}/export"),
    ("GET", "/containers/{}/top"),
    ("DELETE", "/containers/{}?force=1"),
]
NEVER = [
    ("GET", "/info"), ("GET", "/containers/json"), ("GET", "/events"), ("GET", "/system/df"), ("GET",
    "/images/json"),
    ("GET", "/volumes"), ("GET", "/networks"), ("GET", "/plugins"), ("GET", "/swarm"), ("GET", "/secrets"),
    ("GET", "/nodes"),
    ("POST", "/build"), ("POST", "/session"), ("POST", "/grpc"), ("POST", "/commit?container=x"), ("POST",
    "/auth"),
    ("POST", "/images/create?fromImage=alpine"), ("POST", "/images/load"), ("POST", "/images/x/tag?repo=y"),
    ("POST", "/plugins/pull?remote=x"), ("POST", "/plugins/create?name=x"), ("POST", "/swarm/init"),
    ("POST", "/networks/create"), ("POST", "/networks/prune"), ("POST", "/containers/prune"), ("POST",
    "/volumes/prune"),
    ("DELETE", "/volumes/x"), ("DELETE", "/images/x"), ("POST", "/distribution/x/json"), ("GET",
    "/exec/x/json"),
    ("GET", "/images/alpine/json"), ("GET", "/images/../containers/json"),
]  # fmt: skip


def attack(site: Deployment, attacks: list[str]) -> dict[str, str]:
    """Run them in the hub's container; what came of each."""
    argv = ["docker", "exec", "-i", f"{site.instance}-hub", "python3", "-c", TOOLS]
    done = subprocess.run(
        as_root(argv), input=json.dumps(attacks), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(attacks, json.loads(done.stdout), strict=True))


def assert_denied(outcomes: t.Mapping[str, str]) -> None:
    """Fail with all that were not."""
    got_through = {
        name: said for name, said in outcomes.items() if not said.startswith(("403 ", "HTTP/1.1 403"))
    }
    assert got_through == {}


def test_the_hub_holds_no_socket_of_the_engine(site: Deployment) -> None:
    """Before: /var/run/docker.sock was mounted, and the hub was in the socket's group."""
    found = attack(site, ['str(os.path.exists("/var/run/docker.sock"))', "str(os.getgroups())"])
    gid = docker("exec", f"{site.instance}-hub", "id", "-g")
    assert list(found.values()) == ["False", f"[{gid}]"]


def test_what_the_spawner_needs_passes(site: Deployment) -> None:
    """Otherwise nothing below would mean much: the body that they change is allowed as it is."""
    found = attack(site, ["create(good())", 'ask("GET", "/version")', "str(client.ping())"])
    assert [said[:4] for said in found.values()] == ["201 ", "200 ", "True"]


@pytest.mark.parametrize(
    "attacks", [MOUNTS, POWERS, LIMITS, WHOSE], ids=["mounts", "powers", "limits", "whose"]
)
def test_a_container_has_what_the_settings_say_and_no_more(site: Deployment, attacks: list[str]) -> None:
    """Before: the engine did 84 of 102 that were tried; with /etc as a mount, /etc/shadow was read."""
    assert_denied(attack(site, attacks))


def test_other_containers_are_out_of_reach(site: Deployment) -> None:
    """Before: the hub listed every container of the host, and ran a command in the edge as root."""
    name = f"{site.instance}-stranger-of-another"
    image = docker("inspect", "--format", "{{.Image}}", f"{site.instance}-hub")
    labels = ("--label", "galilean.hub.instance=another", "--label", "galilean.hub.role=user")
    stranger = docker(
        "run", "-d", "--rm", "--name", name, *labels, "--network", "none", image, "sleep", "120"
    )
    try:
        targets = [
            stranger,
            stranger[:12],
            name,
            *(f"{site.instance}-{role}" for role in ("hub", "proxy", "edge", "broker")),
        ]
        targets += [
            docker("inspect", "--format", "{{.Id}}", f"{site.instance}-{role}") for role in ("edge", "broker")
        ]
        assert_denied(
            attack(
                site,
                [
                    f"ask({method!r}, V + {path.format(name)!r})"
                    for method, path in OTHERS
                    for name in targets
                ],
            )
        )
        assert docker("inspect", "--format", "{{.State.Running}}", name) == "true"
    finally:
        docker("rm", "-f", name)


def test_the_rest_of_the_engine_is_out_of_reach(
    site: Deployment, people: t.Callable[[str], UserClient]
) -> None:
    """Before: in a user's server a command ran as root, and a file was read."""
    people("alice")
    own = docker(
        "ps",
        "--no-trunc",
        "-q",
        "--filter",
        f"label=galilean.hub.instance={site.instance}",
        "--filter",
        "label=galilean.hub.role=user",
    ).split()[0]
    calls = [f"ask({method!r}, V + {path!r})" for method, path in NEVER]
    calls += [
        f"ask({method!r}, V + {path.format(own)!r})"
        for method, path in OTHERS
        if "/json" not in path
        and "/logs?stdout" not in path
        and not path.endswith(("/start", "/stop", "force=1"))
    ]
    calls.append(
        f"ask('POST', V + '/containers/{own}/exec', {{'Cmd': ['id'], 'Privileged': True, 'User': '0'}})"
    )
    calls.append(f"ask('GET', V + '/containers/{own}/logs?stdout=1&follow=1')")
    calls.append(f"ask('POST', V + '/containers/{own}/start', {{'Privileged': True}})")
    assert_denied(attack(site, calls))


SMUGGLED = [
    # What the engine would take for one thing and the broker for another.
    "POST {v}/containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST {v}/volumes/create HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
    "POST {v}/volumes/create HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{{}}",
    "POST {v}/volumes/create HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n{{}}",
    "GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    "GET {v}//containers/json HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1.12/containers/json HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /containers/json HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {v}/containers/%6a%73%6f%6e HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {v}/_ping/../containers/json HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://docker{v}/info HTTP/1.1\r\nHost: x\r\n\r\n",
]


def test_nothing_is_smuggled(site: Deployment) -> None:
    """The broker reads each request by itself and asks the engine anew."""
    assert_denied(attack(site, [f"raw({text!r}.format(v=V).encode())" for text in SMUGGLED]))


def test_a_broker_is_confined_and_says_what_it_denied(site: Deployment) -> None:
    """It is the one container with the socket: no network, no rights, another account than the hub's."""
    name = f"{site.instance}-broker"
    found = json.loads(docker("inspect", name))[0]
    host = found["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (
        "none",
        True,
        ["ALL"],
        False,
    )
    assert "no-new-privileges" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert found["Config"]["User"].split(":")[0] not in (
        "",
        "0",
        docker("exec", f"{site.instance}-hub", "id", "-u"),
    )
    attack(site, ['with_host(PidMode="host")'])
    last = json.loads(docker("logs", "--tail", "1", name).splitlines()[-1])
    assert last["denied"] == "HostConfig.'PidMode' is not in the settings"
    assert last["container"] == "" or last["container"].startswith(f"{site.instance}-user-")


def test_a_broker_may_be_restarted(site: Deployment, people: t.Callable[[str], UserClient]) -> None:
    """Servers go on, the hub waits for it, and starts and stops work afterwards."""
    person = people("alice")
    docker("restart", "--time", "5", f"{site.instance}-broker")
    began = time.monotonic()
    person.stop()
    people("alice")
    assert time.monotonic() - began < 60
