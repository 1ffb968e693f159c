#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: key_rotation
short_description: Rotate the key that a hub encrypts logins with
version_added: 0.5.0
author: galilean.hub contributors (@galilean)
description:
  - A hub encrypts what it keeps of logins with the first key of a file, and decrypts with any of them. This puts a new key in front,
    or takes the old ones out.
  - Between the two the hub has to be restarted, and must have encrypted all it keeps with the new key. The playbook C(rotate_key) does
    all of it.
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
      - The diff says how many keys there are, never a key.
  idempotent:
    support: full
options:
  path:
    description: The file. It must be there; its owner and mode stay.
    type: path
    required: true
  state:
    description: What is wanted.
    type: str
    required: true
    choices:
      begun: A new key stands in front of the old one. Where there are two or more keys already, a rotation was begun before, and goes on.
      finished: The first key is the only one. What is encrypted with another one is lost.
"""

EXAMPLES = r"""
- name: Put a new key in front
  galilean.hub.key_rotation:
    path: /srv/hub/secrets/crypt-key
    state: begun
"""

RETURN = r"""
keys:
  description: How many keys are in the file.
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
