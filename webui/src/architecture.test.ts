import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL(".", import.meta.url));

interface Import {
  from: string;
  to: string;
}

const imports: Import[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file))
  .flatMap((file) => {
    const text = readFileSync(join(SRC, file), "utf8");
    return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].flatMap(([, target = ""]) => {
      if (target.startsWith("@/")) return [{ from: file, to: target.slice(2) }];
      if (target.startsWith("."))
        return [{ from: file, to: relative(SRC, join(SRC, dirname(file), target)) }];
      return [];
    });
  });

const featureOf = (path: string) => path.match(/^features\/([^/]+)/)?.[1];
const told = (wrong: Import[]) => wrong.map(({ from, to }) => `${from} imports ${to}`);

describe("the source tree", () => {
  it("has features that do not depend on each other", () => {
    const wrong = imports.filter(({ from, to }) => {
      const [own, other] = [featureOf(from), featureOf(to)];
      return own !== undefined && other !== undefined && own !== other;
    });
    expect(told(wrong)).toEqual([]);
  });

  it("has one direction: shared code depends on no feature, and nothing depends on the app", () => {
    const wrong = imports.filter(({ from, to }) => {
      if (from.startsWith("app/") || from === "main.tsx") return false;
      return to.startsWith("app/") || (featureOf(from) === undefined && featureOf(to) !== undefined);
    });
    expect(told(wrong)).toEqual([]);
  });

  it("has been checked completely", () => {
    expect(imports.length).toBeGreaterThan(200);
  });
});
