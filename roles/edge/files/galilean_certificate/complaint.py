# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What certbot printed, as one sentence for the operator."""

from __future__ import annotations

import re

# What certbot's output has, what it means, and what to do. The first that fits is taken.
KNOWN: list[tuple[str, str]] = [
    (
        r"error:rateLimited(?P<detail>[^\n]*)",
        "The certificate authority issues no more for now ({detail}): wait, or set certbot_staging while you try things out",
    ),
    (
        r"error:externalAccountRequired|requires external account binding",
        "The certificate authority requires an account: set certbot_eab_kid and certbot_eab_hmac_key",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "The ACME directory {directory} shows a certificate that this host does not trust: set certbot_ca_file to the "
        "file of its authority",
    ),
    (
        r"Max retries exceeded|Connection refused|Name or service not known|NewConnectionError|Read timed out",
        "The ACME directory {directory} cannot be reached from this host: check certbot_directory, the network, and "
        "certbot_environment where a proxy is needed",
    ),
    (
        r"error:caa",
        "A CAA record of the name does not allow this certificate authority: add one for it in the DNS",
    ),
    (
        r"urn:ietf:params:acme:error:(?P<type>\w+) ::(?P<detail>[^\n]*)",
        "The certificate authority {directory} refuses ({type}): {detail}",
    ),
]
# One for each type that an ACME server gives to a name it could not validate (RFC 8555, section 6.7).
HINTS = {
    "connection": "port 80 of the name must be open and lead to this host",
    "dns": "the name must be in the DNS and lead to this host",
    "unauthorized": "what answers at the name is not this host, or its answer is an old one",
    "caa": "a CAA record in the DNS must allow this certificate authority",
    "tls": "port 80 must answer without encryption",
}
DOMAIN = re.compile(
    r"(?:Domain|Identifier): (?P<domain>\S+)\s+Type:\s+(?P<type>\S+)\s+Detail: (?P<detail>.+?)(?:\n\s*\n|\nHint|\Z)",
    re.DOTALL,
)
NOISE = re.compile(r"^(Saving debug log|Ask for help|See the logfile|- - -|Hint:|\s*$)")


def of_certbot(said: str, directory: str) -> str:
    """The sentence for what certbot printed when it failed."""
    names = [
        f"{found['domain']} was not validated ({_one_line(found['detail'])}"
        f"{': ' + hint if (hint := HINTS.get(found['type'].rpartition(':')[2])) else ''})"
        for found in DOMAIN.finditer(said)
    ]
    if names:
        return f"{'; '.join(names)}."
    for pattern, sentence in KNOWN:
        found = re.search(pattern, said)
        if found:
            told = {key: _one_line(value or "") for key, value in found.groupdict().items()}
            # What RFC 8555 says of the type comes before what this authority says.
            told["detail"] = told.get("detail", "").rpartition(":: ")[2] or "it gives no reason"
            return sentence.format(**told, directory=directory) + "."
    lines = [line.strip() for line in said.splitlines() if not NOISE.match(line)]
    return f"certbot failed: {' '.join(lines[-3:]).rstrip('.') or 'it gives no reason'}."


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")
