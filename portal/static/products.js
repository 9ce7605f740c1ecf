// Escape closes the form that sets a SKU in the product list, as Cancel does.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.target.closest(".product-form")?.querySelector("[data-close]").click();
});
