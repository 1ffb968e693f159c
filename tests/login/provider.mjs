// SPDX-FileCopyrightText: 2026 galilean.hub contributors
// SPDX-License-Identifier: BSD-3-Clause
//
// A real OpenID provider for tests: oidc-provider, which is certified, with its own pages for login and consent.
//
//   node provider.mjs FOLDER
//
// FOLDER/settings.json: host, port, callback, client (id, secret), seconds (life of an access token).
// FOLDER/key.pem, FOLDER/cert.pem: what it serves HTTPS with.
// FOLDER/people.json: by login name, the claims of each person; read anew for each answer, so that tests change them.

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import Provider from "oidc-provider";

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const { host, port, callback, client, seconds } = read("settings.json");

const provider = new Provider(`https://${host}:${port}`, {
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      redirect_uris: [callback],
      grant_types: ["authorization_code", "refresh_token"],
      post_logout_redirect_uris: [],
    },
  ],
  scopes: ["openid", "offline_access", "profile", "email", "groups"],
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "name"],
    email: ["email"],
    groups: ["groups"],
  },
  conformIdTokenClaims: false,
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  ttl: { AccessToken: seconds, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, IdToken: 600 },
  findAccount: async (_ctx, id) => {
    const person = read("people.json")[id];
    return person && { accountId: id, claims: async () => ({ sub: id, preferred_username: id, ...person }) };
  },
  cookies: { keys: ["of a test"] },
});

const pair = {
  key: readFileSync(join(folder, "key.pem")),
  cert: readFileSync(join(folder, "cert.pem")),
};
createServer(pair, provider.callback()).listen(port, host, () => console.log(`ready at ${provider.issuer}`));
