// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Says in JupyterLab and in the classic notebook what there is to say of repositories in the home, and when the
// home or a shared folder is nearly full, or has more than its limit. An extension that needs no build, and that is
// loaded only where there are repositories or limits.
"use strict";

(() => {
  const NAME = "galilean-notices";
  const EVERY = { repositories: 2_000, disk: 30_000 };
  // Work goes on without us: a tab does not ask for ever.
  const ENOUGH = 30 * 60_000;

  const page = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");
  let shared;

  const load = async (name) => {
    const version = Object.values(shared[name] || {})[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no module ${name}`);
    return (await version.get())();
  };

  // A server behind a hub answers no script without it.
  const headers = () => ({ "X-XSRFToken": document.cookie.match(/\b_xsrf=([^;]*)/)?.[1] || "" });

  const ask = async (what) => {
    try {
      // What nobody did is no activity: idle servers still end.
      const address = `${page.baseUrl}galilean/${what}?no_track_activity=1`;
      const answer = await fetch(address, { cache: "no-store", headers: headers() });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  const finished = async (onWait) => {
    const end = Date.now() + ENOUGH;
    while (Date.now() < end) {
      const state = await ask("repositories");
      if (state?.state === "done") return state.repositories;
      onWait();
      await new Promise((done) => setTimeout(done, EVERY.repositories));
    }
    return [];
  };

  const repositories = ({ Dialog, Notification, showDialog }, { Widget }) => {
    const details = (repository) => {
      const text = document.createElement("pre");
      text.textContent = [repository.message, "", repository.url, ...repository.details].join("\n");
      void showDialog({
        title: `~/${repository.path}`,
        body: new Widget({ node: text }),
        buttons: [Dialog.okButton({ label: "Close" })],
      });
    };
    return async () => {
      let waiting;
      const found = await finished(() => {
        waiting = waiting || Notification.info("Your repositories are being updated.", { autoClose: 5000 });
      });
      for (const repository of found.filter((one) => one.message)) {
        Notification.emit(repository.message, repository.state === "failed" ? "warning" : "info", {
          autoClose: false,
          actions: [{ label: "Details", callback: () => details(repository) }],
        });
      }
    };
  };

  const disk = ({ Notification }) => {
    // What is shown of the home, and of each folder.
    const known = new Map();
    const tell = (name, { state, message }) => {
      const { state: before, shown } = known.get(name) || { state: "ok" };
      if (state === before) {
        // The figures change, and nobody is told again what they have read.
        if (shown) Notification.update({ id: shown, message });
        return;
      }
      if (shown) Notification.dismiss(shown);
      const kind = state === "near" ? "warning" : "error";
      known.set(name, { state, shown: message ? Notification.emit(message, kind, { autoClose: false }) : null });
    };
    const look = async () => {
      const home = document.hidden ? null : await ask("disk");
      if (!home?.state) return;
      tell("", home);
      for (const folder of home.folders || []) tell(folder.name, folder);
    };
    return () => {
      void look();
      setInterval(() => void look(), EVERY.disk);
      document.addEventListener("visibilitychange", () => void look());
    };
  };

  const plugin = async () => {
    const modules = await Promise.all([load("@jupyterlab/apputils"), load("@lumino/widgets")]);
    return {
      id: `${NAME}:plugin`,
      description: "Says what is wrong with repositories, and what is too large.",
      autoStart: true,
      activate: (app) => {
        for (const part of [repositories, disk]) void app.restored.then(part(...modules));
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
