// Closes the toasts: on request, or after the time it takes to read them, unless they offer to undo something.

const SHORTEST = 8000;
const PER_CHARACTER = 80;

function closeLater(toast) {
  const close = () => {
    if (toast.matches(":hover, :focus-within") || document.hidden) setTimeout(close, 2000);
    else toast.remove();
  };
  setTimeout(close, Math.max(SHORTEST, PER_CHARACTER * toast.textContent.trim().length));
}

for (const toast of document.querySelectorAll(".toast-message")) {
  if (!toast.querySelector("form")) closeLater(toast);
  toast.querySelector("[data-close-toast]").addEventListener("click", () => {
    toast.remove();
    document.getElementById("content").focus({ preventScroll: true });
  });
  // Screen readers announce what changes, not what the page came with.
  const words = toast.querySelector(".words");
  setTimeout(() => { words.textContent = words.textContent; }, 500);
}
