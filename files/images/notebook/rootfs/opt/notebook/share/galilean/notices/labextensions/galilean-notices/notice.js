// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Says in JupyterLab and in the classic notebook why a kernel ended, which message is too large for one, what there is to
// say of repositories in the home, and when the home or a shared folder is nearly full, or has more than its limit. Takes the
// first choice of a theme. An extension that needs no build.
"use strict";

(() => {
  const NAME = "galilean-notices";
  const EVERY = { repositories: 2_000, look: 30_000 };
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
      const address = `${page.baseUrl}galilean/${what}${what.includes("?") ? "&" : "?"}no_track_activity=1`;
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

  // What the page asks for by a button.
  const post = async (what, body = {}) => {
    try {
      const address = `${page.baseUrl}galilean/${what}`;
      await fetch(address, { method: "POST", headers: headers(), body: JSON.stringify(body) });
    } catch {
      // It is told that the network is lost.
    }
  };

  const show = ({ Dialog, showDialog }, { Widget }, title, kind, lines) => {
    const text = document.createElement(kind);
    text.textContent = lines.join("\n");
    void showDialog({ title, body: new Widget({ node: text }), buttons: [Dialog.okButton({ label: "Close" })] });
  };

  // JupyterLab cuts what is longer than 140 signs, and shows the rest nowhere.
  const longer = (apputils, widgets, message, action) => {
    const actions = [];
    if (action) actions.push({ label: action.label, callback: () => void post(action.path) });
    if (message.length > 140) {
      actions.push({ label: "Details", callback: () => show(apputils, widgets, "Details", "p", [message]) });
    }
    return { actions };
  };

  const repositories = (apputils, widgets) => {
    const { Notification } = apputils;
    const details = ({ message, url, path, details }) => show(apputils, widgets, `~/${path}`, "pre", [message, "", url, ...details]);
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
      setInterval(() => void look(), EVERY.look);
      document.addEventListener("visibilitychange", () => void look());
    };
  };

  // What was closed stays closed, in this browser.
  const SEEN = `${NAME}:seen`;
  const seen = () => JSON.parse(localStorage.getItem(SEEN) || "[]");

  const kernels = (apputils, widgets, app, first) => {
    const { Notification } = apputils;
    const shown = new Map();
    const look = async () => {
      const state = await ask("kernels");
      if (!state) return;
      const now = new Map(state.notices.map((one) => [one.key, one]));
      for (const [key, one] of shown) {
        if (now.get(key)?.id === one.id) continue;
        Notification.dismiss(one.notification);
        shown.delete(key);
      }
      for (const one of now.values()) {
        if (shown.has(one.key) || seen().includes(one.id)) continue;
        const notification = Notification.emit(one.message, one.kind, {
          autoClose: false,
          ...longer(apputils, widgets, one.message, one.action),
        });
        shown.set(one.key, { id: one.id, notification });
      }
    };
    const closed = (_sender, change) => {
      if (change.type !== "removed") return;
      for (const [key, one] of shown) {
        if (one.notification !== change.notification.id) continue;
        shown.delete(key);
        localStorage.setItem(SEEN, JSON.stringify([...seen().slice(-100), one.id]));
      }
    };
    return () => {
      if (first.clean) Notification.warning(first.clean, { autoClose: false, ...longer(apputils, widgets, first.clean) });
      Notification.manager.changed.connect(closed);
      // The list of kernels has been read since, and may have had something to tell before anybody listened.
      void look();
      setInterval(() => void (document.hidden || look()), EVERY.look);
      app.serviceManager.events.stream.connect((_sender, event) => {
        if (event.schema_id === "https://galilean.hub/notices/v1") void look();
      });
      // What was missed while the connection was away.
      document.addEventListener("visibilitychange", () => void (document.hidden || look()));
    };
  };

  // While JupyterLab follows the colours of the system, it takes the first choice of a theme for nothing but the wish to
  // follow them no more. It is told a second time then.
  const themes = ({ commands }) => {
    let again = false;
    commands.commandExecuted.connect((_sender, { id, args, result }) => {
      if (id !== "apputils:change-theme" || again) return;
      void result.then(async () => {
        if (commands.isToggled(id, args)) return;
        again = true;
        await commands.execute(id, args);
        again = false;
      });
    });
  };

  const size = (bytes) => `${Number((bytes / 2 ** 20).toPrecision(3))} MB`;

  // The server would close the connection of a message that is too large, and nobody would know why nothing comes.
  const keepSmall = (apputils, widgets, limit) => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      const bytes = data.byteLength ?? data.size ?? data.length;
      if (bytes > limit && new URL(this.url).pathname.startsWith(`${page.baseUrl}api/kernels/`)) {
        const message =
          `This is too large for one message to the kernel: ${size(bytes)}, and it may have ${size(limit)}. It was not sent.` +
          " Upload the file with the file browser (the arrow above the list of files), and open it by its name in a cell.";
        apputils.Notification.error(message, { autoClose: false, ...longer(apputils, widgets, message) });
        throw new Error(message);
      }
      return send.call(this, data);
    };
  };

  const plugin = async () => {
    const modules = await Promise.all([load("@jupyterlab/apputils"), load("@lumino/widgets")]);
    return {
      id: `${NAME}:plugin`,
      description: "Says why kernels ended, what is wrong with repositories, and what is too large.",
      autoStart: true,
      activate: async (app) => {
        themes(app);
        const first = await ask("kernels");
        if (first) keepSmall(...modules, first.message_limit);
        const parts = [
          first && kernels(...modules, app, first),
          first?.repositories && repositories(...modules),
          first?.disk && disk(...modules),
        ];
        for (const part of parts.filter(Boolean)) void app.restored.then(part);
      },
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    // For our other extensions: JupyterLab asks for none of them before all are there.
    tools: { load, headers, ask, post, page },
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
