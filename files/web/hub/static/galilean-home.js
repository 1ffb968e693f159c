// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// The home page: stop, delete and share servers, and start another one.
"use strict";

(() => {
  const { base_url: base, user, xsrf_token: secret } = window.jhdata;
  const path = (...parts) => parts.map((part) => encodeURIComponent(part)).join("/");

  const ask = async (method, address, body) => {
    const answer = await fetch(`${base}api/${address}`, {
      method,
      headers: { "Content-Type": "application/json", "X-XSRFToken": secret },
      body: body && JSON.stringify(body),
    });
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.message || `The hub answers ${answer.status}.`);
    return said;
  };

  // The address of a server in the API; JupyterHub has another one for the default one.
  const server = (name) => `users/${path(user)}/${name ? `servers/${path(name)}` : "server"}`;

  const stopped = async (name) => {
    await ask("DELETE", server(name));
    for (;;) {
      const now = (await ask("GET", `users/${path(user)}`)).servers || {};
      if (!now[name]) return;
      await new Promise((done) => setTimeout(done, 1000));
    }
  };

  const say = (section, text, bad = false) => {
    const said = section.querySelector(".site-said");
    said.classList.toggle("site-bad", bad);
    said.textContent = text;
  };

  const busy = (section, state) => {
    for (const one of section.querySelectorAll("button")) one.disabled = state;
    for (const one of section.querySelectorAll(".site-actions > a")) one.classList.toggle("disabled", state);
  };

  // Do something with a server, and go on where it leads; an error is said in its place.
  const act = async (section, text, work, next) => {
    busy(section, true);
    say(section, text);
    try {
      await work();
      window.location.assign(next);
    } catch (error) {
      busy(section, false);
      say(section, error.message, true);
    }
  };

  const home = `${base}home`;
  const ENDS = "What runs in it ends. Files that you have saved stay.";
  const actions = {
    "stop-server": (section, name) => act(section, "Stopping …", () => stopped(name), home),
    "switch-server": (section, name, link) => {
      if (window.confirm(`This stops the server, so that you can choose another environment. ${ENDS}`)) {
        void act(section, "Stopping …", () => stopped(name), link.href);
      }
    },
    "delete-server": (section, name) => {
      if (window.confirm(`Delete the server ${name}? Your files stay.`)) {
        void act(section, "Deleting …", () => ask("DELETE", server(name), { remove: true }), home);
      }
    },
    "share-server": async (section, name) => {
      const lasts = Number(section.querySelector(".site-lasts").value);
      try {
        const made = await ask("POST", `share-codes/${path(user, name)}`, { expires_in: lasts });
        const place = section.querySelector(".site-link");
        place.hidden = false;
        place.querySelector("input").value = new URL(made.accept_url, window.location).href;
        place.querySelector("input").select();
        await list(section, name);
      } catch (error) {
        say(section, error.message, true);
      }
    },
  };

  // Who may enter a server, and links that somebody may still use, each with a button that takes it back.
  const list = async (section, name) => {
    const place = path(user, name);
    const [shares, codes] = await Promise.all([ask("GET", `shares/${place}`), ask("GET", `share-codes/${place}`)]);
    const row = (text, remove) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      item.append(text, " ", button);
      button.type = "button";
      button.className = "btn btn-sm btn-outline-contrast";
      button.textContent = "Remove";
      button.setAttribute("aria-label", `Remove ${text}`);
      button.addEventListener("click", () => remove().then(() => list(section, name), (error) => say(section, error.message, true)));
      return item;
    };
    const until = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    section.querySelector(".site-shares").replaceChildren(
      ...shares.items.map(({ user: one, group }) => {
        const whom = one ? { user: one.name } : { group: group.name };
        const text = one ? one.name : `The group ${group.name}`;
        return row(text, () => ask("PATCH", `shares/${place}`, whom));
      }),
      ...codes.items.map(({ id, expires_at: ends }) => {
        const text = `A link until ${until(ends)}`;
        return row(text, () => ask("DELETE", `share-codes/${place}?id=${encodeURIComponent(id)}`));
      }),
    );
  };

  document.addEventListener("click", (event) => {
    const control = event.target.closest(Object.keys(actions).map((one) => `.${one}`).join());
    const section = control?.closest("[data-server]");
    if (!section) return;
    event.preventDefault();
    const [action] = Object.keys(actions).filter((one) => control.classList.contains(one));
    void actions[action](section, section.dataset.server, control);
  });

  for (const details of document.querySelectorAll(".site-sharing")) {
    const section = details.closest("[data-server]");
    details.addEventListener("toggle", () => {
      if (details.open) list(section, section.dataset.server).catch((error) => say(section, error.message, true));
    });
  }

  // A server's address has a name of small letters, digits and single dashes. What somebody has typed is shown.
  document.getElementById("new-server")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = event.target.querySelector("input").value.normalize("NFC").replace(/\s+/g, " ").trim();
    const plain = typed.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-/, "");
    const name = (/^[a-z]/.test(plain) ? plain : `x-${plain}`).slice(0, 30).replace(/-+$/, "");
    const shown = name === typed ? "" : `?display_name=${encodeURIComponent(typed)}`;
    window.location.assign(`${base}spawn/${path(user, name)}${shown}`);
  });

  // Times as people say them, with the exact one beside.
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const then = new Date(time.dateTime);
    const minutes = Math.round((then - Date.now()) / 60_000);
    const [value, unit] = minutes > -90 ? [minutes, "minute"] : minutes > -2160 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
    const clock = then.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    time.textContent = `${clock} (${minutes > -1 ? "a moment ago" : words.format(value, unit)})`;
  }

  // As JupyterHub's own script of this page says it.
  window._jupyterhub_page_loaded = true;
})();
