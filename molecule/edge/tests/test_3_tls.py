# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A certificate that the site has already, and the end of it all."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
import requests
from conftest import PERSON, Edge


def make_pair(folder: Path, name: str) -> tuple[str, str]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    options += ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", *options, *files], check=True, capture_output=True)
    return str(certificate), str(key)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("tls")
    return [make_pair(folder, "first"), make_pair(folder, "second")]


def test_a_provided_certificate(upstream: Edge, pairs: list[tuple[str, str]]) -> None:
    """Served over TLS, with plain HTTP sent there; a new pair is loaded without a new container."""
    plain = upstream.port + 1
    tls: dict[str, t.Any] = {"edge_tls_mode": "provided", "edge_http_port": plain}
    for remote, (certificate, key) in zip((False, True), pairs, strict=True):
        said = upstream.converge(
            edge_tls_certificate=certificate, edge_tls_key=key, edge_tls_remote_src=remote, **tls
        )
        assert said.endswith("rc=0"), said
        answer = requests.get(upstream.url("/hub/home", "https"), verify=certificate, timeout=10)
        assert answer.json()["headers"]["x-scheme"] == "https"
        assert answer.headers["Strict-Transport-Security"] == "max-age=15552000"
        if not remote:
            first = upstream.started()
        assert upstream.started() == first
        files = list(upstream.folder.glob("tls-*.pem"))
        assert len(files) == 1
        assert files[0].stat().st_mode & 0o777 == 0o640
    redirect = requests.get(f"http://127.0.0.1:{plain}/lab?x=1", allow_redirects=False, timeout=10)
    assert (redirect.status_code, redirect.headers["Location"]) == (308, upstream.url("/lab?x=1", "https"))
    # Somebody who forgot the "s".
    assert upstream.get("/lab").headers["Location"] == upstream.url("/lab", "https")


def test_removal_spares_a_network_in_use(upstream: Edge) -> None:
    network = f"{upstream.instance}-core"
    said = upstream.converge(playbook="remove.yml")
    assert said.endswith("rc=0"), said
    assert not upstream.folder.exists()
    assert upstream.docker("ps", "--all", "--quiet", "--filter", f"name=^{upstream.container}$") == ""
    assert network in upstream.docker("network", "ls", "--format", "{{.Name}}")
    upstream.stop_upstream()
    assert upstream.converge(playbook="remove.yml").endswith("rc=0")
    assert network not in upstream.docker("network", "ls", "--format", "{{.Name}}")
    with pytest.raises(requests.ConnectionError):
        upstream.get("/", PERSON)
