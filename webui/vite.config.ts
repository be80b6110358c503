import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The address of `/api` in development, which is also the default of `npm run mock`. */
const api = process.env.API_URL ?? "http://127.0.0.1:3000";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: { "/api": api, "/health": api, "/ready": api },
  },
  build: {
    target: "es2022",
    // Nothing is inlined as `data:`: the content security policy allows 'self' only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The budget check reads it to find the files of the first load.
    manifest: true,
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
  },
});
