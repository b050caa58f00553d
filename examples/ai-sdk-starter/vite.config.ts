import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page asks its own origin for /v1, so that no CORS is needed; the requests are passed on to Wakeful.
const wakeful = process.env.WAKEFUL_URL ?? "http://127.0.0.1:3000";
const proxy = { "/v1": { target: wakeful } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
});
