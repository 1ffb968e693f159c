# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings of every user's notebook server.

A site's own settings go into /etc/jupyter/jupyter_server_config.d/*.json, which is read after this file.
The hub may set the NOTEBOOK_* variables per server (Spawner.environment). Times are seconds, 0 is "never".
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import Any
from urllib.parse import quote


def number(name: str, default: int) -> int:
    """Return the variable's value; a typing mistake must not keep a user from starting a server."""
    try:
        return int(os.environ.get(name, default))
    except ValueError:
        return default


c: Any = globals()["get_config"]()

# Idle kernels give their memory back; no busy one is stopped, one with an open page is left alone or told.
c.MappingKernelManager.cull_idle_timeout = number("NOTEBOOK_KERNEL_CULL_IDLE", 3600)
c.MappingKernelManager.cull_interval = number("NOTEBOOK_KERNEL_CULL_INTERVAL", 60)
c.MappingKernelManager.cull_connected = bool(number("NOTEBOOK_KERNEL_CULL_CONNECTED", 0))
c.MappingKernelManager.cull_busy = bool(number("NOTEBOOK_KERNEL_CULL_BUSY", 0))
c.TerminalManager.cull_inactive_timeout = number("NOTEBOOK_TERMINAL_CULL_IDLE", 3600)
c.TerminalManager.cull_interval = number("NOTEBOOK_KERNEL_CULL_INTERVAL", 60)

# The defaults (1 MB/s, 1000 messages/s) stop ordinary plots and progress bars.
c.ZMQChannelsWebsocketConnection.iopub_data_rate_limit = 50_000_000
c.ZMQChannelsWebsocketConnection.iopub_msg_rate_limit = 5_000

# The user's own kernels, packages and settings; nothing of them where the user asked for a start without.
clean = False
home_data = os.path.expanduser("~/.local/share/jupyter")
with contextlib.suppress(ImportError):
    import cleanstart

    clean = cleanstart.asked(os.environ)
    if clean:
        cleanstart.leave_out(c)

# Templates run in the server's own process; by default they are taken from the home as well.
c.TemplateExporter.extra_template_basedirs = []

# What the hub says (docs/environments.md). In the path of a file are letters that an address does not take.
start_page = os.environ.get("JUPYTERHUB_DEFAULT_URL") or "/lab"
c.ServerApp.default_url = quote(start_page, safe="/%?&=#:;@!$'()*+,~")
# What goes wrong is told in words, with the look of the hub.
c.ServerApp.extra_template_paths = ["/opt/notebook/share/galilean/templates"]
# As the hub's cookies are; it sets this server's others so.
secure = {"secure": True} if os.environ.get("JUPYTERHUB_PUBLIC_URL", "").startswith("https:") else {}
c.ServerApp.tornado_settings = {"xsrf_cookie_kwargs": {"samesite": "Lax", **secure}}
# The hub tells its version to whom it knows, and this server asks for it without saying who it is.
asked = logging.getLogger("JupyterHubSingleUser")
asked.addFilter(lambda record: "no version header" not in record.getMessage())
# Jupyter's limit for the answer to a ping is left at three times the interval: it looks for the first answer
# before it has asked, and would close each websocket. Tornado takes both for its own settings, and says so.
logging.getLogger("tornado.general").addFilter(lambda record: "ping_timeout" not in record.getMessage())
c.ServerApp.terminals_enabled = bool(number("NOTEBOOK_TERMINALS", 1))
# Uploads and drag-and-drop of data files through the contents API.
c.ServerApp.max_body_size = c.ServerApp.max_buffer_size = number("NOTEBOOK_MAX_UPLOAD", 1024**3)
labextensions: list[str] = []
extensions: dict[str, bool] = {}
# So much only of those who may use the server; the extension raises the limit for them.
with contextlib.suppress(ImportError):
    from bodyguard import SMALL

    c.ServerApp.max_body_size = SMALL
    extensions["bodyguard"] = extensions["hubaway"] = True
with contextlib.suppress(ImportError):
    from imagepage import leave_the_home_out

    leave_the_home_out()
# The look (docs/web.md). A server of a user's own reads this file, too, and has no such module.
with contextlib.suppress(ImportError):
    from webfiles import FOLDERS, WebFiles, serve_extensions

    serve_extensions()
    extensions["shortanswers"] = True
    c.LabApp.custom_css = True
    labextensions += [f"{folder}/labextensions" for folder in FOLDERS]
    c.ServerApp.tornado_settings["static_custom_path"] = [f"{folder}/static" for folder in FOLDERS]
    c.ServerApp.tornado_settings["static_handler_class"] = WebFiles
    if number("NOTEBOOK_WEB_LIVE", 0):
        extensions["web_live"] = True
# Further ways to work (docs/environments.md). What a server does not use is not loaded, it would start later.
with contextlib.suppress(ImportError):
    from hubapps import servers

    extensions["lazyclassic"] = extensions["hubbusy"] = extensions["startpage"] = True
    extensions["hubnotices"] = extensions["softwarepage"] = extensions["serverusage"] = True
    # Links that bring repositories (docs/repositories.md).
    if os.environ.get("GALILEAN_GIT_LINKS"):
        extensions["linkpages"] = True
    labextensions.append("/opt/notebook/share/galilean/notices/labextensions")
    apps = servers(os.environ)
    if apps:
        c.ServerProxy.servers = apps
        extensions["jupyter_server_proxy"] = True
        labextensions.append("/opt/notebook/share/galilean/apps/labextensions")
# What a site turns on, and where deleted files go (docs/jupyterlab.md).
with contextlib.suppress(ImportError):
    import hometrash
    import labfeatures

    features = labfeatures.wanted(os.environ)
    labextensions += labfeatures.labextensions(features)
    sys.path += labfeatures.languages(os.environ)
    if features or labfeatures.without_debugger(os.environ):
        extensions["labfeatures"] = True
    if "voila" in features:
        c.VoilaConfiguration.page_config_hook = labfeatures.voila_page
        # It is made for other pages.
        c.VoilaConfiguration.extension_denylist = ["@jupyter-notebook/lab-extension"]
    hometrash.use()
    c.FileContentsManager.delete_to_trash = number("NOTEBOOK_TRASH_DAYS", 30) > 0
    c.FileContentsManager.always_delete_dir = True
    c.ContentsManager.allow_hidden = bool(number("NOTEBOOK_HIDDEN_FILES", 1))
# What is said of kernels, their own ones, and how large messages may be (docs/kernels.md).
with contextlib.suppress(ImportError):
    import messagelimit

    # Kernels elsewhere are Jupyter's own business, which reads this and further variables of that name.
    gateway = bool(os.environ.get("JUPYTER_GATEWAY_URL"))
    if gateway:
        extensions["remotekernels"] = True
        if number("GALILEAN_GATEWAY_LOGIN", 0):
            c.GatewayClient.gateway_token_renewer_class = "remotekernels.Token"
            c.GatewayClient.auth_scheme = os.environ.get("JUPYTER_GATEWAY_AUTH_SCHEME") or "Bearer"
    else:
        c.ServerApp.kernel_spec_manager_class = "ownkernels.Kernels"
        c.ServerApp.kernel_manager_class = "kernelends.Manager"
        c.ServerApp.kernel_websocket_connection_class = "messagelimit.Connection"
        c.Connection.most = messagelimit.limit()
        c.Manager.cull_warning = number("NOTEBOOK_CULL_WARNING", 600)
    if number("GALILEAN_AUDIT", 0) and not gateway:
        extensions["codeaudit"] = True
    # Outputs survive a reload (docs/kernels.md).
    if number("NOTEBOOK_KEEP_OUTPUTS", 0) and not gateway:
        extensions["keptoutputs"] = True
        labextensions.append("/opt/notebook/share/galilean/outputs/labextensions")
    c.ServerApp.tornado_settings["websocket_max_message_size"] = messagelimit.limit()
    c.Kernels.home_dir = "" if clean else f"{home_data}/kernels"
    if number("NOTEBOOK_USER_EXTENSIONS", 0) and not clean:
        labextensions.append(f"{home_data}/labextensions")
# JupyterLab and the classic notebook alike.
c.LabServerApp.extra_labextensions_path = labextensions
c.ServerApp.jpserver_extensions = extensions
# Without network egress the check for newer versions would only delay the page and fill the log.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
# Extensions of the interface are part of the image; a user cannot build into it.
c.LabApp.extension_manager = "readonly"
