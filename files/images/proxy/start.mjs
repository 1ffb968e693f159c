// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// Starts configurable-http-proxy with its token from a file (so that it shows neither in `docker inspect` nor in the
// process list) and then asks the hub to put the routes back. The proxy keeps routes in memory only: without that
// request a restarted proxy answers 404 for running servers until the hub's next periodic check, five minutes by
// default (jupyterhub/jupyterhub issue 2000).
import { readFileSync } from "node:fs";

const secrets = process.env.GALILEAN_SECRETS ?? "/run/secrets";
const hub = process.env.GALILEAN_HUB_URL ?? "http://hub:8081";
const read = (name) => readFileSync(`${secrets}/${name}`, "utf8").trim();

process.env.CONFIGPROXY_AUTH_TOKEN = read("proxy-token");
process.argv.splice(
  2,
  process.argv.length,
  "--ip", "0.0.0.0", "--port", "8000",
  "--api-ip", "0.0.0.0", "--api-port", "8001",
  // For the host and the hub: the instance's firewall lets no user's server come here.
  "--metrics-ip", "0.0.0.0", "--metrics-port", "8002",
  "--default-target", hub,
  "--error-target", `${hub}/hub/error`,
  // The edge has set these headers already, with the address of the client; a second entry would only confuse.
  "--no-x-forward",
  // Users' servers have host names of their own (jupyterhub_subdomains): then routes begin with a host.
  ...(process.env.GALILEAN_HOST_ROUTING ? ["--host-routing"] : []),
  "--log-level", process.env.GALILEAN_LOG_LEVEL ?? "warn",
);
await import("configurable-http-proxy/bin/configurable-http-proxy");

// A hub that is away needs no request: it sets all routes when it starts. One that answers 5xx is just starting.
const deadline = Date.now() + 60_000;
let waiting = false;
async function heal() {
  try {
    const answer = await fetch(`${hub}/hub/api/proxy`, {
      method: "POST",
      headers: { Authorization: `token ${read("heal-token")}` },
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) {
      console.log("Routes restored by the hub");
      return;
    }
    console.warn(`The hub answered ${answer.status} to the request for the routes`);
  } catch (error) {
    if (!waiting) {
      waiting = true;
      console.warn(`Waiting for the hub: ${error.cause?.code ?? error.name}`);
    }
  }
  if (Date.now() < deadline) {
    setTimeout(heal, 500);
  }
}
setTimeout(heal, 50);
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => process.exit(0));
}
