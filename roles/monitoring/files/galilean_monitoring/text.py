# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The text format of Prometheus: one text out of several, with the instance's name at each value."""

from __future__ import annotations

import re
import typing as t

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\.)*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)*)\}})? +([^ ]+)(?: +-?[0-9]+)? *")
ABOUT = re.compile(rf"# (HELP|TYPE) ({NAME})(?: .*)?")
# What the names of values add to the name that HELP and TYPE have.
PARTS = ("_bucket", "_count", "_sum")


class Family(t.NamedTuple):
    """What is said about a name, and its lines."""

    about: dict[str, str]
    samples: list[str]


Families = dict[str, Family]


def quoted(value: str) -> str:
    """A label's value."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def labelled(line: str, labels: t.Mapping[str, str]) -> str:
    """A value with more labels; one that it has already stays. Raises ValueError for what is no value."""
    found = SAMPLE.fullmatch(line)
    if not found:
        raise ValueError(f"not in the format of Prometheus: {line[:80]}")
    name, own, value = found.groups()
    float(value)
    there = set(re.findall(rf"(?:^|,)({NAME})=", re.sub(r'"(?:[^"\\]|\\.)*"', '""', own or "")))
    more = [f"{key}={quoted(text)}" for key, text in labels.items() if key not in there]
    return f"{name}{{{','.join([*more, *([own.rstrip(',')] if own else [])])}}} {value}"


def add(families: Families, text: str, wanted: str, labels: t.Mapping[str, str]) -> None:
    """Add those families of a text whose names match; ValueError, and nothing is added, where it is broken.

    What a source may tell is limited by `wanted`, so that no part speaks for another one.
    """
    new: Families = {}
    # Names of users may have what Python takes for the end of a line.
    for line in filter(None, map(str.strip, text.split("\n"))):
        about = ABOUT.fullmatch(line)
        if about:
            if re.match(wanted, about[2]):
                new.setdefault(about[2], Family({}, [])).about[about[1]] = line
        elif not line.startswith("#"):
            sample = labelled(line, labels)
            name = re.split(r"[{ ]", sample, maxsplit=1)[0]
            if re.match(wanted, name):
                short = [name[: -len(part)] for part in PARTS if name.endswith(part)]
                family = next((one for one in short if one in new), name)
                new.setdefault(family, Family({}, [])).samples.append(sample)
    for name, family in new.items():
        there = families.setdefault(name, family)
        if there is not family:
            there.samples.extend(family.samples)


def render(families: Families) -> str:
    """One text, each family in one piece."""
    lines: list[str] = []
    for name in sorted(families):
        about, samples = families[name]
        if samples:
            lines += [about[key] for key in ("HELP", "TYPE") if key in about] + samples
    return "\n".join(lines) + "\n"


class Text:
    """Values of our own."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def add(self, name: str, meaning: str, value: float, kind: str = "gauge", **labels: str) -> None:
        head = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
        told = ",".join(f"{key}={quoted(text)}" for key, text in labels.items())
        shown = f"{value:.0f}" if value == int(value) else f"{value:.3f}"
        self._lines.setdefault(name, head).append(f"{name}{{{told}}} {shown}")

    def __str__(self) -> str:
        return "".join(f"{line}\n" for lines in self._lines.values() for line in lines)
