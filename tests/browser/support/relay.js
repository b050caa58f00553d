// A wire between browser and page that can be cut.

import { connect, createServer } from "node:net";
import { after } from "node:test";

// `url` is the far end by another address; `cut` breaks every connection there is. New ones work.
export async function openRelay(far) {
  const { hostname, port } = new URL(far);
  const sockets = new Set();
  const server = createServer((near) => {
    const onward = connect(port, hostname);
    for (const [socket, other] of [[near, onward], [onward, near]]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const cut = () => sockets.forEach((socket) => socket.resetAndDestroy());
  after(() => {
    server.close();
    cut();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, cut };
}
