# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images through a registry: pushed once, pulled by digest, and no word to it when nobody lacks anything."""

from __future__ import annotations

import re

import pytest
from conftest import CONTEXTS, EPHEMERAL, Delivery

LIMIT = "--limit=near,far"


def test_pushed_once_and_pulled_by_digest(delivery: Delivery) -> None:
    greeting = CONTEXTS / "one/greeting.md"
    greeting.write_text("Good night\n")
    said = delivery.apply(LIMIT, "-vvv", images_delivery="registry")
    greeting.write_text("Good morning\n")
    assert "rc=0" in said, said
    near, here, requests = delivery.hosts["near"], delivery.ids(), delivery.requests()
    for name in ("one", "two"):
        ref, place = near.refs[name], f"/v2/hub/{name}/manifests/"
        pushes = [path for method, path, _size in requests if method == "PUT" and path.startswith(place)]
        assert pushes == [place + ref.rsplit(":", 1)[1]]
        pulls = [path for method, path, _size in requests if method == "GET" and path.startswith(place)]
        assert len(pulls) == 2
        assert all(re.search(r"/manifests/sha256:[0-9a-f]{64}$", path) for path in pulls)
        assert {delivery.hosts[host].ids()[ref] for host in ("near", "far")} == {here[ref]}
    # The base is compressed in the registry, and an engine that has it from elsewhere does not know it so:
    # each host fetches it for the first of the images, and never again.
    blobs = [size for method, path, size in requests if method == "GET" and "/blobs/" in path]
    assert len([size for size in blobs if size > 1_000_000]) == 2
    assert near.says("one") == "Good night"
    # The registry's own names are gone: they would keep the images when ours are removed.
    names = [near.docker("image", "ls", "--digests"), *delivery.ids()]
    assert not [name for name in names if "registry.example.org" in name or "localhost:" in name]

    password = (EPHEMERAL / "registry-password").read_text().strip()
    assert password not in said
    assert (
        near.do("grep", "-rl", password, "/root", "/var/cache", "/run", "/etc", "/var/log", check=False) == ""
    )


def test_the_registry_refuses(delivery: Delivery) -> None:
    near = delivery.hosts["near"]
    near.docker("image", "rm", near.refs["tools"])
    said = delivery.apply("--limit=near", images_delivery="registry", images_registry_password="wrong-word")
    assert "The registry localhost:" in said
    assert "refuses the controller" in said
    assert "correct images_registry_username and images_registry_password" in said
    assert "wrong-word" not in said


@pytest.mark.parametrize(
    ("registry", "sentence"),
    [
        ("registry.example.org:5000/hub", "has lost {ref}, which near needs: run again"),
        ("registry.example.org:1/hub", "The registry registry.example.org:1/hub does not answer near"),
        ("https://registry.example.org", "images_registry is 'https://registry.example.org': give a host"),
    ],
)
def test_what_a_host_says_of_a_registry(delivery: Delivery, registry: str, sentence: str) -> None:
    ref = f"{delivery.prefix}/one:000000000000"
    login = {"username": "robot", "password": (EPHEMERAL / "registry-password").read_text().strip()}
    images = {ref: "sha256:" + "0" * 64}
    said = delivery.module(
        "near", "image_registry", images=images, registry=registry, host="near", state="pulled", **login
    )
    assert sentence.format(ref=ref) in said
