// Uploads: each file goes on its own, so that one that fails is sent again alone.
const form = document.querySelector("[data-drop]");
const input = form.querySelector("input[type=file]");
const list = form.querySelector("[data-uploads]");
const row = form.querySelector("[data-row]");
const go = form.querySelector("[data-go]");
const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
const written = (bytes) => {
  const [unit, value] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const style = { style: "unit", unit, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, style).format(value);
};
let place = form.dataset.files ? { files_url: form.dataset.files, read_url: form.dataset.read } : null;
let begun = null;
let waiting = Promise.resolve();
let pending = 0;
let failed = 0;

const ask = async (url, body) => {
  const answer = await fetch(url, {
    method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token },
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
};

const begin = () => {
  begun ??= (place ? Promise.resolve(place) : ask(form.dataset.begin, new FormData())).then((told) => {
    place = told;
    if (told.url) history.replaceState(null, "", told.url);
    return told;
  });
  begun.catch(() => { begun = null; });
  return begun;
};

// XMLHttpRequest tells how much has gone; fetch does not.
const send = (file, url, bar) => new Promise((done, fail) => {
  const request = new XMLHttpRequest();
  const data = new FormData();
  data.append("files", file);
  request.open("POST", url);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", token);
  request.upload.onprogress = (event) => { bar.value = (100 * event.loaded) / event.total; };
  request.onload = () => {
    let told = {};
    try { told = JSON.parse(request.responseText); } catch { /* not ours */ }
    if (request.status === 200) done(told); else fail(new Error(told.error ?? ""));
  };
  request.onerror = () => fail(new Error(""));
  request.send(data);
});

const show = () => {
  go.disabled = pending > 0;
  go.setAttribute("aria-busy", String(pending > 0));
};

const add = (file) => {
  const item = row.content.firstElementChild.cloneNode(true);
  const bar = item.querySelector("progress");
  const state = item.querySelector("[data-state]");
  const retry = item.querySelector("[data-retry]");
  item.querySelector(".name").textContent = file.name;
  item.querySelector("[data-size]").textContent = written(file.size);
  list.append(item);
  const attempt = () => {
    pending += 1;
    show();
    retry.hidden = true;
    bar.hidden = false;
    bar.value = 0;
    state.textContent = go.dataset.waiting;
    waiting = waiting.then(async () => {
      try {
        const { files_url: url } = await begin();
        await send(file, url, bar);
        state.textContent = go.dataset.done;
      } catch (error) {
        failed += 1;
        state.textContent = error.message || go.dataset.failed;
        retry.hidden = false;
      }
      bar.hidden = true;
      pending -= 1;
      show();
    });
  };
  retry.addEventListener("click", () => { failed -= 1; attempt(); });
  attempt();
};

input.addEventListener("change", () => {
  for (const file of input.files) add(file);
  input.value = "";
});
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
form.addEventListener("dragover", () => form.classList.add("over"));
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  form.classList.remove("over");
  for (const file of event.dataTransfer.files) add(file);
});
form.addEventListener("submit", async (event) => {
  if (event.submitter && event.submitter !== go) return;
  event.preventDefault();
  await waiting;
  if (!place || failed > 0) { input.focus(); return; }
  try {
    const told = await ask(place.read_url, new FormData());
    location.href = told.url;
  } catch (error) {
    document.getElementById("live").textContent = error.message;
  }
});
