// Several photos at once, and files: an overview, exports, and cases that are opened again.

const CASE = /\.geoagent$/i;
const LABELS = { csv: "CSV", xmp: "XMP", gpx: "GPX", kml: "KML", geopackage: "GeoPackage", gpkg: "GeoPackage" };

function save(blob, name) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link); link.click(); link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 30_000);
}
const stem = () => now.chosen.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N} _-]/gu, "_").trim() || "photo";

async function saved(box, act) {
  box.hidden = true;
  try { await act(); } catch (error) { box.textContent = error.message; box.hidden = false; }
}

const fetched = (path, name) => saved($("save-error"), async () => {
  save(await (await ask(path, { method: "POST", body: fields({ observation: idOf(now.chosen) }) })).blob(), name);
});

// What the server calls the file, "answers.csv".
const called = (reply) => decodeURIComponent((reply.headers.get("Content-Disposition") || "").split("UTF-8''")[1] || "answers");

async function exportAs(kind, photos) {
  const form = photos.length === 1 ? fields({ kind }) : formOf({ kind });
  for (const photo of photos) form.append("observations", idOf(photo));
  const reply = await ask("/api/export", { method: "POST", body: form });
  save(await reply.blob(), photos.length === 1 && kind !== "xmp" ? called(reply).replace("answers", stem()) : called(reply));
}

const formOf = (values) => { const form = new FormData(); for (const [key, value] of Object.entries(values)) form.append(key, value); return form; };

async function saveCase() {
  const form = new FormData();
  for (const photo of now.photos) { form.append("observations", photo.id); form.append("notes", photo.note || ""); }
  for (const track of now.tracks) form.append("track_ids", track.id);
  save(await (await ask("/api/case", { method: "POST", body: form })).blob(), "case.geoagent");
}

// The photos of a case join those that are there.
async function openCase(file) {
  const { photos, tracks } = await (await ask("/api/case/open", { method: "POST", body: formOf({ case: file }) })).json();
  now.photos.push(...photos.map(({ name, observation, note }) => ({ name, note, id: observation })));
  now.tracks.push(...tracks);
  tracksShown();
  if (!photos.length) return;
  if (tracks.length) $("together").checked = true;
  if ($("together").checked) await album();
  await choose(now.photos[now.photos.length - photos.length]);
}

// --- the overview ------------------------------------------------------------------------------------------------

function leaveOverview() {
  if (!$("found").classList.contains("overview")) return;
  $("found").classList.remove("overview");
  $("all").setAttribute("aria-pressed", "false");
  if (map) map.resize();
}

// A table of all photos, and all of them on one map.
async function overview() {
  const asking = now.overview = Symbol("overview");
  for (const photo of now.photos) {
    if (photo.answer && !photo.told) continue;
    const view = await (await ask("/api/view", { method: "POST", body: formOf({ observation: idOf(photo) }) })).json();
    if (now.overview !== asking) return;
    Object.assign(photo, { answer: view.answer, exact: view.exact });
  }
  $("found").classList.add("overview");
  const cell = (...kids) => el("td", {}, ...kids), head = ["", "Photo", "Place", "Probability", "90 % within"];
  if (now.photos.some((photo) => photo.taken)) head.push("Taken");
  const row = (photo, i) => el("tr", {}, el("td", {}, String(i + 1)),
    el("th", { scope: "row" }, el("button", { type: "button", class: "plain", onclick: () => choose(photo) }, say(photo.name))),
    cell(say(photo.answer.best.precision === "none" ? "no place named" : where(photo.answer.best))), cell(photo.answer.best.precision === "none" ? "–" : photo.answer.best.p), cell(photo.answer.best.r90Text),
    head.length > 5 ? cell(photo.when || "–") : "");
  const kinds = now.formats.filter((kind) => LABELS[kind]);
  const error = el("p", { class: "note", role: "alert", hidden: "" });
  $("summary").replaceChildren(el("h1", {}, `${now.photos.length} photos`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head.map((text) => el("th", { scope: "col" }, text)))), el("tbody", {}, now.photos.map(row)))),
    el("h2", {}, "Download all"), el("p", { class: "buttons" }, kinds.map((kind) => el("button", { type: "button", "data-all": kind, onclick: () => saved(error, () => exportAs(kind, now.photos)) }, LABELS[kind])),
      el("button", { type: "button", id: "save-case-all", onclick: () => saved(error, saveCase) }, "Save as a case")), error);
  map.resize();
  $("pins").replaceChildren();
  Object.assign(map, { marks: [], dots: [], circles: [], belief: [], link: null, cells: [], lit: [], shade: new Map() });
  now.photos.forEach((photo, i) => { if (known(photo.answer.best)) pin("alt", photo.answer.best, `${photo.name}: ${where(photo.answer.best)}`, 10.5, 10.5, () => choose(photo), String(i + 1)); });
  const placed = now.photos.map((photo) => photo.answer.best).filter(known);
  map.fit(placed.length ? placed : [], 9);
  $("layers").hidden = true;
  for (const node of $("strip").querySelectorAll("[aria-current]")) node.setAttribute("aria-current", "false");
  $("all").setAttribute("aria-pressed", "true");
  document.title = `${now.photos.length} photos – geoagent`;
  $("summary").focus({ preventScroll: true });
}

// --- what people do ----------------------------------------------------------------------------------------------

async function listenToFiles() {
  $("get-json").addEventListener("click", () => save(new Blob([JSON.stringify(now.view.exact, null, 1)], { type: "application/json" }), `${stem()}.json`));
  $("get-geojson").addEventListener("click", () => fetched("/api/geojson", `${stem()}.geojson`));
  $("get-report").addEventListener("click", () => fetched("/api/report", `${stem()}.html`));
  $("save-case").addEventListener("click", () => saved($("save-error"), saveCase));
  $("all").addEventListener("click", () => overview().catch((error) => trouble(error.message)));
  $("note").addEventListener("input", () => { if (now.chosen) { now.chosen.note = $("note").value; keep(); } });
  now.formats = await (await ask("/api/formats")).json().catch(() => []);
  $("get-geojson").after(...now.formats.filter((kind) => LABELS[kind]).map((kind) => el("button", { type: "button", id: `get-${kind}`, onclick: () => saved($("save-error"), () => exportAs(kind, [now.chosen])) }, LABELS[kind])));
}
