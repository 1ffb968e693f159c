# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What names mean in a certificate request: pure."""

from __future__ import annotations

import ipaddress
import typing as t


def certificate_request(names: t.Sequence[str]) -> dict[str, list[str]]:
    """The names as a certificate holds them, and as the limits of an authority that may sign for nothing else.

    names: host names, with a star as first label perhaps, and IP addresses. Both lists are as
    community.crypto.openssl_csr_pipe takes them; a limit to a host name admits what is below it (RFC 5280, 4.2.1.10).
    """
    alternative, limits = [], []
    for name in names:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            alternative.append(f"DNS:{name}")
            limits.append(f"DNS:{name[2:] if name.startswith('*.') else name}")
        else:
            alternative.append(f"IP:{address}")
            limits.append(f"IP:{address}/{address.max_prefixlen}")
    return {"subject_alt_name": alternative, "name_constraints": list(dict.fromkeys(limits))}
