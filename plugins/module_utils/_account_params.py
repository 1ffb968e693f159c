# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Between the options of the module host_accounts and the plan. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import grp
import pwd
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils._account_rules import account_problems
from ansible_collections.galilean.hub.plugins.module_utils._accounts_plan import Account, Group
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError


def desired(params: t.Mapping[str, t.Any]) -> tuple[list[Account], list[Group]]:
    """Turn the options into what should be; HubError when they cannot be meant."""
    service = params["service"]
    if service:
        problems = account_problems(service, params["groups"], params["admins"])
        if problems:
            raise HubError(" ".join(problems))
    groups = [Group(one["name"], one["gid"], one["system"], one["state"] == "present") for one in params["groups"]]
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


def service_result(accounts: list[Account]) -> dict[str, t.Any]:
    """Name and numbers of the service account, as they are now."""
    service = accounts[0]
    try:
        user = pwd.getpwnam(service.name)
        return {"name": service.name, "group": grp.getgrgid(user.pw_gid).gr_name, "uid": user.pw_uid, "gid": user.pw_gid, "home": user.pw_dir}
    except KeyError:
        return {"name": service.name, "group": service.group, "uid": service.uid, "gid": None, "home": service.home}
