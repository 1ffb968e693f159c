// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Says in JupyterLab and in the classic notebook which repositories could not be brought into the home. An extension
// that needs no build, and that is loaded only where there are repositories.
"use strict";

(() => {
  const NAME = "galilean-repositories";
  const EVERY = 2_000;
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

  const ask = async () => {
    try {
      // What nobody did is no activity: idle servers still end.
      const address = `${page.baseUrl}galilean/repositories?no_track_activity=1`;
      const answer = await fetch(address, { cache: "no-store", headers: headers() });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  };

  const finished = async (onWait) => {
    const end = Date.now() + ENOUGH;
    while (Date.now() < end) {
      const state = await ask();
      if (state?.state === "done") return state.repositories;
      onWait();
      await new Promise((done) => setTimeout(done, EVERY));
    }
    return [];
  };

  const plugin = async () => {
    const [{ Dialog, Notification, showDialog }, { Widget }] = await Promise.all([
      load("@jupyterlab/apputils"),
      load("@lumino/widgets"),
    ]);
    const details = (repository) => {
      const text = document.createElement("pre");
      text.textContent = [repository.message, "", repository.url, ...repository.details].join("\n");
      void showDialog({
        title: `~/${repository.path}`,
        body: new Widget({ node: text }),
        buttons: [Dialog.okButton({ label: "Close" })],
      });
    };
    const tell = async () => {
      let waiting;
      const repositories = await finished(() => {
        waiting = waiting || Notification.info("Your repositories are being updated.", { autoClose: 5000 });
      });
      for (const repository of repositories.filter((one) => one.state === "failed")) {
        Notification.warning(repository.message, {
          autoClose: false,
          actions: [{ label: "Details", callback: () => details(repository) }],
        });
      }
    };
    return {
      id: `${NAME}:plugin`,
      description: "Says which repositories could not be brought into the home.",
      autoStart: true,
      activate: (app) => {
        void app.restored.then(tell);
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
