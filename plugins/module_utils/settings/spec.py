# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Check values against the argument specs of the roles; every finding is one sentence with the fix.

Ansible checks the same specs when a role starts, but one role at a time, after earlier roles have already changed
the host, and without a word on how to put it right. Here all of them are checked first, and together.
"""

from __future__ import annotations

import datetime
import difflib
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.bounds import out_of_bounds

Spec = t.Mapping[str, t.Any]

TRUE_OR_FALSE = frozenset(["1", "0", "on", "off", "true", "false", "yes", "no", "t", "f", "y", "n"])

WANTED = {
    "bool": "give true or false",
    "dict": "give a mapping, one 'key: value' on each line",
    "float": "give a number",
    "int": "give a whole number",
    "list": "give a list",
    "path": "give a path",
    "str": "give a text",
}


def show(value: t.Any) -> str:
    """A value as the reader would write it in YAML; what lists and mappings hold may be secret and stays out."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, t.Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = str(value)
    if len(text) > 60:
        text = f"{text[:57]}..."
    return f"'{text}'" if isinstance(value, str) else text


def nearest(word: str, known: t.Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like this one."""
    by_lower = {name.lower(): name for name in sorted(known)}
    found = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def is_secret(spec: Spec) -> bool:
    """True when the value must not be shown."""
    return bool(spec.get("no_log"))


def _is_template(value: t.Any) -> bool:
    return isinstance(value, str) and "{{" in value


def fix_for(spec: Spec) -> str:
    """What to write instead."""
    if spec.get("choices"):
        return f"use one of {', '.join(show(choice).strip(chr(39)) for choice in spec['choices'])}"
    fix = WANTED.get(spec.get("type", "str"), f"give a value of type {spec.get('type')}")
    default = spec.get("default")
    if (
        default in (None, "")
        or isinstance(default, (list, dict, bool))
        or _is_template(default)
        or is_secret(spec)
    ):
        return fix
    return f"{fix}, such as {show(default)}"


def _fits_scalar(kind: str, value: t.Any) -> bool:
    """True when Ansible takes the value for one of this kind; values from '-e key=value' are always texts."""
    if kind == "bool":
        return str(value).lower() in TRUE_OR_FALSE
    if isinstance(value, (bool, list, tuple, t.Mapping)):
        return False
    if kind in ("str", "path"):
        return isinstance(value, (str, int, float, datetime.date))
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return kind == "float" or number.is_integer()


def _fits(kind: str, value: t.Any) -> bool:
    if kind == "list":
        return isinstance(value, (list, tuple))
    if kind == "dict":
        return isinstance(value, t.Mapping)
    if kind in ("bool", "float", "int", "path", "str"):
        return _fits_scalar(kind, value)
    return True  # raw, json, bytes, ...: the role itself reads them


def _wrong(setting: str, value: t.Any, spec: Spec) -> str:
    if is_secret(spec):
        return f"{setting} has a value that does not fit (not shown, it is a secret): {fix_for(spec)}."
    if isinstance(value, bool) and spec.get("type", "str") in ("str", "path"):
        fix = fix_for(spec)
        return f"{setting} is {show(value)}, which YAML makes of yes, no, on and off: {fix}, in quotes."
    return f"{setting} is {show(value)}: {fix_for(spec)}."


def _check_empty(setting: str, spec: Spec) -> list[str]:
    """An empty value in YAML hides the default. That is right only where empty is what the default says."""
    if spec.get("required"):
        return [f"{setting} is empty: {fix_for(spec)}."]
    if spec.get("default") is None or spec.get("type") == "raw":
        return []
    return [f"{setting} is empty: {fix_for(spec)}, or remove the line to get the default."]


def _check_choices(setting: str, value: t.Any, spec: Spec) -> list[str]:
    choices = spec.get("choices")
    if not choices:
        return []
    allowed = {str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in choices}
    values = value if isinstance(value, (list, tuple)) else [value]
    texts = [(one, str(one).lower() if isinstance(one, bool) else str(one)) for one in values]
    return [_wrong(setting, one, spec) for one, text in texts if text not in allowed]


def _check_keys(setting: str, value: t.Mapping[str, t.Any], options: t.Mapping[str, Spec]) -> list[str]:
    """Keys of a mapping whose options are known: unknown ones, missing ones, then the values of the rest."""
    errors = []
    names = {alias: name for name, spec in options.items() for alias in [name, *spec.get("aliases", [])]}
    for key in value:
        if str(key) not in names:
            near = nearest(str(key), names)
            hint = f"did you mean {near}?" if near else f"use {', '.join(options)}."
            errors.append(f"{setting}.{key} is not a key that is known here: {hint}")
    given = {names[str(key)]: one for key, one in value.items() if str(key) in names}
    for name, spec in options.items():
        if name in given:
            errors += check_value(f"{setting}.{name}", given[name], spec)
        elif spec.get("required"):
            errors.append(f"{setting} has no {name}: add it ({fix_for(spec)}).")
    return errors


def check_value(setting: str, value: t.Any, spec: Spec) -> list[str]:
    """All that is wrong with one value, most general first; an empty list when it is right."""
    if value is None:
        return _check_empty(setting, spec)
    kind = spec.get("type", "str")
    if not _fits(kind, value):
        return [_wrong(setting, value, {**spec, "choices": None} if kind == "list" else spec)]
    errors = _check_choices(setting, value, spec)
    if kind in ("int", "float"):
        errors += out_of_bounds(setting, value)
    options = spec.get("options") or {}
    if kind == "dict" and options:
        errors += _check_keys(setting, value, options)
    if kind == "list":
        element = {"type": spec.get("elements", "raw"), "no_log": spec.get("no_log"), "options": options}
        for index, one in enumerate(value):
            if one is None and element["type"] != "raw":
                errors.append(f"{setting}[{index}] is empty: {fix_for(element)}.")
            else:
                errors += check_value(f"{setting}[{index}]", one, element)
    return errors


def check_required(given: t.Iterable[str], specs: t.Mapping[str, Spec]) -> list[str]:
    """Settings that have no default and are not given."""
    known = set(given)
    errors = []
    for name, spec in specs.items():
        if spec.get("required") and name not in known:
            where = "secrets.yml" if is_secret(spec) else "settings.yml"
            errors.append(
                f"{name} is not set: {fix_for(spec)} (in group_vars/all/{where} of your inventory)."
            )
    return errors
