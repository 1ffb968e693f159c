# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The error whose text is one sentence for the operator."""

from __future__ import annotations


class Problem(Exception):
    """One sentence: what is wrong, the value, and what to do."""
