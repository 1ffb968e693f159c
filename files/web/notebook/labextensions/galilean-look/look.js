// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Title, announcement and links of the hub in JupyterLab, a link to its software, and documents saved before the hub stops servers: an extension that needs no build. JupyterLab loads this
// file, gives it the modules that extensions share, and asks it for its plugin.
//
// What is shown comes from the hub, as for the hub's own pages: it changes while servers run, and tabs that stay
// open for days see it. The hub is asked, never the user's server: that would look like work and keep it running.
"use strict";

(() => {
  const NAME = "galilean-look";
  const EVERY = 5 * 60_000;
  const SOON = 5_000;
  const CLOSED = `${NAME}:closed`;

  const page = JSON.parse(document.getElementById("jupyter-config-data")?.textContent || "{}");
  const address = page.hubPrefix ? `${page.hubHost || ""}${page.hubPrefix}static/site/look.json` : "";

  const ask = async () => {
    if (!address) return null;
    try {
      const answer = await fetch(address, { cache: "no-cache", credentials: "omit", signal: AbortSignal.timeout(5000) });
      return answer.ok ? await answer.json() : null;
    } catch {
      // The hub is away, or busy: what was shown stays, and the next look comes soon.
      return null;
    }
  };

  // Asked for while JupyterLab is still loading; it waits for the answer, but not for long.
  const first = ask();
  const soon = Promise.race([first, new Promise((done) => setTimeout(done, 2000, null))]);

  const icon = document.querySelector("link.idle.favicon");
  if (icon) {
    icon.type = "image/svg+xml";
    icon.href = `${page.baseUrl}custom/favicon.svg`;
  }

  let shared;

  const load = async (name) => {
    const version = Object.values(shared[name] || {})[0];
    if (!version) throw new Error(`${NAME}: JupyterLab shares no module ${name}`);
    return (await version.get())();
  };

  const makeBar = (Widget, shell) => {
    const bar = new Widget();
    bar.id = "galilean-announcement";
    bar.node.setAttribute("role", "status");
    const text = document.createElement("p");
    const close = document.createElement("button");
    close.type = "button";
    close.title = "Close this announcement";
    close.setAttribute("aria-label", close.title);
    close.textContent = "×";
    bar.node.append(text, close);
    close.addEventListener("click", () => {
      localStorage.setItem(CLOSED, text.textContent);
      show(text.textContent);
    });

    // The shell's layout gives a widget the height that its style asks for.
    const fit = () => {
      bar.node.style.minHeight = "0";
      const height = `${text.offsetHeight}px`;
      bar.node.style.minHeight = height;
      bar.node.style.maxHeight = height;
      bar.parent?.fit();
    };
    const show = (announcement) => {
      const open = Boolean(announcement) && localStorage.getItem(CLOSED) !== announcement;
      text.textContent = announcement;
      if (open && !bar.isAttached) {
        // The classic notebook has no such place.
        if (page.notebookPage) shell.layout.insertWidget(0, bar);
        else shell.add(bar, "header", { rank: 0 });
        new ResizeObserver(fit).observe(text);
      }
      bar.setHidden(!open);
      if (open) fit();
    };
    return show;
  };

  // The way home, at the right end of the classic notebook's upper bar, which it hides on narrow screens: there beside the menus.
  // JupyterLab has it in its menu File.
  const addHome = (Widget, shell) => {
    const home = new Widget({ node: document.createElement("a") });
    home.id = "galilean-home";
    home.node.href = `${page.hubHost || ""}${page.hubPrefix}home`;
    home.node.textContent = "Home";
    home.node.title = "Your servers, on the hub";
    shell.add(home, matchMedia("(max-width: 760px)").matches ? "menu" : "top", { rank: 20_000 });
  };

  const makeLinks = (menu) => {
    let before;
    return (links) => {
      before?.dispose();
      before = undefined;
      const items = links
        .filter((link) => link.places.includes("help"))
        .map((link) => ({ command: "help:open", args: { text: link.label, url: link.url, newBrowserTab: true } }));
      if (items.length) before = menu.addGroup(items, 0.5);
    };
  };

  // Servers end at a time that the hub has told (hubctl drain --stop): what is open is saved a minute before.
  const BEFORE = 60_000;
  const makeSaver = (commands) => {
    let timer;
    return (drain) => {
      clearTimeout(timer);
      if (!drain?.stop) return;
      const left = Math.max(0, drain.at * 1000 - BEFORE - Date.now());
      // Browsers take a longer time for none.
      if (left < 2 ** 31) timer = setTimeout(() => void commands.execute("docmanager:save-all"), left);
    };
  };

  const plugin = async () => {
    const [{ PageConfig }, { Widget }, { IMainMenu }, look] = await Promise.all([
      load("@jupyterlab/coreutils"),
      load("@lumino/widgets"),
      load("@jupyterlab/mainmenu"),
      soon,
    ]);
    // Before the application is made: it takes its name from here.
    if (look?.title) {
      PageConfig.setOption("appName", look.title);
      document.title = look.title;
    }
    return {
      id: `${NAME}:plugin`,
      description: "Shows the title, the announcement and the links of the hub.",
      autoStart: true,
      optional: [IMainMenu],
      activate: (app, menu) => {
        const announce = makeBar(Widget, app.shell);
        const save = makeSaver(app.commands);
        const link = menu ? makeLinks(menu.helpMenu) : () => {};
        // The server's own page (softwarepage.py).
        const software = { text: "Software of this Server", url: `${page.baseUrl}galilean/software`, newBrowserTab: true };
        menu?.helpMenu.addGroup([{ command: "help:open", args: software }], 0.4);
        if (!address) return;
        if (page.notebookPage) addHome(Widget, app.shell);
        let known = "";
        let asked = Date.now();
        let pause = SOON;
        let timer;
        const apply = (now) => {
          if (!now || JSON.stringify(now) === known) return;
          known = JSON.stringify(now);
          announce(now.announcement);
          link(now.links);
          save(now.drain);
        };
        const take = (now) => {
          apply(now);
          // Without an answer soon again, and then ever more seldom.
          wait(now ? EVERY : pause);
          pause = now ? SOON : Math.min(2 * pause, EVERY);
        };
        const again = async () => {
          asked = Date.now();
          take(await ask());
        };
        // Hidden tabs do not ask; they do when somebody comes back to them.
        const wait = (time) => {
          clearTimeout(timer);
          timer = setTimeout(() => (document.hidden ? wait(EVERY) : again()), time);
        };
        void app.restored.then(() => first).then(take);
        document.addEventListener("visibilitychange", () => {
          if (!document.hidden && Date.now() - asked > EVERY / 5) void again();
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
