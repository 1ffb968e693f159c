# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The way to a cloud, and its errors in one sentence.

Credentials come from clouds.yaml (searched by openstacksdk: OS_CLIENT_CONFIG_FILE, the current folder, ~/.config/openstack,
/etc/openstack) or, for the cloud ``envvars``, from OS_* of the environment.
https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html
"""

from __future__ import annotations

import contextlib
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Seconds for one answer of an API. A busy cloud may take long, one that is away must not hold us for ever.
API_TIMEOUT = 120


def connect(cloud: str) -> t.Any:
    """Return an authenticated openstack.connection.Connection; HubError without openstacksdk or for an unknown cloud."""
    try:
        import openstack
    except ImportError as exc:
        raise HubError(
            "openstacksdk is not installed for the Python that runs Ansible: run `make setup`, or install it with "
            "`pip install openstacksdk`."
        ) from exc
    with errors(f"Cloud {cloud}"):
        try:
            connection = openstack.connect(cloud=cloud, api_timeout=API_TIMEOUT, app_name="galilean.hub")
        except openstack.exceptions.ConfigException as exc:
            raise HubError(_no_cloud(cloud, str(exc))) from exc
        # Not authorize(), which makes one error of all: what is wrong could not be told apart.
        connection.session.get_token()
        return connection


def _no_cloud(cloud: str, reason: str) -> str:
    if "was not found" in reason:
        return (
            f"The cloud is {cloud!r}, and no clouds.yaml that openstacksdk finds has it: put yours into "
            "~/.config/openstack/clouds.yaml, or name its file in the environment variable OS_CLIENT_CONFIG_FILE."
        )
    return f"The entry {cloud!r} of clouds.yaml cannot be used: {_first(reason)}."


@contextlib.contextmanager
def errors(what: str) -> t.Iterator[None]:
    """Turn what openstacksdk and keystoneauth raise into a sentence that begins with what was tried."""
    from keystoneauth1 import exceptions as auth
    from openstack import exceptions as sdk

    try:
        yield
    except auth.http.Unauthorized as exc:
        raise HubError(
            f"{what}: the cloud refuses the credentials ({_first(str(exc))}). They are wrong, expired or revoked: correct "
            "clouds.yaml, or make a new application credential."
        ) from exc
    except (auth.ConnectFailure, auth.ConnectTimeout) as exc:
        raise HubError(
            f"{what}: the cloud does not answer ({_first(str(exc))}): check auth_url in clouds.yaml and the network."
        ) from exc
    except sdk.HttpException as exc:
        raise HubError(f"{what}: {reason_of(exc)}.", status=exc.status_code or 0) from exc
    except (sdk.SDKException, auth.ClientException) as exc:
        raise HubError(f"{what}: {_first(str(exc))}.") from exc


def reason_of(exc: t.Any) -> str:
    """What a service said, without its address."""
    status = getattr(exc, "status_code", None)
    if status == 401:
        return "the cloud refuses the credentials; they may have expired meanwhile"
    if status == 403:
        return f"the credentials may not do that ({_first(str(getattr(exc, 'details', '') or exc))})"
    details = str(getattr(exc, "details", "") or "")
    return _first(details or str(exc))


def _first(text: str) -> str:
    """The first line, without what only programmers want to know."""
    line = next(iter(text.strip().splitlines()), "no reason given")
    line = re.sub(r"\s*\(HTTP \d+\)( \(Request-ID: [^)]*\))?", "", line)
    line = re.sub(r"HTTPS?ConnectionPool\(.*\[Errno -?\d+\] ([^'\")]+).*", r"\1", line)
    line = re.sub(r"(Client|Server) Error for url: \S+,?\s*", "", line)
    return line.strip().rstrip(".:")[:300] or "no reason given"
