# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A base image out of the distribution's package mirror, by mmdebstrap. Pure: builds arguments only."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Where apt looks for the passwords of mirrors.
AUTH = "/etc/apt/auth.conf.d/galilean-hub.conf"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
DEFAULT_ENV: dict[str, str] = {
    "LANG": "C.UTF-8",
    # Builds mount the site's bundle over this file: with these, pip, npm and the rest read it there.
    "SSL_CERT_FILE": CA_BUNDLE,
    "PIP_CERT": CA_BUNDLE,
    "REQUESTS_CA_BUNDLE": CA_BUNDLE,
    "NODE_EXTRA_CA_CERTS": CA_BUNDLE,
}
# Also in force for what images install later: dpkg keeps these rules in the image.
EXCLUDES = (
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/lintian/*",
)
INCLUDES = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")

# Files that are made during the bootstrap get this time, so that the same packages make the same archive
# (https://reproducible-builds.org/specs/source-date-epoch/). Any fixed time before the bootstrap would do.
SOURCE_DATE_EPOCH = "1735689600"
# Compiled Python that is trusted as it is: independent of times, and nothing is compared at a start.
_COMPILE = (
    'if [ -x "$1/usr/bin/python3" ]; then chroot "$1" sh -c '
    "'python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3 /usr/lib/python3.*' || true; fi"
)

# Nothing here needs rights that its user has not: no program gives any (set-user-ID, set-group-ID).
_PLAIN_MODES = 'find "$1" -xdev -perm /6000 -type f -exec chmod a-s {} +'

_SUITE = re.compile(r"^[a-z][a-z0-9-]*\Z")
_PACKAGE = re.compile(r"^[a-z0-9][a-z0-9+.-]+\Z")
_ENV = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class BootstrapSpec:
    """What goes into a bootstrapped base."""

    suite: str
    packages: tuple[str, ...] = ()
    mirror: str = ""
    keyring: str = ""
    serial: str = ""
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _SUITE.match(self.suite):
            raise HubError(f"suite is {self.suite!r}: name a release of the distribution, such as trixie.")
        for package in self.packages:
            if not _PACKAGE.match(package):
                raise HubError(f"packages has {package!r}: name packages of the distribution, one an entry.")
        for key in self.env:
            if not _ENV.match(key):
                raise HubError(f"env has {key!r}: use letters, digits and underscores.")

    @property
    def full_env(self) -> dict[str, str]:
        return {**DEFAULT_ENV, **self.env}

    def inputs(self) -> dict[str, str]:
        """Everything that decides the content, as far as the outside world does not: see ``serial``."""
        inputs = {
            "suite": self.suite,
            "packages": ",".join(sorted(set(self.packages))),
            "excludes": ",".join([*EXCLUDES, *INCLUDES]),
            "modes": "plain",
        }
        inputs.update({f"environment {key}": value for key, value in self.full_env.items()})
        # The keyring decides whether packages are accepted, not what is in them.
        for key in ("mirror", "serial"):
            if getattr(self, key):
                inputs[key] = getattr(self, key)
        return inputs


def mmdebstrap_argv(spec: BootstrapSpec, archive: str, credentials: str = "") -> list[str]:
    """The command that writes the file system as a tar archive; credentials: a file of apt's for the mirror, kept out of it."""
    argv = ["mmdebstrap", "--variant=minbase", "--format=tar"]
    if spec.packages:
        argv.append("--include=" + ",".join(sorted(set(spec.packages))))
    if spec.keyring:
        argv.append(f"--keyring={spec.keyring}")
    argv.append('--aptopt=Acquire::Languages "none"')
    argv += [f"--dpkgopt=path-exclude={path}" for path in EXCLUDES]
    argv += [f"--dpkgopt=path-include={path}" for path in INCLUDES]
    if credentials:
        place = f'"$1{AUTH}"'
        argv.append(f"--setup-hook=install -D -m 0600 {shlex.quote(credentials)} {place}")
        argv.append(f"--customize-hook=rm -f {place}")
    # The host's own resolver and name have no place in an image; logs and caches only grow it.
    argv.append('--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"')
    argv.append(
        '--customize-hook=rm -rf "$1"/var/log/* "$1"/var/cache/apt/* "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old'
    )
    argv.append(f"--customize-hook={_COMPILE}")
    argv.append(f"--customize-hook={_PLAIN_MODES}")
    argv += [spec.suite, archive]
    if spec.mirror:
        argv.append(spec.mirror)
    return argv


def bootstrap_hint(spec: BootstrapSpec, log: str) -> str:
    """What the operator can do about a failed bootstrap, where the log tells."""
    if re.search(
        r"NO_PUBKEY|is not signed|not available: .*keyring|couldn't be verified", log, re.IGNORECASE
    ):
        return (
            f"The archive keys on this host do not cover suite {spec.suite}: install a newer debian-archive-keyring, "
            "or name a keyring file in keyring."
        )
    if re.search(r"Unable to locate package|has no installation candidate", log):
        return "One of the packages does not exist in this suite: correct packages."
    if re.search(r"does not have a Release file|404 +Not Found", log):
        return f"The package mirror has no suite {spec.suite}: correct suite or mirror."
    if re.search(
        r"Could not resolve|Could not connect|Unable to connect|Connection (?:refused|timed out)", log
    ):
        return "The package mirror cannot be reached from this host: check its network, its proxy settings, or mirror."
    if re.search(r"No space left on device", log):
        return "The disk is full: free some space on the host."
    return ""
