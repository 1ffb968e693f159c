# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What restic printed, as one sentence for the operator."""

from __future__ import annotations

import re

# What restic says of a repository that is not whole.
DAMAGED = (
    r"ciphertext verification failed|invalid data returned|does not exist in the repository|pack .* (?:not found|damaged)|tree .* not found|"
    r"repository contains errors|missing from the repository|index is not complete"
)
DAMAGE = "{repository} is damaged: look at it with restic check, and keep the old repository while you make another one"
STUCK = "{repository} takes no more of the backup: look whether it has room left and can be written, and make another backup"
UNREACHABLE = (
    r"Could not resolve|no such host|Name or service not known|connection refused|Connection refused|i/o timeout|timed out|"
    r"No route to host|network is unreachable|unable to start the sftp session|connection reset"
)
# What restic's output has, what it means, and what to do. The first that fits is taken.
KNOWN: list[tuple[str, str]] = [
    (
        r"^mount namespace: (?P<why>.*)$",
        "The parts of the instance cannot be mounted for restic ({why}): run this as root, and in a container give it SYS_ADMIN",
    ),
    (
        r"wrong password or no key found",
        "The password is not that of the repository {repository}: set backup_password to the one that it was made with",
    ),
    (
        r"no space left on device|[Qq]uota exceeded|QuotaExceeded|507 Insufficient Storage|XMinioStorageFull|413 Request Entity Too Large",
        "{repository} has no room left: make room there, or keep less (backup_keep)",
    ),
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known",
        "The host key of {repository} is not the one in backup_ssh_known_hosts: compare it on that machine itself, and correct the line",
    ),
    (
        r"Permission denied \(|Too many authentication failures",
        "{repository} does not let the key in: add the public half of backup_ssh_key to authorized_keys there",
    ),
    (
        r"Load key .*(?:invalid format|error in libcrypto)",
        "backup_ssh_key is no private key that ssh can read: give the whole text of the file, without a passphrase",
    ),
    (
        r"InvalidAccessKeyId|SignatureDoesNotMatch|Access ?Denied|AccessDenied|\b401\b|\b403\b|Unauthorized|Forbidden|no credentials found|request signature|Authorization Failed",
        "{repository} refuses the access: correct the keys in backup_environment, or their rights there",
    ),
    (
        r"certificate signed by unknown authority|x509: ",
        "{repository} shows a certificate that this host does not trust: set backup_ca_file to the file of its authority",
    ),
    (
        r"invalid backend|Can't find AuthVersion|parsing repository location failed|s3: invalid format|swift: invalid|invalid format, ",
        "backup_repository is {repository}, which restic does not understand: see docs/backup.md for the forms that it has",
    ),
    (
        r"unsupported repository version|unable to create lock in backend: unsupported",
        "{repository} was made by a newer restic than this host has: use its version, or another repository",
    ),
    (
        r"already locked",
        "Another machine works in {repository}: try again when it is done, or run backup restic unlock --remove-all on this host when that one is gone",
    ),
    (
        UNREACHABLE,
        "{repository} cannot be reached from this host: check the address and the network, and that its server runs",
    ),
    (
        r"executable file not found|No such file or directory: '?restic",
        "restic is not on this host: run site.yml again",
    ),
    (
        r"read-only file system|Read-only file system|permission denied|Permission denied",
        "{repository} cannot be written: make it writable for root on this host, or for the account there",
    ),
    (
        DAMAGED,
        DAMAGE,
    ),
    (
        # restic 0.14 does not notice that nobody writes any more.
        r"all goroutines are asleep",
        STUCK,
    ),
]
# Where a server answers, and has nothing there.
EMPTY = re.compile(
    r"Is there a repository at the following location|unable to open config file|config file does not exist",
    re.IGNORECASE,
)
NOTHING = re.compile(
    r"no such file or directory|file does not exist|does not exist|NoSuchKey|NoSuchBucket|\b404\b|Object Not Found|Container Not Found|"
    r"The specified key does not exist",
    re.IGNORECASE,
)
NOISE = re.compile(r"^\s*(Is there a repository|using parent|\{.*\})?\s*$")


def redacted(repository: str) -> str:
    """A repository without a password that may be in its address."""
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:***@", repository)


def is_locked(said: str) -> bool:
    """Whether the lock of another run is in the way, alive or dead."""
    return "already locked" in said


def is_empty(said: str) -> bool:
    """Whether there is no repository where one was looked for."""
    return bool(EMPTY.search(said) and NOTHING.search(said))


def of_check(said: str, repository: str) -> str:
    """The sentence for a repository that a check has found damaged; empty where it could not look at all of it."""
    if re.search(UNREACHABLE, said) or not re.search(DAMAGED, said):
        return ""
    return DAMAGE.format(repository=redacted(repository)) + "."


def of_restic(said: str, repository: str) -> str:
    """The sentence for what restic printed when it failed."""
    shown = redacted(repository)
    for pattern, sentence in KNOWN:
        found = re.search(pattern, said, re.MULTILINE)
        if found:
            return sentence.format(repository=shown, **found.groupdict()) + "."
    if is_empty(said):
        return f"{shown} holds no repository: mount it if it is a disk, or correct backup_repository."
    lines = [line.strip() for line in said.splitlines() if not NOISE.match(line)]
    told = " ".join(lines[-2:]).removeprefix("Fatal: ").rstrip(".") or "it gives no reason"
    return f"restic failed with {shown}: {told.replace(repository, shown)}."
