# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program that looks after a certificate on the host: what it makes of what it sees.

nginx, certbot and an authority are real in molecule/certbot.
"""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from galilean_certificate import complaint, install, issue, pair, status
from galilean_certificate.__main__ import main
from galilean_certificate.settings import Certbot, Problem, Settings, load

DAY = 86400.0
NOW = 1_800_000_000.0
CERTBOT = Certbot(
    ["certbot"], "cli.ini", {}, ["hub.example.org"], "ecdsa", "https://ca.example.org/dir", "/live/hub"
)


def held(**changes: t.Any) -> issue.Held:
    good: dict[str, t.Any] = {
        "names": ["hub.example.org"], "key_type": "ecdsa", "directory": "https://ca.example.org/dir",
        "serial": "0a", "begins": NOW - 10 * DAY, "ends": NOW + 80 * DAY,
    }  # fmt: skip
    return issue.Held(**{**good, **changes})


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (held(), ""),
        (None, "there is none yet"),
        (held(directory="https://staging.example.org/dir"), "it comes from https://staging.example.org/dir"),
        (held(names=["hub.example.org", "www.example.org"]), "it holds hub.example.org, www.example.org"),
        (held(key_type="rsa"), "its key is of the type rsa"),
        (held(ends=NOW - DAY), "it ended on 2027-01-14"),
        # 90 days: in the last 30.
        (held(begins=NOW - 61 * DAY, ends=NOW + 29 * DAY), "it ends on 2027-02-13"),
        (held(begins=NOW - 59 * DAY, ends=NOW + 31 * DAY), ""),
        # Six days: in the last two. Five years: not before the last month.
        (held(begins=NOW - 5 * DAY, ends=NOW + DAY), "it ends on 2027-01-16"),
        (held(begins=NOW - 3 * DAY, ends=NOW + 3 * DAY), ""),
        (held(begins=NOW - 1700 * DAY, ends=NOW + 31 * DAY), ""),
    ],
)
def test_why_a_certificate_is_due(now: issue.Held | None, why: str) -> None:
    assert issue.reason(CERTBOT, now, NOW) == why


FAILED_NAMES = """
Certbot failed to authenticate some domains (authenticator: webroot). \
The Certificate Authority reported these problems:
  Domain: hub.example.org
  Type:   connection
  Detail: 192.0.2.1: Fetching http://hub.example.org/.well-known/acme-challenge/x: Timeout during connect

  Domain: www.example.org
  Type:   urn:ietf:params:acme:error:dns
  Detail: NXDOMAIN looking up A for www.example.org

Hint: The Certificate Authority failed to download the temporary challenge files.
"""


LIMITED = "urn:ietf:params:acme:error:rateLimited :: There were too many requests :: too many new orders"
REJECTED = "urn:ietf:params:acme:error:rejectedIdentifier :: no :: blocked by policy"
EXTERNAL = "Server requires external account binding. Please use --eab-kid"
UNTRUSTED = "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ..."
ODD = "Saving debug log to /x\nSomething odd happened.\nAsk for help or search"
AWAY = "HTTPSConnectionPool(host='ca', port=443): Max retries exceeded with url"


@pytest.mark.parametrize(
    ("said", "begin", "fix"),
    [
        (
            FAILED_NAMES,
            "hub.example.org was not validated (192.0.2.1: Fetching",
            "port 80 of the name must be",
        ),
        (FAILED_NAMES, "hub.example.org", "www.example.org was not validated (NXDOMAIN"),
        (LIMITED, "The certificate authority issues no more for now (too many new", "certbot_staging"),
        (EXTERNAL, "The certificate authority requires an account", "certbot_eab_kid"),
        (UNTRUSTED, "The ACME directory https://d shows", "certbot_ca_file"),
        (AWAY, "The ACME directory https://d cannot be", "certbot_directory"),
        (REJECTED, "The certificate authority https://d refuses (rejectedIdentifier): blocked by policy", ""),
        (ODD, "certbot failed: Something odd happened", ""),
        ("", "certbot failed: it gives no reason", ""),
    ],
)
def test_what_certbot_says_becomes_a_sentence(said: str, begin: str, fix: str) -> None:
    sentence = complaint.of_certbot(said, "https://d")
    assert sentence.startswith(begin)
    assert fix in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def make(folder: Path, name: str = "hub.example.org") -> str:
    """A pair, by openssl."""
    names = f"subjectAltName=DNS:{name},IP:192.0.2.7"
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -subj /CN={name}"
    )
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([*command.split(), "-addext", names, *files], check=True, capture_output=True)
    return install.read_lineage(str(folder))


def test_a_pair_and_what_it_says(tmp_path: Path) -> None:
    text = make(tmp_path)
    pair.check(text)
    told = pair.facts(pair.leaf(text))
    assert told.names == ["hub.example.org", "192.0.2.7"]
    assert told.issuer == "CN=hub.example.org"
    assert told.ends - told.begins == 9 * DAY
    assert pair.file_name(text) != pair.file_name(text + "\n")


def test_a_pair_that_is_none(tmp_path: Path) -> None:
    text = make(tmp_path)
    other = make(tmp_path)
    mixed = text.split("-----BEGIN PRIVATE")[0] + "-----BEGIN PRIVATE" + other.split("-----BEGIN PRIVATE")[1]
    with pytest.raises(Problem, match="does not belong"):
        pair.check(mixed)
    with pytest.raises(Problem, match="nothing in PEM form"):
        pair.leaf("nonsense")
    with pytest.raises(Problem, match="cannot be read"):
        install.read_lineage(str(tmp_path / "nowhere"))


STATE: dict[str, t.Any] = {
    "instance": "hub",
    "served": {"ends": "2027-01-15T08:00:00Z"},
    "renewal": {"ok": False, "tried": "2027-01-14T08:00:00Z"},
}


def test_metrics() -> None:
    lines = status.metrics(STATE).splitlines()
    assert 'galilean_hub_certificate_not_after_timestamp_seconds{instance_name="hub"} 1800000000' in lines
    assert 'galilean_hub_certificate_renewal_ok{instance_name="hub"} 0' in lines
    assert 'galilean_hub_certificate_served{instance_name="hub"} 1' in lines
    assert len([line for line in lines if line.startswith("# HELP")]) == 4
    nothing = status.metrics({**STATE, "served": None, "renewal": None})
    assert nothing.endswith('galilean_hub_certificate_served{instance_name="hub"} 0\n')


def test_what_is_remembered_of_a_renewal() -> None:
    good = status.renewed(None, True, "", NOW)
    bad = status.renewed(good, False, "away", NOW + DAY)
    assert bad == {
        "tried": "2027-01-16T08:00:00Z",
        "ok": False,
        "succeeded": good["tried"],
        "message": "away",
    }
    assert status.renewed(None, False, "away", NOW)["succeeded"] is None


@pytest.mark.parametrize(
    ("served", "renewal", "begin"),
    [
        (None, None, "Nothing shows a certificate at 127.0.0.1:443: see docker logs c."),
        ({}, {"ok": True}, ""),
        (
            {},
            {"ok": False, "tried": "2027-01-14T08:00:00Z", "message": "away."},
            "The last renewal of the certificate failed (2027-01-14T08:00:00Z), it has 14 days left: away.",
        ),
        (
            {"days_left": 13},
            None,
            "The certificate has 13 days left (until 2027-01-15T08:00:00Z), less than edge_tls_warn_days, 14",
        ),
    ],
)
def test_what_verify_complains_of(
    served: dict[str, t.Any] | None, renewal: dict[str, t.Any] | None, begin: str
) -> None:
    settings = Settings("hub", "acme", "", "/e", 1, "c", ["docker"], "127.0.0.1", 443, "", warn_days=14)
    shown = None if served is None else {"days_left": 14, "ends": "2027-01-15T08:00:00Z", **served}
    told = status.problem(settings, shown, renewal)
    assert told.startswith(begin)
    assert bool(told) == bool(begin)


def test_settings_of_another_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody asks for certbot where there is none; and what is not there is named."""
    settings = Settings("hub", "provided", "", "/e", 1, "c", ["docker"], "127.0.0.1", 443, "PAIR")
    with pytest.raises(Problem, match=r"edge_tls_mode is 'provided', not 'acme'"):
        settings.certbot()
    (tmp_path / "settings.json").write_text(json.dumps({"instance": "hub"})[:-3])
    with pytest.raises(Problem, match=r"run the role galilean\.hub\.edge again"):
        load(str(tmp_path))
    assert main(["--folder", str(tmp_path), "status"]) == 1
    answer = capsys.readouterr()
    assert json.loads(answer.out) == {}
    assert "settings.json cannot be used" in answer.err
