// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// In the place of JupyterLab's "Your server is not running", which it says of each request that fails: says whether the
// network is lost or the hub has stopped the server, and connects notebooks, consoles and terminals again when it is back.
// An extension that needs no build.
"use strict";

(() => {
  const tools = () => window._JUPYTERLAB["galilean-notices"].tools;
  const NAME = "galilean-connection";
  // Milliseconds between two tries, the same for a server that somebody has to start, and how long one may only be slow.
  const AGAIN = 3_000;
  const STOPPED = 15_000;
  const SLOW = 30_000;

  // What JupyterHub says of a server that it has stopped (424); others come from proxies on the way.
  const state = async () => {
    const { headers, page } = tools();
    try {
      const options = { cache: "no-store", headers: headers(), signal: AbortSignal.timeout(10_000) };
      const answer = await fetch(`${page.baseUrl}api/status?no_track_activity=1`, options);
      return answer.status === 424 ? "stopped" : answer.status >= 500 ? "silent" : "there";
    } catch {
      return "lost";
    }
  };

  const SAID = {
    lost: "The network is lost. Your cells go on running, and this page connects again by itself.",
    silent: "Your server does not answer. This page tries again by itself.",
  };

  // JupyterLab's own notices are in a script that it fetches for the first of them: too late without a network.
  const banner = () => {
    const node = document.createElement("div");
    node.className = "galilean-connection";
    node.setAttribute("role", "status");
    node.style.cssText =
      "position: fixed; z-index: 10000; bottom: 40px; left: 50%; transform: translateX(-50%); padding: 10px 16px;" +
      " background: var(--jp-warn-color3, #fff3cd); color: var(--jp-ui-font-color1, #000); border-radius: 4px;" +
      " border: 1px solid var(--jp-warn-color1, #b26a00); font: var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, sans-serif);";
    return {
      say: (text) => {
        if (node.textContent !== text) node.textContent = text;
        if (!node.isConnected) document.body.append(node);
      },
      hide: () => node.remove(),
    };
  };

  const reconnect = (app) => {
    const seen = new Set();
    for (const area of ["main", "left", "right", "down"]) {
      for (const widget of app.shell.widgets(area)) {
        const context = widget.sessionContext || widget.content?.sessionContext;
        const connection = context?.session?.kernel || widget.content?.session;
        if (!connection?.reconnect || connection.isDisposed || seen.has(connection)) continue;
        seen.add(connection);
        connection.reconnect().catch(() => {});
      }
    }
  };

  const watch = (app, { Dialog, showDialog }, info) => {
    const { say, hide } = banner();
    let watching = false;
    const ended = async () => {
      const result = await showDialog({
        title: "Your server was stopped",
        body:
          "It was idle for long, or somebody stopped it. Your saved files are kept; variables are not. Start it again in another" +
          " tab and save your work here after that.",
        buttons: [Dialog.cancelButton({ label: "Not now" }), Dialog.okButton({ label: "Start my server" })],
      });
      if (result.button.accept) await app.commands.execute("hub:restart");
    };
    return async () => {
      if (watching) return;
      watching = true;
      // Nobody else has to ask meanwhile.
      if (info) info.isConnected = false;
      const since = Date.now();
      let told = false;
      let found = await state();
      while (found !== "there") {
        if (found === "stopped") {
          hide();
          if (!told) await ended();
          told = true;
        } else if (found === "lost" || Date.now() - since > SLOW) {
          say(SAID[found]);
        }
        await new Promise((done) => setTimeout(done, found === "stopped" ? STOPPED : AGAIN));
        found = await state();
      }
      if (info) info.isConnected = true;
      watching = false;
      hide();
      // A connection that was cut without a word looks open until it is used.
      reconnect(app);
    };
  };

  const plugin = async () => {
    const { load } = tools();
    const [application, apputils] = await Promise.all([load("@jupyterlab/application"), load("@jupyterlab/apputils")]);
    return {
      id: `${NAME}:plugin`,
      description: "Says whether the network is lost or the server is stopped, and connects again.",
      autoStart: true,
      provides: application.IConnectionLost,
      optional: [application.JupyterLab.IInfo],
      activate: (app, info) => {
        const lost = watch(app, apputils, info);
        window.addEventListener("offline", () => void lost());
        return lost;
      },
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: () => {},
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
