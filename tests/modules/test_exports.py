# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Exports of notebooks by JupyterLab's menu, and plots that move, in Chromium and without the internet."""

from __future__ import annotations

import io
import json
import re
import time
import typing as t
import zipfile
from pathlib import Path

import pytest
from browser import PATIENCE
from engine import docker
from environments import TOKEN, Server, running
from playwright.sync_api import Route, expect

WHO = {"Authorization": f"token {TOKEN}"}
# A picture of one point, and what people write and get.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'><circle r='20' cx='20' cy='20'/></svg>"
)
TEXT = r"""# Größe

Text with $\sqrt{x} \cap \langle a \rangle$, `code`, [a link](https://example.org) and 5 $ or 6 $.

\begin{align}
a &= \begin{pmatrix} 1 & 2 \end{pmatrix} \\
\partial b &\in \mathbb{R}
\end{align}

| place | what |
|---|---|
| home | yours |

```python
print("shown")
```

![a picture elsewhere](https://example.org/x.png) ![attached](attachment:pixel.png)
"""
TABLE = "<style>td {color: red}</style><table><tr><th>a</th></tr><tr><td>1.5</td></tr></table>"
WIDGET = "application/vnd.jupyter.widget-view+json"
OUTPUTS: list[dict[str, t.Any]] = [
    {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred\x1b[0m\n"},
    {"data": {"text/html": TABLE, "text/plain": "   a\n0  1.5"}},
    {"data": {"image/png": PIXEL, "text/plain": "<Figure>"}},
    {"data": {"image/svg+xml": DRAWING, "text/plain": "<Figure>"}},
    {"data": {"text/latex": r"$\displaystyle \int \frac{1}{x}\, dx$", "text/plain": "Integral"}},
    {"data": {"text/html": "<script>document.write('never')</script>"}},
    {"data": {WIDGET: {"model_id": "0af9", "version_major": 2}, "text/plain": "IntSlider(value=3)"}},
    {"output_type": "error", "ename": "E", "evalue": "bad", "traceback": ["\x1b[31mE\x1b[0m: bad luck"]},
]
# Entries of the menu: the end of the file's name, and what the file has.
ENTRIES = {
    "Asciidoc": ("zip", "Größe"),
    "HTML": ("html", "<h1"),
    "LaTeX": ("zip", r"\sqrt"),
    "Markdown": ("zip", "# Größe"),
    "PDF": ("pdf", "%PDF-"),
    "ReStructured Text": ("zip", "Größe"),
    "Executable Script": ("py", "6 * 7"),
    "Reveal.js Slides": ("slides.html", "reveal"),
}


def notebook_of(*cells: dict[str, t.Any]) -> str:
    about = {
        "kernelspec": {"name": "python-science", "display_name": "Python 3 (science)", "language": "python"},
        "language_info": {"name": "python", "file_extension": ".py"},
    }
    made = [{"id": f"cell-{number}", "metadata": {}, **cell} for number, cell in enumerate(cells)]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": made})


def code(source: str, outputs: t.Sequence[dict[str, t.Any]] = ()) -> dict[str, t.Any]:
    filled = [
        {"output_type": "display_data", "metadata": {}, **one} if "data" in one else one for one in outputs
    ]
    return {"cell_type": "code", "execution_count": None, "source": source, "outputs": filled}


MIXED = notebook_of(
    {"cell_type": "markdown", "source": TEXT, "attachments": {"pixel.png": {"image/png": PIXEL}}},
    code("6 * 7", OUTPUTS),
)
MOVING = notebook_of(
    code("%matplotlib widget\nimport matplotlib.pyplot as plt\nplt.plot([1, 2], [2, 1])\nplt.show()"),
    code("import plotly.express as px\npx.line(x=[1, 2], y=[2, 1])"),
    code(
        "from bokeh.plotting import figure, output_notebook, show\noutput_notebook()\n"
        "plot = figure(width=200, height=200)\nplot.line([1, 2], [2, 1])\nshow(plot)"
    ),
)


@pytest.fixture(scope="module")
def server(refs: dict[str, t.Any], prefix: str) -> t.Iterator[Server]:
    volume = f"--volume={refs['software']['volume']}:/opt/software:ro,nocopy"
    with running(str(refs["notebook"]), f"{prefix}-exports", volume) as found:
        for name, content in (("mixed", MIXED), ("moving", MOVING)):
            docker("exec", found.container, "sh", "-c", f'printf %s "$1" > ~/{name}.ipynb', "-", content)
        yield found


def test_each_entry_of_the_menu_works(server: Server, tmp_path: Path) -> None:
    with server.visit(tmp_path, "lab/tree/mixed.ipynb") as person:
        page = person.page
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        # The menu is filled meanwhile; one that is open stays as it is.
        page.get_by_text(re.compile(r"\S \| Idle$")).first.wait_for()

        def menu() -> t.Any:
            page.get_by_role("menuitem", name="File", exact=True).click()
            page.locator(".lm-Menu-item", has_text="Save and Export Notebook As").hover()
            entries = page.locator(".lm-Menu").nth(1).locator(".lm-Menu-itemLabel")
            expect(entries.get_by_text("HTML", exact=True)).to_be_visible()
            return entries

        # Each opens a page, which ends with the download; what it asks for is asked for again.
        addresses: list[str] = []
        page.context.on("request", lambda request: addresses.append(request.url))
        end = time.monotonic() + PATIENCE / 1000
        offered = {text.strip() for text in menu().all_inner_texts()}
        assert offered == set(ENTRIES), offered
        for number, (entry, (ending, has)) in enumerate(ENTRIES.items()):
            entries = menu() if number else page.locator(".lm-Menu").nth(1).locator(".lm-Menu-itemLabel")
            entries.get_by_text(entry, exact=True).click()
            while len(exports := [url for url in addresses if "/nbconvert/" in url]) == number:
                assert time.monotonic() < end, (entry, addresses)
                # HTML asks whether scripts of outputs shall be left out.
                if (agree := page.locator(".jp-Dialog").get_by_role("button", name="Ok")).is_visible():
                    agree.click()
                page.wait_for_timeout(200)
            answer = page.request.get(exports[-1], headers=WHO, timeout=PATIENCE)
            assert answer.status == 200, (entry, answer.text()[:500])
            assert f"mixed.{ending}" in answer.headers["content-disposition"], entry
            content = answer.body()
            if ending == "zip":
                archive = zipfile.ZipFile(io.BytesIO(content))
                (main,) = [name for name in archive.namelist() if name.startswith("mixed.")]
                assert len(archive.namelist()) > 2, archive.namelist()
                content = archive.read(main)
            assert has in content.decode("utf-8", errors="replace"), (entry, content[:300])
            if entry == "HTML":
                text = content.decode()
                assert "<th>a</th>" in text
                assert not re.search("td {color: red}|document.write", text)
            if ending == "pdf":
                assert re.search(rb"/Subtype ?/Image", content)
        # The page has what the server has; others see none of it.
        page.get_by_role("menuitem", name="Help", exact=True).click()
        with page.context.expect_page() as opened:
            page.locator(".lm-Menu-item", has_text="Software of this Server").click()
        for name in ("numpy", "polars", "pandoc", "gcc", "curl"):
            expect(opened.value.get_by_text(re.compile(rf"\b{name}\b")).first).to_be_attached()
        assert "/login" in server.get("galilean/software", token=False)[1]
        pictures = ("example.org", "attachment:pixel.png")
        assert not [error for error in person.errors if not any(one in error for one in pictures)]


def test_without_pandoc_only_the_others_are_offered(refs: dict[str, t.Any]) -> None:
    names = docker(
        *("run", "--rm", "--network=none", str(refs["notebook"]), "/opt/notebook/bin/python", "-c"),
        "from nbconvert.exporters.base import get_export_names as names; print(*names())",
    )
    assert names.split() == ["custom", "html", "markdown", "notebook", "python", "script", "slides"]


@pytest.mark.slow
def test_plots_move_without_the_internet(server: Server, tmp_path: Path) -> None:
    def only_here(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.startswith((server.url, "data:", "blob:")):
            route.continue_()
        else:
            route.abort()

    asked: list[str] = []
    with server.visit(tmp_path, "lab/workspaces/moving/tree/moving.ipynb") as person:
        page = person.page
        page.route("**", only_here)
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        # Nothing of Plotly's before there is a plot.
        assert not [url for url in asked if "jupyterlab-plotly/static" in url]
        person.run_all()
        cells = page.locator(".jp-NotebookPanel .jp-CodeCell")
        for number, shown in enumerate(
            (".jupyter-matplotlib canvas", ".js-plotly-plot .main-svg", "[data-root-id]")
        ):
            cells.nth(number).scroll_into_view_if_needed()
            expect(cells.nth(number).locator(shown).first).to_be_visible()
        person.picture("moving")
        assert [url for url in asked if "jupyterlab-plotly/static" in url]
        assert not [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
        assert not person.errors
