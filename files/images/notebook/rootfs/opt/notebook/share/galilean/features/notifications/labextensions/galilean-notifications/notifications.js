// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// A notification of the browser when a cell has ended that took long, while nobody looks at the page. Nothing is written into
// notebooks. An extension that needs no build.
"use strict";

(() => {
  const NAME = "galilean-notifications";
  let shared;

  const load = async (name) => {
    const version = Object.values(shared[name] || {})[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no module ${name}`);
    return (await version.get())();
  };

  const took = (seconds) => (seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);

  const tell = (Toast, notebook, success, seconds) => {
    if (Notification.permission === "default") {
      // Browsers ask only for somebody who has clicked.
      Toast.info(`A cell took ${took(seconds)}. Shall the browser notify you when such cells end?`, {
        autoClose: false,
        actions: [{ label: "Notify me", callback: () => void Notification.requestPermission() }],
      });
    } else if (Notification.permission === "granted" && !(document.hasFocus() && !document.hidden)) {
      const body = success ? `A cell has ended after ${took(seconds)}.` : `A cell has failed after ${took(seconds)}.`;
      const said = new Notification(notebook, { body, icon: document.querySelector("link[rel~=icon]")?.href });
      said.onclick = () => window.focus();
    }
  };

  const activate = async (registry, { NotebookActions }, { Notification: Toast }) => {
    const settings = await registry.load(`${NAME}:plugin`);
    // When cells were sent to the kernel, and when the last one of a notebook ended: it works on one after the other.
    const sent = new WeakMap();
    const ended = new WeakMap();
    NotebookActions.executionScheduled.connect((_sender, { cell }) => sent.set(cell.model, Date.now()));
    NotebookActions.executed.connect((_sender, { notebook, cell, success }) => {
      const now = Date.now();
      const seconds = (now - Math.max(sent.get(cell.model) ?? now, ended.get(notebook) ?? 0)) / 1000;
      ended.set(notebook, now);
      const least = settings.composite.seconds;
      if (least > 0 && seconds >= least) tell(Toast, notebook.parent?.title.label ?? "Notebook", success, seconds);
    });
  };

  const plugin = async () => {
    const [{ ISettingRegistry }, ...modules] = await Promise.all(
      ["@jupyterlab/settingregistry", "@jupyterlab/notebook", "@jupyterlab/apputils"].map(load),
    );
    return {
      id: `${NAME}:plugin`,
      description: "Notifies in the browser when a long cell has ended.",
      autoStart: true,
      requires: [ISettingRegistry],
      activate: (_app, registry) => activate(registry, ...modules),
    };
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      // Browsers have notifications on safe pages only.
      const made = "Notification" in window && window.isSecureContext ? [await plugin()] : [];
      return () => ({ __esModule: true, default: made });
    },
  };
})();
