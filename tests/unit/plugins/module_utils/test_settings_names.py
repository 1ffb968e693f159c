# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings import names
from ansible_collections.galilean.hub.plugins.module_utils.settings.names import Placed
from ansible_collections.galilean.hub.plugins.module_utils.settings.renamed import RENAMED

ROLES = ["docker", "edge", "jupyterhub", "users"]
SPECS: dict[str, dict[str, t.Any]] = {
    "docker_packages": {"type": "list"},
    "edge_port": {"type": "int"},
    "edge_bind_address": {"type": "str"},
    "jupyterhub_instance": {"type": "str"},
    "jupyterhub_cookie_secret": {"type": "str", "no_log": True},
    "users_accounts": {"type": "list"},
}

# What is right, or none of our business.
RIGHT: dict[str, t.Any] = {
    "edge_port": 8000, "docker_cli": ["docker"], "ansible_host": "192.0.2.1", "ansible_docker_extra_args": "",
    "__edge_port": 1, "inventory_hostname": "hub", "my_edge_port": 8000, "institute_name": "Arcetri",
    "teardown_confirm": "hub",
}  # fmt: skip

# What is given, what is told of its value, and what is meant.
MISSPELLED: list[tuple[str, t.Any, str, str]] = [
    # a wrong beginning
    ("jupterhub_instance", "proto", " (it is 'proto')", "jupyterhub_instance"),
    ("jupyter_hub_instance", "p", " (it is 'p')", "jupyterhub_instance"),
    ("user_accounts", [], "", "users_accounts"),
    ("Edge_port", 80, " (it is 80)", "edge_port"),
    ("egde_port", 80, " (it is 80)", "edge_port"),
    # a wrong end
    ("edge_prot", 80, " (it is 80)", "edge_port"),
    ("edge_bindaddress", "::", " (it is '::')", "edge_bind_address"),
    # secrets stay out
    ("jupyterhub_cookie_secert", "hunter2", "", "jupyterhub_cookie_secret"),
    ("jupyterhub_instance_token", "hunter2", "", "jupyterhub_instance"),
]


def test_right_names() -> None:
    assert names.misspelled(RIGHT, SPECS, ROLES) == []


@pytest.mark.parametrize(("name", "value", "shown", "meant"), MISSPELLED)
def test_a_misspelled_name(name: str, value: t.Any, shown: str, meant: str) -> None:
    sentence = f"{name}{shown} is not a setting: did you mean {meant}?"
    assert names.misspelled({name: value}, SPECS, ROLES) == [sentence]


def test_a_name_that_is_like_no_other() -> None:
    assert names.misspelled({"docker_xyz": True}, SPECS, ROLES) == [
        "docker_xyz is not a setting of the role docker: remove it, or see docs/roles/docker.md."
    ]


def test_what_no_playbook_takes() -> None:
    """Somebody who means to remove the data should not learn afterwards that it is still there."""
    assert names.misspelled({"teardown_confirm": "hub", "takeover_data": True}, SPECS, ROLES) == [
        "takeover_data is no variable of a playbook: use one of takeover_confirm."
    ]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("restor_user", "did you mean restore_user?"),
        ("migrat_from", "did you mean migrate_from?"),
        ("restore_usr", "did you mean restore_user?"),
        ("teardown_scop", "did you mean teardown_scope?"),
        ("drill_homes", "did you mean backup_drill_homes?"),
        ("drill_x", f"use one of {', '.join(names.DRILL)}."),
    ],
)
def test_a_misspelled_variable_of_a_playbook(name: str, fix: str) -> None:
    said = [f"{name} is no variable of a playbook: {fix}"]
    assert names.misspelled({name: 1}, SPECS, ROLES) == said
    assert names.playbook_name(name) == said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        # What Ansible takes from -e is text, and from -e '{...}' what JSON says.
        *[("restore_beside", value, "") for value in ("false", "yes", "1", True, "False")],
        ("move_notice", "15", ""),
        ("move_notice", 0, ""),
        ("restore_user", "ada", ""),
        ("restore_user", 20231234, ""),
        ("restore_archive", "", ""),
        ("teardown_scope", "instance", ""),
        ("migrate_names", {"ada": "bob"}, ""),
        ("migrate_users", "ada,bob", ""),
        ("migrate_from", "tljh", ""),
        ("hubctl_arguments", "announce \"It's late\"", ""),
        ("hubctl_arguments", "", ""),
        ("restore_beside", "ture", "restore_beside is 'ture': give true or false."),
        ("restore_beside", "", "restore_beside is '': give true or false."),
        ("teardown_delete_data", "maybe", "teardown_delete_data is 'maybe': give true or false."),
        ("teardown_scope", "instnace", "teardown_scope is 'instnace': use one of deployment, instance."),
        ("move_notice", "15m", "move_notice is '15m': give a whole number, such as 15."),
        ("move_notice", "-5", "move_notice is -5: give 0 or more."),
        ("restore_user", ["ada"], "restore_user is a list: give a text."),
        ("migrate_from", "TLJH", "migrate_from is 'TLJH': use one of tljh, deploy_docker, jukebox, folders."),
        (
            "hubctl_arguments",
            "announce It's",
            "hubctl_arguments is 'announce It's', with one quotation mark: write the other one, or a "
            "backslash before it.",
        ),
    ],
)  # fmt: skip
def test_values_that_are_given_to_playbooks(name: str, value: t.Any, said: str) -> None:
    assert names.playbook_value(name, value) == ([said] if said else [])


@pytest.mark.parametrize(("former", "name"), sorted(RENAMED.items()))
def test_a_former_name_is_refused_with_the_new_one(former: str, name: str) -> None:
    assert names.misspelled({former: 1}, SPECS, ROLES) == [
        f"{former} is called {name} now: rename it (docs/upgrading.md)."
    ]


def hub(host: str, machine: str = "192.0.2.1", **rest: str) -> Placed:
    return Placed(
        host=host,
        machine=machine,
        instance=rest.get("instance", "hub"),
        address=rest.get("address", "127.0.0.1"),
        ports={"edge_port": rest.get("port", "8000"), "edge_http_port": rest.get("http", "0")},
        subnet=rest.get("subnet", ""),
        shared="shared" in rest,
        names=tuple(rest.get("shared", "").split()),
        subdomains="subdomains" in rest,
    )


def port(number: int, which: str, address: str = "127.0.0.1", fix: str = "") -> str:
    first = which.split()[0]
    return f"use port {number} of {address} ({which}): give one of them another {first}{fix}."


PROTO = {"instance": "proto"}
EDGE = "edge_port and edge_port"
# What both have, and how to mend it; nothing where they stand side by side.
CLASHES: list[tuple[list[Placed], str]] = [
    ([hub("a")], ""),
    ([hub("a"), hub("b", "192.0.2.2")], ""),
    ([hub("a"), hub("b", **PROTO, port="8001")], ""),
    ([hub("a"), hub("b", **PROTO, address="127.0.0.2")], ""),
    ([hub("a", subnet="10.1.0.0/24"), hub("b", **PROTO, port="8001", subnet="10.2.0.0/24")], ""),
    ([hub("a", subnet="nonsense"), hub("b", **PROTO, port="8001", subnet="10.2.0.0/24")], ""),
    ([hub("x", "192.0.2.2"), hub("y", "192.0.2.2")], ""),  # not this host's business
    (
        [hub("a"), hub("b", port="8001")],
        "have jupyterhub_instance 'hub': give one of them another name (and edge_port).",
    ),
    ([hub("a"), hub("b", **PROTO)], port(8000, EDGE)),
    ([hub("b", **PROTO, address="0.0.0.0"), hub("a")], port(8000, EDGE, "0.0.0.0")),
    (
        [hub("a", port="443", http="80"), hub("b", **PROTO, port="80")],
        port(80, "edge_http_port and edge_port"),
    ),
    # Behind one SNI router by name, also where they want different ports.
    ([hub("a", shared="a.org"), hub("b", **PROTO, shared="b.org x.org")], ""),
    ([hub("a", shared="a.org", port="443"), hub("b", **PROTO, port="80", http="443", shared="b.org")], ""),
    (
        [hub("a", shared="a.org x.org"), hub("b", **PROTO, port="8001", shared="b.org X.org")],
        "have the name x.org (edge_server_name, edge_server_aliases) while edge_sni_routing is true: give "
        "one of them another.",
    ),
    (
        [hub("a", shared="a.org", subdomains="yes"), hub("b", **PROTO, shared="b.org beta.A.org")],
        "have the names a.org and beta.a.org while jupyterhub_subdomains is true: names below the first "
        "belong to its users, so give the other another.",
    ),
    ([hub("a", shared="a.org *.a.org"), hub("b", **PROTO, shared="beta.a.org")], ""),
    # The same name behind two SNI routers, each with an address of its own.
    ([hub("a", shared="a.org"), hub("b", **PROTO, address="127.0.0.2", shared="a.org")], ""),
    ([hub("a", shared="a.org"), hub("b", **PROTO)], port(8000, EDGE, fix=", or both edge_sni_routing")),
    (
        [hub("a", shared="a.org"), hub("b", **PROTO, address="0.0.0.0", shared="b.org")],
        port(8000, EDGE, fix=", or both the same edge_bind_address"),
    ),
    (
        [hub("a", subnet="10.1.0.0/16"), hub("b", **PROTO, port="8001", subnet="10.1.2.0/24")],
        "use the network 10.1.0.0/16 for user servers: give one of them another jupyterhub_users_subnet.",
    ),
]


@pytest.mark.parametrize(("placed", "said"), CLASHES)
def test_clashes(placed: list[Placed], said: str) -> None:
    both = " and ".join(one.host for one in placed)
    sentence = f"{both} are the same machine (192.0.2.1) and both {said}"
    assert names.clashes(placed, "a") == ([sentence] if said else [])


FOLDERS: list[tuple[str, str, bool]] = [
    ("/srv/hub", "/var/lib/docker", False),
    ("/srv/hub", "/srv/docker", False),
    ("/srv/docker2", "/srv/docker", False),
    # The settings of a role that is not part of the play are not known.
    ("/srv/docker", "", False),
    ("/srv/docker", "/srv/docker", True),
    ("/srv/docker", "/srv/docker/", True),
    ("/var/lib/docker/hub", "/var/lib/docker", True),
    ("/srv/hub", "/srv/hub/docker", True),
]


@pytest.mark.parametrize(("state", "data", "shared"), FOLDERS)
def test_an_instance_and_the_engine_do_not_share_a_folder(state: str, data: str, shared: bool) -> None:
    found = names.shared_folder("docker", state, data)
    assert bool(found) is shared
    if found:
        assert found == [
            f"jupyterhub_instance is 'docker', whose folder {state} would share files with {data}, where "
            "Docker keeps its data (docker_data_root): give the instance another name, or set "
            "docker_data_root to another folder."
        ]
