// Opens small confirmation pages in a dialog. Without this script, their links open the page itself.

// The page below may have the same ids.
function renameIds(content) {
  for (const named of content.querySelectorAll("[id]")) named.id = `dialog-${named.id}`;
  for (const attribute of ["for", "aria-describedby", "aria-labelledby"]) {
    for (const naming of content.querySelectorAll(`[${attribute}]`)) {
      const ids = naming.getAttribute(attribute).split(/\s+/);
      naming.setAttribute(attribute, ids.map((id) => `dialog-${id}`).join(" "));
    }
  }
}

function dialogOf(page, address) {
  const content = page.querySelector("main");
  renameIds(content);
  const heading = content.querySelector("h1");
  const title = document.createElement("h2");
  title.className = "h5";
  title.id = "dialog-title";
  title.textContent = heading.textContent;
  heading.replaceWith(title);
  for (const form of content.querySelectorAll("form:not([action])")) form.action = address;
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(...content.children);
  // Cancel leads back to the page on which the dialog is.
  for (const link of dialog.querySelectorAll("form a")) {
    if (new URL(link.href).pathname !== location.pathname) continue;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  return dialog;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  let answer;
  try {
    answer = await fetch(link.href);
  } catch {
    location.assign(link.href);
    return;
  }
  // A redirect means that there is nothing to confirm: the page says why.
  if (!answer.ok || answer.redirected) {
    location.assign(link.href);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const dialog = dialogOf(page, link.href);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  dialog.showModal();
});
