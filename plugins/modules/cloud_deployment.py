#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_deployment
short_description: The servers of a deployment on an OpenStack cloud, with all that they need there
version_added: 0.3.0
author: galilean.hub contributors (@galilean)
description:
  - Creates, finds again, grows and removes servers with their ports, floating IPs and data volumes, and what they share - a
    key pair, a security group, a server group, and where none is named a network with a router.
  - The whole project is looked at before anything is done. What is missing, too small, ambiguous or taken by somebody else
    (credentials, images, flavors, networks, quotas, names) is reported together, one sentence each, and nothing is touched.
  - Servers are made side by side. A run that was interrupted is finished by the next one; nothing is made twice.
  - When what servers share cannot be completed, or the pool of floating IPs is empty, what this run has made goes again.
  - All that it makes carries the deployment's name, in the description (networks, ports, addresses) or in metadata with the
    key C(galilean_hub_deployment) (servers, volumes). It changes and removes only what carries it; key pair and server group
    cannot carry one, and are known by their name C(galilean-<name>).
  - Runs on the controller. Credentials come from C(clouds.yaml), or with the cloud V(envvars) from the environment.
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
      - Lists what is, or would be, created and changed.
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
    description: The deployment. Lower-case letters, digits and dashes, at most 30.
    type: str
    required: true
  state:
    description:
      - V(present) makes the deployment as described.
      - V(absent) removes all of it, except data volumes and floating IPs unless told otherwise.
      - V(servers_absent) shuts the named servers down and removes them, and nothing else; ports and addresses stay for those
        that take their places.
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
        description: Its name. No two in a deployment have the same, and no other server in the project may have it.
        type: str
        required: true
      image:
        description: Name or id of the image. Looked at only when the server is made.
        type: str
        default: ""
      flavor:
        description: Name or id of the flavor. A server that has another one keeps it, with a warning.
        type: str
        default: ""
      boot_volume_gib:
        description: Size in GiB of a volume to boot from, which goes with the server. With V(0) it boots from the flavor's disk.
        type: int
        default: 0
      boot_volume_type:
        description: Volume type of the boot volume, the cloud's default when empty.
        type: str
        default: ""
      volume_gib:
        description: Size in GiB of the data volume, V(0) for none. It can grow later, and outlives the server.
        type: int
        default: 0
      volume_name:
        description: Name of the data volume, the server's name with C(-data) when empty.
        type: str
        default: ""
      volume_type:
        description: Volume type of the data volume, the cloud's default when empty.
        type: str
        default: ""
      floating_ip:
        description: V(auto) allocates one, which is kept for this server. V(none), or an address that the project has.
        type: str
        default: auto
      availability_zone:
        description: Where server and volumes are, the cloud's choice when empty.
        type: str
        default: ""
      config_drive:
        description: Whether metadata comes on a small disk, so that the server needs no metadata service.
        type: bool
        default: true
      user_data:
        description: What cloud-init gets. Everybody who can look at the server can read it, and so can programs on it.
        type: str
        default: ""
      security_groups:
        description: Names or ids of more security groups, which exist.
        type: list
        elements: str
        default: []
      dns_name:
        description: A name in one of the project's zones that is to lead to the floating IP. Skipped where there is no Designate. The
          record goes when the floating IP is released; one that others have made is refused.
        type: str
        default: ""
      dns_wildcard:
        description: Whether every name below O(servers[].dns_name) leads there as well.
        type: bool
        default: false
      metadata:
        description: More metadata of the server.
        type: dict
        default: {}
  public_key:
    description: The SSH public key for the image's user, one line.
    type: str
    default: ""
  ssh_networks:
    description: Networks from which port 22 is reached.
    type: list
    elements: str
    default: []
  web_networks:
    description: Networks from which ports 80 and 443 are reached.
    type: list
    elements: str
    default: []
  rules:
    description: What else is let in.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: A port, or a range such as V(8000-8010).
        type: str
        required: true
      protocol:
        description: The protocol.
        type: str
        choices: [tcp, udp]
        default: tcp
      networks:
        description: Where from.
        type: list
        elements: str
        required: true
  network:
    description: Name or id of the network that servers are plugged into. When empty, the deployment gets one of its own.
    type: str
    default: ""
  external_network:
    description: Where floating IPs come from and the own network's router leads to. Needed where the cloud has several.
    type: str
    default: ""
  subnet_cidr:
    description: The addresses of the deployment's own network.
    type: str
    default: 192.168.230.0/24
  dns_servers:
    description: Name servers of the deployment's own network, the cloud's when empty.
    type: list
    elements: str
    default: []
  server_group_policy:
    description: Whether servers are to be on different hypervisors (V(anti-affinity)), and so on. No server group when empty.
    type: str
    choices: ["", affinity, anti-affinity, soft-affinity, soft-anti-affinity]
    default: ""
  volume_growth:
    description: V(offline) stops the server and detaches the volume for its growth, for clouds that cannot do it otherwise.
    type: str
    choices: [online, offline]
    default: online
  delete_volumes:
    description: With O(state=absent), data volumes go, too, with all that is on them.
    type: bool
    default: false
  release_addresses:
    description: With O(state=absent), floating IPs that the deployment allocated go back to the pool.
    type: bool
    default: false
  timeout:
    description: Seconds that the cloud has for all of it.
    type: int
    default: 900
seealso:
  - module: galilean.hub.server_host_keys
  - name: openstacksdk configuration
    description: Where clouds.yaml is looked for, and what stands in it.
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
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: [create floating IP of hub, create server hub (m1.large, Debian 12)]
servers:
  description: What is known of each server; one that does not exist has no C(id) and no C(address).
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
  description: The servers that exist, with the addresses and names that they are reached by, as M(galilean.hub.server_host_keys) takes them.
  returned: success
  type: list
  elements: dict
  sample:
    - {name: hub, id: 8a6b6e0e-6a4d-4a6e-9a53-2f6a4a0c4a3c, hosts: [192.0.2.17]}
left:
  description: What of a removed deployment is still there.
  returned: success
  type: list
  elements: str
  sample: ["volume hub-data, 200 GiB (teardown_delete_data=true deletes it)"]
"""

# The work is done on the controller by the action plugin of the same name.
