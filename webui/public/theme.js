// Sets the theme before the first paint; src/lib/theme.ts changes it later.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("tiffin.theme");
  } catch {
    // Storage is disabled: the system's scheme is used.
  }
  const isDark =
    theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.scheme = isDark ? "dark" : "light";
})();
