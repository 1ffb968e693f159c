# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What cloud-init is told.

Everybody who may look at the server can read it, and so can every program on it that reaches the metadata service: nothing
secret belongs here. https://cloudinit.readthedocs.io/en/latest/reference/modules.html
"""

from __future__ import annotations

import json
import re
import typing as t

# Letters that YAML takes for ends of lines, or does not take at all.
SPECIAL = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def yaml_of(value: t.Any, **options: t.Any) -> str:
    """A value as JSON that is YAML as well: that does not join two escapes to one letter, as JSON does."""
    text = json.dumps(value, ensure_ascii=False, **options)
    return SPECIAL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def user_data(login_user: str, public_key: str, packages: t.Sequence[str]) -> str:
    """Cloud config that makes the login user where the image lacks it, and installs packages."""
    config: dict[str, t.Any] = {
        "users": [
            "default",
            {
                "name": login_user,
                "ssh_authorized_keys": [public_key],
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "shell": "/bin/bash",
                "lock_passwd": True,
            },
        ],
        "ssh_pwauth": False,
        "disable_root": True,
    }
    if packages:
        config |= {"packages": list(packages), "package_update": True}
    return "#cloud-config\n" + yaml_of(config, indent=1, sort_keys=True) + "\n"
