# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Access enforcement for running servers: JupyterHub itself looks only when their users ask for a page."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyterhub import orm, roles

from ..audit import events

FIRST = 5.0


class AccessEnforcement:
    """Stops servers of users who are blocked or no longer approved, and takes administrators their right."""

    def __init__(self, app: Any, access: Any) -> None:
        self._app, self._access, self._log = app, access, access.log
        self._task: asyncio.Task[None] | None = None
        # Their servers know only the old name.
        self._renamed = set(access.renamed_users)

    def start(self) -> None:
        """Settle what the settings have changed, and begin to look.

        Where no loop runs nothing is done: a check of the configuration has none.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        # At once: whoever asks the hub next sees what the settings say. In between, its own list may differ.
        self._administrators()
        self._memberships()
        self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        # Users are there only when the hub has started.
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.check_all()
            except Exception:
                self._log.exception("Access enforcement failed; it is tried again")
            await asyncio.sleep(max(5, self._access.auth_refresh_age or 300))

    async def check_all(self) -> None:
        """Check everybody whose server runs."""
        source = self._access.source()
        if source is not None:
            await source.refresh()
        failed = set()
        for user in self._running():
            try:
                await self._check(user)
            except Exception:
                # Whatever is wrong with one of them, the others are looked at.
                self._log.exception("The access of %s could not be checked; it is tried again", user.name)
                failed.add(user.name)
        self._renamed &= failed

    async def _check(self, user: Any) -> None:
        if user.name in self._renamed:
            reason = "the user was renamed"
        else:
            reason = await self._access.lost(user, certain=True)
        if reason:
            await self._stop(user, reason)

    def _running(self) -> list[Any]:
        rows = self._app.db.query(orm.User).join(orm.Spawner).filter(orm.Spawner.server_id.isnot(None))
        return [self._app.users[row] for row in rows.distinct()]

    async def _stop(self, user: Any, reason: str) -> None:
        for name, spawner in list(user.spawners.items()):
            if spawner.active and not spawner.pending:
                self._log.warning("Stopping the server %s: %s", spawner._log_name, reason)
                await self._app.proxy.delete_user(user, name)
                await user.stop(name)
                events.emit("server.stop", events.HUB, user=user.name, server=name, detail=reason)

    def _memberships(self) -> None:
        """JupyterHub puts users into the groups of the settings, and never takes one out again."""
        access = self._access
        if access.manage_groups:
            return
        for name, users in access.group_members.items():
            group = orm.Group.find(self._app.db, name)
            for row in list(group.users) if group else []:
                if row.name not in users:
                    group.users.remove(row)
                    self._log.warning(
                        "%s is not in the group %s any more, as the settings say", row.name, name
                    )
        self._app.db.commit()

    def _administrators(self) -> None:
        """Those whom the settings no longer name. Members of groups: at their next refresh."""
        access = self._access
        access.remember_all(access.admin_users)
        if access.administrator_groups:
            return
        for name in sorted(access.granted() - access.admin_users):
            row = orm.User.find(self._app.db, name)
            if row is not None and row.admin:
                row.admin = False
                # The role goes with it.
                roles.assign_default_roles(self._app.db, entity=row)
                self._log.warning("%s is no administrator any more: the settings no longer say so", name)
            access.remember(name, False)
