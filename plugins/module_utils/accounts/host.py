# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Read and change the accounts of this host.

Not with Ansible's own modules, because each of them is a task of its own. Two instances of one machine are two hosts of one
run, and do the same task at the same time: what they list and what they made has to be compared and changed under one lock.
Besides, user passes hashes as arguments and, as group, shows no diff; authorized_key follows a link that the account has made
of its .ssh, and gives it the folder at the other end; sudoers writes no free rules.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import json
import os
import pwd
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.accounts.plan import Action, Host, Record, Seen
from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

SUDO_DIR = "/etc/sudoers.d"
# Runs a command with this input and returns its exit code, output and errors.
Runner = t.Callable[[list[str], str], tuple[int, str, str]]


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[None]:
    """Hold the lock of the record: two instances on one host are deployed side by side."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path + ".lock", "a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except FileNotFoundError:
        return ""


def read_record(path: str) -> Record:
    """Return what earlier runs made; HubError rather than a guess when the file is damaged."""
    text = _read(path)
    if not text:
        return {"accounts": {}, "groups": {}}
    try:
        data = json.loads(text)
        return {"accounts": data["accounts"], "groups": data["groups"]}
    except (ValueError, KeyError, TypeError) as exc:
        raise HubError(
            f"{path} is damaged ({exc}): restore it, or delete it and remove dropped accounts by hand."
        ) from exc


def write_record(path: str, record: Record) -> None:
    """Replace the record in one step."""
    text = json.dumps({"version": 1, **record}, indent=2, sort_keys=True) + "\n"
    if text != _read(path):
        replace_file(path, text, mode=0o600)


def _open_folder(name: str, parent: int, owner: int, create: bool) -> int | None:
    """Open a folder of the user without following a link: root must not be led elsewhere."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        folder = os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            return None
        os.mkdir(name, 0o700, dir_fd=parent)
        folder = os.open(name, flags, dir_fd=parent)
        os.fchown(folder, owner, pwd.getpwuid(owner).pw_gid)
    if os.fstat(folder).st_uid not in (0, owner):
        os.close(folder)
        raise OSError(errno.EPERM, "belongs to another account", name)
    return folder


@contextlib.contextmanager
def _ssh_folder(user: pwd.struct_passwd, create: bool) -> t.Iterator[int | None]:
    with contextlib.ExitStack() as stack:
        try:
            home = os.open(user.pw_dir, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, home)
            folder = _open_folder(".ssh", home, user.pw_uid, create)
        except FileNotFoundError:
            folder = None
        except OSError as exc:
            raise HubError(
                f"The folder {user.pw_dir}/.ssh of '{user.pw_name}' cannot be used: {exc.strerror}."
            ) from exc
        if folder is not None:
            stack.callback(os.close, folder)
        yield folder


def read_keys(user: pwd.struct_passwd) -> tuple[str, ...]:
    """Return the lines of the account's authorized_keys, without comments and blank lines; HubError if it cannot be read."""
    with _ssh_folder(user, create=False) as folder:
        if folder is None:
            return ()
        try:
            handle = os.open("authorized_keys", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            return ()
        except OSError as exc:
            raise HubError(
                f"{user.pw_dir}/.ssh/authorized_keys of '{user.pw_name}' cannot be read: {exc.strerror}."
            ) from exc
        with os.fdopen(handle, encoding="utf-8", errors="surrogateescape") as stream:
            lines = [line.strip() for line in stream]
    return tuple(line for line in lines if line and not line.startswith("#"))


def write_keys(name: str, keys: t.Sequence[str]) -> None:
    """Replace the account's authorized_keys, without following links of the account; HubError without a home folder."""
    user = pwd.getpwnam(name)
    with _ssh_folder(user, create=True) as folder:
        if folder is None:
            raise HubError(f"Account '{name}' has SSH keys but no home folder {user.pw_dir}: create it.")
        temporary = ".authorized_keys.galilean"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder
        )
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
            os.fchown(stream.fileno(), user.pw_uid, user.pw_gid)
            stream.write("".join(f"{key}\n" for key in keys))
        os.replace(temporary, "authorized_keys", src_dir_fd=folder, dst_dir_fd=folder)


def _sudo_path(name: str) -> str:
    return os.path.join(SUDO_DIR, f"galilean-{name}")


def check_rules(actions: t.Iterable[Action], run: Runner, visudo: str | None) -> None:
    """Ask visudo about all rules that are to be written; HubError with its answer."""
    for action in actions:
        if action.kind != "sudo_write":
            continue
        if not visudo:
            raise HubError("The host has sudo rules to write but no visudo: install the package sudo.")
        code, out, err = run([visudo, "-cf", "-"], action.values["content"])
        if code:
            raise HubError(
                f"users_admins[{action.name}].sudo is not a valid rule, says visudo: {' '.join((err or out).split())[:300]}"
            )


def read_host(
    names: t.Iterable[str], homes: t.Iterable[str], record_path: str, connected: t.Iterable[str]
) -> Host:
    """Look at the accounts that are listed or recorded, and at all groups."""
    record = read_record(record_path)
    shadow = dict(line.split(":", 2)[:2] for line in _read("/etc/shadow").splitlines() if line.count(":") > 1)
    groups = grp.getgrall()
    accounts, sudo = {}, {}
    for name in sorted({*names, *record["accounts"]}):
        sudo[name] = _read(_sudo_path(name))
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        member = tuple(sorted(group.gr_name for group in groups if name in group.gr_mem))
        accounts[name] = Seen(user.pw_uid, user.pw_gid, user.pw_gecos, user.pw_dir, user.pw_shell, member,
                              shadow.get(name, "!"), read_keys(user))  # fmt: skip
    taken = {user.pw_uid: user.pw_name for user in pwd.getpwall()}
    owners = {
        home: os.lstat(home).st_uid for home in homes if os.path.isdir(home) and not os.path.islink(home)
    }
    free = {home: uid for home, uid in owners.items() if uid not in taken}
    return Host(
        accounts,
        {group.gr_name: group.gr_gid for group in groups},
        sudo,
        record,
        frozenset(connected),
        free,
        taken,
    )


def connected_accounts(given: str | None) -> list[str]:
    """Return the accounts behind this run: the connection's user, and who became root."""
    names = [given, os.environ.get("SUDO_USER"), os.environ.get("DOAS_USER")]
    with contextlib.suppress(OSError, ValueError, KeyError):
        # Set at login and kept through su and sudo; 4294967295 where the kernel does not audit.
        names.append(pwd.getpwuid(int(_read("/proc/self/loginuid") or -1)).pw_name)
    return sorted({name for name in names if name})


def _options(**values: t.Any) -> list[str]:
    pairs = [(f"--{key.replace('_', '-')}", value) for key, value in values.items() if value is not None]
    return [word for key, value in pairs for word in ([key] if value is True else [key, str(value)])]


def command(action: Action) -> tuple[list[str], str] | None:
    """Return the command of a step and its input; None for a step that writes files."""
    name, values = action.name, action.values
    if action.kind == "group_add":
        return ["groupadd", *_options(gid=values["gid"], system=values["system"] or None), name], ""
    if action.kind == "group_remove":
        return ["groupdel", name], ""
    if action.kind == "account_add":
        made = "no_create_home" if values["system"] else "create_home"
        given = {key: values[key] for key in ("uid", "shell", "comment")}
        group = {"gid": values["group"]} if values["group"] else {"user_group": True}
        system = {"system": True} if values["system"] else {}
        return [
            "useradd",
            *_options(**given, home_dir=values["home"], **group, **system, **{made: True}),
            name,
        ], ""
    if action.kind == "account_change":
        return ["usermod", *_options(**values), name], ""
    if action.kind == "account_groups":
        return ["usermod", "--groups", ",".join(values["groups"]), name], ""
    if action.kind == "account_password":
        # By standard input: arguments are visible to every user of the host.
        return ["chpasswd", "--encrypted"], f"{name}:{values['password']}\n"
    if action.kind == "account_remove":
        return ["userdel", *(["--remove"] if values["remove_home"] else []), name], ""
    return None


def apply(action: Action, run: Runner) -> None:
    """Take one step; HubError with the reason when it fails."""
    if action.kind == "account_keys":
        write_keys(action.name, action.values["keys"])
    elif action.kind == "sudo_write":
        replace_file(_sudo_path(action.name), action.values["content"], mode=0o440)
    elif action.kind == "sudo_remove":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_sudo_path(action.name))
    found = command(action)
    if found is None:
        return
    code, out, err = run(*found)
    # userdel 12: no home or mail box to remove. groupdel 6: the group went with the account of its name.
    if code and (action.kind, code) not in (("account_remove", 12), ("group_remove", 6)):
        hint = ""
        if action.kind == "account_remove" and code == 8:
            hint = f" Its keys and sudo rules are gone already: end its sessions (loginctl terminate-user {action.name}) and run again."
        raise HubError(
            f"{action.kind.replace('_', ' ')} '{action.name}' failed: {' '.join((err or out).split())[:300]}.{hint}"
        )
