// The page: drawing an answer, weighing it differently, saving it, and what people do.

// --- the answer --------------------------------------------------------------------------------------------------

// Show a photo; `settings` are those under which it is asked about. With `strict` an error is the caller's.
async function choose(photo, settings = plain(), strict = false) {
  now.chosen = photo; now.view = null; now.settings = settings;
  Object.assign(shot, { z: 1, dx: 0, dy: 0 });
  leaveOverview();
  $("note").value = photo.note || "";
  controls();
  $("verdict").replaceChildren(); $("claim").value = ""; now.claim = null;
  try {
    await weigh({ first: true });
    strip();
    timeline();
  } catch (error) { if (strict) throw error; show("start"); trouble(error.message); lost(photo, error); }
}

function lost(photo, error) {
  if (error.status !== 404) return;
  now.photos = now.photos.filter((other) => other !== photo);
  strip();
}

const TOLD = ["hint", "within", "exclude"];

// The server names its own fields; the page calls them by their labels.
const labelled = (text) => text.replace(/^within and not(?=:)/, "Only in and Not in").replace(/^(hint|within|not|exclude)(?=:| ')/, (name) => LABEL[name]);
const LABEL = { hint: "Your hint", within: "Only in", not: "Not in", exclude: "Not in" };

// What is wrong is said beside its own field; what was told there does not count, and everything else goes on.
function wrongFields(fields = {}) {
  for (const name of TOLD) {
    $(`${name}-error`).textContent = labelled(fields[name] || ""); $(`${name}-error`).hidden = !fields[name];
    $(name).setAttribute("aria-invalid", String(Boolean(fields[name])));
  }
}

async function weigh({ first = false, fit = false } = {}) {
  if (now.asking) now.asking.abort();
  const asking = now.asking = new AbortController(), photo = now.chosen;
  $("found").classList.add("busy");
  try {
    const view = await (await ask("/api/view", { method: "POST", body: fields({ observation: idOf(photo) }), signal: asking.signal })).json();
    if (!map) await openMap();
    view.answer = onPage(view.answer); view.left_out = onPage(view.left_out);
    now.view = view; now.counted = { ...now.settings };
    draw(first, fit);
    $("weigh-error").hidden = true; wrongFields();
    if (!first && $("verdict").childElementCount) check();  // the claim is weighed like the place
  } catch (error) {
    if (error.name === "AbortError") return;
    if (first) throw error;
    const fields = error.fields || {}, own = TOLD.some((name) => fields[name]);
    now.settings = { ...now.counted };
    wrongFields(fields);
    $("weigh-error").textContent = labelled(error.message); $("weigh-error").hidden = own;
    lost(photo, error);
  } finally { if (now.asking === asking) { now.asking = null; $("found").classList.remove("busy"); } }
}

async function openMap() {
  atlas = atlas || await (await ask("/api/atlas")).json();
  show("found");  // the map measures its own place
  map = new WorldMap($("view"), $("canvas"), $("pins"), $("tip"), { grid: atlas.grid, countries: atlas.countries, cells: [] });
  map.show.shade = false;
  const shapes = new Map();
  map.cell = (number) => {
    if (!shapes.has(number)) shapes.set(number, shape(typeof atlas.cells[number][0] === "number" ? [disc(atlas.cells[number])] : atlas.cells[number], atlas.grid));
    return shapes.get(number);
  };
  map.hover = (event, [x, y]) => pointAt(event, x, y);
  map.rested = townsInSight;
  tileButton(map, "https://tile.openstreetmap.org", atlas.attribution ? `Borders: ${atlas.attribution}` : "");
  $("home").addEventListener("click", () => map.fit($("found").classList.contains("overview") ? overviewPlaces() : wholeView(now.view.answer)));
  $("globe").addEventListener("click", () => map.fit([]));
}

// A cell that has no polygon is a disc of its radius.
const disc = ([lat, lon, km]) => circle({ lat, lon }, Math.max(km, 5)).line;

// Towns of the gazetteer, where the map comes to rest: more of them, and smaller ones, the nearer it is.
async function townsInSight() {
  if (map.z < 4) { map.towns = []; return map.paint(); }
  const half = { x: map.w / map.size, y: map.h / map.size }, west = (map.x - half.x - 0.5) * 360, east = (map.x + half.x - 0.5) * 360;
  const box = new URLSearchParams({ south: latOf(Math.min(1, map.y + half.y)).toFixed(3), north: latOf(Math.max(0, map.y - half.y)).toFixed(3), west: west.toFixed(3), east: east.toFixed(3) });
  const at = now.towns = String(box);
  try {
    const towns = await (await ask(`/api/towns?${box}`)).json();
    if (now.towns === at) { map.towns = towns; map.paint(); }
  } catch { /* a map without towns is still a map */ }
}

const act = {
  light(cues, on) { for (const i of cues) if (on) now.pointed.set(i, true); else now.pointed.delete(i); relight(); },
  hold(i) {
    now.held = now.held === i ? null : i;
    relight();
    if (now.held !== null && map.lit.length) {
      const corners = map.lit.flatMap(({ box: [x0, y0, x1, y1] }) => [[x0, y0], [x1, y1]].map(([x, y]) => ({ lon: (x - 0.5) * 360, lat: latOf(y) })));
      map.fit([...corners, ...(known(now.view.answer.best) ? [now.view.answer.best] : [])], 8);
    }
  },
  leaveOut(key) { now.settings.without = [...now.settings.without, key]; now.held = null; weighCues(); },
  putBack(key) { now.settings.without = now.settings.without.filter((other) => other !== key); weighCues(); },
};

// The cue that was chosen has gone elsewhere, and the keyboard goes on at the first.
const weighCues = () => weigh().then(() => $("cues").querySelector("button").focus());

// Cue, region and map show the same thing: those that are pointed at, else the one that is held.
function relight() {
  const a = now.view.answer, lit = now.pointed.size ? [...now.pointed.keys()] : now.held !== null ? [now.held] : [];
  const regions = new Set(lit.flatMap((i) => (a.cues[i] ? a.cues[i].regions : [])));
  for (const node of document.querySelectorAll("[data-cue]")) {
    const i = Number(node.dataset.cue);
    node.classList.toggle("hot", lit.includes(i)); node.classList.toggle("held", now.held === i);
    node.querySelector(".open").setAttribute("aria-pressed", String(now.held === i));
  }
  for (const node of document.querySelectorAll("[data-tag]")) node.classList.toggle("hot", lit.includes(Number(node.dataset.tag)));
  for (const node of document.querySelectorAll(".seen[data-region], [data-line]")) node.classList.toggle("hot", regions.has(Number(node.dataset.region || node.dataset.line)));
  map.lit = [...new Set(lit.flatMap((i) => now.view.lights[i] || []))].map(map.cell);
  map.litColour = matchMedia("(prefers-color-scheme: dark)").matches || !lit.length ? "" : a.cues[lit[0]].colour;
  $("view").dataset.lit = String(map.lit.length);
  map.paint();
}

// From the map to the cues: a cell that is pointed at lights the cues that speak for it.
function pointAt(event, x, y) {
  if (event.target.closest(".pin")) return;
  const wx = map.x + (x - map.w / 2) / map.size, px = wx - Math.floor(wx), py = map.y + (y - map.h / 2) / map.size;
  const inside = ({ box, fill }) => box[0] <= px && px <= box[2] && box[1] <= py && py <= box[3] && hits(fill, px, py);
  const near = map.show.dots && map.dots.find((dot) => { const [a, b] = map.pixel(dot); return Math.hypot(a - x, b - y) <= dot.r + 3; });
  const found = now.view.cells.find(([number]) => inside(map.cell(number)));
  const cues = found ? now.view.answer.cues.map((_, i) => i).filter((i) => now.view.lights[i].includes(found[0])) : [];
  const p = found && (found[1] >= 0.995 ? ">99 %" : found[1] < 0.005 ? "<1 %" : `${Math.round(100 * found[1])} %`);
  map.tell(near ? near.says : found ? `This cell: ${p}${cues.length ? ` · cue ${cues.map((i) => i + 1).join(", ")}` : ""}` : "", x, y);
  for (const node of document.querySelectorAll("[data-cue]")) node.classList.toggle("hot", cues.includes(Number(node.dataset.cue)));
}
const probe = document.createElement("canvas").getContext("2d");
const hits = (path, x, y) => probe.isPointInPath(path, x, y, "evenodd");

function draw(first, fit = false) {
  Object.assign(now.chosen, { exact: now.view.exact });
  const { view } = now, a = view.answer;
  for (const node of document.querySelectorAll(".balanced")) node.hidden = !a.looked;  // the text alone has nothing to be weighed against
  $("cues").hidden = Boolean(a.blank) && !view.left_out.length;
  if (first) { show("found"); map.resize(); }
  now.held = null; now.pointed.clear();
  $("another").hidden = false;
  document.title = `${a.status === "error" ? "No answer" : a.best.precision === "none" ? a.unnamed : where(a.best)} – geoagent`;
  $("summary").replaceChildren(...[el("p", { class: "source" }, say(now.chosen.name)), ...headline(a), ...a.warnings.map((text) => el("p", { class: "note" }, say(labelled(text)))),
    ...a.album.map((text) => el("p", { class: "small muted" }, say(text)))].flat(3));
  $("cues").replaceChildren(...cueSection(view, act));
  $("told").replaceChildren(...besideOf(a, (source) => { const other = now.photos.find((photo) => photo.name === source); return other ? () => choose(other) : null; }));
  $("halves").replaceChildren(...section("What each half says", [...comparison(a), ...changed(view.exact)]).flat(3));
  $("others").replaceChildren(...[...alternativesOf(a), ...countriesOf(a)].flat(3));
  $("more").replaceChildren(...[...fileOf(a), ...linesOf(a), neighboursOf(a), ...remarksOf(a), factsOf(a)].flat(3).filter(Boolean));
  $("photo").replaceChildren(photoFigure(a, `/api/observations/${now.chosen.id}/photo`, view.size_px, act), photoButtons());
  frame();
  map.cells = view.cells.map(([number, p]) => ({ p, ...map.cell(number) }));
  map.show.shade = !map.cells.length;
  // The map follows when the answer moves elsewhere, and stays where it is when the answer does.
  const moved = !now.chosen.answer || where(now.chosen.answer.best) !== where(a.best);
  const order = numbers();
  map.tracks = now.lines;
  if (now.chosen.album) now.chosen.best = spotOf(view.exact.best);
  map.trip = stopsOf(order);
  const others = now.photos.filter((photo) => photo !== now.chosen && (photo.answer || order.has(photo)));
  drawMap(a, false, others.map((photo) => [{ best: photo.best || photo.answer.best, source: photo.name, when: photo.when }, () => choose(photo), order.get(photo) || 0]), order.get(now.chosen) || 0);
  look(a, { first, moved: moved || fit });
  now.chosen.answer = a;
  if (!first && now.chosen.album) timeline();
  relight();
  if (first && !atWork()) $("summary").focus({ preventScroll: innerWidth > 860 });
}

// In an album that is all of the trip with its tracks, else the answer.
const inTrip = (photo) => Boolean(photo && photo.album && photo.album.part) && (map.trip.length > 1 || map.tracks.length > 0);
const wholeView = (a) => (inTrip(now.chosen) || !known(a.best) && a.best.precision === "none" && map.trip.length ? wholeTrip(map.trip) : extent(a));

// Where the map goes: to the whole trip when it is new, and from photo to photo only where the place is not in sight.
function look(a, { first, moved }) {
  if (!inTrip(now.chosen)) { now.travelled = ""; if (first || moved) map.fit(wholeView(a)); return; }
  const trip = JSON.stringify([now.photos.map((photo) => photo.told), now.tracks.map((track) => track.id)]);
  if (now.travelled !== trip) { now.travelled = trip; map.fit(wholeTrip(map.trip)); }
  else if ((first || moved) && (!known(a.best) || !map.sees(a.best))) map.fit(known(a.best) ? extent(a) : wholeTrip(map.trip));
}

// Whether the keyboard is where photos are chosen and put together: it stays there when an answer comes.
const atWork = () => ["strip", "trip"].some((id) => $(id).contains(document.activeElement));

// --- weighing differently ----------------------------------------------------------------------------------------

function controls() {
  const s = now.settings = now.settings || plain();
  const [v, t] = [s.vision_weight, s.text_weight].map((weight) => (weight === "" ? 1 : Number(weight)));
  $("use-picture").checked = v > 0; $("use-text").checked = t > 0;
  $("balance").value = Math.round(100 * (v > 0 && v < 1 ? 1 - v : t > 0 && t < 1 ? t - 1 : 0));
  for (const name of ["hint", "within", "exclude"]) $(name).value = s[name];
  $("precision").value = s.max_precision;
  wrongFields(); $("weigh-error").hidden = true;
  balanceSays();
}

function balanceSays() {
  const at = Number($("balance").value), picture = $("use-picture").checked, text = $("use-text").checked;
  const percent = (w) => `${Math.round(100 * w)} %`;
  const [v, t] = [picture ? Math.min(1, 1 - at / 100) : 0, text ? Math.min(1, 1 + at / 100) : 0];
  const sent = (w) => (w === 1 ? "" : w.toFixed(2));  // in full is as the server was started
  Object.assign(now.settings, { vision_weight: sent(v), text_weight: sent(t) });
  const words = v === 1 && t === 1 ? "Both count in full" : `Picture ${percent(v)}, text ${percent(t)}`;
  $("balance-says").textContent = words; $("balance").setAttribute("aria-valuetext", words);
}

function soon() { balanceSays(); clearTimeout(now.timer); now.timer = setTimeout(() => weigh(), 140); }

async function check() {
  const box = $("verdict"), claim = now.claim = $("claim").value;
  if (!box.childElementCount) box.replaceChildren(el("p", { class: "muted" }, "Checking…"));
  try {
    const found = onPage(await (await ask("/api/verify", { method: "POST", body: fields({ observation: idOf(now.chosen), claim }) })).json());
    if (now.claim === claim) box.replaceChildren(...verdictOf(found));
  } catch (error) { if (now.claim === claim) box.replaceChildren(el("p", { class: "note" }, error.message)); }
}

async function forget() {
  const photo = now.chosen;
  for (const id of [photo.id, photo.told]) if (id) await ask(`/api/observations/${id}`, { method: "DELETE" });
  now.photos = now.photos.filter((other) => other !== photo);
  now.view = null; now.chosen = null;
  await album();
  document.title = "geoagent";
  $("photo").replaceChildren();
  strip();
  if (now.photos.length) choose(now.photos[now.photos.length - 1]); else back();
}

// --- what people do ----------------------------------------------------------------------------------------------

function listen() {
  $("file").addEventListener("change", () => { const files = [...$("file").files]; $("file").value = ""; send(files); });
  $("another").addEventListener("click", () => { show("start"); $("strip").hidden = now.photos.length < 1; $("file").focus(); });
  $("dismiss").addEventListener("click", () => { $("trouble").hidden = true; });
  $("cancel").addEventListener("click", async () => {
    const job = now.job;
    now.job = null;
    back();
    if (!job) return;
    job.stopped = true;
    if (job.id) await ask(`/api/jobs/${job.id}`, { method: "DELETE" }).catch(() => {});
  });
  listenToAlbum();
  for (const id of ["balance", "use-picture", "use-text"]) $(id).addEventListener("input", soon);
  $("hints").addEventListener("submit", (event) => {
    event.preventDefault();
    for (const name of ["hint", "within", "exclude"]) now.settings[name] = $(name).value.trim();
    weigh();
  });
  $("precision").addEventListener("change", () => { now.settings.max_precision = $("precision").value; weigh(); });
  $("reset").addEventListener("click", () => { now.settings = plain(); controls(); weigh({ fit: true }); });
  $("claims").addEventListener("submit", (event) => { event.preventDefault(); check(); });
  $("forget").addEventListener("click", () => forget().catch((error) => trouble(error.message)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && now.view && now.held !== null) { now.held = null; relight(); } });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) { event.preventDefault(); send(files); }
  });
  let inside = 0;
  const files = (event) => [...event.dataTransfer.types].includes("Files");
  addEventListener("dragenter", (event) => { if (files(event)) { inside++; $("over").hidden = false; } });
  addEventListener("dragleave", (event) => { if (files(event) && --inside <= 0) { inside = 0; $("over").hidden = true; } });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => { if (!files(event)) return; event.preventDefault(); inside = 0; $("over").hidden = true; send([...event.dataTransfer.files]); });
  listenToPhoto();
  listenToFiles();
}

async function examples() {
  const list = await (await ask("/examples.json")).json();
  $("examples").hidden = !list.length;
  $("examples").querySelector("ul").replaceChildren(...list.map(({ name, says }) => el("li", {}, el("button", { type: "button", "data-example": name,
    onclick: async () => {
      try {
        const blob = await (await ask(`/examples/${name}.jpg`)).blob();
        send([new File([blob], `${name}.jpg`, { type: "image/jpeg" })]);
      } catch (error) { trouble(error.message); }
    } }, el("img", { src: `/examples/${name}.jpg`, alt: "", loading: "lazy" }), el("span", {}, says)))));
}

// Readers load their models after the page is there; until then it says so.
async function ready() {
  for (;;) {
    let state = null;
    try { state = await (await fetch("/ready")).json(); } catch { /* it does not answer */ }
    $("state").textContent = !state ? "The server does not respond." : state.status === "ok" ? "" : state.trouble || "The reader is starting…";
    if (state && state.status === "ok") return;
    await wait(1000);
  }
}

listen();
controls();
again();
examples().catch(() => {});
ready();
