# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Texts that YAML has taken for something else: 00731 for 473, 12:30 for 750, 1_000 for 1000. Pure: no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import Spec, is_secret

# A number, day or time as it is written without quotes, in a list or not.
TOKEN = re.compile(r"[^\s,\[\]{}#\"']+")
# Read as octal and sexagesimal numbers, which nobody means by them.
SURPRISING = re.compile(r"[-+]?(0[0-7_]+|[0-9_]+(:[0-5]?[0-9])+(\.[0-9_]*)?)")

Written = t.Callable[[t.Any], t.Optional[tuple[str, str]]]


def token_at(line: str, column: int) -> str:
    """What stands in a line of YAML from this column (the first is 1) on, without quotes; empty where that is no token."""
    found = TOKEN.match(line[column - 1 :]) if column > 0 else None
    return found[0].rstrip(":") if found else ""


def misread(setting: str, value: t.Any, spec: Spec, written: Written) -> list[str]:
    """A sentence for each number or day in a setting that was written as something else.

    value: as YAML gave it; spec: the setting's options of the argument specification; written: gives what a value was
    written as and where that stands, or None where nobody knows.
    """
    if is_secret(spec) or isinstance(value, (str, bool)) or value is None:
        return []
    options = spec.get("options") or {}
    if isinstance(value, t.Mapping):
        return [
            error
            for key, one in value.items()
            for error in [
                *([] if options else misread(f"{setting}, key {key},", key, {"type": "str"}, written)),
                *misread(f"{setting}.{key}", one, options.get(str(key)) or {"type": "raw"}, written),
            ]
        ]
    if isinstance(value, (list, tuple)):
        element = {"type": spec.get("elements", "raw"), "options": options}
        return [
            error
            for index, one in enumerate(value)
            for error in misread(f"{setting}[{index}]", one, element, written)
        ]
    found = written(value)
    if found is None:
        return []
    text, place = found
    as_text = spec.get("type", "str") in ("str", "path")
    if not text or text == str(value) or not (as_text or SURPRISING.fullmatch(text)):
        return []
    return [f"{setting} is {text} in {place}, which YAML reads as {value}: write '{text}' in quotes."]
