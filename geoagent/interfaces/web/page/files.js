// Several photos at once, and files: an overview, exports, and cases that are opened again.

const CASE = /\.geoagent$/i;
const LABELS = { geojson: "GeoJSON", csv: "CSV", xmp: "XMP", gpx: "GPX", kml: "KML", geopackage: "GeoPackage", gpkg: "GeoPackage" };

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
  // What was asked, so that it can be asked again: of the album, and of the photo that is shown.
  form.append("together", $("together").checked);
  for (const clock of clocksStated()) form.append("clocks", clock);
  if ($("together").checked) for (const photo of now.photos) form.append("answered", idOf(photo));
  if (now.chosen) {
    form.append("chosen", now.photos.indexOf(now.chosen));
    for (const [name, value] of fields().entries()) form.append(name, value);
  }
  save(await (await ask("/api/case", { method: "POST", body: form })).blob(), "case.geoagent");
}

// The photos of a case join those that are there.
async function openCase(file) {
  const { photos, tracks, asked } = await (await ask("/api/case/open", { method: "POST", body: formOf({ case: file }) })).json();
  const first = now.photos.length;
  now.photos.push(...photos.map(({ name, observation, note }) => ({ name, note, id: observation })));
  now.tracks.push(...tracks);
  tracksShown();
  if (!photos.length) return;
  $("together").checked = $("together").checked || asked.together || tracks.length > 0;
  if (asked.clocks.length) $("clocks").value = [...new Set([...clocksStated(), ...asked.clocks])].join(", ");
  const settings = settingsOf(asked.settings), chosen = now.photos[first + asked.chosen] || now.photos[first];
  try {
    now.settings = settings;
    if ($("together").checked) await album();
    await choose(chosen, settings, true);
  } catch (error) {  // it was asked of another gazetteer, or under another cap
    now.settings = plain();
    if ($("together").checked) await album();
    await choose(chosen);
    trouble(`${file.name}: what was asked cannot be asked again here: ${error.message}`);
  }
}

// Settings of a case as the page sends them: texts, and cues that are left out.
function settingsOf(kept) {
  const settings = plain();
  for (const name of Object.keys(settings)) if (kept[name] !== null && kept[name] !== undefined) settings[name] = name === "without" ? kept.without : String(kept[name]);
  return settings;
}

// --- the overview ------------------------------------------------------------------------------------------------

function leaveOverview() {
  if (!$("found").classList.contains("overview")) return;
  $("found").classList.remove("overview");
  now.overview = null;
  $("unplaced").hidden = true;
  $("all").setAttribute("aria-pressed", "false");
  if (map) map.resize();
}

// Number of each photo as on the time line, without one for those that take no part; photos by themselves as they came.
function overviewNumbers() {
  const order = numbers();
  return order.size ? order : now.photos.some((photo) => photo.album) ? new Map() : new Map(now.photos.map((photo, i) => [photo, i + 1]));
}

const takesPart = (photo) => !photo.album || photo.album.part;
const placedPhotos = () => now.photos.filter((photo) => takesPart(photo) && photo.answer && known(photo.answer.best));

// What the map of all photos holds: those that name a place and take part, and the tracks.
const overviewPlaces = () => wholeTrip(placedPhotos().map((photo) => photo.answer.best));

// What the map cannot show, in words.
function unplacedSays() {
  const names = (photos, say) => { const first = photos.slice(0, 6).map(say); return `${first.join(", ")}${photos.length > 6 ? ` and ${photos.length - 6} more` : ""}`; };
  const one = (photos, text, texts) => `${photos.length} ${photos.length === 1 ? `photo ${text}` : `photos ${texts}`}`;
  const open = now.photos.filter((photo) => !known(photo.answer.best)), named = open.filter((photo) => photo.answer.best.precision !== "none" && photo.answer.best.country);
  const rest = open.filter((photo) => !named.includes(photo)), aside = now.photos.filter((photo) => known(photo.answer.best) && !takesPart(photo));
  return [
    named.length ? `${one(named, "names", "name")} a country alone: ${names(named, (photo) => `${photo.name} (${where(photo.answer.best)})`)}.` : "",
    rest.length ? `${one(rest, "names", "name")} no place: ${names(rest, (photo) => photo.name)}.` : "",
    aside.length ? `${one(aside, "takes", "take")} no part in the album: ${names(aside, (photo) => photo.name)}.` : "",
  ].filter(Boolean).join(" ");
}

// A table of all photos, and all of them on one map.
async function overview() {
  const asking = now.overview = Symbol("overview");
  for (const photo of now.photos) {
    const view = await (await ask("/api/view", { method: "POST", body: formOf({ observation: idOf(photo) }) })).json();
    if (now.overview !== asking) return;
    Object.assign(photo, { answer: onPage(view.answer), exact: view.exact, best: photo.album ? spotOf(view.exact.best) : photo.best });
  }
  $("found").classList.add("overview");
  const order = overviewNumbers(), rows = [...order.keys(), ...now.photos.filter((photo) => !order.has(photo))], timed = rows.some((photo) => photo.taken);
  const head = [["", ""], ["Photo", ""], ["Place", ""], ["Country sure", ""], ["90 % within", "wide"], ...(timed ? [["Taken", "wide"]] : [])];
  const row = (photo) => {
    const { best } = photo.answer, named = best.precision !== "none";
    return el("tr", pointing(order.get(photo)), el("td", {}, String(order.get(photo) || "–")),
      el("th", { scope: "row" }, el("button", { type: "button", class: "plain", title: photo.name, onclick: () => choose(photo) }, say(photo.name))),
      el("td", {}, say(named ? where(best) : "no place named")), el("td", {}, named ? best.p : "–"), el("td", { class: "wide" }, best.r90Text),
      timed ? el("td", { class: "wide" }, photo.when || "–") : "");
  };
  const kinds = now.formats.filter((kind) => LABELS[kind]);
  const error = el("p", { class: "note", role: "alert", hidden: "" });
  $("summary").replaceChildren(el("h1", {}, `${now.photos.length} photos`),
    el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, head.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)))), el("tbody", {}, rows.map(row)))),
    el("h2", {}, "Download all"), el("p", { class: "buttons" }, kinds.map((kind) => el("button", { type: "button", "data-all": kind, onclick: () => saved(error, () => exportAs(kind, now.photos)) }, LABELS[kind])),
      el("button", { type: "button", id: "save-case-all", onclick: () => saved(error, saveCase) }, "Save as a case")), error);
  $("unplaced").textContent = unplacedSays(); $("unplaced").hidden = !$("unplaced").textContent;
  map.resize();
  timeline();  // what was said of the photo that was shown is asked of none of them here
  $("pins").replaceChildren();
  Object.assign(map, { marks: [], dots: [], circles: [], belief: [], link: null, cells: [], lit: [], shade: new Map(), trip: stopsOf(numbers()), tracks: now.lines });
  for (const photo of placedPhotos()) {
    const n = order.get(photo);
    if (n) pin("stop", photo.answer.best, `${n} · ${photo.name}: ${where(photo.answer.best)}`, 11, 11, () => choose(photo), String(n), n);
    else pin("one", photo.answer.best, `${photo.name}: ${where(photo.answer.best)}`, 10, 24, () => choose(photo));
  }
  now.travelled = "";
  map.fit(overviewPlaces());
  $("layers").hidden = true;
  for (const node of document.querySelectorAll("#strip [aria-current], #timeline [aria-current]")) node.setAttribute("aria-current", "false");
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
  $("get-geojson").after(...now.formats.filter((kind) => LABELS[kind] && kind !== "geojson").map((kind) => el("button", { type: "button", id: `get-${kind}`, onclick: () => saved($("save-error"), () => exportAs(kind, [now.chosen])) }, LABELS[kind])));
}
