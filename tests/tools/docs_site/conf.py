# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How Sphinx makes the documentation site; tests/tools/build_docs_site.py lays the sources and calls it."""

import os

project = "galilean.hub"
author = "galilean.hub contributors"
copyright = "2026 galilean.hub contributors"
version = release = os.environ["DOCS_SITE_VERSION"]

# A block without a language is what a command prints.
highlight_language = "none"
extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/README"
# A link to a heading is an error where the heading is not there.
myst_heading_anchors = 4
# The changelog, which antsibull-changelog writes, begins its sections at the level that it likes; YAML with
# Jinja, and examples that are cut, are shown as they are.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

html_theme = "pydata_sphinx_theme"
html_title = "galilean.hub"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "redirect.html"}
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"**": ["site-navigation.html"]}
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["version-switcher", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    # Versions in the folder above; a browser reads it, so a page that is opened as a file has none.
    "switcher": {"json_url": "../switcher.json", "version_match": release},
    "check_switcher": False,
}
