# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long "at once" may take: two suites side by side take several times as long as one alone.

ATTACKS_PATIENCE=1 asks for what docs/bench.md promises of a quiet machine.
"""

from __future__ import annotations

import os

AT_ONCE = float(os.environ.get("ATTACKS_PATIENCE", "15"))
