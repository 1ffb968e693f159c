# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A local HTTPS server that speaks the addresses of providers which their authenticators use.

GitHub (Enterprise), GitLab, Google, CILogon, Globus and Microsoft Entra ID, written after their
documentation and the requests that oauthenticator 17.4 sends. It asks nobody for a password: whoever comes
is the person whom the test has chosen.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
import typing as t
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from idp import host_address, make_pair

CLIENT, SECRET = "hub-of-tests", "of-the-forge-91c0"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"

# Where each provider sends people to, hands out tokens, and says who somebody is; Entra ID says it in the
# token.
AUTHORIZE = {
    "/login/oauth/authorize": "github",
    "/oauth/authorize": "gitlab",
    "/o/oauth2/v2/auth": "google",
    "/authorize": "cilogon",
    "/v2/oauth2/authorize": "globus",
    f"/{TENANT}/oauth2/authorize": "azuread",
}
TOKEN = {
    "/login/oauth/access_token": "github",
    "/oauth/token": "gitlab",
    "/oauth2/v4/token": "google",
    "/oauth2/token": "cilogon",
    "/v2/oauth2/token": "globus",
    f"/{TENANT}/oauth2/token": "azuread",
}
USER = {
    "/api/v3/user": "github",
    "/api/v4/user": "gitlab",
    "/oauth2/v1/userinfo": "google",
    "/oauth2/userinfo": "cilogon",
    "/v2/oauth2/userinfo": "globus",
}


@dataclass(frozen=True)
class Grant:
    """What a code or token stands for."""

    provider: str
    person: dict[str, t.Any]
    scope: str
    challenge: str = ""
    callback: str = ""


class Forge:
    """Who comes next, of which organisations and groups; and the tokens that were given."""

    def __init__(self, folder: Path) -> None:
        host = host_address()
        self.certificate = make_pair(folder, host)
        self.person: dict[str, t.Any] = {}
        # GitHub's names of members, GitLab's and Globus' numbers.
        self.members: dict[str, list[t.Any]] = {}
        self.codes: dict[str, Grant] = {}
        self.tokens: dict[str, Grant] = {}
        # What it was asked for and answered, for whoever looks for a mistake.
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer((host, 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.place = f"{host}:{self._server.server_address[1]}"
        self.url = f"https://{self.place}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def code(self, provider: str, asked: dict[str, str]) -> str:
        """A code for whom the test has chosen."""
        code = secrets.token_urlsafe(12)
        challenge = asked["code_challenge"] if asked["code_challenge_method"] == "S256" else ""
        self.codes[code] = Grant(provider, self.person, asked["scope"], challenge, asked["redirect_uri"])
        return code

    def exchange(self, provider: str, asked: dict[str, str]) -> tuple[dict[str, t.Any], int]:
        """A token for a code, where all that goes with it is right."""
        grant = self.codes.pop(asked.get("code", ""), None)
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        if (
            grant is None
            or grant.provider != provider
            or (asked.get("client_id"), asked.get("client_secret")) != (CLIENT, SECRET)
            or asked.get("redirect_uri") != grant.callback
            or base64.urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge
        ):
            return {"error": "invalid_grant"}, 400
        model: dict[str, t.Any] = {"access_token": self._token(grant), "token_type": "bearer"}
        if provider == "azuread":
            model |= {"id_token": id_token({"aud": CLIENT, **grant.person})}
        if provider == "globus":
            groups = Grant("globus-groups", grant.person, grant.scope)
            model |= {
                "resource_server": "auth.globus.org",
                "other_tokens": [
                    {"access_token": self._token(groups), "resource_server": "groups.api.globus.org"}
                ],
            }
        return {**model, "scope": grant.scope, "expires_in": 3600}, 200

    def _token(self, grant: Grant) -> str:
        token = secrets.token_urlsafe(24)
        self.tokens[token] = grant
        return token

    def tell(self, path: str, grant: Grant) -> tuple[t.Any, int]:
        """What an address says to the token of somebody; None is an answer without a body."""
        words = [urllib.parse.unquote(word) for word in path.strip("/").split("/")]
        scopes = grant.scope.split()
        if USER.get(path) == grant.provider:
            return grant.person, 200
        if grant.provider == "globus-groups" and path == "/v2/groups/my_groups":
            number = grant.person["sub"]
            return [{"id": name} for name, members in self.members.items() if number in members], 200
        if grant.provider == "github" and words[2:3] + words[4:5] == ["orgs", "members"]:
            # That somebody is a member is private unless the token may read it.
            found = "read:org" in scopes and words[5] in self.members.get(words[3], [])
            return (None, 204) if found else ({"message": "Not Found"}, 404)
        if grant.provider == "gitlab" and "read_api" in scopes:
            if words[2:] == ["version"]:
                return {"version": "17.4.0-ee"}, 200
            if words[2:3] + words[4:6] == ["groups", "members", "all"]:
                found = int(words[6]) in self.members.get(words[3], [])
                return ({"access_level": 30}, 200) if found else ({"message": "404 Not found"}, 404)
        return {"message": "404 Not found"}, 404

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def id_token(claims: dict[str, t.Any]) -> str:
    """Claims as a JSON Web Token; the hub does not look at the signature of one that the provider itself
    has given it.
    """
    parts = ({"alg": "RS256", "typ": "JWT"}, claims)
    words = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*words, base64.urlsafe_b64encode(b"of a test").decode()])


def _handler(forge: Forge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, model: t.Any, status: int = 200) -> None:
            forge.seen.append(f"{self.command} {self.path}: {status}")
            self.send_response(status)
            if model is None:
                self.end_headers()
                return
            text = json.dumps(model).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            asked = dict(urllib.parse.parse_qsl(parts.query))
            provider = AUTHORIZE.get(parts.path)
            grant = forge.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
            if provider and asked.get("client_id") == CLIENT:
                back = urllib.parse.urlencode({"code": forge.code(provider, asked), "state": asked["state"]})
                forge.seen.append(f"GET {self.path}: 302")
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            elif grant is None:
                self.answer({"message": "Bad credentials"}, 401)
            else:
                self.answer(*forge.tell(parts.path, grant))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider = TOKEN.get(self.path)
            if provider is None:
                self.answer({"message": "Not Found"}, 404)
            else:
                self.answer(*forge.exchange(provider, dict(urllib.parse.parse_qsl(body))))

        def log_message(self, *_: t.Any) -> None:
            pass

    return Handler
