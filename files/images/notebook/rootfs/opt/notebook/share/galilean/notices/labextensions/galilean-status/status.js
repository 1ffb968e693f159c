// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Shows in JupyterLab's status bar how much memory and room in the home are taken and for how long the server has been idle,
// and warns before the hub stops it, with a button to stay. An extension that needs no build.
"use strict";

(() => {
  const tools = () => window._JUPYTERLAB["galilean-notices"].tools;
  const NAME = "galilean-status";
  const EVERY = 15_000;
  // The hub measures homes by itself, once in a while.
  const HOME = 60_000;

  const size = (bytes) => (bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GB` : `${Math.round(bytes / 2 ** 20)} MB`);
  const minutes = (seconds) => {
    const number = Math.max(1, Math.round(seconds / 60));
    return number >= 120 ? `${Math.round(number / 60)} hours` : number === 1 ? "1 minute" : `${number} minutes`;
  };
  const part = (used, limit) => (limit ? `${size(used)} of ${size(limit)}` : size(used));

  // A word for each figure, a sentence that explains it, and whether it is nearly too much.
  const figures = (usage, home) => {
    const found = [];
    if (usage.memory) {
      found.push({
        text: `Memory ${part(usage.memory, usage.memory_limit)}`,
        title: "What all programs of your server take: notebooks, terminals, what is in /tmp. Beyond the limit a kernel is stopped.",
        full: usage.memory_limit && usage.memory > 0.9 * usage.memory_limit,
      });
    }
    if (home.limit) {
      found.push({
        text: `Home ${part(home.bytes, home.limit)}`,
        title: "What your files take.",
        full: home.bytes > 0.9 * home.limit,
      });
    }
    if (usage.limit && usage.idle >= 60) {
      found.push({
        text: `Idle ${minutes(usage.idle)}`,
        title: `Your server is stopped after ${minutes(usage.limit)} in which nobody uses it.`,
        full: usage.idle_left < usage.warning,
      });
    }
    return found;
  };

  const warn = ({ Notification }, post) => {
    let shown;
    return (usage) => {
      const title = document.title.replace(/^\(stops in [^)]*\) /, "");
      const idle = usage.idle_left ?? Infinity;
      const age = usage.age_left ?? Infinity;
      const left = Math.min(idle, age);
      if (!usage.warning || left > usage.warning) {
        if (shown) Notification.dismiss(shown);
        if (shown) document.title = title;
        shown = undefined;
        return;
      }
      const why =
        age < idle ? "it has run for as long as this hub allows" : `nobody has used it for ${minutes(usage.limit - idle)}`;
      const message = `Your server is stopped in ${minutes(left)}, since ${why}. Save your work: files are kept, variables are not.`;
      const stay = { label: "Stay", callback: () => void post("stay") };
      const options = { autoClose: false, actions: age < idle ? [] : [stay] };
      // In a tab behind others, its title is all that there is to see.
      document.title = `(stops in ${minutes(left)}) ${title}`;
      if (shown) Notification.update({ id: shown, message, ...options });
      else shown = Notification.warning(message, options);
    };
  };

  const bar = (Widget) => {
    const widget = new Widget();
    widget.addClass("galilean-status");
    widget.node.style.cssText = "display: flex; gap: 12px; align-items: center; padding: 0 6px;";
    const show = (list) => {
      widget.node.replaceChildren(
        ...list.map(({ text, title, full }) => {
          const node = document.createElement("span");
          node.textContent = text;
          node.title = title;
          if (full) node.style.cssText = "color: var(--jp-error-color1); font-weight: 600;";
          return node;
        }),
      );
    };
    return { widget, show };
  };

  const plugin = async () => {
    const { ask, load, post } = tools();
    const [apputils, { Widget }, { IStatusBar }] = await Promise.all(
      ["@jupyterlab/apputils", "@lumino/widgets", "@jupyterlab/statusbar"].map(load),
    );
    return {
      id: `${NAME}:plugin`,
      description: "Shows memory, home and idle time, and warns before the server is stopped.",
      autoStart: true,
      optional: [IStatusBar],
      activate: (app, statusBar) => {
        const { widget, show } = bar(Widget);
        statusBar?.registerStatusItem(NAME, { item: widget, align: "right", rank: 50 });
        let home = {};
        let stale = 0;
        const warning = warn(apputils, post);
        const look = async () => {
          // A tab behind others only has to know when its server is stopped.
          const usage = await ask("usage");
          if (!usage) return;
          warning(usage);
          if (document.hidden) return;
          if (Date.now() > stale) {
            stale = Date.now() + HOME;
            home = (await ask("disk")) || {};
          }
          show(figures(usage, home));
        };
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
    init: () => {},
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
