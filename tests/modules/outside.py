# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The outside as an institution has it: squid before the internet, indexes of its own, and passwords."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import re
import tarfile
import time
import typing as t
import urllib.parse
import zipfile
from pathlib import Path

from engine import ModuleRunner, docker
from pip._internal.models.index import PyPI

USER, PASSWORD = "ada", "p@ss:w%rd"
ESCAPED = urllib.parse.quote(PASSWORD, safe="")
# Whatever form a leak would have.
FORMS = (PASSWORD, ESCAPED, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \\
    apt-get update -q && apt-get install -qy --no-install-recommends nginx-light squid
"""
# Of the site's own packages: another one in each run, or the engine would take a layer of an earlier one.
VERSION = f"1.0.{int(time.time())}"
SQUID = """\
http_port 3128
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/outside/passwords
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
cache deny all
access_log stdio:/var/log/squid/access.log
shutdown_lifetime 1 second
"""
# What is not here comes from the public ones, as with a cache; their names are those that tools know.
NGINX = """\
events {}
http {
  access_log /var/log/nginx/indexes.log;
  server {
    listen 8080;
    root /srv/indexes;
    auth_basic "indexes";
    auth_basic_user_file /etc/outside/passwords;
    proxy_ssl_server_name on;
    proxy_http_version 1.1;
    proxy_set_header Authorization "";
    # Without it, files of long ago count as fresh for years.
    expires -1;
    location /simple/ { index index.html; try_files $uri $uri/index.html @pypi; }
    location @pypi { proxy_set_header Host PYPI; proxy_pass https://PYPI; }
    location /npm/ { default_type application/json; }
    location /debian/ { proxy_set_header Host DEBIAN; proxy_pass http://DEBIAN/debian/; }
  }
}
"""


def _tar_of(files: t.Mapping[str, bytes], gz: bool = False) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz" if gz else "w") as tar:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _wheel() -> bytes:
    out = io.BytesIO()
    info = f"galilean_proof-{VERSION}.dist-info"
    with zipfile.ZipFile(out, "w") as wheel:
        wheel.writestr("galilean_proof.py", "WORD = 'from the site'\n")
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: galilean-proof\nVersion: {VERSION}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in wheel.namelist()))
    return out.getvalue()


def _indexes(address: str) -> dict[str, bytes]:
    """The site's own package for Python and for Node.js, which are nowhere else."""
    wheel = f"galilean_proof-{VERSION}-py3-none-any.whl"
    package = {"name": "galilean-proof", "version": VERSION, "main": "index.js"}
    packed = _tar_of(
        {"package/package.json": json.dumps(package).encode(), "package/index.js": b"module.exports = 1;\n"},
        True,
    )
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    dist = {
        "tarball": f"http://{address}:8080/npm/files/galilean-proof-{VERSION}.tgz",
        "integrity": integrity,
    }
    document = {
        "name": "galilean-proof",
        "dist-tags": {"latest": VERSION},
        "versions": {VERSION: {**package, "dist": dist}},
    }
    return {
        "srv/indexes/simple/galilean-proof/index.html": f'<a href="{wheel}">{wheel}</a>'.encode(),
        f"srv/indexes/simple/galilean-proof/{wheel}": _wheel(),
        "srv/indexes/npm/galilean-proof": json.dumps(document).encode(),
        f"srv/indexes/npm/files/galilean-proof-{VERSION}.tgz": packed,
    }


class Outside:
    """A container with both."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.address = docker("inspect", "--format={{.NetworkSettings.IPAddress}}", name)
        self.proxy = f"http://{USER}:{ESCAPED}@{self.address}:3128"

    def index(self, path: str) -> str:
        return f"http://{USER}:{ESCAPED}@{self.address}:8080/{path}"

    def log(self, of: str) -> list[str]:
        """Lines of squid, or of nginx (indexes)."""
        path = "/var/log/squid/access.log" if of == "squid" else "/var/log/nginx/indexes.log"
        return docker("exec", self.name, "cat", path).splitlines()


def _copy(name: str, files: t.Mapping[str, bytes], scratch: Path) -> None:
    for path, content in files.items():
        place = scratch / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(0o644)
    docker("cp", f"{scratch}/.", f"{name}:/")


@contextlib.contextmanager
def serving(run_module: ModuleRunner, prefix: str, base: str, scratch: Path) -> t.Iterator[Outside]:
    """Serve both."""
    built = run_module(
        "image",
        name="outside",
        repository_prefix=prefix,
        dockerfile_inline=DOCKERFILE,
        parent=base,
        ca_bundle="/etc/ssl/certs/ca-certificates.crt",
        log_dir=str(scratch / "log"),
    )
    assert not built["failed"], built
    name = f"{prefix}-outside"
    script = "mkdir -p /etc/outside /srv/indexes && while [ ! -e /etc/outside/ready ]; do sleep 0.1; done; "
    start = "nginx -c /etc/outside/nginx.conf && exec squid -N -f /etc/outside/squid.conf"
    docker("run", "--detach", f"--name={name}", built["image"]["ref"], "sh", "-c", script + start)
    try:
        outside = Outside(name)
        sources = docker(
            "exec", name, "sh", "-c", "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null; true"
        )
        mirror = re.findall(r"http://([^/ ]+)/debian\b", sources)[0]
        hashed = docker("exec", name, "perl", "-e", "print crypt($ARGV[0], '$6$outside$')", PASSWORD)
        files = {
            "etc/outside/passwords": f"{USER}:{hashed}\n".encode(),
            "etc/outside/squid.conf": SQUID.encode(),
            "etc/outside/nginx.conf": NGINX.replace("PYPI", PyPI.netloc).replace("DEBIAN", mirror).encode(),
        }
        _copy(name, {**_indexes(outside.address), **files}, scratch / "files")
        docker("exec", name, "touch", "/etc/outside/ready")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            asked = docker(
                "exec", name, "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3128 && echo up", check=False
            )
            if asked == "up":
                break
            time.sleep(0.2)
        else:
            raise AssertionError(docker("logs", name))
        yield outside
    finally:
        docker("rm", "--force", "--volumes", name)
