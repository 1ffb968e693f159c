# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of logins share: an instance and an OpenID provider. A file's tests are steps of a story."""

from __future__ import annotations

import os
import sys
import typing as t
from pathlib import Path

import pytest

# Deploying, browsing and persons are those of the end-to-end tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from deployment import ARTIFACTS, Deployment
from idp import Provider
from scenario import COLLECTIONS, Scenario
from source import Source

SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Deployment]:
    """An instance of its own; nothing of it is there before, nor after."""
    # For work on one test: LOGIN_KEEP=1 leaves the instance where it is, and takes it up again.
    name, port = os.environ.get("LOGIN_INSTANCE", "login"), int(os.environ.get("LOGIN_PORT", "8130"))
    deployment = Deployment(tmp_path_factory.mktemp("site"), COLLECTIONS, name, port)
    if os.environ.get("LOGIN_KEEP"):
        yield deployment
        return
    deployment.teardown(data=True).assert_done()
    yield deployment
    deployment.set()
    deployment.teardown(data=True).assert_done()


@pytest.fixture(scope="session")
def provider(site: Deployment, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Provider]:
    """The institute's provider, and the people whom it knows. Its access tokens live for a short time."""
    folder = tmp_path_factory.mktemp("provider")
    provider = Provider(folder, f"{site.url}/hub/oauth_callback", seconds=25)
    provider.know(
        ada={"name": "Ada Lovelace", "email": "ada@example.org", "groups": ["staff"]},
        eve={"name": "Eve", "email": "eve@example.org", "groups": ["guests"]},
        ruth={"name": "Ruth", "email": "ruth@example.org", "groups": ["operators"]},
    )
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def source() -> t.Iterator[Source]:
    """Where the institute keeps its approvals."""
    server = Source()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def story(site: Deployment, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The instance with its provider and the settings of the last run."""
    # As the institute's own authority would be: in the bundle of the host.
    folder = tmp_path_factory.mktemp("bundle")
    bundle = folder / "certificates.pem"
    bundle.write_text(SYSTEM_CERTIFICATES.read_text() + provider.certificate.read_text(), encoding="utf-8")
    bundle.chmod(0o644)
    ARTIFACTS.mkdir(exist_ok=True)
    return Scenario(site, provider, {"jupyterhub_ca_bundle": str(bundle)})


# Each file goes on with what the one before it has left.
ORDER = ["provider", "approval", "profiles", "secrets", "authenticators", "site"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files in this order, after those that every scenario has."""
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, -1))
