# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How many connections fit into the edge's memory, when each of them takes as much as it can: pure.

nginx takes memory as clients ask for it, and has no limit of its own for all of it. So each connection is bounded (buffers,
header lines, streams of HTTP/2), and as many are let in as fit. nginx.conf takes its sizes from here.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# --- Sizes that nginx.conf has, in KiB.

# The longest header line of a request, and all cookies: who sends more gets a page that says so.
HEADER_KB = 13
# So many times that for all header lines. Over HTTP/2 nginx reads cookies one by one, and says nothing to who sends more than
# all of this: it has to read more than it takes, to tell people.
HEADERS = 3
# Header lines of a request. Browsers send 20 to 30.
HEADER_LINES = 100
# What is read of a body before it goes on; over HTTP/2 also what a browser may send before it hears of the edge again.
BODY_KB = 64
# All header lines of an answer, and what is read of its body before that goes on. A websocket has two of these.
ANSWER_KB = 16
# A file of the edge's own.
FILE_KB = 8
# Requests that a browser may have under way over one connection of HTTP/2. Over HTTP/1.1 it has six connections instead.
STREAMS = 8
# What the kernel holds for a connection: written and not yet sent (a limit that the container sets), received and not yet read.
SEND_KB = 192
RECEIVE_KB = 64
# The beginning of TLS, which tells whether a browser can speak HTTP/2. It is kept.
PREREAD_KB = 8

# --- What that comes to, in KiB.

_HEADERS_KB = HEADERS * HEADER_KB
# Compressed header lines of HTTP/2 (Huffman) are given 8/5 of their compressed size, of which the least may be used: symbols
# have 28 bits at most that are allowed in a header. So the bytes that count may be 28/8 * 8/5 = 5.6 times fewer.
_UNPACKED = 5.6
# Of a request: the structures of nginx, which has 56 bytes for each header line.
_REQUEST_KB = 8 + HEADER_LINES * 56 // 1024 + 1
# A request that goes on to the hub is written anew, and its answer is read.
_PASSED_KB = _HEADERS_KB + 1 + ANSWER_KB
# A page that the hub could not answer is asked for once more, or is a file. Not together with a body's buffer, which is larger.
_STREAM_KB = round(_HEADERS_KB * _UNPACKED) + _REQUEST_KB + _PASSED_KB + BODY_KB
# A websocket has one more buffer for what the browser sends, but no body.
_PLAIN_KB = _HEADERS_KB + 1 + _REQUEST_KB + _PASSED_KB + BODY_KB
# Of a connection: state of TLS, and its records in both directions.
_TLS_KB = 88
_CONNECTION_KB = _TLS_KB + PREREAD_KB + SEND_KB + RECEIVE_KB

# An SNI router passes bytes on: two buffers of 16 KiB, and what the kernel holds for the socket of an edge. Over plain HTTP it
# reads requests, too.
_SNI_ROUTER_KB = (
    PREREAD_KB + SEND_KB + RECEIVE_KB + 2 * 16 + 208 + 2 * (HEADER_KB + 1) + _REQUEST_KB + ANSWER_KB + 16
)

# One person has a connection of HTTP/2 for pages, and some of HTTP/1.1: websockets of kernels, terminals and documents.
_PLAIN_PER_PERSON = 6
_PERSON_KB = (_CONNECTION_KB + STREAMS * _STREAM_KB) + _PLAIN_PER_PERSON * (_CONNECTION_KB + _PLAIN_KB)

# Shared: addresses and how often they have asked, 128 bytes each, for logins (twice), hub and servers; the oldest make room.
_RATE_ZONE_MB = 4
# Sessions of TLS.
_SESSIONS_MB = 4
# Whatever comes: nginx and its libraries, and the same again for processes that go on after a reload; /tmp; shared zones.
_PROCESS_KB = 6 * 1024
TMP_MB = 16
_ZONES_KB = (4 * _RATE_ZONE_MB + _SESSIONS_MB) * 1024
# nginx has a place for each connection in each process: 232 bytes, and two events of 96.
_PLACE_BYTES = 424
# And three shared zones an entry for the address of each: 128 bytes and what the allocator adds. They have whole MiB.
_ENTRY_BYTES = 192
_ENTRIES = 3
FEWEST_PEOPLE = 10

# Least and most that is taken of a host by itself, in MiB.
LEAST_MB, MOST_MB = 256, 4096
# Of the host's memory. A limit, not a reservation: hundreds of people at work take some 50 MiB.
PART_OF_HOST = 6

SIZE = re.compile(r"^([0-9]+)([kmg]?)$", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def size_bytes(text: str) -> int:
    """Bytes of a size as Docker and nginx write it; -1 for none."""
    match = SIZE.match(text)
    return int(match.group(1)) * _UNITS[match.group(2).lower()] if match else -1


def automatic_mb(host_mb: int) -> int:
    """Memory of the edge for a host of this size, in MiB."""
    # Rounded, so that a few MiB more or less after a reboot change nothing.
    host_gb = max(1, round(host_mb / 1024))
    return min(MOST_MB, max(LEAST_MB, host_gb * 1024 // PART_OF_HOST))


def _people(memory_kb: int, workers: int) -> int:
    """For how many people there is memory."""
    person_kb = _PERSON_KB + _places_kb(1 + _PLAIN_PER_PERSON, workers)
    return max(0, (memory_kb - _base_kb(workers)) // person_kb)


def _base_kb(workers: int) -> int:
    return 2 * workers * _PROCESS_KB + TMP_MB * 1024 + _ZONES_KB + (_ENTRIES + 1) * 1024


def _places_kb(connections: int, workers: int) -> int:
    """Places for connections of browsers and their other halves to the hub, in all processes before and after a reload."""
    streams = STREAMS * connections // (1 + _PLAIN_PER_PERSON)
    return (
        2 * workers * (2 * connections + streams) * _PLACE_BYTES + _ENTRIES * _ENTRY_BYTES * connections
    ) // 1024 + 1


def least_mb(workers: int) -> int:
    """The smallest edge that can serve anybody, in MiB."""
    return (
        _base_kb(workers) + FEWEST_PEOPLE * (_PERSON_KB + _places_kb(1 + _PLAIN_PER_PERSON, workers))
    ) // 1024 + 1


def memory_problems(settings: t.Mapping[str, t.Any]) -> list[str]:
    """One sentence for each thing that cannot be meant. settings: the role's variables without ``edge_``."""
    memory, workers, wanted = (
        settings["memory"],
        int(settings["workers"]),
        int(settings["connections_per_address"]),
    )
    if memory != "auto" and size_bytes(memory) < 0:
        return [f"edge_memory is {memory!r}: give auto, or a number and k, m or g, such as 512m"]
    if wanted < 0:
        return [f"edge_connections_per_address is {wanted}: use 1 or more, or 0 for half of all"]
    if memory == "auto" or workers < 1:
        return []
    if size_bytes(memory) < least_mb(workers) * 1024**2:
        return [
            f"edge_memory is {memory!r}, which a handful of strangers could fill: give {least_mb(workers)}m or more, or auto"
        ]
    most = edge_budget(memory, 0, workers)["connections"]
    if wanted > most:
        return [
            f"edge_connections_per_address is {wanted}, but edge_memory {memory!r} is enough for {most} connections of "
            "all addresses together: give fewer, or more memory"
        ]
    return []


def edge_budget(memory: str, host_mb: int, workers: int, per_address: int = 0) -> dict[str, t.Any]:
    """Return the limits for nginx and its container; HubError if the memory is too small.

    memory: the setting, auto for a part of the host's memory (host_mb), sni_router for an SNI router, which has the same; per_address:
    connections that an address may have, 0 for half of all.
    """
    memory_mb = automatic_mb(host_mb) if memory in ("auto", "sni_router") else size_bytes(memory) // 1024**2
    if memory == "sni_router":
        return _budget(
            memory_mb, (memory_mb * 1024 - _base_kb(workers)) // (_SNI_ROUTER_KB + 2 * workers * 4), 0, 0
        )
    people = _people(memory_mb * 1024, workers)
    if people < 2:
        raise HubError(f"edge_memory is {memory!r}: give {least_mb(workers)}m or more, or auto.")
    return _budget(memory_mb, people * (1 + _PLAIN_PER_PERSON), people, per_address)


def _budget(memory_mb: int, connections: int, people: int, per_address: int) -> dict[str, t.Any]:
    each = min(per_address, connections) or connections // 2
    return {
        "memory": f"{memory_mb}m",
        "connections": connections,
        "connections_per_address": each,
        "connections_of_host": connections - connections // 32,
        "http2": people,
        "http2_per_address": max(1, people * each // connections),
        "http2_of_host": people - people // 32,
        # Any process may have all of them, and each has another half that leads to the hub, or several over HTTP/2. In an SNI
        # router, three more.
        "worker_connections": (2 * connections + (STREAMS - 1) * people if people else 4 * connections) + 64,
        "zone": f"{max(1, -(-connections * _ENTRY_BYTES // 1024**2))}m",
        "rate_zone": f"{_RATE_ZONE_MB}m",
        "sessions": f"{_SESSIONS_MB}m",
        "header": f"{HEADER_KB}k",
        "headers": HEADERS,
        "cookies": HEADER_KB * 1024,
        "header_lines": HEADER_LINES,
        "body": f"{BODY_KB}k",
        "answer": f"{ANSWER_KB}k",
        "file": f"{FILE_KB}k",
        "preread": f"{PREREAD_KB}k",
        "streams": STREAMS,
        "tmp": f"{TMP_MB}m",
        "send_bytes": SEND_KB * 1024,
    }
