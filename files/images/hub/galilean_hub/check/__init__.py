# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The check as a user. The module hub_check starts it in a container of this image, on the host's network."""
