// Keys for people who work in lists. The dialog that "?" opens lists them and can turn them off.

const help = document.getElementById("shortcuts");
const areOn = document.getElementById("shortcuts-on");
areOn.checked = localStorage.getItem("shortcuts") !== "off";
areOn.addEventListener("change", () => localStorage.setItem("shortcuts", areOn.checked ? "on" : "off"));

const openHelp = () => help.showModal();
document.querySelector("[data-shortcuts]").addEventListener("click", openHelp);

// The link that opens each row: of tables, and of other lists that say so.
function rowLinks() {
  const rows = document.querySelectorAll("main tbody > tr, main [data-row]");
  return [...rows].map((row) => row.querySelector("a[href]")).filter((link) => link?.checkVisibility());
}

const currentRow = () => document.activeElement?.closest("tr, [data-row]");

function move(step) {
  const links = rowLinks();
  const here = links.findIndex((link) => link.closest("tr, [data-row]") === currentRow());
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(here + step, 0), links.length - 1);
  links[next]?.focus();
  currentRow()?.scrollIntoView({ block: "nearest" });
}

function edit() {
  const place = currentRow() ?? document.querySelector("main");
  (place.querySelector("[data-edit]") ?? document.querySelector("main [data-edit]"))?.click();
}

const KEYS = {
  "?": openHelp,
  j: () => move(1),
  k: () => move(-1),
  x: () => currentRow()?.querySelector("input[type=checkbox]")?.click(),
  e: edit,
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (isTyping || event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") || (!areOn.checked && event.key !== "?")) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});
