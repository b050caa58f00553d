// A test whose every stream and stored conversation is also judged by the schemas of the client's own major.

import { test } from "node:test";

import { assertChunksAreValid, hydrated } from "./oracle.js";

// `act` gets `open(options)`, which opens one more client, and the test's context.
export function scenario(client, name, act) {
  test(name, { timeout: 20_000 }, async (t) => {
    const opened = [];
    t.after(() => opened.forEach((chat) => chat.close()));
    const open = (options) => {
      opened.push(client.open(options));
      return opened.at(-1);
    };

    await act(open, t);

    for (const chat of opened.filter(({ wire }) => wire.events.length > 0)) {
      await assertChunksAreValid(client.ai, chat.wire);
      await hydrated(client, chat.id, chat.base);
    }
  });
}
