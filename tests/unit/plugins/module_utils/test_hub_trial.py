# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a hub is tried with; a real trial is in tests/e2e/test_releases.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.hub import trial

NETWORK = {"hub": "10.9.0.2", "proxy": "10.9.0.3"}
DATA: dict[str, t.Any] = {
    "instance": "lab",
    "culler": {"timeout": 3600},
    "network": {"hub": "10.1.0.2", "proxy": "10.1.0.3"},
    "traits": {
        "JupyterHub": {
            "db_url": "sqlite:////srv/jupyterhub/jupyterhub.sqlite",
            "public_url": "https://hub.example.org/lab/",
            "subdomain_host": "https://hub.example.org",
            "services": [{"name": "mail", "command": ["mail-everybody"], "url": "http://x"}],
        },
        "DockerSpawner": {
            "image": "g/notebook:1",
            "network_name": "lab-users",
            "volumes": {
                "lab-home-{home}": "/home/jovyan",
                "data-{username}": "/data",
                "g-software-1": {"bind": "/opt/software", "mode": "ro"},
                "/srv/lab/welcome": {"bind": "/opt/welcome", "mode": "ro"},
            },
            "extra_create_kwargs": {"labels": {"galilean.hub.instance": "lab", "galilean.hub.role": "user"}},
        },
        "GalileanSpawner": {
            "profiles": [{"name": "r", "image": "g/r:1", "groups": ["staff"]}],
            "folders": [{"name": "team"}],
            "default_profile_users": ["hub-check"],
        },
    },
}


def test_trial_data_is_nobody_elses() -> None:
    found = trial.trial_data(DATA, ["g/notebook:1", "g/r:1"], NETWORK)
    traits = found["traits"]
    assert found["instance"] == traits["GalileanSpawner"]["instance"] == "lab.trial"
    assert (found["culler"], found["network"], found["trial"]) == (None, NETWORK, True)
    assert traits["JupyterHub"]["services"] == [{"name": "mail"}]
    assert traits["JupyterHub"]["public_url"] == "http://trial-proxy:8000/lab/"
    assert "subdomain_host" not in traits["JupyterHub"]
    assert traits["ConfigurableHTTPProxy"]["api_url"] == "http://trial-proxy:8001"
    assert traits["DockerSpawner"]["network_name"] == "lab.trial"
    assert list(traits["DockerSpawner"]["volumes"]) == [
        "lab.trial-home-{home}",
        "g-software-1",
        "/srv/lab/welcome",
    ]
    assert traits["DockerSpawner"]["extra_create_kwargs"]["labels"]["galilean.hub.instance"] == "lab.trial"
    assert traits["GalileanSpawner"]["profiles"] == [
        {"name": "0", "image": "g/notebook:1"},
        {"name": "1", "image": "g/r:1"},
    ]
    assert "folders" not in traits["GalileanSpawner"]
    # What was given stays as it is.
    assert DATA["traits"]["DockerSpawner"]["network_name"] == "lab-users"


@pytest.mark.parametrize(
    ("former", "same_hub", "expected"),
    [
        (DATA, True, []),
        (DATA, False, ["g/notebook:1", "g/r:1"]),
        ({}, True, ["g/notebook:1", "g/r:1"]),
        ({"traits": {"DockerSpawner": {"image": "g/notebook:1"}}}, True, ["g/r:1"]),
    ],
)
def test_images_in_question(former: dict[str, t.Any], same_hub: bool, expected: list[str]) -> None:
    assert trial.images_in_question(DATA, former, same_hub) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////srv/jupyterhub/jupyterhub.sqlite", "jupyterhub.sqlite"),
        ("sqlite:////elsewhere/jupyterhub.sqlite", ""),
        ("sqlite:////srv/jupyterhub/../x.sqlite", ""),
        ("postgresql://db/hub", ""),
    ],
)
def test_database_name(url: str, expected: str) -> None:
    assert trial.database_name({"traits": {"JupyterHub": {"db_url": url}}}) == expected


def test_run_argv() -> None:
    part = {"role": "hub", "memory": "2g", "volumes": ["/srv/lab/config:/etc/jupyterhub:ro", "/x:/y:ro"]}
    folders = {"/srv/lab/config": "/srv/lab/releases/.trial/config"}
    argv = trial.run_argv("lab", part, "g/hub:2", "995:996", folders, NETWORK)
    assert argv[-1] == "g/hub:2"
    assert {
        "--name=lab.trial-hub",
        "--network=lab.trial",
        "--ip=10.9.0.2",
        "--user=995:996",
        "--volume=/srv/lab/releases/.trial/config:/etc/jupyterhub:ro",
        "--volume=/x:/y:ro",
        "--label=galilean.hub.role=trial-hub",
    } <= set(argv)
    broker = trial.run_argv(
        "lab", {"role": "broker", "memory": "128m", "user": 60600}, "g/hub:2", "995:996", {}, NETWORK
    )
    assert {"--network=none", "--user=60600:996"} <= set(broker)
    # Where servers have host names of their own, the trial's have none.
    part = {
        "role": "proxy",
        "memory": "1g",
        "env": {"GALILEAN_HOST_ROUTING": "1", "GALILEAN_LOG_LEVEL": "info"},
    }
    proxy = trial.run_argv("lab", part, "g/proxy:2", "995:996", {}, NETWORK)
    assert [word for word in proxy if word.startswith("--env=")] == ["--env=GALILEAN_LOG_LEVEL=info"]


def test_addresses() -> None:
    assert trial.addresses("10.9.0.0/24") == NETWORK
