// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// JupyterHub's admin page for who does not see it: buttons that have nothing but a picture get a name, and so on. The page
// makes its parts anew whenever something changes.
"use strict";

(() => {
  const page = document.getElementById("react-admin-hook");

  const each = (selector, attribute, value) => {
    for (const node of page.querySelectorAll(`${selector}:not([${attribute}])`)) {
      node.setAttribute(attribute, typeof value === "string" ? value : value(node));
    }
  };

  const mend = () => {
    each('[data-testid$="-collapse-button"]', "aria-label", (button) => {
      // It names a part of the page that is not there.
      button.removeAttribute("aria-controls");
      return `Details of ${button.dataset.testid.replace(/-collapse-button$/, "")}`;
    });
    each(".sort-icon", "aria-label", (icon) => `Sort by ${icon.dataset.testid.replace(/-sort$/, "").replace("-", " ")}`);
    each(".sort-icon", "role", "button");
    each(".sort-icon", "tabindex", "0");
    each("#admin-check", "aria-label", "Administrator");
    // Below the page's own heading.
    each(":is(h1, h3, h4)", "aria-level", "2");
    each("ul > div", "role", "listitem");
  };

  page.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches(".sort-icon")) event.target.click();
  });
  new MutationObserver(mend).observe(page, { childList: true, subtree: true });
  mend();
})();
