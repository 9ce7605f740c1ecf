// Before anything is painted: the reader's own choice of light or dark, else the system's.
(() => {
  const chosen = localStorage.getItem("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.bsTheme = chosen ?? (dark ? "dark" : "light");
})();
