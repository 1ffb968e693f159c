#!/bin/sh
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Read by the commands R and Rscript.
here=/opt/software/r
export RHOME="${here}/usr/lib/R"
export FONTCONFIG_FILE="${here}/etc/fonts/fonts.conf"
export TZDIR="${here}/usr/share/zoneinfo"
export TCL_LIBRARY="${here}/usr/share/tcltk/tcl8.6" TK_LIBRARY="${here}/usr/share/tcltk/tk8.6"

# Linear algebra and data.table would start a thread for every core of the host; a container may have fewer.
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max; then
  :
else
  quota=$(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || echo max)
  period=$(cat /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null || echo 100000)
fi
case "${quota}" in
  max | -1 | '') ;;
  *) export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$(((quota + period - 1) / period))}" ;;
esac
unset here quota period
