#!/bin/bash
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
#
# Read by all of Spark's commands. What a user has set already stays.

export JAVA_HOME="${JAVA_HOME:-/opt/software/spark/java}"
export PYSPARK_PYTHON="${PYSPARK_PYTHON:-/opt/software/spark/bin/python}"
# A container without a network cannot even resolve its own name.
export SPARK_LOCAL_IP="${SPARK_LOCAL_IP:-127.0.0.1}"
export SPARK_LOCAL_HOSTNAME="${SPARK_LOCAL_HOSTNAME:-localhost}"

# What does not fit the heap is spilled to disk: /tmp would be memory of the server. What is left goes at the next start.
galilean_scratch="${HOME}/.cache/galilean-scratch${JUPYTERHUB_SERVER_NAME:+-${JUPYTERHUB_SERVER_NAME}}"
if [[ -z "${SPARK_LOCAL_DIRS:-}" ]] && mkdir -p "${galilean_scratch}" 2>/dev/null; then
  export SPARK_LOCAL_DIRS="${galilean_scratch}"
fi

# The heap: less than half of what the container may use. The rest is for the JVM's other memory, Python's processes
# and the notebook server. (Cores need nothing: Java reads the container's limit.)
galilean_memory() {
  local file limit total
  total=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if limit=$(cat "${file}" 2>/dev/null) && [[ "${limit}" =~ ^[0-9]+$ ]] && ((limit / 1048576 < total)); then
      total=$((limit / 1048576))
    fi
  done
  echo $((total * 45 / 100 > 512 ? total * 45 / 100 : 512))m
}
export SPARK_DRIVER_MEMORY="${SPARK_DRIVER_MEMORY:-$(galilean_memory)}"

# Java warns about a module that Spark asks for; in a notebook it would stand under the first cell.
[[ -t 2 ]] || exec 2> >(exec grep --line-buffered --invert-match '^WARNING: Using incubator modules:' >&2)
