# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Read and set time zone, locale and swap of this host. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.fstab import decoded
from ansible_collections.galilean.hub.plugins.module_utils.host.base_plan import (
    BUILT_IN,
    Base,
    Plan,
    Swap,
    Wanted,
    with_line,
)

ZONES = "/usr/share/zoneinfo"
LOCALTIME = "/etc/localtime"
ZONE_NAME = "/etc/timezone"
LOCALE_GEN = "/etc/locale.gen"
SUPPORTED = "/usr/share/i18n/SUPPORTED"
SWAPPINESS = "/proc/sys/vm/swappiness"

# Runs a command, and returns its exit code, output and errors.
Runner = t.Callable[[t.Sequence[str]], tuple[int, str, str]]


def read(path: str) -> str | None:
    """A file's text, nothing when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except OSError:
        return None


def locale_path() -> str:
    """The file with the language of new logins; newer systems have it elsewhere, and a link to there."""
    return os.path.realpath("/etc/default/locale")


def _zone() -> str:
    with contextlib.suppress(OSError):
        target = os.path.join("/etc", os.readlink(LOCALTIME))
        return (
            os.path.normpath(target)[len(ZONES) + 1 :]
            if os.path.normpath(target).startswith(f"{ZONES}/")
            else ""
        )
    return ""


def _has_zone(name: str | None) -> bool | None:
    # Without the package there is at most a folder with nothing for everybody.
    if name is None or not os.path.exists(f"{ZONES}/Etc/UTC"):
        return None
    return os.path.isfile(f"{ZONES}/{name}")


def _swap(path: str) -> Swap:
    size, signed = None, False
    with contextlib.suppress(OSError):
        size = os.stat(path).st_size
        with open(path, "rb") as handle:
            page = os.sysconf("SC_PAGE_SIZE")
            handle.seek(page - 10)
            signed = handle.read(10) == b"SWAPSPACE2"
    folder = os.path.dirname(path)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    active = [decoded(line.split()[0]) for line in (read("/proc/swaps") or "").splitlines()[1:] if line]
    return Swap(size, signed, path in active, os.path.exists(f"{path}.new"), shutil.disk_usage(folder).free)


def observe(wanted: Wanted, fstab: str, run: Runner) -> Base:
    """All that a plan must know."""
    locales: frozenset[str] = frozenset()
    supported = None
    if wanted.locale is not None and wanted.locale not in BUILT_IN:
        locales = frozenset(run(["locale", "-a"])[1].split())
        text = read(SUPPORTED)
        supported = None if text is None else frozenset(" ".join(line.split()) for line in text.splitlines())
    number = (read(SWAPPINESS) or "").strip()
    settable = number.isdigit() and os.access(SWAPPINESS, os.W_OK)
    return Base(
        timezone=_zone(),
        zone_text=read(ZONE_NAME),
        has_zone=_has_zone(wanted.timezone),
        locale_text=read(locale_path()) or "",
        locales=locales,
        supported=supported,
        swap=_swap(wanted.swap_path) if wanted.swap_path else Swap(),
        swappiness=int(number) if settable else None,
        fstab=read(fstab) or "",
    )


def _must(run: Runner, argv: t.Sequence[str], fix: str) -> None:
    code, out, err = run(argv)
    if code:
        words = " ".join((err.strip() or out.strip()).split())[-300:]
        raise HubError(f"'{' '.join(argv)}' failed ({words.rstrip('.')}): {fix}.")


def _make_swap(path: str, size: int, run: Runner) -> None:
    """Under another name until it is complete, so that no run takes half of one for whole."""
    temporary = f"{path}.new"
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    for old in (temporary, path):
        # Its room is needed, and it is not in use any more.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(old)
    # What is swapped out is everybody's memory: nobody else may ever read it.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as exc:
        raise HubError(
            f"The swap file {temporary} cannot be made ({exc.strerror}): set bootstrap_swap_gib to less, or to 0."
        ) from exc
    finally:
        os.close(handle)
    _must(run, ["mkswap", temporary], "set bootstrap_swap_gib to 0, or look at the disk")
    os.replace(temporary, path)


class Applier:
    """Takes the steps of a plan; ``place`` puts a text in the place of a file at once."""

    def __init__(self, wanted: Wanted, fstab: str, run: Runner, place: t.Callable[[str, str], None]) -> None:
        self.wanted, self.fstab, self.run, self.place = wanted, fstab, run, place

    def take(self, kind: str, plan: Plan) -> None:
        try:
            getattr(self, f"_{kind}")(plan)
        except OSError as exc:
            raise HubError(f"The step {kind} failed at {exc.filename}: {exc.strerror}.") from exc

    def _timezone(self, plan: Plan) -> None:
        zone = f"{ZONES}/{self.wanted.timezone}"
        if not os.path.isfile(zone):
            raise HubError(
                f"bootstrap_timezone is '{self.wanted.timezone}', and this host has no {zone}: install tzdata, or correct it."
            )
        temporary = f"{LOCALTIME}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(zone, temporary)
        os.replace(temporary, LOCALTIME)

    def _timezone_name(self, plan: Plan) -> None:
        self.place(ZONE_NAME, f"{self.wanted.timezone}\n")

    def _locale_generate(self, plan: Plan) -> None:
        locale = str(self.wanted.locale)
        self.place(LOCALE_GEN, with_line(read(LOCALE_GEN) or "", locale))
        _must(self.run, ["locale-gen"], "install the package locales, or set bootstrap_locale to C.UTF-8")

    def _locale(self, plan: Plan) -> None:
        self.place(locale_path(), plan.locale_text)

    def _swap_off(self, plan: Plan) -> None:
        _must(self.run, ["swapoff", str(self.wanted.swap_path)], "free some memory and run again")

    def _swap_remove(self, plan: Plan) -> None:
        for path in (str(self.wanted.swap_path), f"{self.wanted.swap_path}.new"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _swap_make(self, plan: Plan) -> None:
        _make_swap(str(self.wanted.swap_path), self.wanted.swap, self.run)

    def _swap_table(self, plan: Plan) -> None:
        self.place(self.fstab, plan.fstab)
        if self.fstab == "/etc/fstab" and os.path.isdir("/run/systemd/system"):
            # So that it does not complain of a table that it has not read.
            self.run(["systemctl", "daemon-reload"])

    def _swap_on(self, plan: Plan) -> None:
        _must(
            self.run,
            ["swapon", str(self.wanted.swap_path)],
            "this kernel or file system takes no swap files, so set bootstrap_swap_gib to 0",
        )

    def _swappiness(self, plan: Plan) -> None:
        with open(SWAPPINESS, "w", encoding="ascii") as handle:
            handle.write(f"{self.wanted.swappiness}\n")
