// Judges every line of both sides by the JSON schema that the protocol publishes with its SDK.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import Ajv from "ajv/dist/2020.js";

const SCHEMA = join(import.meta.dirname, "../node_modules/@agentclientprotocol/sdk/schema/v1/schema.json");

const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema(JSON.parse(readFileSync(SCHEMA, "utf8")), "acp");
const shape = (name) => ajv.getSchema(`acp#/$defs/${name}`);

const PARAMS = {
  initialize: "InitializeRequest",
  "session/new": "NewSessionRequest",
  "session/load": "LoadSessionRequest",
  "session/resume": "ResumeSessionRequest",
  "session/list": "ListSessionsRequest",
  "session/close": "CloseSessionRequest",
  "session/delete": "DeleteSessionRequest",
  "session/prompt": "PromptRequest",
  "session/set_mode": "SetSessionModeRequest",
  "session/set_config_option": "SetSessionConfigOptionRequest",
  "session/cancel": "CancelNotification",
  "session/update": "SessionNotification",
  "session/request_permission": "RequestPermissionRequest",
  "elicitation/create": "CreateElicitationRequest",
  "$/cancel_request": "CancelRequestNotification",
};

// What an agent sends of its own accord.
const AGENTS = new Set(["session/update", "session/request_permission", "elicitation/create"]);
const MEMBERS = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);

export class Judge {
  #lines = [];
  #asked = { client: new Map(), agent: new Map() };

  // Reads along what `side` writes through `stream`.
  tap(side, stream) {
    let rest = "";
    const decoder = new TextDecoder();
    const read = (chunk) => {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) this.#lines.push([side, line]);
    };
    const write = stream.write.bind(stream);
    stream.write = (chunk, ...more) => {
      read(chunk);
      return write(chunk, ...more);
    };
    return stream;
  }

  // Lines of the agent so far, parsed.
  said() {
    return this.#lines.filter(([side]) => side === "agent").map(([, line]) => JSON.parse(line));
  }

  // What the schema has against an update.
  faults(update) {
    const fits = shape("SessionNotification");
    return fits(JSON.parse(JSON.stringify({ sessionId: "s", update }))) ? [] : [ajv.errorsText(fits.errors)];
  }

  assertAllFit() {
    assert.ok(this.#lines.length > 2, "nothing was said");
    for (const [side, line] of this.#lines) this.#judge(side, JSON.parse(line), line);
  }

  // Judges a whole log in which nothing says who wrote a line: requests tell by their method, answers by their id.
  assertLogFits(messages) {
    for (const message of messages) {
      const line = JSON.stringify(message);
      const agentAsks = AGENTS.has(message.method);
      const answersAgent = message.method === undefined && this.#asked.agent.has(message.id);
      const side = answersAgent || (message.method !== undefined && !agentAsks) ? "client" : "agent";
      this.#judge(side, message, line);
      if (message.method === undefined) this.#asked[side === "client" ? "agent" : "client"].delete(message.id);
    }
  }

  #judge(side, message, line) {
    assert.equal(message.jsonrpc, "2.0", line);
    for (const member of Object.keys(message)) assert.ok(MEMBERS.has(member), `${member}: ${line}`);
    const other = side === "client" ? "agent" : "client";
    if (message.method !== undefined) {
      if (message.id !== undefined) this.#asked[side].set(message.id, message.method);
      const name = PARAMS[message.method];
      assert.ok(name || side === "client", `the protocol knows no such method: ${line}`);
      if (name) this.#fits(name, message.params, line);
      return;
    }
    assert.equal("result" in message, !("error" in message), line);
    if ("error" in message) return this.#fits("Error", message.error, line);
    const method = this.#asked[other].get(message.id);
    assert.ok(method, `nobody asked: ${line}`);
    this.#fits(PARAMS[method].replace(/Request$/, "Response"), message.result, line);
  }

  #fits(name, value, line) {
    const fits = shape(name);
    assert.ok(fits(value), `${name}: ${ajv.errorsText(fits.errors)} in ${line}`);
  }
}
