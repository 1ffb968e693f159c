#!/bin/bash
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# registry.sh CONTAINER NETWORK FOLDER: Debian's registry server in a container that runs, with a password ($PASSWORD) and the
# certificate of the folder, known in the network as registry.example.org. Writes its port on this machine into the folder.
set -euo pipefail
container=$1 network=$2 folder=$3
inside() { docker exec --interactive "$container" "$@"; }

inside sh -c 'cat > /etc/ssl/certs/ca-certificates.crt' < /etc/ssl/certs/ca-certificates.crt
for _try in 1 2 3; do
  inside sh -c 'apt-get update -qq && apt-get install -qq -y --no-install-recommends docker-registry' >/dev/null 2>&1 && break
done
for file in registry.crt registry.key; do inside sh -c "cat > /etc/$file" < "$folder/$file"; done
printf '%s' "$PASSWORD" | inside python3 -c '
import crypt, sys
salt = crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=32)
open("/etc/registry.htpasswd", "w").write("robot:" + crypt.crypt(sys.stdin.read(), salt) + "\n")'
inside sh -c 'cat > /etc/registry.yml' <<'YAML'
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: /var/lib/registry}, delete: {enabled: true}}
http: {addr: ":5000", tls: {certificate: /etc/registry.crt, key: /etc/registry.key}}
auth: {htpasswd: {realm: test, path: /etc/registry.htpasswd}}
YAML
docker exec --detach "$container" sh -c 'exec docker-registry serve /etc/registry.yml > /var/log/registry.log 2>&1'
docker network connect --alias registry.example.org "$network" "$container"
docker port "$container" 5000/tcp | head -n 1 | sed 's/.*://' > "$folder/registry-port"
for _try in $(seq 50); do
  inside python3 -c 'import socket; socket.create_connection(("localhost", 5000), 1)' 2>/dev/null && exit 0
  sleep 0.2
done
inside cat /var/log/registry.log >&2
exit 1
