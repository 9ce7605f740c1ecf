// Conveniences of the order list: it works without this script, too.

// Shows the actions once something is selected, and offers all that match once the whole page is.
function followSelection(form) {
  const boxes = [...document.querySelectorAll('input[name="order"][form="act"]')];
  const whole = document.getElementById("all-here");
  const all = document.getElementById("all");
  const said = form.querySelector("[data-selected]");
  const matching = said.textContent;
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    const isWhole = count === boxes.length;
    whole.checked = isWhole;
    whole.indeterminate = count > 0 && !isWhole;
    if (all && !isWhole) all.checked = false;
    form.querySelector("[data-all-matching]")?.toggleAttribute("hidden", !isWhole);
    form.querySelector("[data-needs-selection]").hidden = count === 0;
    said.textContent = count && !all?.checked ? `${count} selected` : matching;
    said.hidden = Boolean(all?.checked);
  };
  const later = () => setTimeout(show);
  boxes.forEach((box) => box.addEventListener("change", show));
  // portal.js checks the boxes of the page on the same click.
  form.addEventListener("click", later);
  window.addEventListener("pageshow", later);
  show();
}

const form = document.getElementById("act");
if (form) followSelection(form);

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.order-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.order-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
