# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Options of `docker run` that confine a container as the hub confines its users' servers."""

from __future__ import annotations

import functools
import json
import sys
import typing as t

import yaml
from engine import ROOT

sys.path.append(str(ROOT / ".ansible/collections"))
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import instance_layout
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import hub_config_data

PROFILE = ROOT / "roles/jupyterhub/files/seccomp.json"
LISTS = ("allowed_users", "allowed_groups", "admin_users", "admin_groups", "blocked_users")
# What says nothing about a container.
OTHER: dict[str, t.Any] = {
    "public_url": "http://127.0.0.1:8000/",
    "login": {"kind": "dummy", "allow_all": True, **{name: [] for name in LISTS}},
    "hub_image": "hub",
    "notebook_image": "notebook",
    "welcome_dir": "/srv/hub/welcome",
    "config_extra": {},
    "default_url": "/lab",
    **dict.fromkeys(
        ("concurrent_spawn_limit", "active_server_limit", "cull_timeout", "cull_every", "cull_max_age"), 1
    ),
    **dict.fromkeys(
        ("kernel_cull_timeout", "busy_max_age", "cull_warning", "token_max_age", "failed_login_limit"), 1
    ),
}


def spawner(**changes: t.Any) -> dict[str, t.Any]:
    """What the hub configures for its users' servers, here with 2 GiB of memory."""
    defaults = yaml.safe_load((ROOT / "roles/jupyterhub/defaults/main.yml").read_text())
    settings = {
        **OTHER,
        **{name: defaults[f"jupyterhub_{name}"] for name in ("pids_limit", "open_files")},
        "memory_limit": "2G",
        "tmp_limit": "1G",
        "cpu_limit": 2.0,
        "seccomp": json.loads(PROFILE.read_text()),
        **changes,
    }
    return dict(hub_config_data(instance_layout("hub"), settings)["traits"]["DockerSpawner"])


@functools.cache
def confined() -> tuple[str, ...]:
    """The options; mounts and the network are the caller's."""
    told = spawner()
    host = dict(told["extra_host_config"])
    # Who removes the container, and where its output goes.
    del host["auto_remove"], host["log_config"]
    assert host.pop("read_only") is True
    assert host.pop("init") is False
    options = [
        "--read-only",
        *(f"--cap-drop={name}" for name in host.pop("cap_drop")),
        # The client reads a file where the engine takes its content.
        *(
            f"--security-opt={f'seccomp={PROFILE}' if option.startswith('seccomp=') else option}"
            for option in host.pop("security_opt")
        ),
        *(f"--tmpfs={path}:{how}" for path, how in host.pop("tmpfs").items()),
        *(f"--ulimit={one['Name']}={one['Soft']}:{one['Hard']}" for one in host.pop("ulimits")),
        f"--oom-score-adj={host.pop('oom_score_adj')}",
        f"--memory={told['mem_limit']}",
        f"--memory-swap={host.pop('memswap_limit')}",
        f"--cpus={told['cpu_limit']}",
        f"--cpu-shares={host.pop('cpu_shares')}",
        f"--pids-limit={host.pop('pids_limit')}",
        f"--shm-size={host.pop('shm_size')}",
    ]
    assert not host, f"no option of docker run is known for {host}"
    return tuple(options)
