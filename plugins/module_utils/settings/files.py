# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is wrong with a file of settings before its settings are looked at: encoding, YAML, doubled keys, Ansible Vault.

Ansible stops at the first such file with a sentence that names neither file nor line, and only warns of a doubled key.
"""

from __future__ import annotations

import re
import typing as t

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VAULT = "$ANSIBLE_VAULT"
VAULT_HEADER = re.compile(r"\$ANSIBLE_VAULT;[0-9.]+;[A-Z0-9]+(;[^;\s]+)?\s*")
TAGS = ("!vault", "!vault-encrypted", "!unsafe")
YAML_TAG = "tag:yaml.org,2002:"
MERGE = f"{YAML_TAG}merge"
COLLECTIONS = (f"{YAML_TAG}map", f"{YAML_TAG}seq")
KINDS = {"timestamp": "a day", "int": "a number", "float": "a number", "value": "a sign of its own (=)"}
# What is nested deeper ends in a RecursionError of Python, or kills it.
DEPTH = 100
# Signs that mean something to YAML where a value begins.
SPECIAL = re.compile(r"(^|[:\-,]\s+|\[\s*)([@`%*!&|>])")
# Blanks of another kind where YAML looks for its own.
BLANKS = re.compile("^\\s*[\u00a0\u2007\u202f\u3000]|^[^#'\"]*:[\u00a0\u2007\u202f\u3000]")
PASSWORD = "such as make site ARGS=--ask-vault-pass, or --vault-password-file"

# Decrypts a text; raises ValueError with the reason.
Decrypt = t.Callable[[str], str]


def file_problems(content: bytes, decrypt: Decrypt | None) -> list[tuple[int, str]]:
    """Line (0 for the whole file) and sentence, without its full stop, for each thing that is wrong with a file's content.

    decrypt: None where no vault password was given.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return [(0, "is saved as UTF-16: save it as UTF-8")]
        return [(line, "has a letter that is not UTF-8: save the file as UTF-8")]
    if text.startswith(VAULT):
        found, text = _opened(text, 1, decrypt)
        # Lines are those that ansible-vault edit shows.
        return found or _yaml_problems(text, None)
    return _yaml_problems(text, decrypt)


def _opened(
    text: str, first: int, decrypt: Decrypt | None, indent: str = ""
) -> tuple[list[tuple[int, str]], str]:
    """What is wrong with an encrypted text whose header is in this line; and its content."""
    header, *lines = text.strip().splitlines() or [""]
    if not VAULT_HEADER.fullmatch(header):
        return [
            (
                first,
                "has a damaged beginning of an encrypted text: take the file from a backup, or encrypt it again",
            )
        ], ""
    for number, line in enumerate(lines, first + 1):
        if not re.fullmatch(r"[0-9a-f]+", line.strip()):
            return [
                (
                    number,
                    "is not part of the encrypted text around it: undo the change, and change the file with ansible-vault edit",
                )
            ], ""
    if decrypt is None:
        return [(first, f"is encrypted, and no vault password was given: give it, {PASSWORD}")], ""
    try:
        return [], decrypt(text)
    except ValueError:
        return [
            (
                first,
                "cannot be decrypted: give the vault password that it was encrypted with, or take it from a backup if it was cut off",
            )
        ], ""


def _yaml_problems(text: str, decrypt: Decrypt | None) -> list[tuple[int, str]]:
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith(VAULT):
            return [
                (
                    number,
                    "begins an encrypted text in the middle of the file: encrypt the whole file, or put the text into a separate file",
                )
            ]
        if re.match(r"(<{7}|={7}|>{7}|\|{7})( |$)", line):
            return [
                (
                    number,
                    "is a mark of git, which could not merge two versions: keep one of them, and remove the marks",
                )
            ]
        if BLANKS.search(line):
            return [(number, "has a non-breaking space, as on web pages: type a normal space")]
    deep = too_deep(text)
    if deep:
        return [
            (deep, f"has lists or mappings nested more than {DEPTH} deep, as no setting is: write them flat")
        ]
    try:
        documents = list(yaml.compose_all(text, Loader=LOADER))
    except yaml.MarkedYAMLError as exc:
        return [_explained(exc, lines)]
    except yaml.reader.ReaderError as exc:
        return [(text.count("\n", 0, exc.position) + 1, "has a control character: remove it")]
    if len(documents) > 1:
        second = [number for number, line in enumerate(lines, 1) if line.startswith("---")][-1]
        what = "begins a second document (---), of which Ansible takes nothing"
        return [(second, f"{what}: remove the --- in the middle of the file")]
    root = documents[0] if documents else None
    if root is None or (isinstance(root, ScalarNode) and root.value in ("", "null", "~")):
        return []
    if not isinstance(root, MappingNode):
        what = (
            "a list: remove the dashes before the names"
            if isinstance(root, SequenceNode)
            else "one text: put a colon and a blank after the names"
        )
        return [(root.start_mark.line + 1, f"is {what}, so that it has one 'name: value' on each line")]
    found: list[tuple[int, str]] = []
    _walk(root, found, decrypt, {})
    return sorted(found)


def too_deep(text: str) -> int:
    """The line at which a text of YAML or JSON is nested deeper than it can be read; 0 where it is not."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH:
                return event.start_mark.line + 1 if event.start_mark else 1
    except yaml.YAMLError:
        # Said in better words where it is read.
        pass
    return 0


def _unreadable(node: ScalarNode) -> str:
    """What is wrong with a single value that YAML takes for more than a text; empty where it can be read."""
    try:
        # Some are read and cannot be written again: a number of thousands of digits.
        str(SafeConstructor().construct_object(node, deep=True))
    except (ValueError, AttributeError, LookupError, TypeError, yaml.YAMLError):
        kind = node.tag.removeprefix(YAML_TAG)
        if kind in KINDS:
            return f"has a value that YAML takes for {KINDS[kind]} and cannot read: put it in quotes"
        return (
            f"has a value that YAML takes for a sign of its own (!!{kind}) and cannot read: put it in quotes"
        )
    return ""


def _walk(node: Node, found: list[tuple[int, str]], decrypt: Decrypt | None, seen: dict[int, bool]) -> None:
    """Doubled keys and values that YAML takes for something else, below a node. seen: the nodes before, and whether this one is in them."""
    line = node.start_mark.line + 1
    if id(node) in seen:
        if seen[id(node)]:
            found.append(
                (line, "has an anchor (&) and within it an alias (*) of the same name: remove the alias")
            )
        return
    seen[id(node)] = True
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            number = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                found.append((number, 'has {{ }} without quotes around the value: write "{{ ... }}"'))
                continue
            _walk(key, found, decrypt, seen)
            if key.tag == MERGE and not _mappings(value):
                found.append(
                    (
                        number,
                        "has << with a value that is no mapping: give it the alias of one, such as *name",
                    )
                )
            if key.value in first and key.value != "<<":
                found.append(
                    (
                        number,
                        f"has {key.value!r} again, which line {first[key.value]} has already: keep one of them",
                    )
                )
            first.setdefault(key.value, number)
            _walk(value, found, decrypt, seen)
    elif isinstance(node, SequenceNode):
        for one in node.value:
            _walk(one, found, decrypt, seen)
    elif isinstance(node, ScalarNode) and node.tag in TAGS[:2]:
        # The header comes in the line after "!vault |".
        found += _opened(node.value, line + (node.style == "|"), decrypt)[0]
    elif isinstance(node, ScalarNode) and node.tag.startswith(YAML_TAG) and node.tag != MERGE:
        unreadable = _unreadable(node)
        if unreadable:
            found.append((line, unreadable))
    seen[id(node)] = False
    if not isinstance(node, ScalarNode) and node.tag in TAGS[:2]:
        found += _opened("", line, decrypt)[0]
    elif not isinstance(node, ScalarNode) and node.tag.startswith(YAML_TAG) and node.tag not in COLLECTIONS:
        kind = node.tag.removeprefix(YAML_TAG)
        found.append((line, f"has a value that begins with !!{kind}, which settings do not have: remove it"))
    if node.tag.startswith("!") and node.tag not in TAGS:
        found.append(
            (
                line,
                f"has a value that begins with {node.tag}, which means something to YAML: put the value in quotes",
            )
        )


def _mappings(node: Node) -> bool:
    """Whether << can take it: a mapping, or a list of them."""
    several = node.value if isinstance(node, SequenceNode) else [node]
    return all(isinstance(one, MappingNode) for one in several)


def _explained(exc: yaml.MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """In words for those who do not know how YAML is read."""
    mark = exc.problem_mark or exc.context_mark
    if mark is None:
        return 0, f"is not right YAML ({exc.problem})"
    at, problem = mark.line, str(exc.problem)
    if at >= len(lines) and "quoted" not in str(exc.context):
        at = max([0, *(index for index, one in enumerate(lines) if one.strip())])
    number = at + 1
    line = lines[at] if at < len(lines) else ""
    before = lines[at - 1] if at else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or line[mark.column : mark.column + 1] == "\t":
        return number, "has a tab: indent with blanks"
    if "quoted scalar" in str(exc.context) and exc.context_mark is not None:
        if "escape" in problem:
            return number, "has a backslash in double quotes: use single quotes"
        return exc.context_mark.line + 1, "begins a quoted text that does not end: add the quote at its end"
    if re.search(r"[:\-]\s+['\"].*['\"]\s*[^\s#]", line) and "did not find expected key" in problem:
        return number, "has something behind a quoted text: put all of the value in quotes"
    if re.search(r"[:\-]\s+\{\{", line):
        return number, 'has {{ }} without quotes around the value: write "{{ ... }}"'
    if "flow" in str(exc.context) and exc.context_mark is not None:
        return (
            exc.context_mark.line + 1,
            "opens a bracket that is not closed, or lacks a comma between two values: correct it",
        )
    special = SPECIAL.search(line)
    if (
        special
        and special[2] not in "|>"
        and (
            "start any token" in problem
            or "alias" in f"{problem} {exc.context}"
            or "anchor" in str(exc.context)
        )
    ):
        return (
            number,
            f"has a value that begins with {special[2]}, which means something to YAML: put the value in quotes",
        )
    if "mapping values" in problem:
        if re.search(r":\s", line[: mark.column]):
            return number, "has a colon within the value: put the value in quotes"
        if re.fullmatch(r"\s*[\w.-]+:\S.*", before):
            return number - 1, "has no blank after the colon: write 'name: value'"
        if before.strip() and not re.search(r":(\s|$)", before):
            return number - 1, "has no colon: write 'name: value'"
        return (
            number,
            f"is indented other than the lines around it: begin it below the line that it belongs to (as line {number - 1}, most likely)",
        )
    if "sequence entries" in problem:
        return (
            number,
            "has a dash in the line of its name: begin the list in the next line, or put the value in quotes",
        )
    if (
        "did not find expected" in problem
        or "expected <block end>" in problem
        or "could not find expected" in problem
    ):
        if line.strip() and not re.search(r":(\s|$)", line) and not line.lstrip().startswith("- "):
            return (
                number,
                "has no colon after the name, or a value continues where a name is expected: write 'name: value'",
            )
        return (
            number,
            "is indented other than the lines around it: begin each name of one entry in the same column",
        )
    return number, f"is not right YAML ({problem}): put the value in quotes if it has special signs"
