# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Tables as people save them: CSV of any spreadsheet and encoding, or one name a line. Pure: no I/O.

In the image of the hub, too: the play and the hub read tables alike. It needs the
standard library only.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SAVE = "save the table as 'CSV UTF-8'"
DELIMITERS = ",;\t|"
# How files begin that are no text.
OTHER_FILES = {
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed",
    b"%PDF": "a PDF",
}
# What a spreadsheet makes of a long number, with the decimal sign of any language.
SCIENTIFIC = re.compile(r"[0-9]([.,][0-9]*)?[eE][+-]?[0-9]+")
# What a spreadsheet shows instead of a value: #N/A, #NAME?, #WERT!, #####.
NO_VALUE = re.compile(r"#(N/A|NV|[A-Z/0-9]+[!?]|#+)")
# What programs answer when they have no list.
NO_NAMES = {"null", "none", "true", "false", "ok", "error", "undefined", "unauthorized", "forbidden"}


class TableError(ValueError):
    """A table that cannot be read as one; a sentence that continues what the table is called."""


@dataclass(frozen=True)
class Row:
    """One row: the line in the file at which it ends, and its cells that are not empty, by column."""

    line: int
    cells: dict[str, str]


def decode(content: bytes) -> str:
    """The text of a file, with line ends as Unix has them.

    UTF-8, or UTF-16 as spreadsheets write it. Other encodings cannot be told from each other: TableError.
    """
    for start, what in OTHER_FILES.items():
        if content.startswith(start):
            raise TableError(f"is {what}, not a text: {SAVE}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif content[1:2] == b"\0" and content[:1] != b"\0":
        encoding = "utf-16-le"
    elif content[:1] == b"\0" and content[1:2] != b"\0":
        encoding = "utf-16-be"
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as exc:
        line = content[: exc.start].count(b"\n") + 1
        raise TableError(f"has signs in line {line} that are not UTF-8: {SAVE}") from None
    if "\ufffd" in text:
        line = text[: text.index("\ufffd")].count("\n") + 1
        raise TableError(f"has signs in line {line} that were lost on the way: {SAVE}")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    other = next((sign for sign in text if ord(sign) < 32 and sign not in "\n\t"), "")
    if other:
        raise TableError(f"has the control character {ord(other):#04x}: it is no text, {SAVE}")
    return text


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of each row that is no comment."""
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            error = next((cell for cell in cells if NO_VALUE.fullmatch(cell)), "")
            if error:
                raise TableError(f"has {error!r} in line {rows.line_num}: the spreadsheet has no value there")
            if not cells[0].startswith("#"):
                yield rows.line_num, cells
    except csv.Error as exc:
        raise TableError(f"is no CSV in line {rows.line_num} ({exc})") from None


def _first(text: str, delimiter: str) -> list[str]:
    try:
        return next((cells for _, cells in _rows(text, delimiter)), [])
    except TableError:
        return []


def _delimiter(text: str) -> tuple[str, str]:
    """What stands between cells, and the text without a line that says so."""
    said = re.match(r"\s*\"?sep=([^\n\"])\"?[^\n]*\n", text, re.IGNORECASE)
    if said and said[1] in DELIMITERS:
        # The line is kept empty, so that lines are counted as an editor does.
        return said[1], "\n" + text[said.end() :]
    # Of the first row's cells, not of its letters: a quoted cell may have any of them.
    return max(DELIMITERS, key=lambda sign: len(_first(text, sign))), text


def near(word: str, words: Sequence[str]) -> str:
    """The fix for a word that is none of these."""
    found = difflib.get_close_matches(word, words, 1)
    return f"write {found[0]}" if found else f"use {', '.join(words)}"


def _header(cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    for name in names:
        if name and name not in columns:
            raise TableError(f"has the column {name!r}: {near(name, columns)}")
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise TableError(f"has the column {twice[0]!r} twice: keep one of them")
    return names


def name_fault(name: str) -> str:
    """Why a name in a table is none that somebody wrote; empty where it may be one."""
    if SCIENTIFIC.fullmatch(name):
        return "the spreadsheet has shortened the number, so format the column as text and enter it again"
    return ""


def _plain(rows: Sequence[tuple[int, list[str]]], column: str) -> list[Row]:
    """A list without a header: one name a line, nothing else."""
    found = []
    for line, cells in rows:
        name = cells[0]
        if any(cells[1:]):
            raise TableError(
                f"has several cells in line {line} and no column {column}: name the columns in its first line"
            )
        if name.startswith(("<", "{", "[")) or any(sign.isspace() or sign in "\"'<>" for sign in name):
            raise TableError(
                f"has {name[:60]!r} in line {line}, which is no name: give one name a line, or a first line "
                f"with the column {column}"
            )
        found.append(Row(line, {column: name}))
    alone = found[0].cells[column].lower().rstrip(".!") if len(found) == 1 else ""
    # The last is a status of HTTP.
    if alone in NO_NAMES or re.fullmatch("[45][0-9]{2}", alone):
        raise TableError(f"has nothing but {found[0].cells[column]!r}, which is no list")
    return found


def read_table(content: bytes, columns: Sequence[str], name: str, plain: bool = False) -> list[Row]:
    """The rows of a table; TableError with one sentence where it is none.

    columns: those it may have, in any order and case; name: the one of them that it must have. plain: it may
    also be one name a line, without a header. Comments begin with #. An empty table is refused.
    """
    text = decode(content)
    if text.lstrip().startswith("<"):
        # What a server or a single sign-on in between says instead of the list.
        raise TableError("is a page in HTML: give the address of the list itself")
    delimiter, text = _delimiter(text)
    rows = list(_rows(text, delimiter))
    if not rows:
        raise TableError("is empty")
    first = [cell.lower() for cell in rows[0][1]]
    if name not in first:
        if plain and not set(first) & set(columns):
            return _plain(rows, name)
        example = ",".join(columns)
        raise TableError(f"has no column {name}: its first line names the columns, such as {example}")
    header = _header(rows[0][1], columns)
    found = []
    for line, cells in rows[1:]:
        if any(cells[len(header) :]) or any(cell for cell, column in zip(cells, header) if not column):
            named = len([column for column in header if column])
            raise TableError(
                f"has {len(cells)} cells for {named} columns in line {line}: put a cell with {delimiter!r} "
                "in it into quotes"
            )
        found.append(Row(line, {column: cell for cell, column in zip(cells, header) if cell}))
    if not found:
        raise TableError("has no row below the names of its columns")
    for row in found:
        fault = name_fault(row.cells.get(name, ""))
        if fault:
            raise TableError(f"has {row.cells[name]!r} in line {row.line}: {fault}")
    return found


def split_names(cell: str) -> list[str]:
    """The names in a cell, between semicolons, commas or line ends."""
    return [part.strip() for part in re.split("[;,\n]", cell) if part.strip()]
