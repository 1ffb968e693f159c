// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Asks the edge whether the hub is back and then opens this address again. The question never goes to the
// address itself: asking twice would spend the one-time code of a login.
"use strict";

(() => {
  const started = Date.now();
  const state = document.getElementById("state");

  // A GET, also where the page answered a POST: nothing is sent twice. With a fragment it would only scroll.
  const again = () => (location.hash ? location.reload() : location.replace(location.href));

  const say = (text) => {
    // Unchanged text is not written again, so that screen readers do not repeat it.
    if (state.textContent !== text) state.textContent = text;
  };

  const wait = () => {
    const slow = Date.now() - started > 90_000;
    // Spread out, so that a classroom does not come back within the same instant.
    setTimeout(ask, (slow ? 8000 : 2000) + Math.random() * 2000);
    say(slow ? "Still away. It takes longer than usual; there is no need to reload." : "Waiting for the hub…");
  };

  const ask = async () => {
    try {
      const answer = await fetch("/_edge/ready", { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (answer.ok) {
        say("It is back. Opening your page…");
        again();
        return;
      }
    } catch {
      // No network, or the edge restarts: ask again.
    }
    wait();
  };

  document.getElementById("again").addEventListener("click", (event) => {
    event.preventDefault();
    again();
  });
  wait();
})();
