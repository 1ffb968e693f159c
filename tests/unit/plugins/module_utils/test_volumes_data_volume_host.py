# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import gzip
import re
import time
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.volumes import data_volume_host as host


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_serial_numbers_are_found_wherever_a_bus_keeps_them(tmp_path: Path) -> None:
    put(tmp_path / "sys/block/vdb/serial", b"7a1f5d8e-2f7c-4f0e-9")
    put(tmp_path / "sys/block/nvme0n1/device/serial", b"vol-0123            \n")
    put(tmp_path / "sys/block/sda/device/vpd_pg80", b"\x00\x80\x00\x24  7a1f5d8e-2f7c-4f0e-9d7d-0d5a9a8f2b11")
    put(tmp_path / "sys/block/xvdb/dev", b"202:16\n")
    put(
        tmp_path / "run/udev/data/b202:16",
        b"S:disk/by-id/x\nE:ID_SERIAL=long_short\nE:ID_SERIAL_SHORT=short\n",
    )
    put(tmp_path / "sys/block/loop0/size", b"0\n")
    assert host.serials(str(tmp_path / "sys"), str(tmp_path / "run")) == {
        "nvme0n1": "vol-0123",
        "sda": "7a1f5d8e-2f7c-4f0e-9d7d-0d5a9a8f2b11",
        "vdb": "7a1f5d8e-2f7c-4f0e-9",
        "xvdb": "short",
    }


def test_a_machine_without_disks_has_none(tmp_path: Path) -> None:
    assert host.serials(str(tmp_path), str(tmp_path)) == {}


@pytest.mark.parametrize(
    ("device", "serial", "message"),
    [
        (
            "/dev/no-such-disk",
            "",
            "data_volume_device is /dev/no-such-disk, but no such disk appeared within 1 s (the host has ",
        ),
        (
            "",
            "no-such-serial",
            "data_volume_serial is no-such-serial, but no such disk appeared within 1 s (the host has ",
        ),
    ],
)
def test_a_disk_is_waited_for(device: str, serial: str, message: str) -> None:
    started = time.monotonic()
    with pytest.raises(HubError, match=f"^{re.escape(message)}") as caught:
        host.find(device, serial, 1)
    assert 0.9 < time.monotonic() - started < 3
    assert "\n" not in caught.value.message


def test_what_is_no_disk_is_not_waited_for() -> None:
    with pytest.raises(HubError, match=r"^data_volume_device is /dev/null, which is no disk: give a path"):
        host.find("/dev/null", "", 60)


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        ("CONFIG_QUOTA=y\nCONFIG_QFMT_V2=m\nCONFIG_XFS_QUOTA=y\n", {"ext4", "xfs"}),
        ("CONFIG_QUOTA=y\n# CONFIG_QFMT_V2 is not set\n# CONFIG_XFS_QUOTA is not set\n", set()),
        ("CONFIG_QFMT_V2=y\nCONFIG_XFS_QUOTA=y\n", {"xfs"}),
        ("", set()),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_what_a_kernel_keeps_limits_for(tmp_path: Path, config: str, kinds: set[str], packed: bool) -> None:
    if packed:
        (tmp_path / "config.gz").write_bytes(gzip.compress(config.encode()))
    else:
        (tmp_path / "config-6.1").write_text(config, encoding="ascii")
    assert host.project_quotas("6.1", str(tmp_path), str(tmp_path)) == kinds
    assert host.project_quotas("6.2", "/nowhere", "/nowhere") == frozenset()
