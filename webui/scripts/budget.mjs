// Fails if the first load exceeds its limits. It consists of everything that index.html loads by itself.
//
//   npm run build && npm run budget
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** Kilobytes (1000 bytes) after gzip at level 9, as servers that compress files ahead of time use. */
const LIMITS = { JavaScript: 200, CSS: 30, map: 80 };

const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));
const size = (file) => gzipSync(readFileSync(fileURLToPath(new URL(file, dist))), { level: 9 }).length / 1000;
const total = (files) => [...files].reduce((sum, file) => sum + size(file), 0);

/** A chunk and everything that it imports statically, except the chunks in `without`. */
function closure(key, without = new Set(), found = new Set()) {
  if (found.has(key) || without.has(key)) return found;
  found.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, without, found);
  return found;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const map = Object.keys(manifest).find((key) => key.endsWith("leaflet-map.tsx"));
const first = closure(entry);
// Scripts that index.html loads but that Vite does not build, such as the one that sets the theme.
const html = readFileSync(new URL("index.html", dist), "utf8");
const plain = [...html.matchAll(/src="\/([^"]+\.js)"/g)]
  .map(([, file]) => file)
  .filter((file) => !file.startsWith("assets/"));
const sizes = {
  JavaScript: total([...[...first].map((key) => manifest[key].file), ...plain]),
  CSS: total([...first].flatMap((key) => manifest[key].css ?? [])),
  map: total([...closure(map, first)].map((key) => manifest[key].file)),
};

let isOver = false;
for (const [what, limit] of Object.entries(LIMITS)) {
  const over = sizes[what] > limit;
  isOver ||= over;
  console.log(
    `${over ? "OVER" : "ok  "} ${what.padEnd(10)} ${sizes[what].toFixed(1).padStart(6)} of ${limit} kB gzip`,
  );
}
if (isOver) process.exitCode = 1;
