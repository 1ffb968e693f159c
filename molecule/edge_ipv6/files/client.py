# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Somebody in the hosts' network: opens each given address and prints what it got, as a line of JSON."""

from __future__ import annotations

import json
import ssl
import sys
import urllib.error
import urllib.request


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        """A redirect is an answer as well."""


def observe(address: str) -> dict[str, object]:
    context = ssl._create_unverified_context()
    opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(address, timeout=5) as answer:
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "location": error.headers.get("Location", "")}
    except OSError as error:
        return {"status": 0, "reason": str(error)}


for given in sys.argv[1:]:
    print(json.dumps(observe(given)), flush=True)
