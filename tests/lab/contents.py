# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the lab's cloud offers: accounts, quotas, flavors, images, the external network; and clouds.yaml.

Everything is looked up by its name first and made where it is missing, so that each step can be repeated.
"""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import yaml
from api import ApiError, Cloud, Json, wait_for
from configs import PORTS, REGION
from guest_image import GuestImages, Variant, variants
from settings import FAKE_HOST, LabError, Settings

SERVICE_ACCOUNTS = ("glance", "placement", "nova", "neutron", "cinder", "designate")
# Projects, each with a user of the same name who has the role that institutions give: member.
PROJECTS = ("hub", "other")
CREDENTIAL = "hub-deployment"
EXTERNAL_NETWORK = "public"
FLAVORS = {
    "lab.tiny": {"vcpus": 1, "ram": 256, "disk": 3},
    "lab.small": {"vcpus": 1, "ram": 1024, "disk": 8},
    "lab.hub": {"vcpus": 2, "ram": 3072, "disk": 12},
    "lab.fake": {"vcpus": 1, "ram": 1024, "disk": 8},
}
FAKE_FLAVOR = "lab.fake"
# What the flavor asks of a host, and what the host asks of a flavor.
FAKE_SPECS = {"aggregate_instance_extra_specs:lab_fake": "true"}
FAKE_AGGREGATE = {"lab_fake": "true", "instance_type": FAKE_FLAVOR}
# Small enough for a test to run into it.
QUOTA = {
    "compute": {"instances": 8, "cores": 12, "ram": 16384},
    "network": {"floatingip": 6},
    "volume": {"volumes": 8, "gigabytes": 60},
}
AGENTS = {"neutron-linuxbridge-agent", "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent"}
SERVICES = {
    "nova-compute on lab", f"nova-compute on {FAKE_HOST}", "nova-scheduler on lab", "nova-conductor on lab",
    "cinder-scheduler on lab", "cinder-volume on lab@nfs",
}  # fmt: skip


def password_auth(settings: Settings, user: str, project: str, password: str) -> Json:
    return {
        "auth_url": settings.auth_url,
        "username": user,
        "password": password,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }


def clouds(settings: Settings, secrets: t.Mapping[str, str], credential: str) -> Json:
    """The content of clouds.yaml."""
    common = {"region_name": REGION, "identity_api_version": 3}
    logins = {
        "lab-admin": password_auth(settings, "admin", "admin", secrets["admin"]),
        "lab": password_auth(settings, "hub", "hub", secrets["hub"]),
        "lab-other": password_auth(settings, "other", "other", secrets["other"]),
    }
    found: Json = {name: {"auth": auth, **common} for name, auth in logins.items()}
    found["lab-app"] = {
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": settings.auth_url,
            "application_credential_id": credential,
            "application_credential_secret": secrets["app"],
        },
        **common,
    }
    return {"clouds": found}


def clouds_text(content: Json) -> str:
    return "---\n# Written by make lab-up; holds passwords.\n" + yaml.safe_dump(content, sort_keys=False)


def endpoints(settings: Settings) -> dict[str, tuple[str, str]]:
    """URL and name of each service, by its type."""

    def url(port: str, path: str = "") -> str:
        return f"http://{settings.address}:{PORTS[port]}{path}"

    found = {
        "image": (url("image"), "glance"),
        "placement": (url("placement"), "placement"),
        "compute": (url("compute", "/v2.1"), "nova"),
        "network": (url("network"), "neutron"),
        "volumev3": (url("volume", "/v3/%(project_id)s"), "cinderv3"),
        # The name that newer clients look for.
        "block-storage": (url("volume", "/v3/%(project_id)s"), "cinder"),
    }
    return {**found, "dns": (url("dns"), "designate")} if settings.dns else found


class Contents:
    """Fills the cloud, as its administrator."""

    def __init__(self, settings: Settings, secrets: t.Mapping[str, str]) -> None:
        self.settings, self.secrets = settings, secrets
        self.changed: list[str] = []

    def _admin(self) -> Cloud:
        return Cloud(password_auth(self.settings, "admin", "admin", self.secrets["admin"]))

    def _ensure(self, cloud: Cloud, kind: str, name: str, **more: t.Any) -> str:
        """The id of a project, user, role or service of Keystone, which is made where it is missing."""
        for one in cloud.get("identity", f"/{kind}s?name={name}")[f"{kind}s"]:
            return str(one["id"])
        self.changed.append(f"{kind} {name}")
        return str(cloud.post("identity", f"/{kind}s", {kind: {"name": name, **more}})[kind]["id"])

    def accounts(self) -> None:
        """Accounts of services and people, and where the services are."""
        cloud = self._admin()
        domain = {"domain_id": "default"}
        roles = {name: self._ensure(cloud, "role", name) for name in ("admin", "service", "member")}
        projects = {name: self._ensure(cloud, "project", name, **domain) for name in ("service", *PROJECTS)}
        for name in (*SERVICE_ACCOUNTS, *PROJECTS):
            project = projects.get(name, projects["service"])
            user = self._ensure(
                cloud, "user", name, password=self.secrets[name], default_project_id=project, **domain
            )
            for role in ("member",) if name in PROJECTS else ("admin", "service"):
                cloud.put("identity", f"/projects/{project}/users/{user}/roles/{roles[role]}")
        there = {
            (one["service_id"], one["interface"]) for one in cloud.get("identity", "/endpoints")["endpoints"]
        }
        for kind, (url, name) in endpoints(self.settings).items():
            service = self._ensure(cloud, "service", name, type=kind)
            for interface in {"public", "internal", "admin"} - {
                one for owner, one in there if owner == service
            }:
                endpoint = {
                    "service_id": service, "interface": interface, "url": url, "region_id": REGION,
                }  # fmt: skip
                cloud.post("identity", "/endpoints", {"endpoint": endpoint})

    def credential(self) -> str:
        """The application credential of project hub; returns its id."""
        cloud = Cloud(password_auth(self.settings, "hub", "hub", self.secrets["hub"]))
        path = f"/users/{cloud.user_id}/application_credentials"
        for one in cloud.get("identity", path)["application_credentials"]:
            if one["name"] == CREDENTIAL:
                return str(one["id"])
        self.changed.append(f"application credential {CREDENTIAL}")
        wanted = {
            "name": CREDENTIAL, "secret": self.secrets["app"], "unrestricted": False,
            "roles": [{"name": "member"}],
        }  # fmt: skip
        made = cloud.post("identity", path, {"application_credential": wanted})
        return str(made["application_credential"]["id"])

    def wait_for_agents(self, limit: float, observe: t.Callable[[], None], since: str) -> None:
        """Until every agent has reported since then; `look` says when a program ended instead."""
        cloud, began = self._admin(), time.monotonic()
        while missing := missing_agents(cloud, since):
            observe()
            if time.monotonic() - began > limit:
                raise LabError(
                    f"These do not report after {limit:.0f} s: {', '.join(sorted(missing))}; "
                    f"their logs are in {self.settings.var / 'log'}."
                )
            time.sleep(1)

    def offers(self) -> None:
        """Flavors, volume type, quotas and the external network."""
        cloud = self._admin()
        flavors = cloud.get("compute", "/flavors/detail?is_public=None")["flavors"]
        there = {one["name"]: one for one in flavors}
        for name, size in FLAVORS.items():
            if name not in there:
                made = cloud.post("compute", "/flavors", {"flavor": {"name": name, **size}})
                there[name] = made["flavor"]
                self.changed.append(f"flavor {name}")
        if there[FAKE_FLAVOR]["extra_specs"] != FAKE_SPECS:
            path = f"/flavors/{there[FAKE_FLAVOR]['id']}/os-extra_specs"
            cloud.post("compute", path, {"extra_specs": FAKE_SPECS})
        self._aggregate(cloud)
        if not any(one["name"] == "nfs" for one in cloud.get("volumev3", "/types")["volume_types"]):
            specs = {"volume_backend_name": "nfs"}
            cloud.post("volumev3", "/types", {"volume_type": {"name": "nfs", "extra_specs": specs}})
            self.changed.append("volume type nfs")
        self._quota(cloud, self._ensure(cloud, "project", "hub"))
        self._external(cloud)

    def _aggregate(self, cloud: Cloud) -> None:
        """Keep the host of fake servers to those who ask for it."""
        found = [
            one for one in cloud.get("compute", "/os-aggregates")["aggregates"] if one["name"] == FAKE_HOST
        ]
        if not found:
            # The answer to this says nothing of hosts and metadata.
            made = {"aggregate": {"name": FAKE_HOST}}
            found = [cloud.post("compute", "/os-aggregates", made)["aggregate"]]
            self.changed.append(f"aggregate {FAKE_HOST}")
        path = f"/os-aggregates/{found[0]['id']}/action"
        if not FAKE_AGGREGATE.items() <= found[0].get("metadata", {}).items():
            cloud.post("compute", path, {"set_metadata": {"metadata": FAKE_AGGREGATE}})
        if FAKE_HOST not in found[0].get("hosts", []):
            cloud.post("compute", path, {"add_host": {"host": FAKE_HOST}})

    def _quota(self, cloud: Cloud, project: str) -> None:
        places = {
            "compute": ("compute", f"/os-quota-sets/{project}", "quota_set"),
            "network": ("network", f"/v2.0/quotas/{project}", "quota"),
            "volume": ("volumev3", f"/os-quota-sets/{project}", "quota_set"),
        }
        for kind, (service, path, key) in places.items():
            now = cloud.get(service, path)[key]
            if any(now[name] != value for name, value in QUOTA[kind].items()):
                cloud.put(service, path, {key: QUOTA[kind]})
                self.changed.append(f"{kind} quota")

    def _external(self, cloud: Cloud) -> None:
        found = cloud.get("network", f"/v2.0/networks?name={EXTERNAL_NETWORK}")["networks"]
        if not found:
            network = {
                "name": EXTERNAL_NETWORK, "router:external": True, "shared": False,
                "provider:network_type": "flat", "provider:physical_network": "public",
            }  # fmt: skip
            found = [cloud.post("network", "/v2.0/networks", {"network": network})["network"]]
            self.changed.append(f"network {EXTERNAL_NETWORK}")
        if not found[0]["subnets"]:
            first, last = self.settings.pool
            subnet = {
                "network_id": found[0]["id"], "name": EXTERNAL_NETWORK, "ip_version": 4, "enable_dhcp": False,
                "cidr": str(self.settings.network), "gateway_ip": self.settings.gateway,
                "allocation_pools": [{"start": first, "end": last}],
            }  # fmt: skip
            cloud.post("network", "/v2.0/subnets", {"subnet": subnet})

    def images(self, images: GuestImages) -> None:
        """Upload images that are missing or were made anew."""
        cloud = self._admin()
        for variant in variants(self.settings):
            self._image(cloud, variant, images.digests[variant.name], images.path(variant))

    def _image(self, cloud: Cloud, variant: Variant, digest: str, path: Path) -> None:
        ready = False
        for one in cloud.get("image", f"/v2/images?name={variant.name}")["images"]:
            if one.get("lab_digest") == digest and one["status"] == "active" and not ready:
                ready = True
            else:
                cloud.delete("image", f"/v2/images/{one['id']}")
        if ready:
            return
        wanted = {
            "name": variant.name, "visibility": "public", "container_format": "bare", "disk_format": "qcow2",
            "min_disk": 2, "os_distro": "debian", "hw_rng_model": "virtio", "lab_digest": digest,
        }  # fmt: skip
        made = cloud.post("image", "/v2/images", wanted)
        cloud.call("PUT", "image", f"/v2/images/{made['id']}/file", path)
        wait_for(
            f"The upload of image {variant.name}",
            lambda: cloud.get("image", f"/v2/images/{made['id']}")["status"] == "active",
            limit=60,
        )
        self.changed.append(f"image {variant.name}")


def missing_agents(cloud: Cloud, since: str = "") -> set[str]:
    """Agents and services that have not reported lately, or not since a time in UTC."""

    def reported(moment: str | None) -> bool:
        # Some services write a T between day and time, and others do not.
        return (moment or "").replace("T", " ") >= since

    try:
        agents = cloud.get("network", "/v2.0/agents")["agents"]
        compute = cloud.get("compute", "/os-services")["services"]
        volume = cloud.get("volumev3", "/os-services")["services"]
        hosts = cloud.get("compute", "/os-hypervisors")["hypervisors"]
    except ApiError as error:
        return {str(error)}
    network = {one["binary"] for one in agents if one["alive"] and reported(one["heartbeat_timestamp"])}
    up = {
        f"{one['binary']} on {one['host']}"
        for one in [*compute, *volume]
        if one["state"] == "up" and reported(one["updated_at"])
    }
    nodes = {one["hypervisor_hostname"] for one in hosts}
    return (AGENTS - network) | (SERVICES - up) | ({"lab", FAKE_HOST} - nodes)
