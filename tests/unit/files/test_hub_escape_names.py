# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names in the addresses of JupyterHub's pages. That its files are as here, the image's build says."""

from __future__ import annotations

import pytest
from galilean_hub.pages.escape_names import CORRECTIONS, corrected

CASES = [
    (
        "static/js/home.js",
        '.attr("href", base_url + "spawn/" + user)',
        '.attr("href", base_url + "spawn/" + encodeURIComponent(user))',
    ),
    (
        "static/js/admin-react.js",
        'U("/users/"+e+"/servers/"+t,"DELETE");U("/groups/"+t+"/users");x(U("/users/"+e));'
        'href:"".concat(t,"spawn/").concat(o.name).concat(r)',
        'U("/users/"+encodeURIComponent(e)+"/servers/"+encodeURIComponent(t),"DELETE");'
        'U("/groups/"+encodeURIComponent(t)+"/users");x(U("/users/"+encodeURIComponent(e)));'
        'href:"".concat(t,"spawn/").concat(encodeURIComponent(o.name)).concat(r)',
    ),
]


@pytest.mark.parametrize(("file", "before", "after"), CASES)
def test_names_are_escaped(file: str, before: str, after: str) -> None:
    assert corrected(before, CORRECTIONS[file]) == after
    # A version that does it by itself is noticed.
    with pytest.raises(ValueError, match="has no "):
        corrected(after, CORRECTIONS[file])
