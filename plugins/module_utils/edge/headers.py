# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The headers by which the edge asks browsers to be careful: pure."""

from __future__ import annotations

import re
import typing as t

# What answers get that do not bring their own. Left out on purpose: Cross-Origin-Resource-Policy and
# Cross-Origin-Embedder-Policy, because JupyterLab shows HTML in sandboxed frames whose pictures come from "elsewhere", and
# Content-Security-Policy, which hub and servers of users know better.
DEFAULTS = {
    # Addresses can tell what people work on, so other sites get no path; but the origin they do get: maps and videos
    # in notebooks are refused without.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    # JupyterLab's windows and those that it opens stay in touch, as for the login at a cloud drive; others that opened
    # ours do not.
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    # For what sends no Content-Security-Policy of its own: JupyterLab may frame it, others not.
    "X-Frame-Options": "SAMEORIGIN",
    # Widgets may ask for camera, microphone and place, but foreign frames in a notebook may not; devices nobody needs.
    "Permissions-Policy": "camera=(self), display-capture=(self), geolocation=(self), hid=(), microphone=(self), "
    "midi=(), payment=(), serial=(), usb=()",
}
OPENER_POLICY = "cross-origin-opener-policy"
# Set whatever hub and servers say.
ALWAYS = {"X-Content-Type-Options": "nosniff"}

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]*$")
# Printable, and no dollar sign, with which nginx begins a variable.
VALUE = re.compile(r"^[ -#%-~]*$")
# Not the operator's to say: HTTP itself, and what the edge needs for its own pages.
RESERVED = {
    "cache-control", "connection", "content-disposition", "content-encoding", "content-length", "content-type", "date",
    "keep-alive", "location", "retry-after", "server", "set-cookie", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip


def header_problems(given: dict[str, t.Any]) -> list[str]:
    """One sentence for each header that cannot be meant."""
    problems = []
    for name, value in given.items():
        where = f"edge_security_headers has {name!r}"
        if not isinstance(name, str) or not NAME.match(name):
            problems.append(f"{where}: give the name of a header, such as X-Frame-Options")
        elif name.lower() == "strict-transport-security":
            problems.append(f"{where}: set edge_hsts_seconds instead")
        elif name.lower() in RESERVED:
            problems.append(f"{where}, which is no security header: leave it out")
        elif value is not None and not (isinstance(value, str) and VALUE.match(value)):
            problems.append(
                f"{where} with {value!r}: give one line of plain text without a dollar sign, or '' to send none"
            )
    lower = [str(name).lower() for name in given]
    twice = sorted({name for name in lower if lower.count(name) > 1})
    return problems + [f"edge_security_headers has {name!r} twice: leave one of them out" for name in twice]


def _hub_opener_policy(value: str) -> str:
    """For the hub's own pages: any other value than that of users' pages, and one that lets go of who opened them."""
    return "same-origin-allow-popups" if value.strip().lower() == "same-origin" else "same-origin"


def edge_headers(given: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The headers to send: name, value as nginx wants it between quotes, and fill.

    fill: only where the answer has none of its own, which is so for the defaults. What the operator gives replaces what
    hub and servers send; an empty value sends nothing and lets theirs pass. places: what pages of the hub get instead.
    """
    wanted = {name.lower(): (name, value, True) for name, value in DEFAULTS.items()}
    wanted.update({name.lower(): (name, value, False) for name, value in ALWAYS.items()})
    for name, value in given.items():
        known = wanted.get(name.lower())
        wanted[name.lower()] = (known[0] if known else name, value, False)
    return [
        {
            "name": name,
            "variable": lower.replace("-", "_"),
            "value": value.replace("\\", "\\\\").replace('"', '\\"'),
            "fill": fill,
            **({"places": {"hub": _hub_opener_policy(value)}} if lower == OPENER_POLICY else {}),
        }
        for lower, (name, value, fill) in sorted(wanted.items())
        if value
    ]
