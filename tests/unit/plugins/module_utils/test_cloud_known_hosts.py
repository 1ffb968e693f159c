# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The known_hosts file: ours come and go, what others wrote stays letter by letter."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.cloud import known_hosts as k

ED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0c4xk2hN6E0b3WJ3dVtq0Jw7c0oC0qW2hJd1l5n9aB"
RSA = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"
OURS = f"192.0.2.17,hub.example.org {ED} server id-1"
# Of others: none of these may be touched, whatever happens to ours.
OTHERS = f"""# known hosts of the institute
#192.0.2.17 {ED} server id-1

gate.example.org,192.0.2.1 {ED} root@gate
gate2.example.org {ED}
[192.0.2.17]:2222 {ED} server room 3
|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= {ED} 192.0.2.17
@cert-authority *.example.org {ED} server id-1
@revoked 192.0.2.17 {ED}
*.dev.example.org,!bad.dev.example.org {RSA}\tserver  room\t
  indented.example.org {RSA} x
192.0.2.17
192.0.2.17,broken
"""


@pytest.mark.parametrize(
    ("line", "server"),
    [
        (f"{OURS} ", "id-1"),
        (f"hub {ED} server", ""),
        (f"hub {ED} server id-1 of ours", ""),
        (f"# hub {ED} server id-1", ""),
        (f"@revoked hub {ED} server", ""),
        ("server id-1", ""),
        ("", ""),
    ],
)
def test_whose_an_entry_is(line: str, server: str) -> None:
    assert k.server_of(line) == server


def test_a_new_file_begins_with_a_word() -> None:
    assert k.updated("", "id-1", ["192.0.2.17", "hub.example.org"], [ED]) == f"{k.HEADER}{OURS}\n"


def test_entries_of_others_stay() -> None:
    text = k.updated(OTHERS, "id-1", ["192.0.2.17", "hub.example.org"], [ED, RSA])
    assert text == f"{OTHERS}{OURS}\n{OURS.replace(ED, RSA)}\n"
    assert k.without(text, {"id-1"}, {"192.0.2.17", "hub.example.org"}) == OTHERS
    # Twice is once.
    assert k.updated(text, "id-1", ["192.0.2.17", "hub.example.org"], [ED, RSA]) == text


def test_a_last_line_without_an_end_stays_a_line_of_its_own() -> None:
    assert k.updated(f"gate {ED}", "id-1", ["hub"], [RSA]) == f"gate {ED}\nhub {RSA} server id-1\n"


def test_a_server_made_anew_takes_the_place_of_the_old_one() -> None:
    text = k.updated(f"{OURS}\n", "id-2", ["192.0.2.17", "hub.example.org"], [RSA])
    assert text == k.HEADER + f"192.0.2.17,hub.example.org {RSA} server id-2\n"


def test_a_name_that_goes_to_another_server_leaves_the_rest_of_the_line() -> None:
    text = k.updated(f"{OURS}\ngate,192.0.2.17 {ED} by hand\n", "id-2", ["192.0.2.17"], [RSA])
    assert text.splitlines() == [
        f"hub.example.org {ED} server id-1",
        f"gate {ED} by hand",
        f"192.0.2.17 {RSA} server id-2",
    ]


def test_names_are_compared_whole() -> None:
    text = f"192.0.2.170 {ED} server id-10\nhub.example.organic {ED}\n"
    assert k.without(text, {"id-1"}, {"192.0.2.17", "hub.example.org"}) == text


def test_no_id_is_not_the_id_of_others() -> None:
    assert k.without(OTHERS, {""}, set()) == OTHERS


@pytest.mark.parametrize(
    ("server", "hosts", "expected"),
    [
        ("id-1", ["192.0.2.17"], True),
        ("id-1", ["hub.example.org", "192.0.2.17"], True),
        ("id-1", ["192.0.2.18"], False),
        ("id-1", ["192.0.2.17", "new.example.org"], False),
        ("id-2", ["192.0.2.17"], False),
        ("id", ["192.0.2.17"], False),
        # Written by hand, it was not read from the console.
        ("", ["gate"], False),
    ],
)
def test_when_a_server_is_pinned(server: str, hosts: list[str], expected: bool) -> None:
    assert k.pinned(f"{OURS}\n#gate x\n", server, hosts) is expected


def test_keys_of_a_server() -> None:
    text = f"{OTHERS}{OURS.replace(ED, RSA)}\n{OURS}\nother {ED} server id-1\nhub {ED} server id-2\n"
    assert k.keys_of(text, "id-1") == [ED, RSA]
    assert k.keys_of(text, "id-2") == [ED]
    assert k.keys_of(text, "id-3") == []


def test_ssh_finds_them(tmp_path: Path) -> None:
    """By its own reading of the file, among the entries of others."""
    file = tmp_path / "known_hosts"
    file.write_text(k.updated(OTHERS, "id-1", ["192.0.2.17", "hub.example.org"], [ED]))

    def found(host: str) -> t.Any:
        done = subprocess.run(
            ["ssh-keygen", "-F", host, "-f", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        return [line for line in done.stdout.splitlines() if not line.startswith(("#", "@"))]

    assert found("hub.example.org") == [OURS]
    assert OURS in found("192.0.2.17")
    assert found("192.0.2.170") == []
