# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whether everybody can use a page: axe-core in the browser, and what it does not look at."""

from __future__ import annotations

import functools
import typing as t

from playwright.sync_api import Page
from programs import install

PACKAGES = ("axe-core@4.14.1",)

RUN = """
async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(found =>
  `${found.impact} ${found.id}: ` +
    found.nodes.map(node => `${node.target.join(" ")} ${node.failureSummary}`).join("; "))
"""
LOOK = """
() => ({
  titles: [...document.head.querySelectorAll("title")].map(title => title.textContent),
  headings: [...document.querySelectorAll("h1:not([aria-level])")].length,
  wider: document.documentElement.scrollWidth - window.innerWidth,
  // For the message: what stands out.
  beyond: [...document.querySelectorAll("body *")]
    .filter(node => node.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 4).map(node => node.outerHTML.slice(0, 150)),
  unreachable: [...document.querySelectorAll("a[role=button]:not([href]), [onclick]:not(a, button, input)")]
    .filter(node => node.tabIndex < 0 && node.checkVisibility()).map(node => node.outerHTML),
})
"""


@functools.cache
def _axe() -> str:
    return (install("axe", PACKAGES) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def no_violations(page: Page, narrow: bool = False) -> None:
    """Assert that axe-core finds nothing in the page as it is, and that it is one page.

    One title, one heading of the first rank, nothing to click that the keyboard does not reach; with `narrow`
    also, that nobody has to move it sideways on a telephone, which is the page of a screen at 400 %.
    """
    if narrow:
        size = page.viewport_size
        page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate(_axe())
    found: list[str] = page.evaluate(RUN)
    seen: dict[str, t.Any] = page.evaluate(LOOK)
    if narrow and size:
        page.set_viewport_size(size)
    assert found == [], f"{page.url}: {found}"
    assert len(seen["titles"]) == 1, (page.url, seen)
    assert seen["headings"] == 1, (page.url, seen)
    assert seen["wider"] <= 0, (page.url, seen)
    assert seen["unreachable"] == [], (page.url, seen)
