# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What has to change so that a host has the listed accounts.

Pure: no host is read or changed here. The record says which accounts and groups this collection made and which
instances list them; nothing that is not in the record is ever removed.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.accounts.rules import account_problems, sudo_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

NOLOGIN = "/usr/sbin/nologin"
LOGIN_SHELL = "/bin/bash"
Record = dict[str, dict[str, dict[str, t.Any]]]


@dataclass(frozen=True)
class Account:
    """An account as it should be. None: leave it as it is, or the usual value for a new account."""

    name: str
    system: bool = False
    present: bool = True
    uid: int | None = None
    group: str | None = None
    comment: str | None = None
    shell: str | None = None
    home: str | None = None
    groups: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sudo: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Group:
    """A group as it should be."""

    name: str
    gid: int | None = None
    system: bool = True
    present: bool = True


@dataclass(frozen=True)
class Seen:
    """An account as it is on the host; ``password`` is its field in /etc/shadow."""

    uid: int
    gid: int
    comment: str = ""
    home: str = ""
    shell: str = ""
    groups: tuple[str, ...] = ()
    password: str = field(default="!", repr=False)
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """What was read from the host."""

    accounts: t.Mapping[str, Seen]
    groups: t.Mapping[str, int]
    sudo: t.Mapping[str, str]
    record: Record
    connected: frozenset[str] = frozenset()
    home_owners: t.Mapping[str, int] = field(default_factory=dict)
    uids: t.Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """One step; ``values`` are what it needs, ``reason`` is for the operator."""

    kind: str
    name: str
    reason: str
    values: t.Mapping[str, t.Any] = field(default_factory=dict, repr=False)


@dataclass
class Plan:
    """The steps in order, and the record before the first and after the last of them."""

    actions: list[Action] = field(default_factory=list)
    record: Record = field(default_factory=dict)
    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(
        self, kind: str, name: str, reason: str, before: t.Any = None, after: t.Any = None, **values: t.Any
    ) -> None:
        """Append a step and what the diff shows of it."""
        self.actions.append(Action(kind, name, reason, values))
        key = f"{kind.split('_')[0]} {name}"
        if before is not None:
            self.before.setdefault(key, {}).update(before)
        if after is not None:
            self.after.setdefault(key, {}).update(after)


def desired(params: t.Mapping[str, t.Any]) -> tuple[list[Account], list[Group]]:
    """Turn the module's options into what should be; HubError when they cannot be meant."""
    service = params["service"]
    if service:
        problems = account_problems(service, params["groups"], params["admins"])
        if problems:
            raise HubError(" ".join(problems))
    groups = [
        Group(one["name"], one["gid"], one["system"], one["state"] == "present") for one in params["groups"]
    ]
    accounts = []
    if service:
        group = service["group"] or service["name"]
        if group not in {one.name for one in groups}:
            groups.insert(0, Group(group, service["gid"]))
        accounts.append(Account(service["name"], system=True, uid=service["uid"], group=group, home=service["home"],
                                groups=tuple(service["groups"]), comment="galilean.hub service"))  # fmt: skip
    for one in params["admins"]:
        keys = tuple(key.strip() for key in one["ssh_keys"])
        accounts.append(Account(one["name"], present=one["state"] == "present", uid=one["uid"], comment=one["comment"],
                                shell=one["shell"], groups=tuple(one["groups"]), keys=keys, sudo=tuple(one["sudo"]),
                                password=one["password_hash"]))  # fmt: skip
    return accounts, groups


def _claim(record: Record, kind: str, name: str, instance: str, created: bool) -> dict[str, t.Any]:
    entry = record.setdefault(kind, {}).setdefault(name, {"created": created, "instances": []})
    entry["instances"] = sorted({*entry["instances"], instance})
    return entry


def _release(record: Record, kind: str, name: str, instance: str) -> bool:
    """Drop the instance's claim; True when nobody lists the thing any more."""
    entry = record[kind][name]
    entry["instances"] = [other for other in entry["instances"] if other != instance]
    if entry["instances"]:
        return False
    del record[kind][name]
    return True


def _leaves(plan: Plan, name: str) -> bool:
    """Whether the account has gone, with the group of its name, before anything is made."""
    return any((action.kind, action.name) == ("account_remove", name) for action in plan.actions)


def _plan_group(plan: Plan, group: Group, host: Host, instance: str) -> None:
    gid = host.groups.get(group.name)
    known = group.name in host.record.get("groups", {})
    if gid is not None and group.gid is not None and gid != group.gid:
        raise HubError(
            f"Group '{group.name}' has gid {gid}, the settings say {group.gid}: leave the gid out or give {gid}."
        )
    holder = next((name for name, number in host.groups.items() if number == group.gid), None)
    if gid is None and holder and not _leaves(plan, holder):
        raise HubError(
            f"Group '{group.name}' is to have gid {group.gid}, which the group '{holder}' has: choose another number."
        )
    # The record knows a group that an interrupted run was about to make.
    _claim(plan.record, "groups", group.name, instance, created=gid is None or known)
    if gid is None:
        plan.add(
            "group_add",
            group.name,
            "is listed and missing",
            after={"state": "present", "gid": group.gid},
            gid=group.gid,
            system=group.system,
        )


def _check_known(want: Account, seen: Seen, created: bool) -> None:
    if want.uid is not None and seen.uid != want.uid:
        raise HubError(
            f"Account '{want.name}' has uid {seen.uid}, the settings say {want.uid}: leave the uid out or give {seen.uid}."
        )
    if created:
        return
    if want.system and not seen.shell.endswith(("nologin", "/false")):
        raise HubError(
            f"users_service_account is '{want.name}': an account with a login shell has this name already, choose another one."
        )
    if not want.system and seen.uid < 1000:
        raise HubError(
            f"users_admins has '{want.name}': the host has a system account of this name (uid {seen.uid}), choose another one."
        )


def _check_free(plan: Plan, want: Account, host: Host) -> None:
    holder = host.uids.get(want.uid or 0)
    if want.uid and holder and not _leaves(plan, holder):
        setting = "users_service_uid" if want.system else f"users_admins[{want.name}].uid"
        raise HubError(f"{setting} is {want.uid}, which the account '{holder}' has: choose another number.")


def _check_way_back(
    want: Account, seen: Seen, groups: t.Sequence[str], keys: t.Sequence[str], host: Host
) -> None:
    """Whoever the run is connected as must be able to make the next one."""
    if want.name not in host.connected:
        return
    if seen.keys and not keys and want.password is None:
        raise HubError(
            f"users_admins[{want.name}].ssh_keys is empty, and this run is connected as '{want.name}': leave a key, or connect as another"
            " administrator to take it away."
        )

    def root(rules: str, member: t.Sequence[str]) -> bool:
        return "sudo" in member or any(line.endswith("ALL") for line in rules.splitlines())

    if root(host.sudo.get(want.name, ""), seen.groups) and not root(sudo_file(want.name, want.sudo), groups):
        raise HubError(
            f"users_admins[{want.name}].sudo is {list(want.sudo)}, and this run is connected as '{want.name}' and needs all of sudo:"
            " leave it nopasswd, or connect as another administrator to change it."
        )


def _plan_fields(plan: Plan, want: Account, seen: Seen, created: bool) -> None:
    """Shell, comment and home of an account; one that was there before keeps what the settings do not name."""
    shell = want.shell or (NOLOGIN if want.system else LOGIN_SHELL if created else None)
    pairs = {"shell": (seen.shell, shell), "comment": (seen.comment, want.comment)}
    if want.system and created:
        pairs["home"] = (seen.home, want.home)
    changed = {key: pair for key, pair in pairs.items() if pair[1] is not None and pair[0] != pair[1]}
    if changed:
        before = {key: pair[0] for key, pair in changed.items()}
        after = {key: pair[1] for key, pair in changed.items()}
        plan.add(
            "account_change", want.name, f"differs in {', '.join(sorted(changed))}", before, after, **after
        )


def _plan_owned_list(
    current: t.Sequence[str], wanted: t.Sequence[str], entry: dict[str, t.Any], key: str, created: bool
) -> list[str]:
    """Members of a list that we own whole (an account we made) or share (one that was there before)."""
    if created:
        return list(dict.fromkeys(wanted))
    ours = set(entry.get(key, []))
    kept = [item for item in current if item not in ours or item in wanted]
    # Only what was not there before is ours, so only that is ever taken away again.
    entry[key] = sorted((ours | (set(wanted) - set(current))) & set(wanted))
    return kept + [item for item in dict.fromkeys(wanted) if item not in kept]


def _plan_login(plan: Plan, want: Account, seen: Seen, entry: dict[str, t.Any], host: Host) -> None:
    """Groups, password, keys and sudo rules."""
    created = bool(entry["created"])
    known = {*host.groups, *(action.name for action in plan.actions if action.kind == "group_add")}
    for group in want.groups:
        if group not in known:
            raise HubError(
                f"Account '{want.name}' is to be in group '{group}', which the host does not have: add it to users_groups."
            )
    groups = _plan_owned_list(seen.groups, want.groups, entry, "groups", created)
    if sorted(groups) != sorted(seen.groups):
        plan.add(
            "account_groups",
            want.name,
            "is in other groups",
            {"groups": sorted(seen.groups)},
            {"groups": sorted(groups)},
            groups=groups,
        )
    locked = seen.password.startswith(("!", "*"))
    if want.password is not None and seen.password != want.password:
        plan.add("account_password", want.name, "has another password", {"password": "locked" if locked else "set"},
                 {"password": "set anew"}, password=want.password)  # fmt: skip
    elif want.password is None and created and not locked:
        plan.add(
            "account_password",
            want.name,
            "has a password that is not listed",
            {"password": "set"},
            {"password": "locked"},
            password="!",
        )
    if want.system:
        return
    keys = _plan_owned_list(seen.keys, want.keys, entry, "keys", created)
    _check_way_back(want, seen, groups, keys, host)
    if keys != list(seen.keys):
        plan.add(
            "account_keys",
            want.name,
            "has other SSH keys",
            {"ssh_keys": list(seen.keys)},
            {"ssh_keys": keys},
            keys=keys,
        )
    _plan_sudo(plan, want.name, sudo_file(want.name, want.sudo), host)


def _plan_sudo(plan: Plan, name: str, content: str, host: Host) -> None:
    current = host.sudo.get(name, "")
    if content == current:
        return
    kind = "sudo_write" if content else "sudo_remove"
    plan.add(
        kind,
        name,
        "has other sudo rules",
        {"rules": current.splitlines()[1:]},
        {"rules": content.splitlines()[1:]},
        content=content,
    )


def _plan_present(plan: Plan, want: Account, host: Host, instance: str) -> None:
    seen = host.accounts.get(want.name)
    known = host.record.get("accounts", {}).get(want.name)
    created = seen is None or bool(known and known["created"])
    entry = _claim(plan.record, "accounts", want.name, instance, created)
    # An account that is in the record as foreign and has since been deleted by hand is ours once we make it.
    entry["created"] = created
    if seen is None:
        _check_free(plan, want, host)
        home = want.home or f"/home/{want.name}"
        owner = host.home_owners.get(home)
        # A home that was kept when its account went comes back to its owner.
        uid = want.uid or (owner if not want.system and owner and owner >= 1000 else None)
        shell = want.shell or (NOLOGIN if want.system else LOGIN_SHELL)
        group = want.group or (want.name if want.name in host.groups else None)
        plan.add("account_add", want.name, "is listed and missing", after={"state": "present", "shell": shell, "home": home},
                 uid=uid, group=group, shell=shell, home=home, comment=want.comment or "", system=want.system)  # fmt: skip
        seen = Seen(uid=uid or 0, gid=0, shell=shell, home=home, comment=want.comment or "")
    else:
        _check_known(want, seen, created)
        _plan_fields(plan, want, seen, created)
    _plan_login(plan, want, seen, entry, host)


def _plan_absent(plan: Plan, name: str, host: Host, instance: str, remove_homes: bool) -> None:
    """Take away what this instance brought; the account itself only if we made it and nobody else lists it."""
    entry = host.record["accounts"][name]
    seen = host.accounts.get(name)
    if not _release(plan.record, "accounts", name, instance):
        return
    if name in host.connected and seen is not None:
        raise HubError(
            f"users_admins no longer has '{name}', the account that this run is connected as: connect as another"
            " administrator to remove it."
        )
    _plan_sudo(plan, name, "", host)
    if seen is None:
        return
    if entry["created"]:
        if seen.keys:
            # The home may stay, and the account for as long as it is logged in.
            plan.add(
                "account_keys",
                name,
                "is no longer listed",
                {"ssh_keys": list(seen.keys)},
                {"ssh_keys": []},
                keys=[],
            )
        before = {"state": "present", "uid": seen.uid, "home": seen.home}
        plan.add(
            "account_remove",
            name,
            "is no longer listed",
            before,
            {"state": "absent"},
            remove_home=remove_homes,
            home=seen.home,
        )
        return
    keys = [key for key in seen.keys if key not in entry.get("keys", [])]
    if keys != list(seen.keys):
        plan.add(
            "account_keys",
            name,
            "is no longer listed",
            {"ssh_keys": list(seen.keys)},
            {"ssh_keys": keys},
            keys=keys,
        )
    groups = [group for group in seen.groups if group not in entry.get("groups", [])]
    if groups != list(seen.groups):
        plan.add(
            "account_groups",
            name,
            "is no longer listed",
            {"groups": list(seen.groups)},
            {"groups": groups},
            groups=groups,
        )


def plan_accounts(
    instance: str,
    accounts: t.Sequence[Account],
    groups: t.Sequence[Group],
    host: Host,
    remove_homes: bool = False,
) -> Plan:
    """Compare what is listed with what is there; HubError when something must not be done."""
    plan = Plan(record=copy.deepcopy(host.record))
    for kind in ("accounts", "groups"):
        plan.record.setdefault(kind, {})
    listed = {account.name for account in accounts if account.present}
    # Who leaves goes first: a newcomer may be given the same number.
    for name, entry in sorted(host.record.get("accounts", {}).items()):
        if instance in entry["instances"] and name not in listed:
            _plan_absent(plan, name, host, instance, remove_homes)
    for group in groups:
        if group.present:
            _plan_group(plan, group, host, instance)
    for account in accounts:
        if account.present:
            _plan_present(plan, account, host, instance)
        elif account.name in host.accounts and account.name not in host.record.get("accounts", {}):
            plan.notes.append(
                f"users_admins has '{account.name}' as absent, but this role did not make the account: it is left alone."
            )
    wanted = {group.name for group in groups if group.present}
    for name, entry in sorted(host.record.get("groups", {}).items()):
        if (
            instance not in entry["instances"]
            or name in wanted
            or not _release(plan.record, "groups", name, instance)
        ):
            continue
        if entry["created"] and name in host.groups:
            plan.add("group_remove", name, "is no longer listed", {"state": "present"}, {"state": "absent"})
    return plan
