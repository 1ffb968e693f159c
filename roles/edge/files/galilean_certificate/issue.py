# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Has certbot get or renew the certificate, and puts it into service."""

from __future__ import annotations

import configparser
import dataclasses
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from . import complaint, install, pair, revoked, status
from .nginx import Nginx
from .settings import Certbot, Problem, Settings

# certbot answers to networks; some authorities take minutes.
LONGEST = 900
LAST = 30 * 86400


@dataclasses.dataclass(frozen=True)
class Held:
    """What the lineage has now. key_type is ecdsa or rsa, ends and begins are seconds since 1970."""

    names: list[str]
    key_type: str
    directory: str
    serial: str
    begins: float
    ends: float


def held(certbot: Certbot) -> Held | None:
    """Read the lineage; None when there is none that could be used."""
    folder = Path(certbot.lineage)
    # certbot writes no section for what stands at the top.
    renewal = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        told = pair.facts(pair.leaf((folder / "cert.pem").read_text(encoding="utf-8")))
        renewal.read_string(
            "[top]\n" + (folder.parents[1] / "renewal" / f"{folder.name}.conf").read_text(encoding="utf-8")
        )
    except (OSError, Problem, configparser.Error):
        return None
    kind, directory = (
        renewal.get("renewalparams", key, fallback="unknown") for key in ("key_type", "server")
    )
    return Held(sorted(told.names), kind, directory, told.serial, told.begins, told.ends)


def reason(certbot: Certbot, now: Held | None, moment: float) -> str:
    """Why a certificate has to be issued; empty when the one that is there can stay."""
    if now is None:
        return "there is none yet"
    if now.directory != certbot.directory:
        return f"it comes from {now.directory}"
    if now.names != sorted(certbot.names):
        return f"it holds {', '.join(now.names)}"
    if now.key_type != certbot.key_type:
        return f"its key is of the type {now.key_type}"
    if now.ends < moment:
        return f"it ended on {status.stamp(now.ends)[:10]}"
    # As certbot itself: 30 days, and less for those that live shorter than 90.
    if now.ends - moment < min(LAST, (now.ends - now.begins) / 3):
        return f"it ends on {status.stamp(now.ends)[:10]}"
    return ""


@dataclasses.dataclass
class Outcome:
    """changed: whether another certificate is served; why: the reason; problem: what went wrong, empty for nothing."""

    changed: bool = False
    why: str = ""
    problem: str = ""
    usable: bool = False


def issue(settings: Settings, check: bool = False, ask: bool = False, force: bool = False) -> Outcome:
    """Get a certificate where one is due, serve it, and write down what came of it.

    check: only say what would be done. ask: ask the authority as well when nothing seems due, its list of revoked certificates and
    by certbot (OCSP, and early renewals after RFC 9773). force: get another one in any case. What goes wrong is in the outcome; an older
    certificate serves on.
    """
    certbot = settings.certbot()
    now = held(certbot)
    why = reason(certbot, now, time.time()) or ("it was asked for" if force else "")
    if ask and not why and now is not None and revoked.revoked(certbot, now.serial):
        why = "it was revoked"
    if check:
        return Outcome(changed=bool(why), why=why, usable=_usable(now))
    problem = ""
    before = Nginx(settings).named()
    if why:
        problem = _run(certbot, "certonly", "--force-renewal")
    elif ask:
        problem = _run(certbot, "renew", "--cert-name", Path(certbot.lineage).name)
    # certbot has called this program for it, unless it was killed before that: what it left is served in any case.
    if held(certbot) is not None:
        try:
            install.install(settings, install.read_lineage(certbot.lineage))
        except Problem as exc:
            problem = f"{problem} {exc}".strip()
    outcome = Outcome(Nginx(settings).named() != before, why, problem, _usable(held(certbot)))
    _remember(settings, outcome, tried=bool(why) or ask)
    return outcome


def _usable(now: Held | None) -> bool:
    return now is not None and now.ends > time.time()


def _run(certbot: Certbot, command: str, *arguments: str) -> str:
    """Run certbot; what went wrong as a sentence, empty for nothing."""
    try:
        said = _call(certbot, command, *arguments)
        if "error:accountDoesNotExist" in said and _forget_account(certbot):
            said = _call(certbot, command, *arguments)
    except Problem as exc:
        return str(exc)
    return complaint.of_certbot(said, certbot.directory) if said else ""


def _forget_account(certbot: Certbot) -> bool:
    """Remove the account of an authority that has forgotten it, as one that was set up anew has; whether there was one."""
    host, _slash, path = certbot.directory.partition("://")[2].partition("/")
    folder = Path(certbot.lineage).parents[1] / "accounts" / host / path
    if not folder.is_dir():
        return False
    shutil.rmtree(folder)
    return True


def _call(certbot: Certbot, command: str, *arguments: str) -> str:
    """Run certbot; what it printed when it failed, empty when it did not."""
    try:
        done = subprocess.run(
            [*certbot.command, command, "--config", certbot.config, *arguments],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=LONGEST,
            env={**os.environ, **certbot.environment},
        )  # fmt: skip
    except OSError as exc:
        raise Problem(f"certbot cannot be run ({exc}): run the role galilean.hub.certbot again.") from exc
    except subprocess.TimeoutExpired as exc:
        logs = Path(certbot.lineage).parents[2] / "logs"
        raise Problem(f"certbot was not done within {LONGEST} s: see its logs in {logs}.") from exc
    return "" if done.returncode == 0 else "\n".join([done.stdout, done.stderr, *_logged(certbot)])


def _logged(certbot: Certbot) -> list[str]:
    """The authority's answers in certbot's log, which has one file for each run.

    With Python 3.11, certbot 2.1 trips over the errors of its own library, and prints "can't set attribute" in their place.
    """
    try:
        log = (Path(certbot.lineage).parents[2] / "logs" / "letsencrypt.log").read_text(
            encoding="utf-8", errors="replace"
        )
    except OSError:
        return []
    return re.findall(r"^acme\.messages\.Error: (.+)$", log, re.MULTILINE)


def _remember(settings: Settings, outcome: Outcome, tried: bool) -> None:
    state = status.observe(settings)
    if tried or outcome.problem:
        state["renewal"] = status.renewed(state["renewal"], not outcome.problem, outcome.problem, time.time())
        state["problem"] = status.problem(settings, state["served"], state["renewal"])
    status.keep(settings, state)
