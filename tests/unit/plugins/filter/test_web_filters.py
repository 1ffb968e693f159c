# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.branding import branding_filter

EMPTY: dict[str, t.Any] = {"title": "JupyterHub", "announcement": "", "links": []}


def test_input_is_a_mapping_with_all_keys() -> None:
    with pytest.raises(AnsibleFilterError, match="branding input must be a mapping, not list"):
        branding_filter([])
    with pytest.raises(AnsibleFilterError, match="branding input lacks the key 'links'"):
        branding_filter({"title": "x", "announcement": ""})


def test_a_look_that_cannot_be_shown_is_not_rendered() -> None:
    assert branding_filter(EMPTY) == EMPTY
    with pytest.raises(AnsibleFilterError, match=re.escape("jupyterhub_web_title is '': give one line")):
        branding_filter({**EMPTY, "title": ""})
