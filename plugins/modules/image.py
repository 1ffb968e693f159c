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
  - Makes sure that container images exist that were made from exactly these inputs. One, or a list in which images are built on others.
  - The tag is a digest of everything that decides the content. That is every file of the build context with its permissions,
    the Dockerfile, the arguments, the target and the parents' digests, or the settings of a bootstrapped base, or the digest
    of an image in a registry, or that of an archive. Times, owners and secrets are not in it.
  - Images that are there already cost one call of the engine, however long the list is. A registry is asked with O(source=registry) only.
  - What is missing of O(images) is built at the same time, each image as soon as its parents are there. Meanwhile it is printed which
    builds begin and end, and each minute which ones run. An image that fails stops only those that are built on it.
  - A failed or killed build leaves the images that exist as they are. The next run does it again.
requirements:
  - A Docker client that can build with BuildKit, which is one with buildx, or one older than 23.
  - C(mmdebstrap) for O(source=bootstrap).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Has an action plugin, which runs on the controller and sends build context or archive to other hosts when it is needed.
    support: full
  async:
    description: Can run in the background. Then nothing is printed before its end.
    support: full
  check_mode:
    support: full
    details:
      - An engine that cannot be reached counts as one without images, so that a host can be checked before Docker is installed.
  diff_mode:
    support: full
    details:
      - Lists the inputs of missing images with their hashes beside those of the newest existing images of the same names.
  idempotent:
    support: full
    details:
      - What a package mirror answers is not an input. Change O(serial) or an argument to build with newer packages.
      - A bootstrap with the same packages makes the same image, down to its id.
options:
  name:
    description: Name of the image, without prefix and tag. This or O(images) is required.
    type: str
  images:
    description:
      - Several images, parents first, each with a C(name) and those options of this module in which it differs from the others.
      - A C(parent), and each of C(parents), may be the name of an image before it in the list.
      - One with C(internal) serves to build others. It is missing only where one that is built on it is missing, too.
    type: list
    elements: dict
    version_added: 0.8.0
  only:
    description:
      - The names of the images to have, instead of all of O(images) that are not C(internal).
      - Others of the list are missing only where one of these is to be built on them.
    type: list
    elements: str
    version_added: 0.8.0
  repository_prefix:
    description: What stands before the name in the image's reference.
    type: str
    default: galilean
  state:
    description: Whether the image should exist.
    type: str
    choices:
      present: The image of these inputs exists. Older ones of the same name stay.
      planned: Nothing is changed. It is only said what is missing, and why.
      absent: No image of this name exists, whatever its inputs.
    default: present
  source:
    description: What the image is made from.
    type: str
    choices:
      build: A build context with a Dockerfile.
      bootstrap: The distribution's package mirror, for a base without a registry.
      registry: An image of a registry, by its digest. It is given our labels and name; its layers stay as they are.
      archive: A tar archive, of C(docker save) with one image in it, or of a root file system.
    default: build
  path:
    description:
      - The folder with the build context. C(.dockerignore) is honoured.
      - On the controller, from where it is sent only when something is to be built; on the host with O(remote_src=true).
      - Required with O(source=build), unless O(dockerfile_inline) is given.
    type: path
  files:
    description:
      - Further folders and files for the build context, laid over O(path) and over each other in this order.
      - On the same machine as O(path).
    type: list
    elements: dict
    default: []
    suboptions:
      src:
        description: Full path of a folder or a file. Of a folder, its content is meant.
        type: path
        required: true
      dest:
        description: Its place in the build context.
        type: str
        required: true
  remote_src:
    description: Whether O(path), O(files) and O(archive) are on the host already.
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
      - An image of a registry with its digest, C(name@sha256:...). Required with O(source=registry).
      - The host's engine fetches it, with what C(docker login) left there.
    type: str
  archive:
    description:
      - A tar archive, which may be compressed with gzip, bzip2 or xz. Required with O(source=archive).
      - On the controller, from where it is sent only when it is needed; on the host with O(remote_src=true).
    type: path
  args:
    description:
      - Build arguments. They are recorded in the image; a password belongs into O(secrets).
    type: dict
    default: {}
  target:
    description: The stage to build, when it is not the last one.
    type: str
  parent:
    description:
      - Full reference of the image to build on, passed as build argument C(BASE).
      - The tag of a content-addressed image counts as its digest; for any other the engine is asked for its id.
    type: str
  parents:
    description:
      - Further images to build on or to copy from, by the build argument that passes each one's full reference.
      - They count in the digest as O(parent) does.
    type: dict
    default: {}
  secrets:
    description:
      - Files on the host that the build may read as BuildKit secrets, by the secret's id.
      - Neither the digest nor the image holds anything of them.
    type: dict
    default: {}
  secret_texts:
    description:
      - Texts that builds may read like files of O(secrets), by the secret's id. They are files on the host for the time of the build.
      - With O(source=bootstrap), C(apt) has the passwords for O(mirror), in the form of C(apt_auth.conf(5)).
    type: dict
    default: {}
    version_added: 0.7.0
  proxy:
    description:
      - The variables C(http_proxy), C(https_proxy) and C(no_proxy) for what the build fetches.
      - Neither the digest nor the image, its history or the list of processes holds anything of them.
    type: dict
    default: {}
    version_added: 0.7.0
  ca_bundle:
    description:
      - Certificates of CAs on the host, which builds get as the secret C(ca) unless O(secrets) has one.
      - A file that is not there is left out.
    type: path
    version_added: 0.2.0
  suite:
    description: Release of the distribution. Required with O(source=bootstrap).
    type: str
  packages:
    description: Packages in the bootstrapped base, beyond the essential ones.
    type: list
    elements: str
    default: [ca-certificates, python3]
  mirror:
    description: URL of a package mirror for the bootstrap, empty for the distribution's own.
    type: str
    default: ''
  keyring:
    description: Keyring file on the host that verifies the mirror's packages, empty for the distribution's own.
    type: str
    default: ''
  serial:
    description: Any text; another one makes a new bootstrap, and so fetches newer packages.
    type: str
    default: ''
  env:
    description:
      - Environment of an image made with O(source=bootstrap), or of a root file system with O(source=archive).
      - Beside the locale and the variables that point tools to its CA bundle.
    type: dict
    default: {}
  timeout:
    description: Seconds after which a build is stopped.
    type: int
    default: 3600
  parallel:
    description: How many builds may run on the host at a time, those of other runs included; further ones wait. V(0) is one for each core.
    type: int
    default: 0
  log_dir:
    description: Folder on the host for the build log, which can be followed during the build, and for locks.
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
    - The image by RV(ignore:name), RV(ignore:ref), RV(ignore:digest), RV(ignore:id) and RV(ignore:size) in bytes.
    - Reference and digest are known in check mode, too; id and size only when the image exists.
  returned: success and O(name)
  type: dict
  sample:
    name: hub
    ref: galilean/hub:3f1c02aa9b7e
    digest: 3f1c02aa9b7e4a0f0f6c8f0d0b8a6f1c7a1d7c2f6e4b0a9d8c7b6a5f4e3d2c1b
    id: sha256:9c1d0f5a
    size: 486000000
actions:
  description: What was done, or would be done in check mode, and why.
  returned: success
  type: list
  elements: dict
  sample: [{action: build, image: hub, reasons: [file nginx.conf changed]}]
refs:
  description: The reference of every image by its name, whether it exists or not.
  returned: success, except with O(state=absent)
  type: dict
  sample: {base: 'galilean/base:8e600e797b82', hub: 'galilean/hub:3f1c02aa9b7e'}
missing:
  description: The reasons for every image that was or is to be built by its name.
  returned: success, except with O(state=absent)
  type: dict
  sample: {hub: [file nginx.conf changed]}
disk:
  description:
    - Where the engine keeps its images as RV(ignore:path), and how many bytes were free there before as RV(ignore:free).
    - Empty where that is not on this host, or there is no engine.
  returned: something of O(images) is missing
  type: dict
  sample: {path: /var/lib/docker, free: 52613349376}
seconds:
  description: How long the build of each image took by its name.
  returned: when something was built
  type: dict
  sample: {hub: 12.5}
log:
  description: The build log on the host.
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
