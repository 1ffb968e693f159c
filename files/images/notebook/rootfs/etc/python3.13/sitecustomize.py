# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Read by the system's Python and by every environment made with it, whichever way pip is started.

/tmp is memory of the server. pip unpacks and builds packages in the home; what a killed pip leaves goes at
the next start of the server.
"""

import contextlib
import os
import sys

# As a module (-m pip), and as a program.
if "TMPDIR" not in os.environ and any(
    os.path.basename(word) in ("pip", "pip3", "pip3.13") for word in sys.orig_argv[1:4]
):
    _name = os.environ.get("JUPYTERHUB_SERVER_NAME", "")
    _scratch = os.path.expanduser("~/.cache/galilean-scratch" + (f"-{_name}" if _name else ""))
    with contextlib.suppress(OSError):
        os.makedirs(_scratch, exist_ok=True)
        os.environ["TMPDIR"] = _scratch

# A kernel of this Python, not one of an environment that is made with it.
if (
    sys.prefix == sys.base_prefix
    and "ipykernel_launcher" in sys.orig_argv[2:6]
    and not sys.flags.no_user_site
):
    try:
        from galilean_kernel import guard

        guard()
    except Exception as exc:
        print(f"The packages of this kernel could not be looked at: {exc!r}", file=sys.stderr)
