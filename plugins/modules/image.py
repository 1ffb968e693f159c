#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Content-addressed container images, one or a list of them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.run import run_absent, run_present

DOCUMENTATION = r"""
module: image
short_description: Content-addressed container images
version_added: 0.1.0
author: galilean.hub contributors (@galilean)
description:
  - Ensures that container images with exactly these inputs exist. Takes one image, or a list of images that are built on each other.
  - The tag is a digest of all inputs - each file of the build context with its permissions, the Dockerfile, the arguments, the
    target and the parents' digests; or the settings of a bootstrapped base; or the digest of a registry image or an archive.
    Times, owners and secrets are not part of it.
  - Existing images take one call of the engine, for any length of the list. A registry is used only with O(source=registry).
  - Missing images of O(images) are built in parallel, each as soon as its parents exist. The module prints when builds begin and
    end, and each minute which ones run. A failed build stops only the images that are built on it.
  - A failed or killed build does not change existing images. The next run repeats it.
requirements:
  - A Docker client with BuildKit, which is one with buildx, or one older than 23.
  - C(mmdebstrap) for O(source=bootstrap).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which runs on the controller and sends build context or archive to the host if needed.
    support: full
  async:
    description: Can run in the background. Nothing is printed before its end then.
    support: full
  check_mode:
    support: full
    details:
      - An engine that cannot be reached is treated as one without images, so that a host can be checked before Docker is installed.
  diff_mode:
    support: full
    details:
      - Lists the inputs of missing images with their hashes, compared with those of the newest existing images of the same names.
  idempotent:
    support: full
    details:
      - The content of a package mirror is not an input. Change O(serial) or an argument to build with newer packages.
      - A bootstrap with the same packages creates the same image with the same ID.
options:
  name:
    description: Name of the image, without prefix and tag. This or O(images) is required.
    type: str
  images:
    description:
      - Several images, parents first, each with a C(name) and the options of this module that differ from the others.
      - C(parent), and each of C(parents), may be the name of an earlier image in the list.
      - An image with C(internal) is only a parent of others. It counts as missing only if an image that is built on it is missing, too.
    type: list
    elements: dict
    version_added: 0.8.0
  only:
    description:
      - Names of the images to build, instead of all of O(images) that are not C(internal).
      - Other images of the list are built only if one of these needs them.
    type: list
    elements: str
    version_added: 0.8.0
  repository_prefix:
    description: Prefix of the name in the image's reference.
    type: str
    default: galilean
  state:
    description: Whether the image should exist.
    type: str
    choices:
      present: The image with these inputs exists. Older images of the same name stay.
      planned: Nothing is changed. Returns which images are missing, and why.
      absent: No image of this name exists, with any inputs.
    default: present
  source:
    description: Source of the image.
    type: str
    choices:
      build: A build context with a Dockerfile.
      bootstrap: The distribution's package mirror, for a base image without a registry.
      registry: An image of a registry, by digest. It gets the labels and name of this collection. Its layers are not changed.
      archive: A tar archive, from C(docker save) with one image, or of a root file system.
    default: build
  path:
    description:
      - Folder with the build context. C(.dockerignore) is applied.
      - It is on the controller, and sent to the host only for a build. With O(remote_src=true) it is on the host.
      - Required with O(source=build), unless O(dockerfile_inline) is given.
    type: path
  files:
    description:
      - Further folders and files for the build context. They override O(path) and each other in this order.
      - They are on the same machine as O(path).
    type: list
    elements: dict
    default: []
    suboptions:
      src:
        description: Absolute path of a file, or of a folder whose content is copied.
        type: path
        required: true
      dest:
        description: Path in the build context.
        type: str
        required: true
  remote_src:
    description: Whether O(path), O(files) and O(archive) are on the host.
    type: bool
    default: false
  dockerfile:
    description: Name of the Dockerfile below O(path).
    type: str
    default: Dockerfile
  dockerfile_inline:
    description: Text of the Dockerfile, instead of a file.
    type: str
  image:
    description:
      - Image of a registry by digest, C(name@sha256:...). Required with O(source=registry).
      - The host's engine pulls it, with the credentials of C(docker login).
    type: str
  archive:
    description:
      - Tar archive, optionally compressed with gzip, bzip2 or xz. Required with O(source=archive).
      - It is on the controller, and sent to the host only if needed. With O(remote_src=true) it is on the host.
    type: path
  args:
    description:
      - Build arguments. They are recorded in the image. Use O(secrets) for passwords.
    type: dict
    default: {}
  target:
    description: Build stage, if not the last one.
    type: str
  parent:
    description:
      - Full reference of the parent image, passed as build argument C(BASE).
      - For a content-addressed image, the tag is part of the digest. For any other image, its ID in the engine.
    type: str
  parents:
    description:
      - Further images to build on or to copy from, by the build argument for their full reference.
      - They are part of the digest like O(parent).
    type: dict
    default: {}
  secrets:
    description:
      - Files on the host for the build, as BuildKit secrets, by ID of the secret.
      - They are not part of the digest or the image.
    type: dict
    default: {}
  secret_texts:
    description:
      - Texts for the build, as BuildKit secrets, by ID of the secret. They are files on the host during the build.
      - With O(source=bootstrap), C(apt) contains the passwords for O(mirror), in the format of C(apt_auth.conf(5)).
    type: dict
    default: {}
    version_added: 0.7.0
  proxy:
    description:
      - The variables C(http_proxy), C(https_proxy) and C(no_proxy) for downloads of the build.
      - They are not part of the digest, the image, its history or the process list.
    type: dict
    default: {}
    version_added: 0.7.0
  ca_bundle:
    description:
      - CA bundle on the host. Builds get it as the secret C(ca), unless O(secrets) has one.
      - Ignored if the file does not exist.
    type: path
    version_added: 0.2.0
  suite:
    description: Release of the distribution. Required with O(source=bootstrap).
    type: str
  packages:
    description: Packages in the bootstrapped base image, in addition to the essential ones.
    type: list
    elements: str
    default: [ca-certificates, python3]
  mirror:
    description: URL of a package mirror for the bootstrap. When empty, the distribution's mirror.
    type: str
    default: ''
  keyring:
    description: Keyring file on the host for the mirror's packages. When empty, the distribution's keyring.
    type: str
    default: ''
  serial:
    description: Any text. A change starts a new bootstrap with newer packages.
    type: str
    default: ''
  env:
    description:
      - Environment variables of an image with O(source=bootstrap), or of a root file system with O(source=archive).
      - They are added to the locale and the variables with the path of the CA bundle.
    type: dict
    default: {}
  timeout:
    description: Timeout of a build in seconds.
    type: int
    default: 3600
  parallel:
    description: Maximum number of parallel builds on the host, including those of other runs. Further builds wait. V(0) means the number of CPU cores.
    type: int
    default: 0
  log_dir:
    description: Folder on the host for build logs and locks. A log can be followed during the build.
    type: path
    default: /var/log/galilean-hub
  docker_cli:
    description: The docker command, with its options. By default the first one in C(PATH).
    type: list
    elements: str
seealso:
  - module: galilean.hub.software_volume
  - module: community.docker.docker_image_build
"""

EXAMPLES = r"""
- name: Bootstrap the base
  galilean.hub.image:
    name: base
    source: bootstrap
    suite: trixie
  register: base

- name: Build the hub on it
  galilean.hub.image:
    name: hub
    path: "{{ playbook_dir }}/../files/images/hub"
    parent: "{{ base.image.ref }}"
    args:
      SITE: example
    ca_bundle: /etc/ssl/certs/ca-certificates.crt

- name: Take a base of a registry instead
  galilean.hub.image:
    name: base
    source: registry
    image: registry.example.org/debian@sha256:6f8e1a4b5c2d3e7f9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f

- name: Lay a site's own look over the context of the hub
  galilean.hub.image:
    name: hub
    path: "{{ playbook_dir }}/../files/images/hub"
    files:
      - src: "{{ inventory_dir }}/files/web"
        dest: web
    parent: "{{ base.image.ref }}"

- name: Build several at the same time
  galilean.hub.image:
    images:
      - name: base
        source: bootstrap
        suite: trixie
      - name: hub
        path: "{{ playbook_dir }}/../files/images/hub"
        parent: base
      - name: proxy
        path: "{{ playbook_dir }}/../files/images/proxy"
        parent: base
    parallel: 2

- name: Remove all images of that name
  galilean.hub.image:
    name: hub
    state: absent
"""

RETURN = r"""
image:
  description:
    - The image with RV(ignore:name), RV(ignore:ref), RV(ignore:digest), RV(ignore:id) and RV(ignore:size) in bytes.
    - Reference and digest are known in check mode, too. ID and size are known only if the image exists.
  returned: success and O(name)
  type: dict
  sample:
    name: hub
    ref: galilean/hub:3f1c02aa9b7e
    digest: 3f1c02aa9b7e4a0f0f6c8f0d0b8a6f1c7a1d7c2f6e4b0a9d8c7b6a5f4e3d2c1b
    id: sha256:9c1d0f5a
    size: 486000000
actions:
  description: Actions that were done, or would be done in check mode, with the reason.
  returned: success
  type: list
  elements: dict
  sample: [{action: build, image: hub, reasons: [file nginx.conf changed]}]
refs:
  description: Reference of each image by name, also of missing images.
  returned: success, except with O(state=absent)
  type: dict
  sample: {base: 'galilean/base:8e600e797b82', hub: 'galilean/hub:3f1c02aa9b7e'}
missing:
  description: Reasons for each build, by name of the image.
  returned: success, except with O(state=absent)
  type: dict
  sample: {hub: [file nginx.conf changed]}
disk:
  description:
    - The engine's data folder as RV(ignore:path), and its free bytes before the build as RV(ignore:free).
    - Empty if the folder is not on this host, or without an engine.
  returned: something of O(images) is missing
  type: dict
  sample: {path: /var/lib/docker, free: 52613349376}
seconds:
  description: Build time of each image in seconds, by name.
  returned: when something was built
  type: dict
  sample: {hub: 12.5}
log:
  description: Path of the build log on the host.
  returned: when the image O(name) was built
  type: str
  sample: /var/log/galilean-hub/galilean-hub.log
step:
  description: The step at which the build failed.
  returned: failed build
  type: str
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "name": {"type": "str"},
    "images": {"type": "list", "elements": "dict"},
    "only": {"type": "list", "elements": "str"},
    "repository_prefix": {"type": "str", "default": "galilean"},
    "state": {"type": "str", "choices": ["present", "planned", "absent"], "default": "present"},
    "source": {"type": "str", "choices": ["build", "bootstrap", "registry", "archive"], "default": "build"},
    "path": {"type": "path"},
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"src": {"type": "path", "required": True}, "dest": {"type": "str", "required": True}},
    },
    "remote_src": {"type": "bool", "default": False},
    "dockerfile": {"type": "str", "default": "Dockerfile"},
    "dockerfile_inline": {"type": "str"},
    "image": {"type": "str"},
    "archive": {"type": "path"},
    "args": {"type": "dict", "default": {}},
    "target": {"type": "str"},
    "parent": {"type": "str"},
    "parents": {"type": "dict", "default": {}},
    # Paths of files, not what is in them.
    "secrets": {"type": "dict", "default": {}, "no_log": False},
    "secret_texts": {"type": "dict", "default": {}, "no_log": True},
    "proxy": {"type": "dict", "default": {}, "no_log": True},
    "ca_bundle": {"type": "path"},
    "suite": {"type": "str"},
    "packages": {"type": "list", "elements": "str", "default": ["ca-certificates", "python3"]},
    "mirror": {"type": "str", "default": ""},
    "keyring": {"type": "str", "default": "", "no_log": False},
    "serial": {"type": "str", "default": ""},
    "env": {"type": "dict", "default": {}},
    "timeout": {"type": "int", "default": 3600},
    "parallel": {"type": "int", "default": 0},
    "log_dir": {"type": "path", "default": "/var/log/galilean-hub"},
    "docker_cli": {"type": "list", "elements": "str"},
    # From the action plugin only: hashes of what is on the controller, whether it is only asked what has to be sent, the files
    # on the host with that by the image's name, and the file in which the builds say how far they are.
    "_context_files": {"type": "dict"},
    "_archive_digest": {"type": "str"},
    "_compare": {"type": "bool", "default": False},
    "_sent": {"type": "dict"},
    "_progress": {"type": "path"},
}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        required_one_of=[("name", "images")],
        mutually_exclusive=[("name", "images")],
        required_if=[
            ("source", "bootstrap", ("suite",)),
            ("source", "registry", ("image",)),
            ("source", "archive", ("archive",)),
        ],
        supports_check_mode=True,
    )
    try:
        run = run_absent if module.params["state"] == "absent" else run_present
        result = run(module.params, module.check_mode)
    except HubError as exc:
        module.fail_json(msg=exc.message, **exc.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
