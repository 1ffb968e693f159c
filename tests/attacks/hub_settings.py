# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Other settings for the instance's hub, in two seconds: data as the role would write it, and a restart."""

from __future__ import annotations

import contextlib
import json
import subprocess
import typing as t

from deployment import Deployment, as_root, docker, wait_until
from knock import Browser, addresses

from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import merge


def restart(site: Deployment) -> None:
    """Restart the hub, and wait until it answers and the proxy knows it."""
    docker("restart", "--time", "2", site.container("hub"))
    proxy = Browser(addresses(site.container("proxy"))[f"{site.instance}-core"] + ":8000")
    wait_until(lambda: proxy.ask("GET", "/hub/health").status == 200, 120, "the hub after its restart")


def in_hub(site: Deployment, code: str) -> str:
    """Run Python in the hub's container, with `db`, a session of its database, and `orm`."""
    begin = "from jupyterhub import orm\ndb = orm.new_session_factory('sqlite:////srv/jupyterhub/jupyterhub.sqlite')()\n"
    return docker("exec", site.container("hub"), "python3", "-c", begin + code)


@contextlib.contextmanager
def hub_settings(site: Deployment, **changes: t.Any) -> t.Iterator[None]:
    """changes: of the data's top level, `traits` by class. Afterwards everything is as before."""
    path = f"/srv/{site.instance}/config/config.json"

    def write(text: str) -> None:
        subprocess.run(as_root(["tee", path]), input=text, text=True, capture_output=True, check=True)
        restart(site)

    before = subprocess.run(as_root(["cat", path]), capture_output=True, text=True, check=True).stdout
    write(json.dumps(merge(json.loads(before), changes)))
    try:
        yield
    finally:
        write(before)
