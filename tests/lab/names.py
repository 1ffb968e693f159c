# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Designate, which the lab has with LAB_DNS=yes: its configuration, and that of its name server. Pure."""

from __future__ import annotations

import base64
import json
import typing as t

from configs import LOOPBACK, PORTS, Ini, Renderer, ini
from settings import INSIDE_STATE

KEY_FILE = INSIDE_STATE / "etc/designate/rndc.key"


def files(renderer: Renderer) -> dict[str, str]:
    """Configuration files, by their path below the folder of all of them."""
    secret = base64.b64encode(renderer.secrets["rndc"].encode()).decode()
    key = f'key "lab" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
    address = renderer.settings.address
    return {
        "designate/designate.conf": ini(designate(renderer)),
        # JSON is YAML.
        "designate/pools.yml": json.dumps([pool(address)], indent=1) + "\n",
        "designate/rndc.key": key,
        "designate/named.conf": key + NAMED.format(folder=INSIDE_STATE / "named", address=address),
    }


def designate(renderer: Renderer) -> Ini:
    address, folder = renderer.settings.address, INSIDE_STATE / "designate"
    return {
        "DEFAULT": {
            "transport_url": renderer.queue,
            "host": "lab",
            "log_dir": renderer.log_dir,
            "state_path": folder,
            "root_helper": "env",
        },
        "storage:sqlalchemy": renderer.store("designate"),
        "keystone_authtoken": renderer.token_check("designate"),
        "oslo_concurrency": {"lock_path": folder / "locks"},
        "service:api": {
            "listen": f"{address}:{PORTS['dns']}",
            "api_base_uri": f"http://{address}:{PORTS['dns']}/",
            "api_paste_config": "/etc/designate/api-paste.ini",
            "workers": 1,
        },
        "service:central": {"workers": 1},
        # The name server takes zones only from the address that it is told of them.
        "service:mdns": {"listen": f"{address}:{PORTS['zones']}", "workers": 1},
        # Records are there after a second instead of after five.
        "service:worker": {"workers": 1, "poll_delay": 1, "poll_retry_interval": 2},
        "service:producer": {"workers": 1},
    }


def pool(address: str) -> dict[str, t.Any]:
    """The name server, as Designate has to know it."""
    return {
        "name": "default",
        "ns_records": [{"hostname": "ns.lab.example.org.", "priority": 1}],
        "nameservers": [{"host": address, "port": 53}],
        "targets": [
            {
                "type": "bind9",
                "masters": [{"host": address, "port": PORTS["zones"]}],
                "options": {
                    "host": address, "port": 53, "rndc_host": LOOPBACK, "rndc_port": PORTS["rndc"],
                    "rndc_key_file": str(KEY_FILE),
                },
            }
        ],
    }  # fmt: skip


NAMED = f"""\
options {{{{
  directory "{{folder}}";
  listen-on {{{{ {{address}}; }}}};
  listen-on-v6 {{{{ none; }}}};
  allow-new-zones yes;
  allow-notify {{{{ {{address}}; }}}};
  recursion no;
  pid-file none;
}}}};
controls {{{{ inet {LOOPBACK} port {PORTS["rndc"]} allow {{{{ {LOOPBACK}; }}}} keys {{{{ "lab"; }}}}; }}}};
"""
