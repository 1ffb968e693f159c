#!/bin/sh
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Targets for backups: sshd on 22, a rest-server on 8000, Swift with its own logins and S3 on 8080. One device, one replica.
set -eu
ssh-keygen -A >/dev/null
mkdir -p /run/sshd /srv/rest /srv/node/d1 /var/cache/swift /var/lock/swift /etc/swift
chmod 755 /run/sshd
id backup-target >/dev/null 2>&1 || useradd --create-home --shell /bin/sh backup-target
usermod --password '*' backup-target
mkdir -p /home/backup-target/.ssh
chown -R swift:swift /srv/node /var/cache/swift /var/lock/swift
cat >/etc/swift/swift.conf <<C
[swift-hash]
swift_hash_path_suffix = test
swift_hash_path_prefix = test
C
port=6200
for kind in object container account; do
  cat >/etc/swift/$kind-server.conf <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
mount_check = false
[pipeline:main]
pipeline = $kind-server
[app:$kind-server]
use = egg:swift#$kind
C
  cd /etc/swift
  swift-ring-builder $kind.builder create 4 1 1 >/dev/null
  swift-ring-builder $kind.builder add r1z1-127.0.0.1:$port/d1 1 >/dev/null
  swift-ring-builder $kind.builder rebalance >/dev/null
  port=$((port + 1))
done
cat >/etc/swift/proxy-server.conf <<C
[DEFAULT]
bind_port = 8080
workers = 0
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging cache listing_formats bulk s3api tempauth copy slo dlo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
C
memcached -u nobody -l 127.0.0.1 -d
for kind in object container account; do swift-$kind-server /etc/swift/$kind-server.conf >/var/log/$kind.log 2>&1 & done
swift-proxy-server /etc/swift/proxy-server.conf >/var/log/proxy.log 2>&1 &
rclone serve restic --addr :8000 --user tester --pass testing /srv/rest >/var/log/rest.log 2>&1 &
exec /usr/sbin/sshd -D -e
