#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_deployment
short_description: Manage the servers of a deployment on OpenStack with their resources
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Creates, finds, extends and removes servers with their ports, floating IPs and data volumes, and shared resources - a key
    pair, a security group, a server group, and a network with a router if none is given.
  - Checks the whole project before any change. Reports all problems together, one sentence each (missing, too small, ambiguous or
    foreign credentials, images, flavors, networks, quotas, names).
  - Creates servers in parallel. The next run completes an interrupted one. Nothing is created twice.
  - If shared resources cannot be completed, or the pool of floating IPs is empty, the resources of this run are removed again.
  - All resources are tagged with the deployment's name, in the description (networks, ports, addresses) or in metadata with the
    key C(galilean_hub_deployment) (servers, volumes). Only tagged resources are changed or removed. Key pair and server group
    cannot be tagged, and are identified by their name C(galilean-<name>).
  - Runs on the controller. Credentials come from C(clouds.yaml), or from the environment with the cloud V(envvars).
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  action:
    description: Is an action plugin, which runs on the controller.
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Lists the resources that are, or would be, created and changed.
  idempotent:
    support: full
requirements:
  - openstacksdk >= 4.0
options:
  cloud:
    description: An entry of C(clouds.yaml), or V(envvars).
    type: str
    required: true
  name:
    description: Name of the deployment. Lower-case letters, digits and dashes, at most 30 characters.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates the deployment.
      - V(absent) removes all its resources. Data volumes and floating IPs stay by default.
      - V(servers_absent) shuts down and removes only the given servers. Ports and addresses stay for their successors.
    type: str
    choices: [present, absent, servers_absent]
    default: present
  servers:
    description: The servers.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the server, unique in the project.
        type: str
        required: true
      image:
        description: Name or ID of the image. Used only when the server is created.
        type: str
        default: ""
      flavor:
        description: Name or ID of the flavor. An existing server with another flavor keeps it, with a warning.
        type: str
        default: ""
      boot_volume_gib:
        description: Size of the boot volume in GiB. The volume is deleted with the server. V(0) boots from the flavor's disk.
        type: int
        default: 0
      boot_volume_type:
        description: Volume type of the boot volume. When empty, the cloud's default.
        type: str
        default: ""
      volume_gib:
        description: Size of the data volume in GiB, V(0) for none. It can be extended later, and outlives the server.
        type: int
        default: 0
      volume_name:
        description: Name of the data volume. When empty, the server's name with C(-data).
        type: str
        default: ""
      volume_type:
        description: Volume type of the data volume. When empty, the cloud's default.
        type: str
        default: ""
      floating_ip:
        description: V(auto) allocates a floating IP and keeps it for this server. Or V(none), or an address of the project.
        type: str
        default: auto
      availability_zone:
        description: Availability zone of server and volumes. When empty, the cloud chooses.
        type: str
        default: ""
      config_drive:
        description: Whether the server gets its metadata from a config drive instead of the metadata service.
        type: bool
        default: true
      user_data:
        description: User data for cloud-init. All users who can view the server, and all programs on it, can read it.
        type: str
        default: ""
      security_groups:
        description: Names or IDs of further, existing security groups.
        type: list
        elements: str
        default: []
      dns_name:
        description: DNS name for the floating IP, in a zone of the project. Skipped if the cloud has no Designate. The record is removed when the floating IP is released. A record that others created is refused.
        type: str
        default: ""
      dns_wildcard:
        description: Whether to create a wildcard record below O(servers[].dns_name), too.
        type: bool
        default: false
      metadata:
        description: Additional metadata of the server.
        type: dict
        default: {}
  public_key:
    description: SSH public key for the image's user, one line.
    type: str
    default: ""
  ssh_networks:
    description: Networks that may connect to port 22.
    type: list
    elements: str
    default: []
  web_networks:
    description: Networks that may connect to ports 80 and 443.
    type: list
    elements: str
    default: []
  rules:
    description: Further rules for incoming connections.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: Port, or port range such as V(8000-8010).
        type: str
        required: true
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp]
        default: tcp
      networks:
        description: Source networks.
        type: list
        elements: str
        required: true
  network:
    description: Name or ID of the servers' network. When empty, the deployment creates one.
    type: str
    default: ""
  external_network:
    description: External network for floating IPs and for the router of the deployment's own network. Required if the cloud has several.
    type: str
    default: ""
  subnet_cidr:
    description: CIDR of the deployment's own network.
    type: str
    default: 192.168.230.0/24
  dns_servers:
    description: Name servers of the deployment's own network. When empty, those of the cloud.
    type: list
    elements: str
    default: []
  server_group_policy:
    description: Policy of the server group, for example V(anti-affinity) for servers on different hypervisors. Empty for no server group.
    type: str
    choices: ["", affinity, anti-affinity, soft-affinity, soft-anti-affinity]
    default: ""
  volume_growth:
    description: V(offline) stops the server and detaches the volume before it is extended, for clouds that cannot extend a volume in use.
    type: str
    choices: [online, offline]
    default: online
  delete_volumes:
    description: With O(state=absent), data volumes are deleted, too, with all their data.
    type: bool
    default: false
  release_addresses:
    description: With O(state=absent), floating IPs of the deployment are released.
    type: bool
    default: false
  timeout:
    description: Timeout in seconds for all operations.
    type: int
    default: 900
seealso:
  - module: galilean.hub.server_host_keys
  - name: openstacksdk configuration
    description: Location and content of clouds.yaml.
    link: https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

EXAMPLES = r"""
- name: Ensure that the server is there
  galilean.hub.cloud_deployment:
    cloud: mycloud
    name: arcetri
    public_key: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    ssh_networks: [192.0.2.0/24]
    web_networks: [0.0.0.0/0, "::/0"]
    servers:
      - name: hub.example.org
        image: Debian 12
        flavor: m1.large
        volume_gib: 200

- name: Remove it, with its volume
  galilean.hub.cloud_deployment:
    cloud: mycloud
    name: arcetri
    state: absent
    delete_volumes: true
"""

RETURN = r"""
actions:
  description: Actions that were done, or would be done in check mode.
  returned: success
  type: list
  elements: str
  sample: [create floating IP of hub, create server hub (m1.large, Debian 12)]
servers:
  description: Properties of each server. A server that does not exist has no C(id) and no C(address).
  returned: success
  type: list
  elements: dict
  sample:
    - name: hub
      id: 8a6b6e0e-6a4d-4a6e-9a53-2f6a4a0c4a3c
      status: ACTIVE
      address: 192.0.2.17
      fixed_ip: 192.168.230.5
      floating_ip: 192.0.2.17
      volume_id: 1b9a4c40-27a1-4d27-a6e3-6ff0be4c6c3e
      volume_gib: 200
pins:
  description: Existing servers with their addresses and names, for M(galilean.hub.server_host_keys).
  returned: success
  type: list
  elements: dict
  sample:
    - {name: hub, id: 8a6b6e0e-6a4d-4a6e-9a53-2f6a4a0c4a3c, hosts: [192.0.2.17]}
left:
  description: Remaining resources of a removed deployment.
  returned: success
  type: list
  elements: str
  sample: ["volume hub-data, 200 GiB (teardown_delete_data=true deletes it)"]
"""

# The work is done on the controller by the action plugin of the same name.
