# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the broker between hub and engine lets through, for a site with profiles and folders."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from galilean_broker import model
from galilean_broker.policy import BODY_LIMIT, Denied, decide, fits, own_container, own_volume, read_body
from hypothesis import given, settings
from hypothesis import strategies as st

GB = 1024**3
API = "/v1.41"
ID = "0123456789abcdef" * 4
LABELS = {"galilean.hub.instance": "hub", "galilean.hub.role": "user"}

DATA: dict[str, t.Any] = {
    "instance": "hub",
    "broker": {"state_dir": "/srv/hub", "allow": {}},
    "traits": {
        "JupyterHub": {"spawner_class": "galilean_hub.spawner.docker_spawner.GalileanSpawner"},
        "DockerSpawner": {
            "image": "galilean/notebook:1",
            "remove": True,
            "network_name": "hub-users",
            "use_internal_ip": True,
            "prefix": "hub-user",
            "volumes": {
                "hub-home-{home}": "/home/jovyan",
                "galilean-software-x": {"bind": "/opt/software", "mode": "ro,nocopy"},
                "/srv/hub/welcome": {"bind": "/opt/welcome", "mode": "ro"},
            },
            "mem_limit": "2048M",
            "cpu_limit": 2.0,
            "environment": {"GALILEAN_INSTANCE": "hub"},
            "extra_create_kwargs": {"labels": LABELS},
            "extra_host_config": {
                "auto_remove": False,
                "init": True,
                "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges"],
                "memswap_limit": "2048M",
                "cpu_shares": 256,
                "pids_limit": 1024,
                "shm_size": "256m",
                "log_config": {"type": "journald", "config": {"tag": "{{.Name}}"}},
            },
        },
        "GalileanSpawner": {
            "groups": {"big": {"memory_limit": "8G", "pids_limit": 4096}},
            "profiles": [{"name": "r", "image": "galilean/r:1", "cpu_limit": 4}],
            "folders": [
                {"name": "team", "source": "/srv/hub/shared/team", "target": "/shared/team"},
                {"name": "data", "source": "/data/x", "target": "/data/x", "read_only": True},
            ],
        },
    },
}
POLICY = model.compile_policy(DATA)


def data(**traits: t.Any) -> dict[str, t.Any]:
    """The site's data with other traits of DockerSpawner; extra_host_config is merged."""
    made = copy.deepcopy(DATA)
    spawner = made["traits"]["DockerSpawner"]
    spawner["extra_host_config"].update(traits.pop("extra_host_config", {}))
    spawner.update(traits)
    return made


def allowed(**broker_allow: t.Any) -> dict[str, t.Any]:
    """The site's data with jupyterhub_broker_allow."""
    return {**DATA, "broker": {"state_dir": "/srv/hub", "allow": broker_allow}}


def body(**host: t.Any) -> dict[str, t.Any]:
    """A body as DockerSpawner sends it, with other host options."""
    return {
        **dict.fromkeys(("Hostname", "User", "Entrypoint", "NetworkingConfig", "MacAddress", "Healthcheck")),
        "Tty": False, "OpenStdin": False, "StdinOnce": False, "AttachStdin": False, "AttachStdout": True,
        "AttachStderr": True, "NetworkDisabled": False, "ExposedPorts": {"8888/tcp": None},
        "Image": "galilean/notebook:1", "Env": ["JUPYTERHUB_USER=ada"],
        "Cmd": ["/opt/notebook/bin/singleuser"],
        "Labels": dict(LABELS), "Volumes": {"/home/jovyan": {}, "/opt/software": {}, "/opt/welcome": {}},
        "HostConfig": {
            "Memory": 2 * GB, "MemorySwap": 2 * GB, "CpuQuota": 200000, "CpuPeriod": 100000,
            "PidsLimit": 1024,
            "CpuShares": 256, "ShmSize": GB // 4, "NetworkMode": "hub-users", "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"], "Links": [], "Init": True, "Mounts": [],
            "LogConfig": {"Type": "journald", "Config": {"tag": "{.Name}"}},
            "Binds": ["hub-home-ada:/home/jovyan:rw", "galilean-software-x:/opt/software:ro,nocopy",
                      "/srv/hub/welcome:/opt/welcome:ro"],
            **host,
        },
    }  # fmt: skip


def create(sent: t.Any, policy: dict[str, t.Any] = POLICY, name: str = "hub-user-ada") -> t.Any:
    text = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return decide(policy, "POST", f"{API}/containers/create?name={name}", text)


def test_a_server_as_the_spawner_makes_it() -> None:
    call = create(body())
    assert call.path == f"{API}/containers/create"
    assert call.query == {"name": "hub-user-ada"}
    assert call.volumes == ("hub-home-ada",)
    # What is null is left out; the rest is what was sent.
    assert call.body == {key: value for key, value in body().items() if value is not None}


@pytest.mark.parametrize(
    "host",
    [
        {"Memory": 8 * GB, "MemorySwap": 8 * GB, "PidsLimit": 4096},
        {"Memory": GB},
        {"CpuQuota": 400000},
        {"Binds": ["hub-home-ada:/home/jovyan:rw", "/srv/hub/shared/team:/shared/team:rw"]},
        {"Binds": ["hub-home-ada:/home/jovyan:rw", "/srv/hub/shared/team:/shared/team:ro"]},
        {"Binds": ["hub-home-ada:/home/jovyan:rw", "/data/x:/data/x:ro"]},
    ],
)
def test_groups_and_profiles_count(host: dict[str, t.Any]) -> None:
    sent = body(**host)
    sent["Volumes"] = {}
    assert create(sent).body["HostConfig"] == sent["HostConfig"]
    sent["Image"] = "galilean/r:1"
    assert create(sent)


# Options of HostConfig in the engine's API, with a value that nobody may have.
HOST_OPTIONS: dict[str, t.Any] = {
    "Privileged": True, "CapAdd": ["SYS_ADMIN"], "CapDrop": [], "PidMode": "host", "IpcMode": "host",
    "UTSMode": "host", "UsernsMode": "host", "CgroupnsMode": "host", "Cgroup": "x", "CgroupParent": "/",
    "SecurityOpt": [], "MaskedPaths": [], "ReadonlyPaths": [], "Devices": [], "DeviceRequests": [],
    "DeviceCgroupRules": ["a"], "Sysctls": {}, "Runtime": "x", "VolumesFrom": ["x"], "VolumeDriver": "x",
    "Links": ["x"], "ExtraHosts": ["x"], "PortBindings": {}, "PublishAllPorts": True, "RestartPolicy": {},
    "ContainerIDFile": "x", "OomScoreAdj": -1, "OomKillDisable": True, "StorageOpt": {}, "Ulimits": [],
    "Tmpfs": {"/x": ""}, "Dns": ["x"], "GroupAdd": ["0"], "ReadonlyRootfs": False, "AutoRemove": True,
    "Isolation": "x", "KernelMemory": 1, "MemoryReservation": 1, "BlkioWeight": 1, "CpusetCpus": "0",
    "CpuRealtimeRuntime": 1, "NanoCpus": 1 << 60, "ConsoleSize": [1, 1], "Annotations": {"x": "y"},
    "InitPath": "/x", "Init": False, "NetworkMode": "host", "ShmSize": GB, "CpuShares": 1024,
    "LogConfig": {"Type": "none"}, "Memory": 0, "MemorySwap": -1, "PidsLimit": -1, "CpuQuota": -1,
    "CpuPeriod": 1, "Capabilities": ["ALL"], "Unknown": 0,
}  # fmt: skip
CONFIG_OPTIONS: dict[str, t.Any] = {
    "User": "0", "Hostname": "x", "Domainname": "x", "Entrypoint": ["sh"], "WorkingDir": "/",
    "OnBuild": ["x"], "MacAddress": "x", "Healthcheck": {}, "NetworkingConfig": {}, "StopSignal": "x",
    "StopTimeout": 1, "Shell": ["x"], "Runtime": "x", "Volumes": {"/x": {}}, "Labels": {}, "Image": "x",
    "Env": "x", "Cmd": "x", "Tty": True, "ExposedPorts": {"1/tcp": {}}, "Memory": 1, "NetworkDisabled": True,
    "ArgsEscaped": True, "HostConfig": {},
}  # fmt: skip


@pytest.mark.parametrize("key", HOST_OPTIONS)
def test_host_options_are_those_of_the_settings(key: str) -> None:
    with pytest.raises(Denied, match=key):
        create(body(**{key: HOST_OPTIONS[key]}))


@pytest.mark.parametrize("key", CONFIG_OPTIONS)
def test_other_options_are_those_of_the_settings(key: str) -> None:
    with pytest.raises(Denied):
        create({**body(), key: CONFIG_OPTIONS[key]})


@pytest.mark.parametrize("key", sorted(set(body()["HostConfig"]) - {"Binds", "Mounts"}))
def test_no_option_of_the_settings_is_left_out(key: str) -> None:
    sent = body()
    del sent["HostConfig"][key]
    with pytest.raises(Denied, match="is missing"):
        create(sent)


@pytest.mark.parametrize(
    "bind",
    [
        "/:/home/jovyan:rw", "/etc:/home/jovyan:ro", "/var/run/docker.sock:/home/jovyan:rw",
        "other-home-ada:/home/jovyan:rw", "hub-home-ada:/root:rw", "hub-home-ada:/home/jovyan:rw,rshared",
        "hub-home-ada:/home/jovyan", "hub-home-a/../x:/home/jovyan:rw", "/srv/hub/welcome:/opt/welcome:rw",
        "/srv/hub/welcome/:/opt/welcome:ro", "/srv/hub/welcome/../secrets:/opt/welcome:ro",
        "/data/x:/data/x:rw", "/data/x:/data/x:ro,rslave", "/data/y:/data/x:ro",
        "hub-home-ada:/home/jovyan:rw\n", "\nhub-home-ada:/home/jovyan:rw", "hub-home-ada:/home/jovyan:rw:z",
        "HUB-home-ada:/home/jovyan:rw", "galilean-software-x:/opt/software:rw",
        "galilean-software-x:/opt/software:ro", "hub-home-ada:/x:/home/jovyan:rw", 1, None,
        ["hub-home-ada:/home/jovyan:rw"],
    ],
)  # fmt: skip
def test_no_mount_but_those_of_the_settings(bind: t.Any) -> None:
    with pytest.raises(Denied):
        create(body(Binds=[bind]))


def test_a_name_in_a_path_does_not_lead_out_of_it() -> None:
    policy = model.compile_policy(
        data(volumes={"/nfs/{username}": "/home/jovyan", "/raw/{raw_username}/x": "/x"})
    )
    good = {**body(Binds=["/nfs/ada:/home/jovyan:rw", "/raw/ada@x.org/x:/x:rw"]), "Volumes": {}}
    assert create(good, policy).volumes == ()
    for bind in ("/nfs/..:/home/jovyan:rw", "/nfs/.:/home/jovyan:rw", "/nfs/:/home/jovyan:rw",
    "/nfs/a/b:/home/jovyan:rw",
                 "/raw/../x:/x:rw", "/raw/a/../../x:/x:rw"):  # fmt: skip
        with pytest.raises(Denied):
            create({**good, "HostConfig": {**good["HostConfig"], "Binds": [bind]}}, policy)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"1", b'"x"', b"{", b"\xff", b"{}{}", b'{"a": 1, "a": 1}', b'{"x": {"a": 1, "a": 2}}',
        b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1.0}', b'{"a": 1e3}', b"[" * 200000,
        b'{"a": ' + b"1" * 5000 + b"}", "\ufeff{}".encode(),
    ],
)  # fmt: skip
def test_bodies_that_can_be_read_in_two_ways_are_not_read(text: bytes) -> None:
    with pytest.raises(Denied):
        read_body(text)


@pytest.mark.parametrize(
    "key",
    ["privileged", "PRIVILEGED", "Privi\u017feged", "hostConfig", "Ho\u017ftConfig", "\u212aernelMemory"],
)
def test_keys_as_go_would_take_them(key: str) -> None:
    with pytest.raises(Denied):
        create({**body(), key: {"Privileged": True}})
    with pytest.raises(Denied):
        create(body(**{key: True}))


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("GET", "/_ping", "/_ping"),
        ("HEAD", "/_ping", "/_ping"),
        ("GET", f"{API}/_ping", "/_ping"),
        ("GET", "/version", "/version"),
        ("GET", f"{API}/containers/hub-user-ada/json", f"{API}/containers/{{}}/json"),
        ("GET", f"{API}/containers/{ID}/json", f"{API}/containers/{{}}/json"),
        ("POST", f"{API}/containers/{ID}/start", f"{API}/containers/{{}}/start"),
        ("POST", f"{API}/containers/{ID}/stop?t=10", f"{API}/containers/{{}}/stop"),
        (
            "GET",
            f"{API}/containers/{ID}/logs?stderr=1&stdout=1&timestamps=0&follow=0&tail=30",
            f"{API}/containers/{{}}/logs",
        ),
        ("DELETE", f"{API}/containers/{ID}?v=True&link=False&force=False", f"{API}/containers/{{}}"),
        ("GET", f"{API}/images/galilean/notebook:1/json", f"{API}/images/galilean/notebook:1/json"),
        ("GET", f"{API}/images/galilean%2Fnotebook%3A1/json", f"{API}/images/galilean/notebook:1/json"),
    ],
)
def test_what_a_spawner_asks(method: str, path: str, asked: str) -> None:
    assert decide(POLICY, method, path, b"").path == asked


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/containers/json"), ("GET", f"{API}/containers/json"), ("GET", f"{API}/info"),
        ("GET", "/info"), ("GET", f"/v1.39/containers/{ID}/json"), ("POST", f"/v1.12/containers/{ID}/start"),
        ("GET", f"{API}{API}/containers/{ID}/json"), ("GET", f"{API}//containers/{ID}/json"),
        ("GET", f"//v1.41/containers/{ID}/json"), ("GET", f"{API}/containers/hub-hub/json"),
        ("GET", f"{API}/containers/hub-user/json"), ("GET", f"{API}/containers/{ID[:12]}/json"),
        ("GET", f"{API}/containers/../info/json"), ("GET", f"{API}/containers/hub-user-a%2Fb/json"),
        ("GET", f"{API}/containers/{ID}/json/"), ("GET", f"{API}/containers/{ID}/json?size=1"),
        ("GET", f"{API}/containers/{ID}/logs?follow=1"),
        ("GET", f"{API}/containers/{ID}/logs?follow=0&follow=1"),
        ("GET", f"{API}/containers/{ID}/logs?tail=x"), ("GET", f"{API}/containers/{ID}/logs;x"),
        ("POST", f"{API}/containers/{ID}/kill"), ("POST", f"{API}/containers/{ID}/exec"),
        ("POST", f"{API}/containers/{ID}/start?detachKeys=x"), ("POST", f"{API}/containers/{ID}/stop?t=-1"),
        ("POST", f"{API}/containers/{ID}/stop?signal=9"), ("DELETE", f"{API}/containers/{ID}?link=1"),
        ("GET", f"{API}/containers/{ID}/archive?path=/"), ("PUT", f"{API}/containers/{ID}/archive?path=/"),
        ("GET", f"{API}/containers/{ID}/attach/ws"), ("POST", f"{API}/containers/{ID}/attach"),
        ("POST", f"{API}/containers/{ID}/update"), ("POST", f"{API}/containers/{ID}/rename?name=x"),
        ("GET", f"{API}/images/alpine/json"), ("POST", f"{API}/images/galilean/notebook:1/push"),
        ("GET", f"{API}/images/galilean/notebook:1/history"), ("DELETE", f"{API}/images/galilean/notebook:1"),
        ("POST", f"{API}/images/create?fromImage=x"), ("POST", f"{API}/build"),
        ("GET", f"{API}/volumes/hub-home-ada"), ("DELETE", f"{API}/volumes/hub-home-ada"),
        ("POST", f"{API}/networks/create"), ("POST", f"{API}/plugins/pull"),
        ("POST", f"{API}/networks/hub-users/connect"), ("POST", "/session"), ("POST", f"{API}/swarm/init"),
        ("POST", "/_ping"), ("GET", "/_ping?x=1"), ("GET", "http://x/_ping"), ("GET", "*"), ("GET", ""),
        ("GET", "/_ping\x00"), ("GET", "/_ping#x"), ("GET", "/version/"), ("get", "/version"),
    ],
)  # fmt: skip
def test_nothing_else(method: str, path: str) -> None:
    with pytest.raises(Denied):
        decide(POLICY, method, path, b"")


def test_no_body_where_none_belongs() -> None:
    """An old engine takes host options with the start."""
    for method, path in (("POST", "/start"), ("POST", "/stop"), ("GET", "/json"), ("DELETE", "")):
        with pytest.raises(Denied, match="body"):
            decide(POLICY, method, f"{API}/containers/{ID}{path}", b"{}")
    with pytest.raises(Denied, match="too large"):
        create(b" " * (BODY_LIMIT + 1))


@pytest.mark.parametrize(
    "name", ["", "hub-hub", "hub-user", "hub-user-a/b", "other-user-ada", "hub-user-ada&name=x", "a" * 300]
)
def test_names_of_servers(name: str) -> None:
    with pytest.raises(Denied):
        create(body(), name=name)


@pytest.mark.parametrize(
    ("sent", "right"),
    [
        ({"Name": "hub-home-ada"}, False),
        ({"Name": "hub-home-ada", "Labels": {"galilean.hub.instance": "hub", "galilean.hub.role": "home"}},
        True),
        ({"Name": "hub-home-ada", "Driver": None, "DriverOpts": None,
        "Labels": {"galilean.hub.instance": "hub",
          "galilean.hub.role": "home", "galilean.hub.user": "ada"}}, True),
        ({"Name": "hub-home-ada", "DriverOpts": {"device": "/"}}, False),
        ({"Name": "hub-home-ada", "Driver": "nfs"}, False),
        ({"Name": "hub-home-ada", "Labels": {"galilean.hub.instance": "other",
        "galilean.hub.role": "home"}}, False),
        ({"Name": "other-home-ada", "Labels": {"galilean.hub.instance": "hub",
        "galilean.hub.role": "home"}}, False),
        ({"Name": "/srv/hub/welcome", "Labels": {"galilean.hub.instance": "hub",
        "galilean.hub.role": "home"}}, False),
        ({"name": "hub-home-ada", "Labels": {"galilean.hub.instance": "hub", "galilean.hub.role": "home"}},
        False),
    ],
)  # fmt: skip
def test_volumes(sent: dict[str, t.Any], right: bool) -> None:
    text = json.dumps(sent).encode()
    if right:
        assert decide(POLICY, "POST", f"{API}/volumes/create", text).volumes == ("hub-home-ada",)
    else:
        with pytest.raises(Denied):
            decide(POLICY, "POST", f"{API}/volumes/create", text)


def test_whose_things_are() -> None:
    def container(**labels: str) -> dict[str, t.Any]:
        return {"Config": {"Labels": {f"galilean.hub.{key}": value for key, value in labels.items()}}}

    assert own_container(POLICY, container(instance="hub", role="user"))
    for other in (container(instance="other", role="user"), container(instance="hub", role="broker"),
    container(),
                  {"Config": {"Labels": None}}, {}):  # fmt: skip
        assert not own_container(POLICY, other)
    assert own_volume(POLICY, {"Labels": None})
    assert own_volume(POLICY, {"Labels": {"galilean.hub.instance": "hub"}})
    assert not own_volume(POLICY, {"Labels": {"galilean.hub.instance": "hub-home"}})


# -- settings


@pytest.mark.parametrize(
    ("traits", "said"),
    [
        ({"extra_host_config": {"privileged": True}}, "Privileged"),
        ({"extra_host_config": {"cap_add": ["SYS_ADMIN"]}}, "CapAdd"),
        ({"extra_host_config": {"pid_mode": "host"}}, "PidMode"),
        ({"extra_host_config": {"ipc_mode": "container:x"}}, "IpcMode"),
        ({"extra_host_config": {"network_mode": "host"}}, "NetworkMode"),
        ({"network_name": "host"}, "NetworkMode"),
        ({"extra_host_config": {"security_opt": ["seccomp=unconfined", "no-new-privileges"]}}, "SecurityOpt"),
        ({"extra_host_config": {"security_opt": []}}, "lacks no-new-privileges"),
        ({"extra_host_config": {"devices": ["/dev/sda"]}}, "/dev/sda"),
        ({"extra_host_config": {"oom_score_adj": -5}}, "OomScoreAdj"),
        ({"extra_host_config": {"no_such": 1}}, "docker-py does not take it"),
        ({"extra_create_kwargs": {"labels": LABELS, "user": "root"}}, "user root"),
        ({"extra_create_kwargs": {"labels": {}}}, "labels"),
        ({"post_start_cmd": "id"}, "post_start_cmd"),
        ({"allowed_images": "*"}, "allowed_images"),
        ({"volumes": {"/": "/host"}}, "the system's own"),
        ({"volumes": {"/var": "/host"}}, "the system's own"),
        ({"volumes": {"/var/run/docker.sock": "/x"}}, "the system's own"),
        ({"volumes": {"/data/podman.sock": "/x"}}, "a socket"),
        ({"volumes": {"/srv/hub": "/x"}}, "the instance's own files"),
        ({"volumes": {"/srv/hub/secrets/x": "/x"}}, "the instance's own files"),
        ({"volumes": {"/{username}": "/x"}}, "the system's own"),
        ({"volumes": {"/usr/share": "/x"}}, "nobody may write"),
        ({"mounts": [{"source": "/etc", "target": "/x", "type": "bind", "read_only": True}]}, "secrets"),
        # Its members put a link to / in its place, and the next server has that.
        ({"read_only_volumes": {"/srv/hub/shared/team/data": "/x"}}, "replaced by a link"),
        ({"volumes": {"/d": "/d", "/d/{username}": "/x"}}, "/d/{username} is refused: it is in /d, where"),
        ({"volumes": {"/d/{username}": "/d", "/d/{raw_username}/x/y": "/x"}}, "is in /d/{username}, where"),
        ({"mounts": [{"source": "/d", "target": "/d", "type": "bind"}], "read_only_volumes": {"/d/x": "/x"}},
         "replaced by a link"),
    ],
)  # fmt: skip
def test_settings_that_are_never_carried_out(traits: dict[str, t.Any], said: str) -> None:
    assert said in model.problems(data(**traits))[0]


@pytest.mark.parametrize(
    ("traits", "host"),
    [
        ({"extra_host_config": {"devices": ["/dev/fuse"]}},
         {"Devices": [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse",
         "CgroupPermissions": "rwm"}]}),
        ({"extra_host_config": {"tmpfs": {"/tmp": "size=1g,noexec"}}}, {"Tmpfs": {"/tmp": "size=1g,noexec"}}),
        ({"extra_host_config": {"ulimits": [{"name": "nofile", "soft": 1, "hard": 2}]}},
         {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]}),
        ({"extra_host_config": {"oom_score_adj": 500}}, {"OomScoreAdj": 500}),
        ({"extra_host_config": {"storage_opt": {"size": "10G"}}}, {"StorageOpt": {"size": "10G"}}),
        ({"extra_host_config": {"security_opt": ["no-new-privileges", 'seccomp={"a": ["b"]}']}},
         {"SecurityOpt": ["no-new-privileges", 'seccomp={"a": ["b"]}']}),
        ({"mounts": [{"source": "/nfs/{username}", "target": "/n", "type": "bind"}]},
         {"Mounts": [{"Target": "/n", "Source": "/nfs/ada", "Type": "bind", "ReadOnly": False}]}),
        ({"read_only_volumes": {"/nfs/x": "/x"}}, {"Binds": ["/nfs/x:/x:ro"]}),
        ({"read_only_volumes": {"/nfs": "/n", "/nfs/x": "/x"}}, {"Binds": ["/nfs:/n:ro", "/nfs/x:/x:ro"]}),
        ({"volumes": {"/nfs": "/n", "/nfs2/x": "/x"}}, {"Binds": ["/nfs:/n:rw", "/nfs2/x:/x:rw"]}),
    ],
)  # fmt: skip
def test_what_a_site_adds_works_and_nothing_near_it(traits: dict[str, t.Any], host: dict[str, t.Any]) -> None:
    policy = model.compile_policy(data(**traits))
    sent = {**body(**host), "Volumes": {}}
    assert create(sent, policy)
    with pytest.raises(Denied):
        create(sent)


def test_what_hooks_may_give() -> None:
    policy = model.compile_policy(
        allowed(
            images=["x/y:1"], mounts=["/data/scratch:/scratch:rw"], host_config={"shm_size": ["1g"]},
            memory_limit="64G",
            cpu_limit=8.0, pids_limit=0,
        )
    )  # fmt: skip
    assert create({**body(), "Image": "x/y:1"}, policy)
    assert create(body(ShmSize=GB, Memory=64 * GB, MemorySwap=64 * GB, CpuQuota=800000), policy)
    assert create({**body(Binds=["/data/scratch:/scratch:rw"]), "Volumes": {"/scratch": {}}}, policy)
    for host in (
        {"ShmSize": 2 * GB},
        {"Memory": 65 * GB},
        {"PidsLimit": 5000},
        {"Binds": ["/data/scratch:/home/jovyan:rw"]},
    ):
        with pytest.raises(Denied):
            create({**body(**host), "Volumes": {}}, policy)


@pytest.mark.parametrize(
    ("allow", "said"),
    [
        ({"host_config": {"privileged": [True]}}, "Privileged"),
        ({"host_config": {"cap_add": [["SYS_ADMIN"]]}}, "CapAdd"),
        ({"host_config": {"mem_limit": ["1G"]}}, "memory_limit"),
        ({"host_config": {"nothing": [1]}}, "docker-py does not take it"),
        ({"mounts": ["/var/run/docker.sock:/x:rw"]}, "the system's own"),
        ({"mounts": ["/data"]}, "source:target:mode"),
    ],
)
def test_what_not_even_hooks_may_give(allow: dict[str, t.Any], said: str) -> None:
    assert said in model.problems(allowed(**allow))[0]


def test_the_spawner_fills_in_more() -> None:
    """The names of users in labels; and the braces of the profile of system calls stay as they are."""
    options = ["no-new-privileges", 'seccomp={"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []}']
    made = data(
        extra_create_kwargs={"labels": {**LABELS, "galilean.hub.user": "{raw_username}"}},
        extra_host_config={"tmpfs": {"/tmp": "exec,size=1024"}, "security_opt": options},
    )
    policy = model.compile_policy(made)
    sent = body(Tmpfs={"/tmp": "exec,size=1024"}, SecurityOpt=options)
    sent["Labels"]["galilean.hub.user"] = "mail:ada/x@example.org"
    assert create(sent, policy)
    for host in (
        {"Tmpfs": {"/tmp": "exec,size=1,mode=0"}},
        {"Tmpfs": {"/etc": "exec,size=1"}},
        {"SecurityOpt": ["no-new-privileges"]},
        {"SecurityOpt": ["no-new-privileges", "seccomp={}"]},
    ):
        with pytest.raises(Denied):
            create({**sent, "HostConfig": {**sent["HostConfig"], **host}}, policy)


def test_the_example_of_the_docs() -> None:
    request = {"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}
    policy = model.compile_policy(
        allowed(
            mounts=["/data/projects/{username}:/project:rw"], host_config={"device_requests": [[request]]}
        )
    )
    sent = body(
        Binds=["/data/projects/ada:/project:rw"], DeviceRequests=[{**request, "DeviceIDs": [], "Options": {}}]
    )
    assert create({**sent, "Volumes": {}}, policy)


# -- fuzz


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["host", "/", "x:/y:rw", "0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(sorted({*HOST_OPTIONS, *CONFIG_OPTIONS, *body(), *body()["HostConfig"]}))
SPELLED = KEYS | KEYS.map(str.lower) | KEYS.map(str.upper) | KEYS.map(str.swapcase) | st.text(max_size=10)


def within(sent: t.Any) -> bool:
    """Whether a body has no power that the settings do not give; said by other means than in the policy."""
    plain = {key: value for key, value in body().items() if value is not None}
    host, good = sent["HostConfig"], plain["HostConfig"]
    free = {"Memory", "MemorySwap", "CpuQuota", "PidsLimit", "Binds", "Mounts"}
    most = {"Memory": 8 * GB, "MemorySwap": 8 * GB, "CpuQuota": 400000, "PidsLimit": 4096}
    return (
        set(sent) <= set(plain)
        and set(host) <= set(good)
        and all(type(host[key]) is type(good[key]) and host[key] == good[key] for key in set(good) - free)
        and all(0 < host[key] <= most[key] for key in most)
        and host.get("Mounts", []) == []
        and all(
            bind in [*good["Binds"], "/data/x:/data/x:ro", "/srv/hub/shared/team:/shared/team:rw"]
            or bind.split(":")[0].startswith("hub-home-")
            for bind in host.get("Binds", [])
        )
        and sent["Labels"] == LABELS
        and sent["Image"] in ("galilean/notebook:1", "galilean/r:1")
        and all(
            sent.get(key) == plain[key] for key in ("Tty", "ExposedPorts", "NetworkDisabled", "AttachStdin")
        )
    )


@settings(max_examples=600, deadline=None)
@given(where=st.sampled_from(["top", "host", "deep"]), key=SPELLED, value=JSON, twice=SPELLED, other=JSON)
def test_no_mutation_adds_a_power(where: str, key: str, value: t.Any, twice: str, other: t.Any) -> None:
    sent = body()
    target = sent if where == "top" else sent["HostConfig"]
    target[key] = value
    if where == "deep" and isinstance(target.get(twice), (list, dict)):
        part = target[twice]
        part.append(other) if isinstance(part, list) else part.update({key: other})
    elif where == "top" and isinstance(sent["HostConfig"], dict):
        sent["HostConfig"][twice] = other
    try:
        call = create(json.dumps(sent).encode())
    except Denied:
        return
    assert within(call.body)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60), st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD"]), st.binary(max_size=30)
)
def test_no_address_is_misread(path: str, method: str, text: bytes) -> None:
    for target in (
        path,
        f"{API}/containers/{path}",
        f"{API}/images/{path}/json",
        f"{API}/containers/{ID}/{path}",
    ):
        try:
            call = decide(POLICY, method, target, text)
        except Denied:
            continue
        assert (call.method, call.path.rsplit("/", 1)[1]) in {
            ("GET", "_ping"), ("HEAD", "_ping"), ("GET", "version"), ("HEAD", "version"), ("GET", "json"),
            ("GET", "logs"), ("POST", "start"), ("POST", "stop"), ("DELETE", "{}"), ("POST", "create"),
        }  # fmt: skip


def test_values_are_of_the_same_kind() -> None:
    assert not fits(1, True)
    assert not fits(0, False)
    assert not fits([], None)
    assert not fits({"a": 1}, {"a": 1, "b": 2})
    assert fits("x-{username}", "x-ada")
    assert not fits("x-{username}", "x-ada/..")
    assert fits("{unknown}", "{unknown}")
    assert not fits("{unknown}", "ada")
