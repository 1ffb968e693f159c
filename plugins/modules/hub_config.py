#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: hub_config
short_description: Check and write the configuration data and hooks of a hub
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Writes the configuration of a JupyterHub as a data file. Before, it checks each class, trait and value against the classes in
    the image that will load the file.
  - JupyterHub itself ignores a misspelled trait. This module refuses it, suggests the nearest trait, and does not change the
    file, so that the running hub is not affected.
  - The site's hooks are a Python file, C(hooks.py), in the same folder. The check loads it in the same image.
  - The check runs only if one of the files would change. It takes one to two seconds.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.files
  - galilean.hub.attributes.actiongroup_hub
  - ansible.builtin.files
attributes:
  check_mode:
    support: full
    details:
      - Checks the settings, too, if the image exists.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description: Path of the data file. Its folder must exist.
    type: path
    required: true
  data:
    description:
      - The data, from P(galilean.hub.hub_config_data#filter). It must not contain secrets, because diffs show it.
    type: dict
    required: true
  image:
    description: Image of the hub for the check.
    type: str
    required: true
  hooks:
    description:
      - Content of the site's hooks file. It must not contain secrets, because diffs show it.
      - When empty, the file is removed.
    type: str
    default: ""
  releases_dir:
    description:
      - Folder of M(galilean.hub.hub_release). With it, the files are not written over those of a hub that is there, but into C(.next)
        of this folder, from where M(galilean.hub.hub_release) brings them to their place.
    type: path
    version_added: 0.9.0
  hub_container:
    description: Container of the hub, by which it is known whether one is there.
    type: str
    version_added: 0.9.0
  release:
    description: The parts of the present release's record that the settings say, to compare.
    type: dict
    default: {}
    version_added: 0.9.0
  run:
    description: Name of this run, from P(galilean.hub.run#lookup). Nothing is changed while another run switches.
    type: str
    default: ''
    version_added: 0.9.0
  docker_cli:
    description: Docker client.
    type: str
    default: docker
  timeout:
    description: Timeout of the check in seconds.
    type: int
    default: 120
seealso:
  - plugin: galilean.hub.hub_config_data
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the hub's configuration
  galilean.hub.hub_config:
    path: /srv/hub/config/config.json
    data: "{{ __jupyterhub_layout | galilean.hub.hub_config_data(settings=__jupyterhub_settings) }}"
    hooks: "{{ lookup('ansible.builtin.file', jupyterhub_hooks_file) }}"
    image: "{{ images_refs.hub }}"
    mode: "0644"
"""

RETURN = r"""
drift:
  description: Settings that differed in the file. Empty if none.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Path of the setting in the data.
      type: str
    current:
      description: Value in the file, V(null) when absent.
      type: raw
    desired:
      description: Desired value, V(null) when absent.
      type: raw
  sample:
    - {name: traits.DockerSpawner.mem_limit, current: 1024M, desired: 2048M}
problems:
  description: Settings that the image does not accept, one sentence each.
  type: list
  elements: str
  returned: failure
  sample:
    - 'DockerSpawner.allowed_imagez: DockerSpawner has no such trait, did you mean allowed_images?'
checked:
  description: Whether the data was checked in the image in this run.
  type: bool
  returned: success
staged:
  description: Whether the files are in C(.next) of O(releases_dir).
  type: bool
  returned: success
recorded:
  description: Whether the present release is recorded with O(release).
  type: bool
  returned: success
"""

import contextlib
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_plan import (
    HOOKS,
    drift,
    lint_argv,
    lint_verdict,
    parse,
    serialise,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.releases import Releases

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "data": {"type": "dict", "required": True},
    "image": {"type": "str", "required": True},
    "hooks": {"type": "str", "default": ""},
    "releases_dir": {"type": "path"},
    "hub_container": {"type": "str"},
    "release": {"type": "dict", "default": {}},
    "run": {"type": "str", "default": ""},
    "docker_cli": {"type": "str", "default": "docker"},
    "timeout": {"type": "int", "default": 120},
}


def read(path: str) -> str | None:
    """The file's content, None when there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise HubError(f"path is {path}: it cannot be read ({exc.strerror})") from exc


def lint(module: AnsibleModule, content: str, hooks: str) -> list[str]:
    """Check the content of both files in the image."""
    image = module.params["image"]
    # Readable for the account that the check runs as; the folder around it is not.
    path = temporary(module, hooks, 0o644) if hooks else ""
    argv = lint_argv([module.params["docker_cli"]], image, path)
    # A time limit of its own: a hanging engine must not hang the run.
    argv = ["timeout", str(module.params["timeout"]), *argv]
    returncode, stdout, stderr = module.run_command(argv, data=content)
    return lint_verdict(returncode, stdout, stderr, image)


def image_exists(module: AnsibleModule) -> bool:
    argv = [module.params["docker_cli"], "image", "inspect", "--format", "{{.Id}}", module.params["image"]]
    return module.run_command(argv)[0] == 0


def stage(module: AnsibleModule) -> str:
    """The folder to write to where a hub is there; empty where none is."""
    params = module.params
    argv = [params["docker_cli"], "container", "inspect", "--format={{.Id}}", str(params["hub_container"])]
    if not params["releases_dir"] or module.check_mode or module.run_command(argv)[0]:
        return ""
    Releases(Path(params["releases_dir"])).claim(params["run"])
    folder = os.path.join(params["releases_dir"], ".next")
    # One that was left may have more in it.
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700)
    os.chmod(params["releases_dir"], 0o700)
    return folder


def is_recorded(params: dict[str, t.Any]) -> bool:
    found = parse(read(os.path.join(params["releases_dir"] or "", "current", "record.json")))
    return all(found.get(key) == value for key, value in params["release"].items())


def temporary(module: AnsibleModule, content: str, mode: int = 0o600) -> str:
    """A file with that content, which goes when the module ends."""
    handle, path = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)
        file.write(content)
    return path


def write(module: AnsibleModule, path: str, content: str) -> None:
    """Replace the file in one step: a hub that starts meanwhile reads the old or the new one, never a half."""
    if content:
        replace_file(path, content, module.atomic_move)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def run(module: AnsibleModule) -> dict[str, t.Any]:
    """Read, compare, check, write."""
    path: str = module.params["path"]
    folder = os.path.dirname(path)
    if not os.path.isdir(folder) and not module.check_mode:
        raise HubError(f"path is {path}: its folder does not exist, create it first")
    if module.params["releases_dir"] and not module.check_mode:
        Releases(Path(module.params["releases_dir"])).refuse(module.params["run"])
    data, hooks = serialise(module.params["data"]), module.params["hooks"].rstrip()
    # The hooks first: a run that ends in between leaves the data to the next one, which restarts the hub.
    wanted = {os.path.join(folder, HOOKS): hooks and f"{hooks}\n", path: data}
    before = {name: read(name) or "" for name in wanted}
    changed = before != wanted
    checked = False
    if changed and (not module.check_mode or image_exists(module)):
        problems = lint(module, data, hooks)
        checked = True
        if problems:
            module.fail_json(
                msg="The image of the hub does not accept these settings, nothing was changed: "
                + "; ".join(
                    problem if problem.startswith("jupyterhub_") else f"jupyterhub_config_extra: {problem}"
                    for problem in problems
                ),
                problems=problems,
            )
    result: dict[str, t.Any] = {
        "checked": checked,
        "drift": drift(parse(before[path]), module.params["data"]),
    }
    if module._diff:
        result["diff"] = [
            {"before": before[name], "after": after, "before_header": name, "after_header": name}
            for name, after in wanted.items()
            if before[name] or after
        ]
    staged = stage(module) if changed else ""
    result.update(staged=bool(staged), recorded=is_recorded(module.params))
    if staged:
        wanted = {os.path.join(staged, os.path.basename(name)): after for name, after in wanted.items()}
        before = dict.fromkeys(wanted, "")
    for name, after in wanted.items():
        if before[name] != after and not module.check_mode:
            write(module, name, after)
        if after and (not module.check_mode or before[name]):
            attributes = module.load_file_common_arguments(module.params, path=name)
            changed = module.set_fs_attributes_if_different(attributes, changed)
    return {"changed": changed, **result}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, add_file_common_args=True)
    try:
        module.exit_json(**run(module))
    except HubError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
