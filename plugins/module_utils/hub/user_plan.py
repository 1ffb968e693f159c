# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What has to be done so that a hub's accounts are as wanted. Pure: no I/O."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import check_name
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.accounts import Account


@dataclass(frozen=True)
class Wanted:
    """How one account shall be. None: as it is."""

    name: str
    present: bool = True
    admin: bool | None = None
    groups: tuple[str, ...] | None = None
    append: bool = False
    stop: bool = False


@dataclass
class Plan:
    """What has to be done, in the order of the fields; names are those that the hub has."""

    create: list[str] = field(default_factory=list)
    create_admins: list[str] = field(default_factory=list)
    admin: dict[str, bool] = field(default_factory=dict)
    leave: dict[str, list[str]] = field(default_factory=dict)
    join: dict[str, list[str]] = field(default_factory=dict)
    stop: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.actions())

    def actions(self) -> list[str]:
        """What is done, in words."""
        return [
            *(f"create {name}" for name in self.create),
            *(f"create {name} as administrator" for name in self.create_admins),
            *(
                f"make {name} an administrator" if admin else f"take administration from {name}"
                for name, admin in self.admin.items()
            ),
            *(f"take {', '.join(names)} from the group {group}" for group, names in self.leave.items()),
            *(f"add {', '.join(names)} to the group {group}" for group, names in self.join.items()),
            *(f"stop the servers of {name}" for name in self.stop),
            *(f"delete the account {name}" for name in self.delete),
        ]


def check_names(wanted: t.Iterable[Wanted]) -> None:
    """Raise HubError for a name that no account can have, and for one that stands there twice."""
    seen: set[str] = set()
    for entry in wanted:
        check_name(entry.name)
        if entry.name.lower() in seen:
            raise HubError(
                f"users has {entry.name!r} twice (JupyterHub does not tell capital letters from small ones): give each account once"
            )
        seen.add(entry.name.lower())
        for group in entry.groups or ():
            if not group.strip() or not group.isprintable():
                raise HubError(f"groups of {entry.name!r} has {group!r}: give names that can be printed")


def of_name(name: str, accounts: t.Mapping[str, Account]) -> Account | None:
    """The account of this name. JupyterHub writes names in small letters, unless its login does otherwise."""
    return accounts.get(name) or accounts.get(name.lower())


def _shown(account: Account) -> dict[str, t.Any]:
    return {
        "admin": account.admin,
        "groups": list(account.groups or ()),
        "running": [server or "default" for server in account.servers or ()],
    }


def _need(account: Account, key: str, scope: str) -> None:
    if getattr(account, key) is None:
        raise HubError(
            f"The hub did not show the {key} of {account.name!r}: the token lacks the scope {scope}."
        )


def _plan_groups(plan: Plan, entry: Wanted, name: str, have: tuple[str, ...]) -> list[str]:
    if entry.groups is None:
        return list(have)
    keep = set(have) if entry.append else set(have) & set(entry.groups)
    for group in sorted(set(entry.groups) - set(have)):
        plan.join.setdefault(group, []).append(name)
    for group in sorted(set(have) - keep):
        plan.leave.setdefault(group, []).append(name)
    return sorted(keep | set(entry.groups))


def _plan_absent(plan: Plan, account: Account | None) -> None:
    if account is None:
        return
    _need(account, "servers", "read:servers")
    if account.servers:
        plan.stop.append(account.name)
    plan.delete.append(account.name)
    plan.before[account.name], plan.after[account.name] = _shown(account), None


def _plan_new(plan: Plan, entry: Wanted) -> None:
    (plan.create_admins if entry.admin else plan.create).append(entry.name)
    groups = _plan_groups(plan, entry, entry.name, ())
    plan.before[entry.name] = None
    plan.after[entry.name] = {"admin": bool(entry.admin), "groups": groups, "running": []}


def _plan_present(plan: Plan, entry: Wanted, account: Account) -> None:
    before = _shown(account)
    after = dict(before)
    if entry.admin is not None:
        _need(account, "admin", "read:users")
        if account.admin != entry.admin:
            plan.admin[account.name] = after["admin"] = entry.admin
    if entry.groups is not None:
        _need(account, "groups", "read:users:groups")
        after["groups"] = _plan_groups(plan, entry, account.name, account.groups or ())
    if entry.stop:
        _need(account, "servers", "read:servers")
        if account.servers:
            plan.stop.append(account.name)
            after["running"] = []
    if after != before:
        plan.before[account.name], plan.after[account.name] = before, after


def plan_users(wanted: t.Sequence[Wanted], accounts: t.Mapping[str, Account]) -> Plan:
    """What has to be done; accounts: those that exist by name, at least the wanted ones among them."""
    plan = Plan()
    for entry in wanted:
        account = of_name(entry.name, accounts)
        if not entry.present:
            _plan_absent(plan, account)
        elif account is None:
            _plan_new(plan, entry)
        else:
            _plan_present(plan, entry, account)
    return plan
