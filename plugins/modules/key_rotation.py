#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: key_rotation
short_description: Rotate the key that encrypts a hub's authentication state
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - A hub encrypts its authentication state with the first key of a file, and decrypts it with any of them. This module inserts a
    new first key, or removes the old keys.
  - Between the two steps, the hub must restart and encrypt all its state with the new key. The playbook C(rotate_key) does all steps.
  - Keys never appear in results, diffs or logs.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details:
      - The diff shows the number of keys, never a key.
  idempotent:
    support: full
options:
  path:
    description: Path of the key file. It must exist. Its owner and mode stay.
    type: path
    required: true
  state:
    description: Step of the rotation.
    type: str
    required: true
    choices:
      begun: A new key is first in the file. With two or more keys, a rotation has already begun, and nothing changes.
      finished: The first key is the only one. Data that is encrypted with another key is lost.
"""

EXAMPLES = r"""
- name: Put a new key in front
  galilean.hub.key_rotation:
    path: /srv/hub/secrets/crypt-key
    state: begun
"""

RETURN = r"""
keys:
  description: Number of keys in the file.
  type: int
  returned: always
  sample: 2
"""

import secrets as random_source
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.crypt_keys import read, rotated

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "required": True, "choices": ["begun", "finished"]},
}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Read, decide, write."""
    path = module.params["path"]
    try:
        with open(path, encoding="utf-8") as file:
            before = read(file.read(), path)
    except (OSError, UnicodeDecodeError) as exc:
        raise HubError(
            f"path is {path}, which cannot be read ({exc}): run site.yml first, it makes the file"
        ) from exc
    after = rotated(before, module.params["state"], lambda: random_source.token_hex(32))
    if after != before and not module.check_mode:
        replace_file(path, "".join(f"{key}\n" for key in after), module.atomic_move)
    result: dict[str, t.Any] = {"changed": after != before, "keys": len(after)}
    if module._diff:
        result["diff"] = {"before": {"keys": len(before)}, "after": {"keys": len(after)}}
    return result


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**run(module))
    except HubError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
