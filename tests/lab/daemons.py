# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The programs that make up the lab, in the order in which they start. Pure data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from configs import FAKE_HOST_PLUGIN, LOOPBACK, PORTS, SOCKET
from settings import INSIDE_SOURCE, INSIDE_STATE

ETC = INSIDE_STATE / "etc"
LOG = INSIDE_STATE / "log"
RUN = INSIDE_STATE / "run"


@dataclass(frozen=True)
class Daemon:
    """One program.

    config: files below the folder of configuration files; when one of them changes, it is restarted.
    ready: what answers when it is up: a path of a socket, "address:port", or an http URL.
    """

    name: str
    argv: tuple[str, ...]
    config: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    ready: str = ""


def _uwsgi(port: int, address: str, script: str) -> tuple[str, ...]:
    return (
        "uwsgi_python3", "--master", "--die-on-term", "--lazy-apps", "--enable-threads", "--need-app",
        "--buffer-size", "65535", "--add-header", "Connection: close", "--processes", "1", "--threads", "8",
        "--http-socket", f"{address}:{port}", "--wsgi-file", script,
    )  # fmt: skip


def _service(
    program: str, *files: str, name: str = "", config: tuple[str, ...] = (), ready: str = ""
) -> Daemon:
    name = name or program
    options = [word for file in files for word in ("--config-file", str(ETC / file))]
    return Daemon(name, (program, *options, "--log-file", f"{name}.log"), (*files, *config), ready=ready)


def infrastructure() -> list[Daemon]:
    """What the services stand on."""
    return [
        Daemon(
            "mariadb",
            (
                "eatmydata", "mariadbd", "--no-defaults", "--user=root", f"--datadir={INSIDE_STATE}/mysql",
                f"--socket={SOCKET}", f"--pid-file={RUN}/mariadb.pid", "--skip-networking", "--tmpdir=/tmp",
                "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
                "--innodb-buffer-pool-size=256M", "--performance-schema=OFF", "--max-connections=500",
                "--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci",
            ),
            ready=str(SOCKET),
        ),
        Daemon(
            "memcached",
            ("memcached", "-u", "root", "-l", LOOPBACK, "-p", str(PORTS["memcached"]), "-m", "32"),
            ready=f"{LOOPBACK}:{PORTS['memcached']}",
        ),
        Daemon(
            "rabbitmq",
            ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
            ("rabbitmq/rabbitmq.conf",),
            {
                "RABBITMQ_NODENAME": "rabbit@localhost",
                "RABBITMQ_CONFIG_FILE": str(ETC / "rabbitmq/rabbitmq"),
                "RABBITMQ_MNESIA_BASE": str(INSIDE_STATE / "rabbitmq"),
                "RABBITMQ_LOG_BASE": str(LOG / "rabbitmq"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": "/dev/null",
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_PID_FILE": str(RUN / "rabbitmq.pid"),
                "ERL_EPMD_ADDRESS": LOOPBACK,
                # One scheduler that does not spin while it waits: the processors are for the guests.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                    "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
            },
            ready=f"{LOOPBACK}:{PORTS['queue']}",
        ),
        Daemon("virtlogd", ("virtlogd",), ready="/run/libvirt/virtlogd-sock"),
        Daemon(
            "libvirtd",
            ("libvirtd", "--config", str(ETC / "libvirt/libvirtd.conf")),
            ("libvirt/libvirtd.conf", "libvirt/qemu.conf"),
            ready="/run/libvirt/libvirt-sock",
        ),
    ]  # fmt: skip


def identity(address: str) -> list[Daemon]:
    """What every other service asks at once."""
    return [
        Daemon(
            "keystone",
            _uwsgi(PORTS["identity"], address, "/usr/bin/keystone-wsgi-public"),
            ("keystone/keystone.conf",),
            {"OS_KEYSTONE_CONFIG_DIR": str(ETC / "keystone"), "OS_KEYSTONE_CONFIG_FILES": "keystone.conf"},
            ready=f"http://{address}:{PORTS['identity']}/v3",
        ),
        Daemon(
            "placement",
            _uwsgi(PORTS["placement"], address, "/usr/bin/placement-api"),
            ("placement/placement.conf",),
            {"OS_PLACEMENT_CONFIG_DIR": str(ETC / "placement")},
            ready=f"http://{address}:{PORTS['placement']}/",
        ),
    ]


NOVA, NEUTRON, CINDER, DESIGNATE = (
    "nova/nova.conf", "neutron/neutron.conf", "cinder/cinder.conf", "designate/designate.conf",
)  # fmt: skip


def services(address: str) -> list[Daemon]:
    """What people and agents ask."""

    def url(name: str) -> str:
        return f"http://{address}:{PORTS[name]}/"

    return [
        replace(
            _service(
                "neutron-server",
                NEUTRON,
                "neutron/ml2.ini",
                config=tuple(FAKE_HOST_PLUGIN),
                ready=url("network"),
            ),
            env={"PYTHONPATH": f"{ETC}/neutron/plugins:{INSIDE_SOURCE}/neutron"},
        ),
        _service("nova-conductor", NOVA),
        _service("glance-api", "glance/glance-api.conf", ready=url("image")),
        _service("nova-api", NOVA, config=("nova/vendor_data.json",), ready=url("compute")),
        _service("nova-scheduler", NOVA),
        _service("cinder-api", CINDER, ready=url("volume")),
        _service("cinder-scheduler", CINDER),
        _service("cinder-volume", CINDER, config=("cinder/shares",)),
    ]


def agents() -> list[Daemon]:
    """What asks the services at once, and waits a minute for an answer when nobody hears it yet."""
    return [
        _service("neutron-linuxbridge-agent", NEUTRON, "neutron/linuxbridge.ini"),
        _service("neutron-dhcp-agent", NEUTRON, "neutron/dhcp.ini"),
        _service("neutron-l3-agent", NEUTRON, "neutron/l3.ini"),
        _service("neutron-metadata-agent", NEUTRON, "neutron/metadata.ini"),
        _service("nova-compute", "nova/nova-compute.conf"),
        _service("nova-compute", "nova/nova-fake.conf", name="nova-fake"),
    ]


def names(address: str) -> list[Daemon]:
    """Designate and its name server."""
    bind = ("named", "-f", "-4", "-n", "1", "-c", str(ETC / "designate/named.conf"))
    return [
        Daemon("named", bind, ("designate/named.conf",), ready=f"{address}:53"),
        _service("designate-central", DESIGNATE),
        _service("designate-worker", DESIGNATE),
        _service("designate-producer", DESIGNATE),
        _service("designate-mdns", DESIGNATE),
        _service("designate-api", DESIGNATE, ready=f"http://{address}:{PORTS['dns']}/"),
    ]


def groups(address: str, dns: bool) -> dict[str, list[Daemon]]:
    """All programs, by the step that starts them."""
    return {
        "infrastructure": infrastructure(),
        "identity": identity(address),
        "services": services(address) + (names(address) if dns else []),
        "agents": agents(),
    }


def everything(address: str, dns: bool) -> list[Daemon]:
    return [daemon for group in groups(address, dns).values() for daemon in group]
