// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Says in JupyterLab and in the classic notebook when the home is nearly full, or has more than its limit. An
// extension that needs no build, and that is loaded only where homes have limits.
"use strict";

(() => {
  const NAME = "galilean-disk";
  const EVERY = 30_000;

  const page = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");
  let shared;

  const load = async (name) => {
    const version = Object.values(shared[name] || {})[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no module ${name}`);
    return (await version.get())();
  };

  // A server behind a hub answers no script without it.
  const headers = () => ({ "X-XSRFToken": document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] || "" });

  const ask = async () => {
    try {
      // What nobody did is no activity: idle servers still end.
      const address = `${page.baseUrl}galilean/disk?no_track_activity=1`;
      const answer = await fetch(address, { cache: "no-store", headers: headers() });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  const plugin = async () => {
    const { Notification } = await load("@jupyterlab/apputils");
    let shown = null;
    let state = "ok";
    const look = async () => {
      const home = document.hidden ? null : await ask();
      if (!home?.state) return;
      if (home.state === state && shown) {
        // The figures change, and nobody is told again what they have read.
        Notification.update({ id: shown, message: home.message });
        return;
      }
      if (home.state === state) return;
      state = home.state;
      if (shown) Notification.dismiss(shown);
      shown = null;
      if (home.message) {
        const kind = state === "near" ? "warning" : "error";
        shown = Notification.emit(home.message, kind, { autoClose: false });
      }
    };
    return {
      id: `${NAME}:plugin`,
      description: "Says when the home is nearly full.",
      autoStart: true,
      activate: (app) => {
        void app.restored.then(() => {
          void look();
          setInterval(() => void look(), EVERY);
          document.addEventListener("visibilitychange", () => void look());
        });
      },
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
