// Comfort only: every page works without it.

const root = document.documentElement;

function localTimes(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    const moment = new Date(time.dateTime);
    const style = time.dataset.local === "day" ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
    time.textContent = new Intl.DateTimeFormat(undefined, style).format(moment);
    time.title = moment.toISOString();
  }
}

function themeSwitch(button) {
  const show = () => { button.textContent = root.dataset.bsTheme === "dark" ? "Light" : "Dark"; };
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.bsTheme);
    show();
  });
}

document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
localTimes(document);
for (const swapped of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
  document.addEventListener(swapped, (event) => localTimes(event.target.parentElement ?? document));
}

document.addEventListener("click", async (event) => {
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) {
    const field = document.getElementById(reveal.dataset.reveal);
    const hidden = field.type === "password";
    field.type = hidden ? "text" : "password";
    reveal.textContent = hidden ? "Hide" : "Show";
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(document.getElementById(copy.dataset.copy).value);
    copy.textContent = "Copied";
  }
  const all = event.target.closest("[data-check-all]");
  if (all) {
    for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.checkAll}"]`)) {
      box.checked = all.checked;
    }
  }
});
