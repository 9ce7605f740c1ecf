// Conveniences only: every page works without this script.

const root = document.documentElement;

// Days in filters are the reader's, so the server has to know the time zone.
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  document.cookie = `tz=${zone}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

// Formats a moment in the reader's time zone: “today” or “yesterday”, otherwise the date, with its year if it isn't this one.
function formatMoment(moment, withTime) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const daysAgo = Math.round((midnight - new Date(moment).setHours(0, 0, 0, 0)) / 86_400_000);
  const year = new Date(moment).getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  const isNear = daysAgo === 0 || daysAgo === 1;
  const day = isNear
    ? new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(-daysAgo, "day")
    : new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...year }).format(moment);
  return withTime ? `${day}, ${new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(moment)}` : day;
}

// The same words as portal/wording/counts.py writes.
function fromNow(moment) {
  const seconds = Math.abs(moment - Date.now()) / 1000;
  const units = [[2 * 86_400, 86_400, "days"], [3_600, 3_600, "h"], [60, 60, "min"], [0, 1, "s"]];
  const [, size, unit] = units.find(([above]) => seconds >= above);
  const number = Math.floor(seconds / size);
  return moment > Date.now() ? `in ${number} ${unit}` : `${number} ${unit} ago`;
}

// What is ahead is due "now" once its moment has come.
function relativeWords(time) {
  const moment = new Date(time.dateTime);
  return time.dataset.local === "ahead" && moment <= Date.now() ? "now" : fromNow(moment);
}

function clockTime(moment) {
  const isToday = new Date().toDateString() === new Date(moment).toDateString();
  const day = isToday ? {} : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(undefined, { ...day, hour: "numeric", minute: "2-digit" }).format(moment);
}

function localTimes(within) {
  for (const time of within.querySelectorAll("time[data-local]")) {
    // A date is the store's day, whatever the reader's time zone; the server names the zone in its title.
    const isDate = time.dataset.local === "date";
    const moment = new Date(isDate ? `${time.dateTime}T00:00` : time.dateTime);
    switch (time.dataset.local) {
      case "ago": case "ahead": time.textContent = relativeWords(time); break;
      case "clock": time.textContent = clockTime(moment); break;
      default: time.textContent = formatMoment(moment, time.dataset.local === "time");
    }
    time.title = isDate ? time.title : new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" }).format(moment);
  }
}

function themeSwitch(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.bsTheme);
  });
}

document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
localTimes(document);
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-local=ago], time[data-local=ahead]")) {
    const words = relativeWords(time);
    if (time.textContent !== words) time.textContent = words;
  }
}, 1000);

// The page's icon in the browser's tab shows trouble.
const tabIcon = document.querySelector("link[rel=icon]");
const calmIcon = tabIcon.href;
function showLevel() {
  const level = document.getElementById("status")?.dataset.level;
  const wanted = level === "trouble" || level === "attention" ? new URL(tabIcon.dataset.trouble, location).href : calmIcon;
  if (tabIcon.href !== wanted) tabIcon.href = wanted;
}
showLevel();

document.querySelector("[data-focus]")?.focus();
for (const swapped of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
  document.addEventListener(swapped, (event) => {
    localTimes(event.target.parentElement ?? document);
    showLevel();
  });
}

// Says why a part of the page couldn't be updated, until one can be again.
document.addEventListener("htmx:responseError", (event) => {
  if (![429, 503].includes(event.detail.xhr.status)) {
    return;
  }
  let notice = document.getElementById("not-updated");
  if (!notice) {
    notice = document.createElement("div");
    notice.id = "not-updated";
    notice.className = "alert alert-warning";
    notice.setAttribute("role", "status");
    document.getElementById("content").prepend(notice);
  }
  notice.textContent = event.detail.xhr.responseText;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) {
    document.getElementById("not-updated")?.remove();
  }
});

// What the reader unfolded stays so when its part of the page is updated.
let unfolded = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  unfolded = [...event.detail.target.querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
});

// A button whose form is on its way says so: some wait for Big Cartel or the warehouse.
document.addEventListener("submit", (event) => {
  if (event.submitter && !event.defaultPrevented && !("dialog" in event.target.dataset)) event.submitter.ariaBusy = "true";
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[aria-busy]")) button.ariaBusy = null;
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy], [data-copy-link]");
  if (copy && copy.textContent !== "Copied") {
    const address = location.origin + location.pathname;
    const copied = copy.dataset.copy ? document.getElementById(copy.dataset.copy).value : address;
    await navigator.clipboard.writeText(copied);
    const [text, name] = [copy.textContent, copy.getAttribute("aria-label")];
    copy.textContent = "Copied";
    copy.removeAttribute("aria-label");
    setTimeout(() => {
      copy.textContent = text;
      if (name) copy.setAttribute("aria-label", name);
    }, 2000);
  }
  const button = event.target.closest("[data-copy-text]");
  if (button) {
    await navigator.clipboard.writeText(button.dataset.copyText);
    const name = button.getAttribute("aria-label");
    button.classList.add("is-copied");
    button.setAttribute("aria-label", "Copied");
    setTimeout(() => {
      button.classList.remove("is-copied");
      button.setAttribute("aria-label", name);
    }, 2000);
  }
  const all = event.target.closest("[data-check-all]");
  if (all) {
    for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.checkAll}"]`)) {
      box.checked = all.checked;
    }
  }
});
