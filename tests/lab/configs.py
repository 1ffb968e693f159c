# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Configuration files of all services, as text. Pure: nothing is read and nothing is written here.

All services listen inside the lab's own network namespace. What only other services ask is on its loopback;
the APIs are on the lab's address, which the machine reaches by its end of the cable.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from settings import BRIDGE, FAKE_HOST, INSIDE_STATE, Settings

LOOPBACK = "127.0.0.1"
REGION = "lab"
PORTS = {
    "identity": 5000, "image": 9292, "placement": 8778, "compute": 8774, "network": 9696, "volume": 8776,
    "metadata": 8775, "queue": 5672, "memcached": 11211, "dns": 9001, "zones": 5354, "rndc": 953,
}  # fmt: skip
SOCKET = INSIDE_STATE / "run/mysql.sock"
# Nova's own, and those by which a flavor and the host of fake servers choose each other and nobody else.
FILTERS = (
    "ComputeFilter", "ComputeCapabilitiesFilter", "ImagePropertiesFilter", "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter", "AggregateInstanceExtraSpecsFilter", "AggregateTypeAffinityFilter",
)  # fmt: skip
# Made at the first start and kept; see secrets() of lab.py.
SECRETS = (
    "admin", "glance", "placement", "nova", "neutron", "cinder", "designate", "metadata", "queue", "rndc",
    "hub", "other", "app",
)  # fmt: skip
# What libvirt calls this machine; many have no number of their own.
HOST_UUID = "host_uuid"

# How Neutron finds neutron/fake_host.py: as it finds any plugin, by what is installed.
FAKE_HOST_PLUGIN = {
    "neutron/plugins/lab-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: lab\nVersion: 1\n",
    "neutron/plugins/lab-1.dist-info/entry_points.txt":
        "[neutron.ml2.mechanism_drivers]\nlab_fake_host = fake_host:FakeHostDriver\n",
}  # fmt: skip

Ini = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclass(frozen=True)
class Site:
    """What the lab has to know of the machine's surroundings."""

    resolvers: tuple[str, ...] = ()
    mtu: int = 1500
    proxy: str = ""
    certificates: tuple[str, ...] = field(default=())


def ini(sections: Ini) -> str:
    """The text of an oslo.config file; a list gives a line for each of its values."""
    lines = ["# Written by make lab-up."]
    for section, options in sections.items():
        lines.append(f"\n[{section}]")
        for key, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                lines.append(f"{key} = {str(one).lower() if isinstance(one, bool) else one}")
    return "\n".join(lines) + "\n"


def database(name: str) -> str:
    return f"mysql+pymysql://root@localhost/{name}?unix_socket={SOCKET}&charset=utf8"


class Renderer:
    """Knows the lab and its secrets, and writes what services say about each other."""

    def __init__(self, settings: Settings, secrets: t.Mapping[str, str], site: Site) -> None:
        self.settings, self.secrets, self.site = settings, secrets, site
        self.log_dir = str(INSIDE_STATE / "log")
        self.queue = f"rabbit://lab:{secrets['queue']}@{LOOPBACK}:{PORTS['queue']}/"

    def account(self, name: str) -> dict[str, t.Any]:
        """How a service logs in."""
        return {
            "auth_type": "password",
            "auth_url": self.settings.auth_url,
            "project_domain_name": "Default",
            "user_domain_name": "Default",
            "project_name": "service",
            "username": name,
            "password": self.secrets[name],
            "region_name": REGION,
        }

    def token_check(self, name: str) -> dict[str, t.Any]:
        """How a service finds out who asks."""
        return {
            **self.account(name),
            "www_authenticate_uri": self.settings.auth_url,
            "memcached_servers": f"{LOOPBACK}:{PORTS['memcached']}",
            "service_token_roles": "service",
            "service_token_roles_required": True,
        }

    def store(self, name: str) -> dict[str, t.Any]:
        return {"connection": database(name), "max_pool_size": 10, "max_overflow": 20}

    def files(self) -> dict[str, str]:
        """All files, by their path below the folder of configuration files."""
        return {
            "keystone/keystone.conf": ini(self.keystone()),
            "placement/placement.conf": ini(self.placement()),
            "glance/glance-api.conf": ini(self.glance()),
            "nova/nova.conf": ini(self.nova()),
            # The compute node must not know any database: it refuses to start.
            "nova/nova-compute.conf": ini(self.nova_compute()),
            "nova/nova-fake.conf": ini(self.nova_fake()),
            "nova/vendor_data.json": json.dumps(self.vendor_data(), indent=1) + "\n",
            "neutron/neutron.conf": ini(self.neutron()),
            "neutron/ml2.ini": ini(self.neutron_plugin()),
            **FAKE_HOST_PLUGIN,
            "neutron/linuxbridge.ini": ini(self.neutron_bridge()),
            "neutron/dhcp.ini": ini(self.neutron_dhcp()),
            "neutron/l3.ini": ini({"DEFAULT": {"interface_driver": "linuxbridge", "agent_mode": "legacy"}}),
            "neutron/metadata.ini": ini(self.neutron_metadata()),
            "cinder/cinder.conf": ini(self.cinder()),
            "cinder/shares": f"{LOOPBACK}:{INSIDE_STATE}/cinder/share\n",
            "rabbitmq/rabbitmq.conf": self.rabbitmq(),
            "libvirt/libvirtd.conf": f'{LIBVIRTD}host_uuid = "{self.secrets[HOST_UUID]}"\n',
            "libvirt/qemu.conf": QEMU,
        }

    def keystone(self) -> Ini:
        keys = INSIDE_STATE / "keystone"
        return {
            "DEFAULT": {"log_dir": self.log_dir, "log_file": "keystone.log"},
            "database": self.store("keystone"),
            # Longer than any test, so that nothing ends in the middle of one.
            "token": {"provider": "fernet", "expiration": 86400},
            "fernet_tokens": {"key_repository": keys / "fernet"},
            "fernet_receipts": {"key_repository": keys / "fernet"},
            "credential": {"key_repository": keys / "credential"},
            "cache": {
                "enabled": True,
                "backend": "dogpile.cache.memcached",
                "memcache_servers": f"{LOOPBACK}:{PORTS['memcached']}",
            },
        }

    def placement(self) -> Ini:
        return {
            "DEFAULT": {"log_dir": self.log_dir, "log_file": "placement.log"},
            "api": {"auth_strategy": "keystone"},
            "placement_database": self.store("placement"),
            "keystone_authtoken": self.token_check("placement"),
        }

    def glance(self) -> Ini:
        folder = INSIDE_STATE / "glance"
        return {
            "DEFAULT": {
                "bind_host": self.settings.address,
                "workers": 1,
                "log_dir": self.log_dir,
                "node_staging_uri": f"file://{folder}/staging",
            },
            "database": self.store("glance"),
            "glance_store": {
                "stores": "file,http",
                "default_store": "file",
                "filesystem_store_datadir": folder / "images",
            },
            "keystone_authtoken": self.token_check("glance"),
            "paste_deploy": {"flavor": "keystone", "config_file": "/etc/glance/glance-api-paste.ini"},
            "oslo_concurrency": {"lock_path": folder / "locks"},
        }

    def nova(self) -> Ini:
        folder, address = INSIDE_STATE / "nova", self.settings.address
        helper = {"helper_command": f"privsep-helper --config-file {INSIDE_STATE}/etc/nova/nova.conf"}
        return {
            "DEFAULT": {
                "transport_url": self.queue,
                "my_ip": address,
                "host": "lab",
                "state_path": folder,
                "tempdir": folder / "tmp",
                "instances_path": folder / "instances",
                "log_dir": self.log_dir,
                "enabled_apis": "osapi_compute,metadata",
                "osapi_compute_listen": address,
                "osapi_compute_workers": 2,
                "metadata_listen": LOOPBACK,
                "metadata_workers": 1,
                "compute_driver": "libvirt.LibvirtDriver",
                "vif_plugging_timeout": 120,
                "config_drive_format": "iso9660",
                "allow_resize_to_same_host": True,
                # Servers that ran when the lab went down run again when it is up.
                "resume_guests_state_on_host_boot": True,
                "reserved_host_memory_mb": 512,
                "heal_instance_info_cache_interval": 60,
                "block_device_allocate_retries": 120,
                "block_device_allocate_retries_interval": 1,
                # Periodic work, such as the discovery of a new compute node, begins at once.
                "periodic_fuzzy_delay": 0,
                # A busy machine is late with its reports, and dead only after this.
                "service_down_time": 120,
                "report_interval": 5,
                # Without hardware acceleration a guest never has a whole processor anyway.
                "initial_cpu_allocation_ratio": 8.0,
            },
            "api": {
                "auth_strategy": "keystone",
                "vendordata_providers": "StaticJSON",
                "vendordata_jsonfile_path": INSIDE_STATE / "etc/nova/vendor_data.json",
            },
            "wsgi": {"api_paste_config": "/etc/nova/api-paste.ini"},
            "api_database": self.store("nova_api"),
            "database": self.store("nova"),
            "cinder": {"os_region_name": REGION},
            "conductor": {"workers": 1},
            "scheduler": {"workers": 1, "discover_hosts_in_cells_interval": 5},
            "filter_scheduler": {"enabled_filters": ",".join(FILTERS)},
            "glance": {"api_servers": f"http://{address}:{PORTS['image']}"},
            "keystone_authtoken": self.token_check("nova"),
            "service_user": {"send_service_user_token": True, **self.account("nova")},
            "neutron": {
                **self.account("nova"),
                "service_metadata_proxy": True,
                "metadata_proxy_shared_secret": self.secrets["metadata"],
            },
            "placement": self.account("nova"),
            "libvirt": {
                "virt_type": "qemu",
                "cpu_mode": "none",
                # Translated code; what QEMU would take by itself is a good part of a guest's memory.
                "tb_cache_size": 256,
                "inject_partition": -2,
                "images_type": "qcow2",
                "nfs_mount_point_base": folder / "mnt",
                # Disks and ports that can be attached while a guest runs.
                "num_pcie_ports": 10,
            },
            "oslo_concurrency": {"lock_path": folder / "locks"},
            "vnc": {"enabled": False},
            "spice": {"enabled": False},
            "privsep": helper,
            "nova_sys_admin": helper,
            "vif_plug_linux_bridge_privileged": helper,
            "vif_plug_ovs_privileged": helper,
            "privsep_osbrick": helper,
        }

    def nova_compute(self) -> dict[str, t.Mapping[str, t.Any]]:
        return {key: value for key, value in self.nova().items() if "database" not in key}

    def nova_fake(self) -> Ini:
        """The host of servers that need no time to boot, because there are none."""
        config = self.nova_compute()
        folder = INSIDE_STATE / "nova-fake"
        more = {
            "host": FAKE_HOST, "compute_driver": "fake.FakeDriver", "state_path": folder,
            "instances_path": folder / "instances",
        }  # fmt: skip
        return {**config, "DEFAULT": {**config["DEFAULT"], **more}}

    def vendor_data(self) -> dict[str, str]:
        """What a guest has to know of the site: a proxy and CA certificates. Nothing of it is in an image."""
        config: dict[str, t.Any] = {}
        if self.site.proxy:
            config["apt"] = {"proxy": self.site.proxy, "https_proxy": self.site.proxy}
        if self.site.certificates and self.settings.guest_ca:
            config["ca_certs"] = {"trusted": list(self.site.certificates)}
        # JSON is YAML.
        return {"cloud-init": f"#cloud-config\n{json.dumps(config)}\n"} if config else {}

    def neutron(self) -> Ini:
        folder = INSIDE_STATE / "neutron"
        return {
            "DEFAULT": {
                "bind_host": self.settings.address,
                "host": "lab",
                "core_plugin": "ml2",
                "service_plugins": "router",
                "transport_url": self.queue,
                "auth_strategy": "keystone",
                "state_path": folder,
                "log_dir": self.log_dir,
                "api_workers": 2,
                "rpc_workers": 1,
                "rpc_state_report_workers": 0,
                "dhcp_agents_per_network": 1,
                "interface_driver": "linuxbridge",
                "global_physnet_mtu": self.site.mtu,
                "notify_nova_on_port_status_changes": True,
                "notify_nova_on_port_data_changes": True,
                "send_events_interval": 1,
                "api_paste_config": "/etc/neutron/api-paste.ini",
            },
            "experimental": {"linuxbridge": True},
            # Everything is root here; no sudo is needed to stay it.
            "agent": {"root_helper": "env", "report_interval": 10},
            "database": self.store("neutron"),
            "keystone_authtoken": self.token_check("neutron"),
            "nova": self.account("nova"),
            "placement": self.account("placement"),
            "oslo_concurrency": {"lock_path": folder / "locks"},
        }

    def neutron_plugin(self) -> Ini:
        return {
            "ml2": {
                "type_drivers": "flat,vxlan",
                "tenant_network_types": "vxlan",
                "mechanism_drivers": "linuxbridge,lab_fake_host",
                "extension_drivers": "port_security",
                "path_mtu": self.site.mtu,
            },
            "ml2_type_flat": {"flat_networks": "public"},
            "ml2_type_vxlan": {"vni_ranges": "1:1000"},
            "securitygroup": {"enable_ipset": True},
        }

    def neutron_bridge(self) -> Ini:
        return {
            "linux_bridge": {"bridge_mappings": f"public:{BRIDGE}"},
            "vxlan": {"enable_vxlan": True, "local_ip": self.settings.address, "l2_population": False},
            "agent": {"polling_interval": 1},
            "securitygroup": {
                "firewall_driver": "iptables",
                "enable_security_group": True,
                "enable_ipset": True,
            },
        }

    def neutron_dhcp(self) -> Ini:
        return {
            "DEFAULT": {
                "interface_driver": "linuxbridge",
                "enable_isolated_metadata": True,
                "resync_interval": 5,
                # Subnets that name no resolver get the DHCP server, which asks these.
                "dnsmasq_dns_servers": ",".join(self.site.resolvers),
            }
        }

    def neutron_metadata(self) -> Ini:
        return {
            "DEFAULT": {
                "nova_metadata_host": LOOPBACK,
                "metadata_proxy_shared_secret": self.secrets["metadata"],
                "metadata_workers": 1,
            }
        }

    def cinder(self) -> Ini:
        folder = INSIDE_STATE / "cinder"
        helper = {"helper_command": f"privsep-helper --config-file {INSIDE_STATE}/etc/cinder/cinder.conf"}
        return {
            "DEFAULT": {
                "transport_url": self.queue,
                "my_ip": self.settings.address,
                "host": "lab",
                "report_interval": 5,
                "state_path": folder,
                "log_dir": self.log_dir,
                "auth_strategy": "keystone",
                "api_paste_config": "/etc/cinder/api-paste.ini",
                "resource_query_filters_file": "/etc/cinder/resource_filters.json",
                "rootwrap_config": "/etc/cinder/rootwrap.conf",
                "osapi_volume_listen": self.settings.address,
                "osapi_volume_workers": 1,
                "enabled_backends": "nfs",
                "default_volume_type": "nfs",
                "glance_api_servers": f"http://{self.settings.address}:{PORTS['image']}",
                "image_conversion_dir": folder / "conversion",
            },
            "database": self.store("cinder"),
            "keystone_authtoken": self.token_check("cinder"),
            "service_user": {"send_service_user_token": True, **self.account("cinder")},
            "nova": self.account("nova"),
            "oslo_concurrency": {"lock_path": folder / "locks"},
            # The NFS driver needs no device mapper; bin/mount gives it a folder where it asks for NFS.
            "nfs": {
                "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
                "volume_backend_name": "nfs",
                "nfs_shares_config": INSIDE_STATE / "etc/cinder/shares",
                "nfs_mount_point_base": folder / "mnt",
                "nfs_snapshot_support": True,
                "nfs_qcow2_volumes": True,
                "nas_secure_file_operations": False,
                "nas_secure_file_permissions": False,
            },
            "privsep": helper,
            "privsep_osbrick": helper,
            "cinder_sys_admin": helper,
        }

    def rabbitmq(self) -> str:
        return (
            f"listeners.tcp.1 = {LOOPBACK}:{PORTS['queue']}\n"
            f"default_user = lab\ndefault_pass = {self.secrets['queue']}\n"
            # The machine's memory and disk are for the guests: the queue must not stop for want of a share.
            "vm_memory_high_watermark.absolute = 512MiB\ndisk_free_limit.absolute = 50MB\n"
        )


LIBVIRTD = """\
listen_tls = 0
listen_tcp = 0
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
min_workers = 3
max_workers = 8
"""
# Guests are root's processes without control groups: all of the lab is one set of namespaces already.
QEMU = """\
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
cgroup_controllers = [ ]
namespaces = [ ]
"""
