// A list that follows what is typed in its search; without this its button does the same.

const WAIT_MS = 150;
const list = document.querySelector("[data-live-list]");
const told = document.getElementById("live");
let timer;
let running;

const show = async (form) => {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  running?.abort();
  running = new AbortController();
  const address = `${location.pathname}?${query}`;
  let text;
  try {
    const answer = await fetch(address, { signal: running.signal });
    if (!answer.ok || answer.redirected) return;
    text = await answer.text();
  } catch {
    return; // a later letter has taken its place, or the button will tell what is wrong
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.querySelector("[data-live-list] form.tools");
  if (!fresh) return;
  // The form stays: whoever types in it must not lose a letter.
  while (form.nextSibling) form.nextSibling.remove();
  while (fresh.nextSibling) form.after(...[...siblings(fresh)].map((node) => document.adoptNode(node)));
  history.replaceState(null, "", address);
  const kept = document.querySelector("[data-query]");
  if (kept) kept.value = query.toString();
  told.textContent = list.querySelector(".total, .empty .title")?.textContent ?? "";
};

function* siblings(node) {
  for (let next = node.nextSibling; next; next = next.nextSibling) yield next;
}

list?.addEventListener("input", (event) => {
  if (event.target.type !== "search") return;
  clearTimeout(timer);
  timer = setTimeout(() => show(event.target.form), WAIT_MS);
});
