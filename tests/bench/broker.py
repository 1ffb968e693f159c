# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the broker costs: the calls to the engine that one start takes, through it and straight, interleaved.

    python tests/bench/broker.py --instance hub [--repeats 20] [--json FILE]

It runs in the broker's container, which has both sockets. Needs root and an instance on this machine.
"""

from __future__ import annotations

import json
import subprocess
import sys

from results import bench_parser, publish

CALLS = """
import docker, json, statistics, sys, time
sys.path.insert(0, "/opt/galilean")
from galilean_broker.model import compile_policy

data = json.load(open("/etc/jupyterhub/config.json"))
policy, name = compile_policy(data), data["instance"]
sockets = {"broker": "/run/broker/docker.sock", "engine": "/var/run/docker.sock"}
clients = {way: docker.APIClient("unix://" + path, version="auto") for way, path in sockets.items()}
home = {"galilean.hub.instance": name, "galilean.hub.role": "home", "galilean.hub.user": "bench"}
limits = {key: rule["most"] for key, rule in policy["limits"].items()}
body = {
    **policy["config"], "Image": policy["images"][0], "Env": [], "Cmd": ["sleep", "60"], "Volumes": {},
    "Labels": policy["labels"],
    "HostConfig": {**policy["host"], **limits, "Binds": [f"{name}-home-bench:/home/jovyan:rw"], "Mounts": []},
}

def start(client):
    client.inspect_image(policy["images"][0])
    client.create_volume(f"{name}-home-bench", labels=home)
    url = f"{client.base_url}/v{client.api_version}/containers/create?name={name}-user-bench"
    made = client.post(url, json=body)
    made.raise_for_status()
    client.start(made.json()["Id"])
    client.inspect_container(made.json()["Id"])
    return made.json()["Id"]

times = {way: [] for way in clients}
for number in range(int(sys.argv[1])):
    for way in sorted(clients, reverse=number % 2 == 1):
        began = time.monotonic()
        container = start(clients[way])
        times[way].append(time.monotonic() - began)
        clients["engine"].remove_container(container, force=True)
clients["engine"].remove_volume(f"{name}-home-bench")
print(json.dumps({way: statistics.median(found) for way, found in times.items()}))
"""


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--instance", default="hub", help="name of the instance (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="starts each way (default: %(default)s)")
    options = parser.parse_args()
    argv = ["docker", "exec", "-i", f"{options.instance}-broker", "python3", "-", str(options.repeats)]
    done = subprocess.run(argv, input=CALLS, check=True, text=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout)
    results = {f"{way}_ms": round(seconds * 1000) for way, seconds in found.items()}
    publish({**results, "ratio": round(found["broker"] / found["engine"], 2)}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
