#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: secret_files
short_description: Manage secrets of a hub instance as files
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Stores secrets as files with mode V(0600) in one folder with mode V(0700).
  - A given value is written. Without a value, an existing file stays. Without both, a secret is generated from the operating
    system's random source.
  - Values never appear in results, diffs or logs.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details:
      - The diff shows the names and sources of changed secrets, never a value.
  idempotent:
    support: full
options:
  path:
    description: Folder of the files. It is created if missing. Its parent must exist.
    type: path
    required: true
  owner:
    description: User name or UID of the owner of folder and files.
    type: str
    required: true
  group:
    description: Group name or GID of folder and files.
    type: str
    required: true
  former:
    description: Folder that gets a copy of O(path) before something in it is changed, if it is not there yet. Its parents are created.
    type: path
    version_added: 0.9.0
  run:
    description: Name of this run, from P(galilean.hub.run#lookup). Nothing is changed while another run switches.
    type: str
    default: ''
    version_added: 0.9.0
  secrets:
    description: The secrets. Other files in the folder are not changed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the file.
        type: str
        required: true
      value:
        description: Value of the secret. Empty to keep or generate one.
        type: str
        default: ''
      bytes:
        description:
          - Number of random bytes in a generated secret, which is written in hexadecimal digits.
          - With V(0) no secret is generated.
        type: int
        default: 32
      used_by:
        description:
          - Names of the fingerprints that include the secret, for example the containers that must restart when it changes.
        type: list
        elements: str
        default: [hub]
        version_added: 0.5.0
"""

EXAMPLES = r"""
- name: Ensure the hub's secrets exist
  galilean.hub.secret_files:
    path: /srv/hub/secrets
    owner: hub
    group: hub
    secrets:
      - {name: proxy-token}
      - {name: login-password, value: "{{ jupyterhub_login_password }}", bytes: 0}
"""

RETURN = r"""
sources:
  description: Source of each secret, one of V(given), V(present), V(generated), V(absent).
  type: dict
  returned: always
  sample: {proxy-token: present, login-password: absent}
fingerprints:
  description:
    - For each name in O(secrets[].used_by), a keyed hash that changes when one of its secrets changes. It does not reveal the secrets.
    - Empty in check mode if secrets would be generated.
  type: dict
  returned: always
  version_added: 0.5.0
  sample: {hub: 5f2d8e8a1c9b7d10, proxy: 0c1e7a92d4f3b658}
"""

import os
import secrets as random_source
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.host.secrets_plan import decide, fingerprints
from ansible_collections.galilean.hub.plugins.module_utils.hub.releases import Releases, copy_folder

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "owner": {"type": "str", "required": True},
    "group": {"type": "str", "required": True},
    "former": {"type": "path"},
    "run": {"type": "str", "default": ""},
    "secrets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "value": {"type": "str", "default": "", "no_log": True},
            "bytes": {"type": "int", "default": 32},
            "used_by": {"type": "list", "elements": "str", "default": ["hub"]},
        },
    },
}


def read(folder: str, names: list[str]) -> dict[str, str]:
    """Content of the files that are there."""
    present = {}
    for name in names:
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                present[name] = file.read()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as exc:
            raise HubError(f"the secret {os.path.join(folder, name)} cannot be read: {exc}") from exc
    return present


def ensure_attributes(module: AnsibleModule, path: str, mode: str, changed: bool) -> bool:
    arguments = module.load_file_common_arguments(
        {**module.params, "path": path, "mode": mode, "attributes": None}, path=path
    )
    return module.set_fs_attributes_if_different(arguments, changed)


def keep(folder: str, former: str) -> None:
    """What the hub goes back to if it does not start with what comes."""
    if not os.path.isdir(former):
        # The folder of all releases, and that of what this run replaces.
        for path in (os.path.dirname(os.path.dirname(former)), os.path.dirname(former)):
            os.makedirs(path, mode=0o700, exist_ok=True)
        copy_folder(Path(folder), Path(former))


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Read, decide, write."""
    folder = module.params["path"]
    if not os.path.isdir(os.path.dirname(folder)) and not module.check_mode:
        raise HubError(f"path is {folder}: its parent folder does not exist, create it first")
    present = read(folder, [secret["name"] for secret in module.params["secrets"]])
    decisions = decide(module.params["secrets"], present, random_source.token_hex)
    changed = not os.path.isdir(folder) or any(decision.write is not None for decision in decisions)
    if not module.check_mode:
        former = module.params["former"]
        if former and present and any(decision.write is not None for decision in decisions):
            Releases(Path(former).parent.parent).claim(module.params["run"])
            keep(folder, former)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        changed = ensure_attributes(module, folder, "0700", changed)
    for decision in decisions:
        path = os.path.join(folder, decision.name)
        if decision.write is not None:
            present[decision.name] = decision.write
            if not module.check_mode:
                replace_file(path, f"{decision.write}\n", module.atomic_move)
        if os.path.exists(path):
            changed = ensure_attributes(module, path, "0600", changed)
    sources = {decision.name: decision.source for decision in decisions}
    generated = module.check_mode and "generated" in sources.values()
    result: dict[str, t.Any] = {
        "changed": changed,
        "sources": sources,
        "fingerprints": fingerprints(module.params["secrets"], {} if generated else present),
    }
    if module._diff:
        result["diff"] = {
            "before": {
                name: "present" for name in sources if name in present and sources[name] != "generated"
            },
            "after": {decision.name: decision.source for decision in decisions if decision.write is not None},
        }
    return result


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, add_file_common_args=False)
    module.params.update({"mode": None, "seuser": None, "serole": None, "setype": None, "selevel": None})
    try:
        module.exit_json(**run(module))
    except HubError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
