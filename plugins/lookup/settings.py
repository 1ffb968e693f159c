# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: settings
short_description: Return typed and derived settings of a host
version_added: 0.8.0
author: galilean.hub contributors (@galilean)
description:
  - Computes the settings of this collection from the variables of the host and the defaults of all roles. Therefore no role uses
    variables of another role, and a setting is defined only in its role's defaults and argument spec.
  - For a secret, the value only tells whether it is set.
options:
  _terms:
    description:
      - A role, for its settings without prefix, converted to the types in its argument spec.
      - V(instance), for names, paths and addresses of the instance.
      - V(address), for the public address of the hub.
      - V(host_proxy) or V(hub_proxy), for the HTTP proxy of the host or hub. Its URL may contain a password.
      - V(common), for values that several roles use, such as the title of the hub.
      - V(openstack_host) or V(service_account), for values of the roles openstack and users.
      - V(hub), V(login), V(listed_users), V(web_live), V(egress), V(egress_sources), V(notebook_extras), V(stacks) or
        V(welcome_folders), for values of the hub.
    type: list
    elements: str
    required: true
  instance:
    description: For V(instance), the name of an instance other than C(jupyterhub_instance).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show where the state of the instance is
  ansible.builtin.debug:
    msg: "{{ lookup('galilean.hub.settings', 'instance').state_dir }}"  # /srv/hub
"""

RETURN = r"""
_raw:
  description: Settings for each term.
  type: list
  elements: raw
"""


class LookupModule(LookupBase):
    """Ansible's entry point."""

    def run(
        self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[t.Any]:
        from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
        from ansible_collections.galilean.hub.plugins.module_utils.derived import (
            address,
            cloud,
            common,
            hub,
            instance,
            proxy,
        )
        from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import (
            HostSettings,
            role_names,
        )

        self.set_options(var_options=variables, direct=kwargs)
        settings = HostSettings(self._templar, variables or {})
        derived: dict[str, t.Callable[[], t.Any]] = {
            "instance": lambda: instance.layout(settings, self.get_option("instance")),
            "address": lambda: address.address(settings),
            "host_proxy": lambda: proxy.host_proxy(settings),
            "hub_proxy": lambda: proxy.hub_proxy(settings),
            **{
                function.__name__: lambda function=function: function(settings)  # type: ignore[misc]
                for function in (
                    cloud.openstack_host,
                    common.common,
                    common.service_account,
                    hub.egress,
                    hub.egress_sources,
                    hub.hub,
                    hub.listed_users,
                    hub.login,
                    hub.notebook_extras,
                    hub.stacks,
                    hub.web_live,
                    hub.welcome_folders,
                )
            },
        }
        found = []
        for term in terms:
            if term not in derived and term not in role_names():
                raise AnsibleLookupError(
                    f"galilean.hub.settings has no {term!r}: use one of {', '.join(sorted([*derived, *role_names()]))}."
                )
            try:
                found.append(derived[term]() if term in derived else settings.role(term))
            except HubError as exc:
                raise AnsibleLookupError(exc.message) from exc
        return found
