# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A git server over HTTPS, for a container with Python and git: git's own http-backend behind a login.

Repositories below /srv/git whose names begin with "private" want a login, those with a file "closed" are
nobody's, one whose name begins with "slow" keeps its users waiting, "redirected" leads to another, and
"page" to the same with .git at its end, as some servers do. Large files are in /srv/lfs. The login is
GIT_USER with GIT_PASSWORD, or with a token that USERINFO, an address of an OpenID provider, knows.
Certificates are in /srv/tls: cert.pem, key.pem and the provider's.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PORT = 8443


def known(header: str) -> bool:
    """Whether a header is that of somebody who may read what is private."""
    user, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    if "USERINFO" not in os.environ:
        return (user, secret) == (os.environ["GIT_USER"], os.environ["GIT_PASSWORD"])
    asked = urllib.request.Request(os.environ["USERINFO"], headers={"Authorization": f"Bearer {secret}"})
    trust = ssl.create_default_context(cafile="/srv/tls/provider.pem")
    try:
        urllib.request.urlopen(asked, timeout=60, context=trust).close()
    except urllib.error.HTTPError:
        return False
    return user == os.environ["GIT_USER"]


class Git(http.server.BaseHTTPRequestHandler):
    """Hands requests on to git's own server, which is a CGI program (git-http-backend(1))."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        # Before any answer: the connection is used again.
        body = self._body()
        if path.startswith("/slow"):
            time.sleep(60)
        if path.startswith("/redirected") or (path.startswith("/page") and ".git" not in path):
            name, slash, rest = path[1:].partition("/")
            place = "course" if name.startswith("redirected") else name
            self.send_response(301)
            self.send_header("Location", f"https://{self.headers['Host']}/{place}.git{slash}{rest}?{query}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        closed = Path(f"/srv/git/{path.split('/')[1]}/closed").exists()
        private = path.startswith("/private") and not known(self.headers.get("Authorization", ""))
        if closed or private:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "/lfs/" in path:
            self._large_file(path, body)
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": "/srv/git",
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        argv = ["git", "http-backend"]
        done = subprocess.run(argv, input=body, env=environment, stdout=subprocess.PIPE, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def _large_file(self, path: str, body: bytes) -> None:
        """One file, or where each of those is that are asked for: git-lfs' batch API."""
        folder = Path("/srv/lfs")
        if self.command == "POST":
            found: list[dict[str, object]] = []
            for one in json.loads(body)["objects"]:
                there = (folder / one["oid"]).is_file()
                href = f"https://{self.headers['Host']}/lfs/{one['oid']}"
                answer = (
                    {"actions": {"download": {"href": href}}}
                    if there
                    else {"error": {"code": 404, "message": "gone"}}
                )
                found.append({**one, **answer})
            content = json.dumps({"objects": found}).encode()
        else:
            content = (folder / path.rpartition("/")[2]).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body


def main() -> None:
    server = http.server.ThreadingHTTPServer(("", PORT), Git)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/srv/tls/cert.pem", "/srv/tls/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
