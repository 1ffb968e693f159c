# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The profile of system calls that users' servers have."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from . import tree

PROFILE: dict[str, t.Any] = tree.load("roles/jupyterhub/files/seccomp.json")
ALLOWED = {
    name
    for rule in PROFILE["syscalls"]
    if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
    for name in rule["names"]
}
# Why none of these is allowed, whatever its arguments are.
DENIED = {
    "into other processes": "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp",
    "parts of the kernel with a history": "bpf perf_event_open userfaultfd io_uring_setup io_uring_enter",
    "keys": "add_key keyctl request_key",
    "tables of the host": "io_setup fanotify_init quotactl",
    "namespaces": "unshare setns clone3",
    "mounts": "mount umount2 pivot_root chroot fsopen fsmount move_mount open_tree",
    "the kernel itself": "reboot kexec_load init_module finit_module syslog iopl",
    "the host's settings": "swapon sethostname settimeofday clock_settime acct",
    "past the rights of files": "open_by_handle_at name_to_handle_at",
    "only with a look at the arguments": "socket clone personality ioctl fcntl prctl setsockopt",
}


@pytest.mark.parametrize("why", DENIED)
def test_what_is_not_allowed(why: str) -> None:
    assert ALLOWED & set(DENIED[why].split()) == set()


def test_everything_that_is_not_named_is_refused() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in PROFILE["syscalls"]} == {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}


def test_sockets_leave_the_machine_by_ip_or_stay_in_it() -> None:
    """Nothing that the kernel loads a module for (SCTP), or whose memory it counts for nobody (ICMP)."""
    rules = [rule for rule in PROFILE["syscalls"] if "socket" in rule["names"]]
    assert all(rule["names"] == ["socket"] for rule in rules)
    assert all(arg["op"] == "SCMP_CMP_EQ" for rule in rules for arg in rule["args"])
    allowed = [{arg["index"]: arg["value"] for arg in rule["args"]} for rule in rules]
    ip = [{0: family, 2: protocol} for family in (2, 10) for protocol in (0, 6, 17)]
    assert allowed == [{0: 1}, *ip, {0: 16, 2: 0}]


def refused(name: str, *numbers: range) -> set[tuple[int, ...]]:
    """The arguments, of these numbers, with which the call passes no rule."""
    rules = [rule["args"] for rule in PROFILE["syscalls"] if name in rule["names"]]
    assert all(arg["op"] == "SCMP_CMP_MASKED_EQ" for args in rules for arg in args)
    first = min(arg["index"] for args in rules for arg in args)
    masks = [[(arg["index"] - first, arg["value"], arg["valueTwo"]) for arg in args] for args in rules]
    return {
        values
        for values in itertools.product(*numbers)
        if not any(all(values[i] & mask == value for i, mask, value in args) for args in masks)
    }


def test_nobody_is_kept_waiting_by_a_lease() -> None:
    """Who may only read a file could have everybody else wait 45 seconds at each time they open it."""
    # F_SETLEASE
    assert refused("fcntl", range(2**11)) == {(1024,)}


def test_nobody_loads_programs_into_the_kernel() -> None:
    """Their code has one room for the whole host, and without it no server gets its own profile."""
    # PR_SET_SECCOMP
    assert refused("prctl", range(2**7)) == {(22,)}
    # SO_ATTACH_FILTER, SO_ATTACH_BPF and SO_ATTACH_REUSEPORT_CBPF of SOL_SOCKET
    assert refused("setsockopt", range(2**9), range(2**7)) == {(1, 26), (1, 50), (1, 51)}
    assert "seccomp" not in ALLOWED


def test_files_stay_in_their_project() -> None:
    """Their owner could take them out of it, and so out of the limit of the home (docs/disk.md)."""
    rules = [rule["args"] for rule in PROFILE["syscalls"] if "ioctl" in rule["names"]]
    assert all(arg["index"] == 1 and arg["op"] == "SCMP_CMP_MASKED_EQ" for (arg,) in rules)
    pairs = [(arg["value"], arg["valueTwo"]) for (arg,) in rules]
    refused = {low for low in range(2**16) if not any(low & mask == value for mask, value in pairs)}
    # FS_IOC_FSSETXATTR and FS_IOC_SETFLAGS, by their kind and number; what stands above is their size.
    assert refused == {0x5820, 0x6602}
    assert "file_setattr" not in ALLOWED


def test_no_call_is_named_twice() -> None:
    named = [name for rule in PROFILE["syscalls"] if not rule.get("args") for name in rule["names"]]
    assert len(named) == len(set(named))


def test_programs_that_know_no_better_call_are_told_so() -> None:
    (rule,) = [rule for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ERRNO"]
    # ENOSYS: the C library then makes threads by clone().
    assert rule["errnoRet"] == 38
    assert "clone3" in rule["names"]


def test_both_architectures_and_no_older_one() -> None:
    """The calls of 32-bit programs have other numbers and arguments: no rule is about them."""
    names = {arch["architecture"]: arch["subArchitectures"] for arch in PROFILE["archMap"]}
    assert names == {"SCMP_ARCH_X86_64": [], "SCMP_ARCH_AARCH64": []}


# Old calls that aarch64 does not have, and those by which its programs do the same.
NEWER = {
    "access": "faccessat", "chmod": "fchmodat", "chown": "fchownat", "creat": "openat", "dup2": "dup3",
    "epoll_create": "epoll_create1", "epoll_wait": "epoll_pwait", "eventfd": "eventfd2", "fork": "clone",
    "getdents": "getdents64", "getpgrp": "getpgid", "inotify_init": "inotify_init1", "link": "linkat",
    "lstat": "newfstatat", "mkdir": "mkdirat", "mknod": "mknodat", "open": "openat", "pause": "ppoll",
    "pipe": "pipe2", "poll": "ppoll", "readlink": "readlinkat", "rename": "renameat", "rmdir": "unlinkat",
    "select": "pselect6", "signalfd": "signalfd4", "stat": "newfstatat", "symlink": "symlinkat",
    "time": "gettimeofday", "unlink": "unlinkat", "utime": "utimensat", "vfork": "clone",
    "alarm": "setitimer", "arch_prctl": "prctl",
}  # fmt: skip


def test_aarch64_has_what_x86_64_has() -> None:
    named = {
        name for rule in PROFILE["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]
    }
    assert {new for old, new in NEWER.items() if old in named} <= named
    assert named >= NEWER.keys(), "a call that is gone from the profile has no place here"
