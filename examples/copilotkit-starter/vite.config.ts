import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // CopilotKit's chat is large; its parts for code and formulas are loaded when a message needs them.
  build: { chunkSizeWarningLimit: 4000 },
});
