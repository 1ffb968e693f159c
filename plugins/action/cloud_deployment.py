# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Controller side of galilean.hub.cloud_deployment: asks the cloud, plans, and carries out the plan, with progress."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.galilean.hub.plugins.module_utils.cloud import plan as cloud_plan
from ansible_collections.galilean.hub.plugins.module_utils.cloud import remove as cloud_removal
from ansible_collections.galilean.hub.plugins.module_utils.cloud.apply import Deployment
from ansible_collections.galilean.hub.plugins.module_utils.cloud.dns import own_records
from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import Found
from ansible_collections.galilean.hub.plugins.module_utils.cloud.observe import observe
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import connect
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import Wanted, wanted_of
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain

display = Display()

RULE = {
    "port": {"type": "str", "required": True},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "networks": {"type": "list", "elements": "str", "required": True},
}
SERVER = {
    "name": {"type": "str", "required": True},
    "image": {"type": "str", "default": ""},
    "flavor": {"type": "str", "default": ""},
    "boot_volume_gib": {"type": "int", "default": 0},
    "boot_volume_type": {"type": "str", "default": ""},
    "volume_gib": {"type": "int", "default": 0},
    "volume_name": {"type": "str", "default": ""},
    "volume_type": {"type": "str", "default": ""},
    "floating_ip": {"type": "str", "default": "auto"},
    "availability_zone": {"type": "str", "default": ""},
    "config_drive": {"type": "bool", "default": True},
    "user_data": {"type": "str", "default": ""},
    "security_groups": {"type": "list", "elements": "str", "default": []},
    "dns_name": {"type": "str", "default": ""},
    "dns_wildcard": {"type": "bool", "default": False},
    "metadata": {"type": "dict", "default": {}},
}
SPEC: dict[str, t.Any] = {
    "cloud": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "servers_absent"], "default": "present"},
    "servers": {"type": "list", "elements": "dict", "options": SERVER, "default": []},
    "public_key": {"type": "str", "default": ""},
    "ssh_networks": {"type": "list", "elements": "str", "default": []},
    "web_networks": {"type": "list", "elements": "str", "default": []},
    "rules": {"type": "list", "elements": "dict", "options": RULE, "default": []},
    "network": {"type": "str", "default": ""},
    "external_network": {"type": "str", "default": ""},
    "subnet_cidr": {"type": "str", "default": "192.168.230.0/24"},
    "dns_servers": {"type": "list", "elements": "str", "default": []},
    "server_group_policy": {
        "type": "str",
        "choices": ["", "affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"],
        "default": "",
    },
    "volume_growth": {"type": "str", "choices": ["online", "offline"], "default": "online"},
    "delete_volumes": {"type": "bool", "default": False},
    "release_addresses": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 900},
}


def facts_of(wanted: Wanted, found: Found) -> list[dict[str, t.Any]]:
    """What is known of each server; one that is not there has no id."""
    facts = []
    for server in wanted.servers:
        there = cloud_plan.ours(found.servers, server.name)
        port = cloud_plan.find_port(wanted, server, found)
        address = cloud_plan.find_address(wanted, server, found)
        volume = cloud_plan.ours(found.volumes, server.volume) if server.volume else None
        fixed = port.addresses[0] if port and port.addresses else ""
        floating = address.address if address and port and address.port == port.id else ""
        facts.append(
            {
                "name": server.name,
                "id": there.id if there else "",
                "status": there.status if there else "",
                "address": (floating or fixed) if there else "",
                "fixed_ip": fixed,
                "floating_ip": floating,
                "volume_id": volume.id if volume else "",
                "volume_gib": volume.size if volume else 0,
            }
        )
    return facts


def pins_of(wanted: Wanted, facts: t.Sequence[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """The servers that exist, as server_host_keys takes them."""
    dns = {server.name: server.dns_name for server in wanted.servers}
    return [
        {
            "id": one["id"],
            "name": one["name"],
            "hosts": list(filter(None, [one["address"], dns[one["name"]].rstrip(".")])),
        }
        for one in facts
        if one["id"] and one["address"]
    ]


def diff_of(plan_steps: t.Sequence[cloud_plan.Step]) -> dict[str, str]:
    """Steps as the diff shows them."""
    return {
        "before_header": "the project as it is",
        "after_header": "the project as the settings say",
        "before": "".join(f"{step}\n" for step in plan_steps if step.verb == "remove"),
        "after": "".join(f"{step}\n" for step in plan_steps if step.verb != "remove"),
    }


def report(wanted: Wanted, found: Found, steps: t.Sequence[cloud_plan.Step]) -> dict[str, t.Any]:
    """What every state returns."""
    facts = facts_of(wanted, found)
    return {
        "changed": bool(steps),
        "actions": [str(step) for step in steps],
        "servers": facts,
        "pins": pins_of(wanted, facts),
        "diff": diff_of(steps),
    }


class ActionModule(ActionBase):
    """Ansible's entry point."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(argument_spec=SPEC)
        params = to_plain(params)
        try:
            wanted = wanted_of(params)
            conn = connect(wanted.cloud)
            answer = (
                self._present(conn, wanted, params)
                if params["state"] == "present"
                else self._absent(conn, wanted, params)
            )
        except HubError as exc:
            return {**result, "failed": True, "changed": False, "msg": exc.message}
        return {**result, **answer}

    def _say(self, text: str) -> None:
        display.display(f"{self._task.args.get('name')}: {text}")

    def _refuse(self, wanted: Wanted, problems: list[str]) -> None:
        if problems:
            lines = "\n".join(f"- {sentence}" for sentence in problems)
            start = "One thing is" if len(problems) == 1 else f"{len(problems)} things are"
            raise HubError(
                f"{start} in the way on the cloud {wanted.cloud}; nothing has been touched.\n{lines}"
            )

    def _present(self, conn: t.Any, wanted: Wanted, params: dict[str, t.Any]) -> dict[str, t.Any]:
        found = observe(conn, wanted)
        plan = cloud_plan.make_plan(wanted, found)
        self._refuse(wanted, plan.problems)
        if not self._task.check_mode:
            found = Deployment(conn, wanted, params["timeout"], self._say).run(found, plan)
        return {
            **report(wanted, found, plan.steps),
            "left": [],
            **({"warnings": plan.warnings} if plan.warnings else {}),
        }

    def _absent(self, conn: t.Any, wanted: Wanted, params: dict[str, t.Any]) -> dict[str, t.Any]:
        found = observe(conn, wanted)
        if params["state"] == "servers_absent":
            # They are to be made anew: not before it is known that they can.
            self._refuse(
                wanted, cloud_plan.make_plan(wanted, cloud_removal.without_servers(wanted, found)).problems
            )
        plan = cloud_removal.plan_removal(
            wanted,
            found,
            params["state"] == "servers_absent",
            params["delete_volumes"],
            params["release_addresses"],
            own_records(conn, wanted) if params["state"] == "absent" else (),
        )
        if not self._task.check_mode:
            cloud_removal.Remover(conn, wanted, params["timeout"], self._say).run(found, plan)
        # Also of servers that the settings do not name any more.
        gone = [{"id": one.id, "name": one.name, "hosts": []} for one in found.servers if one.ours]
        answer = report(wanted, found, plan.steps)
        known = {pin["id"] for pin in answer["pins"]}
        answer["pins"] += [pin for pin in gone if pin["id"] not in known and params["state"] == "absent"]
        return {**answer, "left": plan.left}
