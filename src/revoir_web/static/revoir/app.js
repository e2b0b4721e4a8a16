// What pages do beyond reading: everything here has a way without it.

// Menus close with Escape, with a click elsewhere, and when the focus goes elsewhere.
const menus = () => document.querySelectorAll("details[data-menu][open]");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("focusout", (event) => {
  const menu = event.target.closest("details[data-menu][open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Dialogs: a button with data-opens shows one, one with data-closes leaves it.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens)?.showModal();
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

// What asks again for a part of the page waits while a dialog or a menu is open in it.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.querySelector("dialog[open], details[data-menu][open]")) event.preventDefault();
});

// Columns of a list: several boxes become one value of the address.
document.addEventListener("submit", (event) => {
  const key = event.target.dataset.columns;
  if (!key) return;
  event.preventDefault();
  const data = new FormData(event.target);
  const names = data.getAll(key);
  data.delete(key);
  const query = new URLSearchParams(data);
  if (names.length) query.set(key, names.join(","));
  location.search = query.toString();
});

// Rows that are chosen: one box for all of them, and how many there are.
const count = (form) => {
  const boxes = [...form.querySelectorAll("input[name=chosen]")];
  const chosen = boxes.filter((box) => box.checked).length;
  const told = form.querySelector("[data-count]");
  if (told) told.textContent = chosen ? `${chosen} / ${boxes.length}` : "";
};
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-selection]");
  if (!form) return;
  if (event.target.matches("[data-all]")) {
    for (const box of form.querySelectorAll("input[name=chosen]")) box.checked = event.target.checked;
  }
  count(form);
});

// A job that ends is told to those who hear the page, and the page shows what it made.
document.body.addEventListener("job-ended", (event) => {
  const state = event.target.querySelector?.(".state")?.textContent;
  if (state) document.getElementById("live").textContent = state;
  const next = document.querySelector("[data-after-job]");
  if (next) location.href = next.dataset.afterJob || location.href;
});
