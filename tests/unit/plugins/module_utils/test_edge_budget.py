# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What nginx lets in fits into its memory: computed here once more, from nginx.conf as the role writes it."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.galilean.hub.plugins.module_utils.edge.budget import (
    automatic_mb,
    edge_budget,
    least_mb,
    memory_problems,
)

ROLE = Path(__file__).resolve().parents[4] / "roles" / "edge"
UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
TLS: dict[str, t.Any] = {"edge_tls_mode": "self_signed", "edge_server_name": "hub.example.org"}
MB = 1024**2


def rendered(template: str = "nginx.conf.j2", host_mb: int = 24000, **settings: t.Any) -> str:
    """A file of the role, as Ansible writes it for such a host."""
    loader = DataLoader()
    variables: dict[str, t.Any] = {}
    for part in ("defaults", "vars"):
        variables.update(loader.load_from_file(str(ROLE / part / "main.yml"), trusted_as_template=True))
    variables.update(
        **settings,
        ansible_facts={"memtotal_mb": host_mb},
        ansible_search_path=[str(ROLE)],
        inventory_hostname="hub",
    )
    wanted = f"{{{{ lookup('ansible.builtin.template', '{template}') }}}}"
    return str(Templar(loader, variables=variables).template(trust_as_template(wanted)))


def size(text: str) -> int:
    match = re.fullmatch(r"([0-9]+)([kmg]?)", text)
    assert match, text
    return int(match[1]) * UNITS[match[2]]


def said(conf: str, directive: str) -> list[str]:
    """The last argument of a directive, wherever it stands."""
    return re.findall(rf"^\s*{directive}\s(?:.*\s)?([^\s;]+);", conf, re.MULTILINE)


def one(conf: str, directive: str) -> int:
    found = said(conf, directive)
    assert found, directive
    return max(map(size, found))


def worst_case(conf: str) -> int:
    """Bytes, when everybody takes as much as nginx gives."""
    header = int(re.findall(r"large_client_header_buffers (\d+) ", conf)[0]) * one(
        conf, "large_client_header_buffers"
    )
    # A header line is 56 bytes beside its text, a connection 232 and two events of 96.
    request = 8 * 1024 + 56 * one(conf, "max_headers")
    passed = header + one(conf, "proxy_buffer_size")
    body = max(one(conf, "client_body_buffer_size"), one(conf, "http2_body_preread_size"))
    # Huffman: 28 bits for a byte that counts, and room for 8/5 of it.
    stream = header * 28 // 5 + request + passed + body
    plain = one(conf, "client_header_buffer_size") + header + request + passed + body
    connection = 88 * 1024 + one(conf, "preread_buffer_size") + 192 * 1024 + 64 * 1024
    everybody = one(conf, "limit_conn edge_all")
    http2 = one(conf, "limit_conn edge_http2_all")
    places = 2 * one(conf, "worker_processes") * one(conf, "worker_connections") * (232 + 2 * 96)
    # Another half for each of nginx' processes, before and after a reload, /tmp, and what is shared.
    zones = sum(size(zone) for zone in re.findall(r" (?:zone=|shared:)[a-z0-9_]+:([0-9]+[km])", conf))
    base = 2 * one(conf, "worker_processes") * 6 * MB + 16 * MB + zones
    return (
        base
        + places
        + everybody * connection
        + http2 * one(conf, "http2_max_concurrent_streams") * stream
        + (everybody - http2) * plain
    )


@pytest.mark.parametrize("host_mb", [900, 2000, 3900, 7900, 15900, 24000, 64000, 500000])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_worst_case_fits(host_mb: int, workers: int) -> None:
    conf = rendered(host_mb=host_mb, edge_workers=workers, **TLS)
    limit = automatic_mb(host_mb) * MB
    assert limit * 0.9 < worst_case(conf) < limit


def test_bodies_that_are_taken_as_a_whole_have_a_place() -> None:
    """Those for the hub, and of strangers: of what is larger than the buffer, all fits into /tmp."""
    conf = rendered(**TLS)
    buffer, usual = one(conf, "client_body_buffer_size"), size(said(conf, "client_max_body_size")[0])
    places = re.findall(r"^        location [^{]+\{\n(.*?)^        \}", conf, re.MULTILINE | re.DOTALL)
    spilled = 0
    for place in places:
        if "proxy_pass " not in place or "proxy_request_buffering off" in place:
            continue
        most = max(map(size, said(place, "client_max_body_size")), default=usual)
        if most > buffer:
            spilled += one(place, "limit_conn edge_spilled") * most
    assert 0 < spilled <= 16 * MB // 2


@pytest.mark.parametrize("memory", ["128m", "300000k", "1g"])
def test_a_given_size_is_kept(memory: str) -> None:
    conf = rendered(edge_memory=memory, **TLS)
    assert worst_case(conf) < size(memory)


def test_one_address_gets_a_part() -> None:
    conf = rendered(**TLS)
    assert one(conf, "limit_conn edge_each") <= one(conf, "limit_conn edge_all") // 2
    assert one(conf, "limit_conn edge_http2_each") <= one(conf, "limit_conn edge_http2_all") // 2
    # Those on the host itself leave some for others.
    assert one(conf, "limit_conn edge_host") < one(conf, "limit_conn edge_all")


def test_a_class_behind_one_address() -> None:
    """On a host of 24 GiB, which carries some 60 servers: 300 people with seven connections each."""
    conf = rendered(**TLS)
    assert one(conf, "limit_conn edge_http2_each") >= 300
    assert one(conf, "limit_conn edge_each") >= 300 * 7


def test_the_requests_of_a_class_have_a_place_in_line() -> None:
    """300 people at once: a login of each, and a page with its files. None of them gets a 429."""
    conf = rendered(**TLS)
    for zone, requests in (("login", 1), ("hub", 10), ("server", 10)):
        bursts = re.findall(rf"limit_req zone=edge_{zone} burst=(\d+)", conf)
        assert max(map(int, bursts)) >= 300 * requests


def test_there_is_a_file_and_a_place_for_each() -> None:
    for conf in (rendered(**TLS), rendered(edge_memory="128m", **TLS)):
        http2 = one(conf, "limit_conn edge_http2_all")
        needed = (
            2 * one(conf, "limit_conn edge_all") + (one(conf, "http2_max_concurrent_streams") - 1) * http2
        )
        assert needed < one(conf, "worker_connections") < one(conf, "worker_rlimit_nofile")


@pytest.mark.parametrize(
    "settings",
    [
        {"edge_tls_mode": "off"},
        {"edge_tls_mode": "off", "edge_bind_address": "0.0.0.0", "edge_trusted_proxies": ["192.0.2.1"]},
        {**TLS, "edge_trusted_proxies": ["192.0.2.1"], "edge_proxy_protocol": True},
        {**TLS, "edge_sni_routing": True},
    ],
)
def test_every_way_in_is_counted(settings: dict[str, t.Any]) -> None:
    """http listens on sockets of its own container, but for plain HTTP from an SNI router, which counts."""
    conf = rendered(**settings)
    stream, http = conf.split("\nhttp {")
    listening = set(said(http, "listen") and re.findall(r"listen (\S+?)[ ;]", http))
    assert listening <= {"unix:/tmp/https.sock", "unix:/tmp/http.sock", "unix:/run/sni-router/http.sock"}
    assert "limit_conn edge_all" in stream
    assert "limit_conn edge_each" in stream
    balanced = bool(settings.get("edge_trusted_proxies")) and not settings.get("edge_proxy_protocol")
    assert ("limit_conn edge_balanced" in http) == balanced


def test_an_sni_router_is_bounded() -> None:
    conf = rendered("sni_router.conf.j2", edge_sni_routing=True, **TLS)
    # Two buffers of 16 KiB, what the kernel holds on both sides, and a request of plain HTTP.
    each = (
        (192 + 64 + 208 + 2 * 16 + 16) * 1024
        + one(conf, "preread_buffer_size")
        + one(conf, "proxy_buffer_size")
    )
    each += 2 * one(conf, "large_client_header_buffers") + 56 * one(conf, "max_headers") + 8 * 1024
    everybody = one(conf, "limit_conn sni_all")
    assert everybody * each < automatic_mb(24000) * MB
    assert 300 * 7 <= one(conf, "limit_conn sni_each") <= everybody // 2
    assert one(conf, "worker_connections") > 4 * everybody


def test_a_few_megabytes_of_the_host_change_nothing() -> None:
    assert rendered(host_mb=24100) == rendered(host_mb=24600)


@pytest.mark.parametrize(
    ("host_mb", "expected"),
    [(512, 256), (2048, 341), (4096, 682), (7900, 1365), (16000, 2730), (24000, 3925), (64000, 4096)],
)
def test_a_part_of_the_host(host_mb: int, expected: int) -> None:
    assert automatic_mb(host_mb) == expected


@pytest.mark.parametrize(
    ("change", "begin", "fix"),
    [
        ({"memory": "lots"}, "edge_memory is 'lots':", "512m"),
        ({"memory": "32m"}, "edge_memory is '32m', which", "or auto"),
        ({"memory": "128"}, "edge_memory is '128', which", f"{least_mb(2)}m"),
        ({"connections_per_address": -1}, "edge_connections_per_address is -1:", "0 for half"),
        (
            {"memory": "128m", "connections_per_address": 5000},
            "edge_connections_per_address is 5000, but edge_memory '128m' is enough for ",
            "fewer, or more memory",
        ),
    ],
)
def test_refuses(change: dict[str, t.Any], begin: str, fix: str) -> None:
    (problem,) = memory_problems({"memory": "auto", "workers": 2, "connections_per_address": 0, **change})
    assert problem.startswith(begin)
    assert fix in problem


def test_a_wish_is_followed() -> None:
    budget = edge_budget("auto", 24000, 2, per_address=700)
    assert budget["connections_per_address"] == 700
    assert budget["http2_per_address"] == 100
    assert memory_problems({"memory": "auto", "workers": 2, "connections_per_address": 700}) == []
    # What is too much for a host of that size is cut there: validation does not know the host.
    assert (
        edge_budget("auto", 2000, 2, 10**6)["connections_per_address"]
        == edge_budget("auto", 2000, 2)["connections"]
    )
