# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which requests of scripts the hub answers, where its address begins with a path."""

from __future__ import annotations

import pytest
from galilean_hub.http.fetch_metadata import PAGE, STOPPED, FetchMetadata


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/a.b/hub/home", PAGE),
        ("/a.b/hub/api/user", None),
        ("/a.b/hub/api", None),
        ("/a.b/hub/apis", PAGE),
        ("/a.b/hub/static/js/admin-react.js", None),
        ("/a.b/hub/api/oauth2/authorize", PAGE),
        ("/a.b/hub/user/ada/lab", STOPPED),
        ("/a.b/user/ada/api/kernels", STOPPED),
        # Not the hub's own path, though it looks like it.
        ("/hub/api/user", PAGE),
        ("/aXb/hub/api/user", PAGE),
    ],
)
def test_scripts(path: str, answer: tuple[int, str] | None) -> None:
    rules = FetchMetadata("/a.b/")
    assert rules.refusal(path, {"Sec-Fetch-Dest": "empty"}) == answer
    for dest in ("document", "iframe", "image", ""):
        assert rules.refusal(path, {"Sec-Fetch-Dest": dest}) is None
