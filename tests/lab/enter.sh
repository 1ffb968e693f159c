#!/bin/sh
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Called as: enter.sh TREE VAR SCHEMAS SOURCE, by unshare, as the first process of namespaces of its own.
# Makes TREE the root of the file system, read-only, with VAR at /lab and SOURCE at /src, and stays as init.
# Whatever is mounted, started or plumbed from here on ends with this process.
set -eu
tree=$1 var=$2 schemas=$3 source=$4

mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
# Of the new network namespace: neutron looks for its bridges there.
mount -t sysfs sysfs sys
mount --rbind /dev dev
for folder in run tmp var/tmp var/cache; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p run/lock var/cache/libvirt
mount --bind "$var" lab
mount --bind "$schemas" lab/schemas
mount --bind "$source" src
mount --bind lab/log var/log
mount --bind lab/libvirt var/lib/libvirt
mount --bind lab/etc/libvirt etc/libvirt
mount -o remount,bind,ro "$tree"
pivot_root . mnt
umount --lazy /mnt
hostname lab
exec /usr/bin/tini -- sleep infinity
