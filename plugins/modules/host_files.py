#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Several folders and small text files of a host, in one call."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

DOCUMENTATION = r"""
module: host_files
short_description: Manage folders and small text files of a host in one call
version_added: 0.2.0
author: galilean.hub contributors (@galilean)
description:
  - Does for a list of paths what M(ansible.builtin.file) and M(ansible.builtin.copy) with C(content) do for one path. It saves
    about a third of a second for each path.
  - Files are replaced atomically.
  - Not for secrets, because diffs show them. Use M(galilean.hub.secret_files) for secrets.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  entries:
    description: Folders and files, in this order. A folder must come before its content.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path of the file or folder.
        type: path
        required: true
      content:
        description: Whole text of the file. When not set, the path is a folder.
        type: str
      only:
        description:
          - Names that may be in the folder. All other files and folders in it are removed.
          - When not set, nothing is removed.
        type: list
        elements: str
      owner:
        description: User name or UID of the owner.
        type: str
        default: root
      group:
        description: Group name or GID.
        type: str
        default: root
      mode:
        description: Permissions, as an octal number in quotes. By default V(0644) for a file and V(0755) for a folder.
        type: str
seealso:
  - module: ansible.builtin.copy
  - module: ansible.builtin.file
  - module: galilean.hub.secret_files
"""

EXAMPLES = r"""
- name: Ensure an instance's folder and a script in it
  galilean.hub.host_files:
    entries:
      - path: /srv/hub/bin
      - path: /srv/hub/bin/service
        content: "{{ lookup('ansible.builtin.template', 'service.j2') }}"
        mode: "0755"
      - path: /srv/hub/welcome
        only: [welcome.ipynb]
      - path: /srv/hub/hub
        owner: hub
        group: hub
        mode: "0700"
"""

RETURN = r"""
paths:
  description:
    - For each path, whether it RV(ignore:changed), and RV(ignore:uid) and RV(ignore:gid) of its owner and group.
    - In check mode, the values after a real run. V(null) if the user or group does not exist yet.
  returned: success
  type: dict
  sample: {/srv/hub/hub: {changed: false, uid: 990, gid: 990}}
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "entries": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "mutually_exclusive": [("content", "only")],
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str"},
            "only": {"type": "list", "elements": "str"},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "mode": {"type": "str"},
        },
    },
}
# Of the options that Ansible's own helpers expect, those that this module does not offer.
UNUSED = dict.fromkeys(("seuser", "serole", "setype", "selevel", "attributes"))
# More of a file than anybody would read in a difference.
DIFF_LIMIT = 100_000


def current_text(path: str, wanted: str | None) -> str | None:
    """The text of the file, '' for a folder, None for nothing; an error for anything else than what is wanted."""
    try:
        # A folder may well be a link to another disk.
        if wanted is None and os.path.isdir(path):
            return ""
        mode = os.lstat(path).st_mode
        if wanted is not None and stat.S_ISREG(mode):
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise HubError(f"entries has {path}, which cannot be read: {exc.strerror}.") from exc
    kind = "folder" if stat.S_ISDIR(mode) else "link" if stat.S_ISLNK(mode) else "file"
    needed = "folder" if wanted is None else "file"
    raise HubError(
        f"entries has {path}, which is a {kind} on this host where a {needed} is needed: move it away."
    )


def put(module: AnsibleModule, path: str, content: str | None) -> None:
    """Make the folder, or replace the file."""
    if content is not None and not os.path.isdir(os.path.dirname(path)):
        raise HubError(f"entries has {path}, whose folder does not exist: put that before it.")
    try:
        if content is None:
            os.makedirs(path, mode=0o755, exist_ok=True)
            return
        replace_file(path, content, module.atomic_move)
    except OSError as exc:
        raise HubError(f"entries has {path}, which cannot be made: {exc.strerror}.") from exc


def strays(entry: dict[str, t.Any]) -> list[str]:
    """What is in the folder and may not be."""
    if entry["only"] is None or not os.path.isdir(entry["path"]):
        return []
    return sorted(set(os.listdir(entry["path"])) - set(entry["only"]))


def remove(path: str) -> None:
    """Remove a file, a link or a folder with all in it."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError as exc:
        raise HubError(f"{path} cannot be removed: {exc.strerror}.") from exc


def differences_of(
    entry: dict[str, t.Any], before: str | None, attributes: dict[str, t.Any], stray: list[str]
) -> list[dict[str, t.Any]]:
    """The differences of one path: in its text, and in what else is known of it."""
    path, content = entry["path"], entry["content"]
    header = {"before_header": path, "after_header": path}
    found = []
    if content is not None and content != before and max(len(content), len(before or "")) <= DIFF_LIMIT:
        found.append({**header, "before": before or "", "after": content})
    elif content is None and before is None:
        found.append({**header, "before": {"state": "absent"}, "after": {"state": "directory"}})
    if attributes:
        found.append({**header, **attributes})
    if stray:
        found.append({**header, "before": "".join(f"{name}\n" for name in stray), "after": ""})
    return found


def ids(entry: dict[str, t.Any]) -> dict[str, int | None]:
    """The numeric ids of what is there, or of what would be made."""
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(entry["path"])
        return {"uid": found.st_uid, "gid": found.st_gid}
    numbers: dict[str, int | None] = {"uid": None, "gid": None}
    with contextlib.suppress(KeyError):
        owner, group = entry["owner"], entry["group"]
        numbers["uid"] = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
        numbers["gid"] = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    return numbers


def ensure(module: AnsibleModule, entry: dict[str, t.Any]) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
    """Bring one path into its state; its result, and the differences."""
    path, content = entry["path"], entry["content"]
    if not os.path.isabs(path):
        raise HubError(f"entries has {path}, which is not an absolute path: begin it with a slash.")
    before = current_text(path, content)
    changed = before is None or (content is not None and before != content)
    if changed and not module.check_mode:
        put(module, path, content)
    attributes: dict[str, t.Any] = {}
    if before is not None or not module.check_mode:
        wanted = {
            **UNUSED,
            **{key: entry[key] for key in ("path", "owner", "group")},
            "mode": entry["mode"] or ("0755" if content is None else "0644"),
        }
        arguments = module.load_file_common_arguments(wanted, path=path)
        changed = module.set_fs_attributes_if_different(arguments, changed, diff=attributes)
    stray = strays(entry)
    changed = changed or bool(stray)
    for name in [] if module.check_mode else stray:
        remove(os.path.join(path, name))
    return {"changed": changed, **ids(entry)}, differences_of(
        entry, before, attributes, stray
    ) if changed else []


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    paths, differences = {}, []
    try:
        for entry in module.params["entries"]:
            paths[entry["path"]], difference = ensure(module, entry)
            differences += difference
    except HubError as exc:
        module.fail_json(msg=exc.message)
    module.exit_json(changed=any(item["changed"] for item in paths.values()), paths=paths, diff=differences)


if __name__ == "__main__":
    main()
