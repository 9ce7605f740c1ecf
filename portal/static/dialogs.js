// Opens small pages in a dialog: links and forms with data-dialog. Without this script, they open the page itself.

// Fetch would follow a redirect, and use up what the next page has to say: the server only tells where it leads.
async function ask(address, request = {}) {
  const answer = await fetch(address, { ...request, headers: { "X-Dialog": "true" } });
  const elsewhere = answer.headers.get("X-Location");
  if (elsewhere === null) return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  location.assign(elsewhere);
  return null;
}

// The page below may have the same ids.
function renameIds(content) {
  for (const named of content.querySelectorAll("[id]")) named.id = `dialog-${named.id}`;
  for (const attribute of ["for", "aria-describedby", "aria-labelledby"]) {
    for (const naming of content.querySelectorAll(`[${attribute}]`)) {
      const ids = naming.getAttribute(attribute).split(/\s+/);
      naming.setAttribute(attribute, ids.map((id) => `dialog-${id}`).join(" "));
    }
  }
  for (const link of content.querySelectorAll("a[href^='#']")) link.hash = `dialog-${link.hash.slice(1)}`;
}

function fill(dialog, content, address) {
  renameIds(content);
  const title = document.createElement("h2");
  title.className = "h5";
  title.id = "dialog-title";
  const heading = content.querySelector("h1");
  title.textContent = heading.textContent;
  heading.replaceWith(title);
  for (const form of content.querySelectorAll("form:not([action])")) form.action = address;
  dialog.replaceChildren(...content.children);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[data-focus], input:not([type=hidden]), select, textarea")?.focus();
}

function open(content, address, opener) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "dialog-title");
  dialog.addEventListener("click", (event) => {
    // Cancel leads back to the page on which the dialog is.
    const link = event.target.closest("a:not([href^='#'])");
    const leadsBack = link && new URL(link.href).pathname === location.pathname;
    if (leadsBack) event.preventDefault();
    if (leadsBack || event.target === dialog) dialog.close();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    if (dialog.querySelector("[aria-busy]")) return;
    (event.submitter ?? form).ariaBusy = "true";
    try {
      const again = await ask(form.action, { method: "post", body: new FormData(form, event.submitter) });
      if (!again) return;
      fill(dialog, again, form.action);
    } catch {
      form.submit();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  fill(dialog, content, address);
}

async function show(address, opener) {
  if (opener.ariaBusy) return;
  opener.ariaBusy = "true";
  try {
    const content = await ask(address);
    if (content) open(content, address, opener);
  } catch {
    location.assign(address);
  }
  opener.ariaBusy = null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link.href, link);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-dialog]")) return;
  event.preventDefault();
  show(`${form.action}?${new URLSearchParams(new FormData(form, event.submitter))}`, event.submitter);
});
