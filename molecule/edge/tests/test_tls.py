# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A certificate that the site has already, and the end of it all."""

from __future__ import annotations

import socket
import subprocess
import time
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
    # Over HTTP/2 cookies come one by one, and without room for them nginx ends the connection.
    secure = upstream.url("/hub/home", "https")
    assert [with_cookies(secure, many) for many in (3, 4, 9)] == ["200 2", "431 2", "431 2"]
    # What plain HTTP has room for is sent on, and refused there.
    assert [with_cookies(f"http://127.0.0.1:{plain}/", many) for many in (5, 12)] == ["308 1.1", "431 1.1"]


def with_cookies(url: str, many: int) -> str:
    """Status and version of HTTP, as a browser asks that has so many cookies of 4 KB."""
    cookies = [part for number in range(many) for part in ("--header", f"Cookie: c{number}={'x' * 3990}")]
    argv = ["curl", "--silent", "--insecure", "--http2", "--output", "/dev/null"]
    argv += ["--write-out", "%{http_code} %{http_version}", *cookies, url]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def answers_ocsp(upstream: Edge, tmp_path: Path) -> t.Iterator[tuple[str, str]]:
    """Certificate and key by an authority that answers OCSP: openssl's responder, on the host."""
    network = f"{upstream.instance}-core"
    gateway = upstream.docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network)
    with socket.create_server(("", 0)) as probe:
        port = probe.getsockname()[1]

    def openssl(command: str) -> None:
        subprocess.run(["openssl", *command.split()], check=True, capture_output=True, cwd=tmp_path)

    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    openssl(f"req -x509 {curve} -days 2 -subj /CN=authority -keyout ca.key -out ca.crt")
    openssl(f"req {curve} -subj /CN=hub -keyout hub.key -out hub.csr")
    extensions = (
        f"subjectAltName=IP:127.0.0.1\nauthorityInfoAccess=OCSP;URI:http://{gateway.strip()}:{port}/\n"
    )
    (tmp_path / "extensions").write_text(extensions)
    signed = "-CA ca.crt -CAkey ca.key -set_serial 4097 -days 2 -extfile extensions"
    openssl(f"x509 -req -in hub.csr {signed} -out hub.pem")
    (tmp_path / "index").write_text("V\t400101000000Z\t\t1001\tunknown\t/CN=hub\n")
    (tmp_path / "hub.crt").write_text((tmp_path / "hub.pem").read_text() + (tmp_path / "ca.crt").read_text())
    argv = f"openssl ocsp -port {port} -index index -CA ca.crt -rsigner ca.crt -rkey ca.key -nmin 10".split()
    with subprocess.Popen(
        argv, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as responder:
        yield str(tmp_path / "hub.crt"), str(tmp_path / "hub.key")
        responder.terminate()


@pytest.mark.slow
def test_ocsp_answers_come_with_the_certificate(upstream: Edge, answers_ocsp: tuple[str, str]) -> None:
    certificate, key = answers_ocsp
    tls = {"edge_tls_mode": "provided", "edge_tls_certificate": certificate, "edge_tls_key": key}
    said = upstream.converge(edge_ocsp_stapling=True, **tls)
    assert said.endswith("rc=0"), said
    argv = f"openssl s_client -connect 127.0.0.1:{upstream.port} -status".split()
    begin = time.monotonic()
    # nginx asks when the first browser comes, and each of its processes for itself.
    while "OCSP Response Status: successful" not in (
        seen := subprocess.run(argv, input="", capture_output=True, text=True, check=False).stdout
    ):
        assert time.monotonic() - begin < 20, f"{seen}\n{upstream.log()}"
        time.sleep(0.5)
    assert "Cert Status: good" in seen


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
