#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Chromium that does not see the machine's networks come and go; takes and returns what Chromium does.

Some seconds after any container or its network appears, Chromium ends all its HTTP/2 connections with
ERR_NETWORK_CHANGED, even those to loopback. It hears of networks over netlink; without that it takes them for
unchanging (AddressTrackerLinux in Chromium's net/base). Debian's interpreter runs this: it has the binding.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys

import seccomp  # type: ignore[import-not-found]

rules = seccomp.SyscallFilter(seccomp.ALLOW)
rules.add_rule(seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, socket.AF_NETLINK))
rules.load()
program = shutil.which("chromium") or sys.exit("chromium is missing: `make setup-dev` installs it")
os.execv(program, [program, *sys.argv[1:]])
