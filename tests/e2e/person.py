# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Somebody who logs in on the hub's pages, without a browser's weight."""

from __future__ import annotations

import requests


class Person:
    """A browser that stays logged in, and a token."""

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name, self.session = url, name, requests.Session()
        self.session.get(f"{url}/hub/login", timeout=60)
        form = {"username": name, "password": "x", "_xsrf": self.xsrf()}
        self.session.post(f"{url}/hub/login", data=form, timeout=60)
        answer = self.post(f"/hub/api/users/{name}/tokens")
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]

    def post(self, path: str) -> requests.Response:
        """Ask the API as a page does."""
        return self.session.post(
            f"{self.url}{path}", headers={"X-XSRFToken": self.xsrf()}, json={}, timeout=60
        )

    def xsrf(self) -> str:
        return next(one.value or "" for one in self.session.cookies if one.name == "_xsrf")

    def is_logged_in(self) -> bool:
        answer = self.session.get(f"{self.url}/hub/home", allow_redirects=False, timeout=60)
        return answer.status_code == 200 and self.name in answer.text

    def has_token(self) -> bool:
        answer = requests.get(
            f"{self.url}/hub/api/user", headers={"Authorization": f"token {self.token}"}, timeout=60
        )
        return answer.status_code == 200 and answer.json()["name"] == self.name
