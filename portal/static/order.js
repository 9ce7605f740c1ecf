// Opens the form that fixes something about an order in a dialog over its page. Without it, the form is a page.

const dialog = document.getElementById("fix");

dialog.addEventListener("htmx:afterSwap", () => {
  if (!dialog.open && dialog.hasChildNodes()) {
    dialog.showModal();
  }
  const first = dialog.querySelector("[data-focus], input:not([type=hidden]), select, textarea");
  first?.focus();
});
dialog.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) {
    event.preventDefault();
    dialog.close();
  }
});
// A form that was left is read again when it is opened the next time.
dialog.addEventListener("close", () => dialog.replaceChildren());
