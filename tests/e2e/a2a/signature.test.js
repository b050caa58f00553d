// The official Node client verifies signed agent cards, with the key that the server shows.

import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { verifyAgentCardSignature } from "@a2a-js/sdk";
import { DefaultAgentCardResolver } from "@a2a-js/sdk/client";

import { ownServer } from "../support/own-server.js";

const PUBLIC_URL = "https://agents.example.com";
const KINDS = { ES256: ["ec", { namedCurve: "P-256" }], EdDSA: ["ed25519"], RS256: ["rsa", { modulusLength: 2048 }] };

for (const [algorithm, kind] of Object.entries(KINDS)) {
  describe(`a card signed with ${algorithm}`, () => {
    let server, card, verify;
    before(async () => {
      const path = join(process.env.E2E_WORK, `card-${algorithm}.pem`);
      writeFileSync(path, generateKeyPairSync(...kind).privateKey.export({ type: "pkcs8", format: "pem" }));
      Object.assign(process.env, { WAKEFUL_A2A_CARD_KEY: path, WAKEFUL_PUBLIC_URL: PUBLIC_URL });
      server = await ownServer();
      card = await new DefaultAgentCardResolver().resolve(server.url);
      const { keys } = await (await fetch(`${server.url}/.well-known/jwks.json`)).json();
      verify = verifyAgentCardSignature(async (kid, jku) => {
        assert.equal(jku, `${PUBLIC_URL}/.well-known/jwks.json`);
        return createPublicKey({ key: keys.find((key) => key.kid === kid), format: "jwk" });
      });
    });
    after(() => server.remove());

    test("is verified", async () => { await verify(card); });

    test("is not verified once it was changed", async () => {
      await assert.rejects(verify({ ...card, description: "Other." }), /No valid signatures/);
    });
  });
}
