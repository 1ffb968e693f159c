# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import re
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter import web_problems
from ansible_collections.galilean.hub.plugins.filter.branding import branding_filter

judge_web = web_problems.FilterModule().filters()["web_problems"]
EMPTY: dict[str, t.Any] = {"title": "JupyterHub", "announcement": "", "links": []}


@pytest.mark.parametrize("name", ["branding", "web_problems"])
def test_input_is_a_mapping_with_all_keys(name: str) -> None:
    wrapper = {"branding": branding_filter, "web_problems": judge_web}[name]
    with pytest.raises(AnsibleFilterError, match=f"{name} input must be a mapping, not list"):
        wrapper([])
    with pytest.raises(AnsibleFilterError, match=f"{name} input lacks the key 'links'"):
        wrapper({"title": "x", "announcement": ""})


def test_a_look_that_cannot_be_shown_is_not_rendered() -> None:
    assert branding_filter(EMPTY) == EMPTY
    with pytest.raises(AnsibleFilterError, match=re.escape("jupyterhub_web_title is '': give one line")):
        branding_filter({**EMPTY, "title": ""})
    assert judge_web(EMPTY) == []
