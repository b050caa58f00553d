/** A listener for node:http that serves the page: as `npm run build` made it, or with `dev` from its sources. */
export async function openPage({ dev }) {
  if (dev) {
    const { createServer } = await import("vite");
    const vite = await createServer({ server: { middlewareMode: true } });
    return vite.middlewares;
  }
  const { default: sirv } = await import("sirv");
  return sirv("dist", { single: true });
}
