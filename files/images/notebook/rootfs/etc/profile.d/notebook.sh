# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Terminals are login shells, and /etc/profile has just reset PATH. The shared software comes last: R and Spark are
# found, and python and pip stay the plain ones.
PATH="${HOME}/.local/bin:${PATH}:/opt/software/bin"
# Who starts in a terminal sees no notices of JupyterLab's.
case $- in
  *i*) [ ! -s /tmp/galilean/repositories.txt ] || cat /tmp/galilean/repositories.txt ;;
esac
