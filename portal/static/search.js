// Results under the header's search field, by mouse and by keyboard. Without this script, the field opens a page.

for (const form of document.querySelectorAll("[data-search]")) {
  const field = form.querySelector("input[type=search]");
  const results = form.querySelector(".site-search-results");
  const said = form.querySelector("[role=status]");
  let chosen = null;

  const options = () => [...results.querySelectorAll("[role=option]")];

  function choose(option) {
    chosen?.setAttribute("aria-selected", "false");
    chosen = option;
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) {
      field.setAttribute("aria-activedescendant", chosen.id);
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  }

  function open() {
    const isFilled = results.childElementCount > 0;
    results.hidden = !isFilled;
    if (options().length > 0) {
      field.setAttribute("aria-controls", "search-list");
    } else {
      field.removeAttribute("aria-controls");
    }
    field.setAttribute("aria-expanded", String(isFilled && options().length > 0));
  }

  function close() {
    choose(null);
    results.hidden = true;
    field.setAttribute("aria-expanded", "false");
  }

  // HTML allows this role for a text field, but not for a search field.
  field.type = "text";
  field.inputMode = "search";
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-expanded", "false");

  field.addEventListener("keydown", (event) => {
    if (event.isComposing) {
      return;
    }
    if (event.key === "Escape") {
      if (results.hidden) {
        field.blur();
      } else {
        // The first Escape closes the results and leaves what was typed.
        event.preventDefault();
        close();
      }
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = options();
      if (!all.length) {
        return;
      }
      event.preventDefault();
      open();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = all.indexOf(chosen);
      // Beyond either end is the field itself, with no result chosen.
      const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
      choose(all[next] ?? null);
    } else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      chosen.click();
    }
  });
  field.addEventListener("focus", open);
  // What is shown no longer belongs to what is typed, so Enter must not open it.
  field.addEventListener("input", () => {
    choose(null);
    if (!field.value.trim()) {
      results.replaceChildren();
      close();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) {
      close();
    }
  });
  // Keeps the focus in the field, so that a click on a result arrives before the results close.
  results.addEventListener("mousedown", (event) => event.preventDefault());

  results.addEventListener("htmx:afterSwap", () => {
    chosen = null;
    field.removeAttribute("aria-activedescendant");
    said.textContent = results.querySelector("[data-said]")?.dataset.said ?? "";
    if (document.activeElement === field) {
      open();
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  });
}
