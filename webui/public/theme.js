// Runs before the first paint. What is chosen here, src/lib/theme.ts changes later.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("tiffin.theme");
  } catch {
    // Storage is switched off: the system's choice stands.
  }
  const isDark =
    theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.scheme = isDark ? "dark" : "light";
})();
