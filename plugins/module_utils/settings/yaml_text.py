# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Texts that YAML has taken for something else: 00731 for 473, 12:30 for 750, 1_000 for 1000. Pure: no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import Spec, is_secret, show

# A number, day or time as it is written without quotes, in a list or not.
TOKEN = re.compile(r"[^\s,\[\]{}#\"']+")
# Read as octal and sexagesimal numbers, which nobody means by them.
SURPRISING = re.compile(r"[-+]?(0[0-7_]+|[0-9_]+(:[0-5]?[0-9])+(\.[0-9_]*)?)")

# Mappings whose values are texts, though no specification can say so.
TEXTS = re.compile(r"(environment|rename_map)$")

Written = t.Callable[[t.Any], t.Optional[tuple[str, str]]]


def token_at(line: str, column: int) -> str:
    """What stands in a line of YAML from this column (the first is 1) on, without quotes; empty where that is no token."""
    found = TOKEN.match(line[column - 1 :]) if column > 0 else None
    return found[0].rstrip(":") if found else ""


def _no_name(setting: str, key: t.Any) -> list[str]:
    """A sentence for a key that YAML has made true or false of."""
    if not isinstance(key, bool):
        return []
    return [
        f"{setting} has the key {show(key)}, which YAML makes of yes, no, on and off: write the key in quotes."
    ]


def misread(setting: str, value: t.Any, spec: Spec, written: Written) -> list[str]:
    """A sentence for each number or day in a setting that was written as something else.

    value: as YAML gave it; spec: the setting's options of the argument specification; written: gives what a value was
    written as and where that stands, or None where nobody knows.
    """
    if isinstance(value, (str, bool)) or value is None:
        return []
    options = spec.get("options") or {}
    if isinstance(value, t.Mapping):
        inner = {"type": "str" if TEXTS.search(setting) else "raw", "no_log": spec.get("no_log")}
        return [
            error
            for key, one in value.items()
            for error in [
                *_no_name(setting, key),
                *([] if options else misread(f"{setting}, key {key},", key, {"type": "str"}, written)),
                *misread(f"{setting}.{key}", one, options.get(str(key)) or inner, written),
            ]
        ]
    if isinstance(value, (list, tuple)):
        element = {
            "type": spec.get("elements", "raw"),
            "options": options,
            "no_log": spec.get("no_log"),
        }
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
    if is_secret(spec):
        return [
            f"{setting} in {place} is read by YAML as another number than stands there (not shown, it is a secret): write it in quotes."
        ]
    return [f"{setting} is {text} in {place}, which YAML reads as {value}: write '{text}' in quotes."]
