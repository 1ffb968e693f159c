# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.certificate_problems import certificate_problems_filter
from ansible_collections.galilean.hub.plugins.filter.edge_problems import edge_problems_filter


def test_edge_problems_takes_a_mapping() -> None:
    with pytest.raises(AnsibleFilterError, match="input must be a mapping, not list"):
        edge_problems_filter([])
    with pytest.raises(AnsibleFilterError, match="lacks the key 'tls_mode'"):
        edge_problems_filter({})


def test_certificate_problems_takes_text_and_a_time() -> None:
    with pytest.raises(AnsibleFilterError, match="must both be strings"):
        certificate_problems_filter(None, "key")
    with pytest.raises(AnsibleFilterError, match=re.escape("now is 'soon', not an ISO 8601 time")):
        certificate_problems_filter("certificate", "key", now="soon")
    (problem,) = certificate_problems_filter("certificate", "key", now="2026-06-01T00:00:00+00:00")
    assert problem.startswith("edge_tls_certificate holds no certificate")
