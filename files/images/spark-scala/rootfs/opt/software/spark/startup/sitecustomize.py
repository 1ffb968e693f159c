# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run by every Python that spark/bin/python starts: adds the shared packages after the user's own.

So a newer version that a user has installed wins. The way in (PYTHONPATH) is removed again, so that other
Pythons that are started from this one are left alone.
"""

import os
import site
import sys

HERE = os.path.dirname(__file__)

sys.path[:] = [entry for entry in sys.path if entry != HERE]
_rest = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", HERE)]
if _rest:
    os.environ["PYTHONPATH"] = os.pathsep.join(_rest)
else:
    os.environ.pop("PYTHONPATH", None)

# An environment that a user has made with this Python holds what they put into it, nothing else.
if sys.prefix == sys.base_prefix:
    _system = [entry for entry in sys.path if entry.endswith("/dist-packages")]
    sys.path[:] = [entry for entry in sys.path if entry not in _system]
    site.addsitedir(os.path.join(os.path.dirname(HERE), "packages"))
    sys.path += _system

# This file stands before the system's of the same name, which is read now.
del sys.modules["sitecustomize"]
__import__("sitecustomize")
