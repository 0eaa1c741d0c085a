import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a CastRay to show. */
const SERVER = "http://127.0.0.1:8000";

export default defineConfig({
  base: "/ui/",
  plugins: [react()],
  build: {
    outDir: "../castray/page",
    emptyOutDir: true,
    // Nothing inline, so that the server may forbid it.
    assetsInlineLimit: 0,
    // One chunk is right for one page; the default limit would only warn of it.
    chunkSizeWarningLimit: 800,
    // The oldest that know light-dark(), which carries both colour schemes.
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
  },
  server: {
    proxy: {
      "/api": SERVER,
      "/ws": { target: SERVER, ws: true },
    },
  },
  test: { environment: "node" },
});
