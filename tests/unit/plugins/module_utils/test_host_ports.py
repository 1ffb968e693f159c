# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.host import ports

# Port 8000 (1F40) on 127.0.0.1 and 22 (0016) on every address; the last line is a connection, not a listener.
TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4712 1 0 100 0 0 10 0
   2: 0100007F:1F41 0100007F:1F40 01 00000000:00000000 00:00000000 00000000 0 0 4713 1 0 100 0 0 10 0
"""
TABLE6 = """\
  sl  local_address  remote_address  st tx rx tr tm retr uid timeout inode
   0: 00000000000000000000000001000000:1F40 0000:0000 0A 0:0 00:0 0 0 0 4714 1
"""
LISTING = """\
one-edge\t127.0.0.1:8000->8080/tcp, 8443/tcp
two-edge\t0.0.0.0:443->8443/tcp, :::443->8443/tcp, 0.0.0.0:9000-9002->9000-9002/tcp
silent\t
six\t[::1]:8005->80/tcp
old\t2001:db8::5:8006->80/tcp
"""


@pytest.mark.parametrize(
    ("table", "address", "port", "inodes"),
    [
        (TABLE, "127.0.0.1", 8000, ["4711"]),
        (TABLE, "0.0.0.0", 8000, ["4711"]),
        (TABLE, "127.0.0.2", 8000, []),
        (TABLE, "127.0.0.1", 22, ["4712"]),
        (TABLE, "127.0.0.1", 8001, []),
        (TABLE6, "::1", 8000, ["4714"]),
        (TABLE6, "fe80::1", 8000, []),
        ("", "127.0.0.1", 8000, []),
    ],
)
def test_listening_inodes(table: str, address: str, port: int, inodes: list[str]) -> None:
    assert ports.listening_inodes(table, address, port) == inodes


@pytest.mark.parametrize(
    ("address", "port", "name"),
    [
        ("127.0.0.1", 8000, "one-edge"),
        ("0.0.0.0", 8000, "one-edge"),
        ("127.0.0.2", 8000, ""),
        ("127.0.0.1", 443, "two-edge"),
        ("::1", 443, "two-edge"),
        ("127.0.0.1", 9001, "two-edge"),
        ("127.0.0.1", 9003, ""),
        ("::1", 8005, "six"),
        ("0:0::1", 8005, "six"),
        ("0:0::0", 8005, "six"),
        ("::2", 8005, ""),
        # Docker 20.10 writes no brackets.
        ("2001:DB8:0::5", 8006, "old"),
        # Inside of a container only, not published.
        ("127.0.0.1", 8443, ""),
    ],
)
def test_publishing_container(address: str, port: int, name: str) -> None:
    assert ports.publishing_container(LISTING, address, port) == name


@pytest.mark.parametrize(
    ("container", "process", "sentence"),
    [
        ("web", None, "the container web holds it"),
        ("", {"name": "nginx", "pid": 7}, "the process nginx (7) holds it"),
        ("", None, "another process holds it"),
    ],
)
def test_holder_sentence(container: str, process: dict[str, object] | None, sentence: str) -> None:
    assert ports.holder_sentence(container, process) == sentence
