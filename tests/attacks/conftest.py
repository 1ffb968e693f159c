# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What attacks share: one deployed instance with TLS, and people at work on it.

Every attack is bounded in count and time, and goes to this instance alone: over loopback, or from its own
containers. ATTACKS_KEEP=1 leaves the instance where it is and takes it up again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible.plugins.loader import init_plugin_loader

# Deploying, browsing and people are those of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from deployment import Deployment, as_root, collection_tree
from services import ALLOWED

if t.TYPE_CHECKING:
    from user_client import UserClient

COLLECTIONS = collection_tree()
init_plugin_loader([str(COLLECTIONS)])

# No shared software: nothing here is about it, and servers start sooner.
SETTINGS: dict[str, t.Any] = {
    "images_software_stack": "",
    "edge_tls_mode": "self_signed",
    "edge_server_name": "localhost",
    "jupyterhub_egress_allowed": ALLOWED,
    # For test_disk.py: who fills the home, and who fill what they share.
    "jupyterhub_groups": [
        {"name": "small", "users": ["sam"], "disk_limit": "50M"},
        {"name": "lab", "users": ["bob", "cleo"]},
    ],
    "jupyterhub_shared_folders": [{"name": "lab", "groups": ["lab"], "disk_limit": "50M"}],
}


def deployed(
    folder: Path, instance: str, host: str, port: int, settings: dict[str, t.Any]
) -> t.Iterator[Deployment]:
    """An instance with HTTPS at this name, and its end."""
    deployment = Deployment(folder, COLLECTIONS, instance, port)
    deployment.url = f"https://{host}:{port}"
    keep = bool(os.environ.get("ATTACKS_KEEP"))
    if deployment.left() and not keep:
        deployment.teardown(data=True).assert_done()
    deployment.set(**settings)
    deployment.run("site").assert_done()
    yield deployment
    if not keep:
        deployment.set(**settings)
        deployment.teardown(data=True).assert_done()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployment]:
    """The instance under attack: HTTPS on loopback, all other settings as they come."""
    name, port = os.environ.get("ATTACKS_INSTANCE", "attacked"), int(os.environ.get("ATTACKS_PORT", "8140"))
    yield from deployed(tmp_path_factory.mktemp("site"), name, "localhost", port, SETTINGS)


def root_of(site: Deployment, folder: Path) -> Path:
    """The certificate of an instance's own authority, as a file."""
    path = folder / "ca.crt"
    argv = as_root(["cat", f"/srv/{site.instance}/certificate/ca.crt"])
    path.write_bytes(subprocess.run(argv, capture_output=True, check=True).stdout)
    return path


def company(site: Deployment, authority: Path) -> t.Iterator[t.Callable[[str], UserClient]]:
    """Somebody by name, with a server that runs; the same one for the same name."""
    # Of the collection, which can be imported only by now.
    from user_client import UserClient

    known: dict[str, UserClient] = {}

    def somebody(name: str) -> UserClient:
        if name not in known:
            known[name] = UserClient(site.url, site.token, name, ca=str(authority))
        known[name].start()
        return known[name]

    yield somebody
    for person in known.values():
        person.leave()


@pytest.fixture(scope="session")
def authority(site: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the instance under attack."""
    return root_of(site, tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def people(site: Deployment, authority: Path) -> t.Iterator[t.Callable[[str], UserClient]]:
    """Its people."""
    yield from company(site, authority)
