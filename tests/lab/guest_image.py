# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images that servers boot from: Debian from the package mirror, as whole disks with a boot loader.

A disk has two partitions: a small one that the BIOS boots from, and the root file system, last, so that it
can grow. No device of the machine is needed to make one. Nothing of the machine or its site is in an image;
what guests have to know of it they get from the lab's metadata (see vendor_data() of configs.py).
"""

from __future__ import annotations

import inspect
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from commands import digest, remove, run, write
from settings import Settings
from system import BUILD_LIMIT, SOURCE, System, mmdebstrap

GUEST = SOURCE / "guest"
# Bootable Debian with a login; ifupdown is what cloud-init and first-boot both can drive.
COMMON = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "dbus", "openssh-server", "sudo",
    "e2fsprogs", "fdisk", "kmod", "iproute2", "iptables", "iputils-ping", "netbase", "ifupdown", "procps",
    "ca-certificates", "zstd",
)  # fmt: skip
DHCP = {"bookworm": ("isc-dhcp-client",), "trixie": ("dhcpcd-base",)}
CLOUD = ("cloud-init", "cloud-guest-utils", "python3", "python3-apt", "curl")
# What the roles install on a hub host (roles/docker/vars): found there, it takes no time on a slow processor.
LATER = ("apparmor", "python3-requests", "unattended-upgrades", "systemd-timesyncd")
HUB = {
    "bookworm": ("docker.io", *LATER),
    "trixie": ("docker.io", "docker-cli", "docker-buildx", *LATER),
}
# Work in the background that nobody waits for in a lab, and that takes minutes there.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "cloud-init-hotplugd.socket", "dpkg-db-backup.timer",
    "e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "getty-static.service", "man-db.timer",
    # It makes the keys that cloud-init and first-boot do without.
    "sshd-keygen.service", "systemd-binfmt.service", "systemd-pstore.service",
)  # fmt: skip
# Installed, but not started: an engine that runs already is taken for somebody else's by the role.
NOT_STARTED = ("docker.service", "docker.socket", "containerd.service")
BOOT_MIB, SPARE_MIB = 64, 300

# Filled in by layout(). The boot loader needs no mount: mtools and syslinux write to files.
DISK = """\
truncate -s {disk}M disk.raw
printf '%s\\n' 'label: dos' 'start=2048, size={boot}, type=c, bootable' 'start={root}, type=83' \\
  | sfdisk --quiet disk.raw
truncate -s {boot_mib}M boot.fat
mkfs.vfat -n BOOT boot.fat
syslinux --install boot.fat
mcopy -i boot.fat tree/vmlinuz ::vmlinuz
mcopy -i boot.fat tree/initrd.img ::initrd
mcopy -i boot.fat syslinux.cfg ::syslinux.cfg
dd if=/usr/lib/syslinux/mbr/mbr.bin of=disk.raw conv=notrunc status=none
dd if=boot.fat of=disk.raw bs=1M seek=1 conv=notrunc,sparse status=none
mke2fs -q -t ext4 -L root -m 1 -E offset=$(({root} * 512)),lazy_itable_init=1 -d tree disk.raw {root_mib}M
qemu-img convert -O qcow2 disk.raw disk.qcow2
"""


@dataclass(frozen=True)
class Variant:
    """One image. bare: no Python, and so no cloud-init; first-boot stands in for it."""

    name: str
    suite: str
    bare: bool

    @property
    def packages(self) -> tuple[str, ...]:
        more = () if self.bare else (*CLOUD, *HUB[self.suite])
        return (*COMMON, *DHCP[self.suite], *more)


def variants(settings: Settings) -> list[Variant]:
    return [
        Variant(settings.image, settings.suite, bare=False),
        Variant(f"{settings.image}-bare", settings.suite, bare=True),
    ]


def layout(tree_mib: int) -> dict[str, int]:
    """Sizes for DISK: partitions in sectors, files in MiB."""
    # File systems need room for their own books, and the first boot for some files.
    root_mib = tree_mib + tree_mib // 8 + SPARE_MIB
    boot, root = BOOT_MIB * 2048, 2048 + BOOT_MIB * 2048
    disk = 1 + BOOT_MIB + root_mib
    return {"disk": disk, "boot": boot, "boot_mib": BOOT_MIB, "root": root, "root_mib": root_mib}


class GuestImages:
    """Makes images, and keeps those that are wanted."""

    def __init__(self, settings: Settings, system: System) -> None:
        self.settings, self.system = settings, system
        inputs = [*sorted(GUEST.iterdir()), MASKED, NOT_STARTED, DISK, layout(0), inspect.getsource(_furnish)]
        self.digests = {
            one.name: digest(one.name, one.packages, settings.mirror, *inputs) for one in variants(settings)
        }

    def path(self, variant: Variant) -> Path:
        return self.settings.cache / f"guest-{variant.name}-{self.digests[variant.name]}.qcow2"

    def build(self) -> list[str]:
        """Make what is missing; the names of what was."""
        made = [one for one in variants(self.settings) if not self.path(one).exists()]
        for variant in made:
            self._make(variant)
        wanted = {self.path(one) for one in variants(self.settings)}
        if made:
            for old in self.settings.cache.glob("guest-*.qcow2"):
                if old not in wanted:
                    remove(old)
        return [one.name for one in made]

    def _make(self, variant: Variant) -> None:
        work = self.settings.cache / f"guest-{variant.name}.part"
        log = self.settings.cache / f"guest-{variant.name}.log"
        remove(work)
        work.mkdir(parents=True)
        log.unlink(missing_ok=True)
        tree = work / "tree"
        hooks = 'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/initramfs-tools/hooks"'
        run(
            mmdebstrap(
                variant.suite, variant.packages, tree, self.settings.mirror,
                # Before the kernel comes, whose installation makes the archive.
                f"--essential-hook={hooks}",
                f'--essential-hook=cp "{GUEST}/initramfs-hook" "$1/etc/initramfs-tools/hooks/lab"',
                '--essential-hook=echo MODULES=list > "$1/etc/initramfs-tools/conf.d/lab.conf"',
            ),
            what=f"Fetching the packages of {variant.name}", limit=BUILD_LIMIT, log=log,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip
        _furnish(tree, variant)
        shutil.copy(GUEST / "syslinux.cfg", work)
        size = int(run(["du", "-sxm", str(tree)]).split()[0])
        self.system.inside(
            work,
            ("" if not variant.bare else "chroot tree useradd -m -s /bin/bash -G sudo debian\n")
            + DISK.format(**layout(size)),
            what=f"Making the disk of {variant.name}",
            limit=BUILD_LIMIT,
            log=log,
        )
        (work / "disk.qcow2").rename(self.path(variant))
        remove(work)


def _furnish(tree: Path, variant: Variant) -> None:
    """Put our files into a tree of packages."""
    for unit in MASKED:
        (tree / "etc/systemd/system" / unit).symlink_to("/dev/null")
    wants = list((tree / "etc/systemd/system").glob("*.wants/*"))
    for link in wants:
        if link.name in NOT_STARTED:
            link.unlink()
    write(tree / "etc/fstab", "/dev/vda2 / ext4 defaults,errors=remount-ro 0 1\n")
    write(tree / "etc/ssh/sshd_config.d/lab.conf", "UseDNS no\nPasswordAuthentication no\n")
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    write(tree / "etc/machine-id", "uninitialized\n")
    write(tree / "etc/hostname", "debian\n")
    if not variant.bare:
        shutil.copy(GUEST / "cloud.cfg", tree / "etc/cloud/cloud.cfg.d/90_lab.cfg")
        return
    write(
        tree / "etc/network/interfaces", "auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n"
    )
    write(tree / "etc/sudoers.d/debian", "debian ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    shutil.copy(GUEST / "first-boot", tree / "usr/local/sbin/first-boot")
    shutil.copy(GUEST / "first-boot.service", tree / "etc/systemd/system/first-boot.service")
    wants_folder = tree / "etc/systemd/system/multi-user.target.wants"
    wants_folder.mkdir(exist_ok=True)
    (wants_folder / "first-boot.service").symlink_to("/etc/systemd/system/first-boot.service")
