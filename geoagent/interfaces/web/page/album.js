// The album: photos that are weighed together, with tracks and clocks.

const TRACK = /\.(gpx|kml|kmz|json)$/i;
const clocksStated = () => $("clocks").value.split(",").map((part) => part.trim()).filter(Boolean);

// Weigh all photos together, or each by itself again; nothing is read again.
async function album() {
  const before = now.photos.map((photo) => photo.told).filter(Boolean), notes = [], tracks = [];
  for (const photo of now.photos) Object.assign(photo, { told: null, taken: null, utc: null, when: "", best: null, album: null });
  $("clock-error").hidden = true; $("clock-says").textContent = "";
  if ($("together").checked && now.photos.length && now.photos.length + now.tracks.length > 1) {
    $("trip-says").textContent = "Weighing the photos together…";
    const form = fields();
    for (const photo of now.photos) form.append("observations", photo.id);
    for (const track of now.tracks) form.append("track_ids", track.id);
    for (const clock of clocksStated()) form.append("clocks", clock);
    const found = await (await ask("/api/album", { method: "POST", body: form })).json();
    found.items.forEach(({ observation, answer }, i) => Object.assign(now.photos[i], { told: observation, best: spotOf(answer.best), album: answer.album, taken: answer.album.taken, utc: answer.album.utc, when: whenOf(answer.album) }));
    notes.push(...onPage(found.notes)); tracks.push(...found.tracks);
  }
  // What was stated of a clock stands beside its field, and what was left out of a track beside the track.
  const said = notes.filter((note) => note.startsWith("you said")), left = now.tracks.flatMap((track) => track.notes);
  $("clock-says").textContent = said.map((note) => sentence(note)).join(" ");
  $("trip-says").textContent = notes.filter((note) => !said.includes(note) && !left.includes(note)).map(sentence).join(" ");
  now.lines = tracks.flatMap((track) => track.lines).filter((line) => line.length > 1);
  for (const id of before) ask(`/api/observations/${id}`, { method: "DELETE" }).catch(() => {});
  timeline();
}

// A place as the map has it: a country alone is no point, and not its capital.
const spotOf = (best) => (best && best.precision === "country" ? { ...best, lat: null, lon: null } : best);

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

// "2023-07-04 08:12 UTC"; without UTC it is what the camera's clock showed, with UTC where that clock is put right.
function whenOf({ taken, utc }) {
  const said = (text) => text.replace("T", " ").replace(/:\d\d(Z?)$/, (_, zone) => (zone ? " UTC" : ""));
  if (!taken) return "no time";
  if (!utc || taken.endsWith("Z") || utc === `${taken}Z`) return said(taken);
  return `${said(utc)} (clock ${said(taken).slice(utc.slice(0, 10) === taken.slice(0, 10) ? 11 : 0)})`;
}

// In order of time where it is known, else as they came; photos that take no part say why.
function inOrder() {
  return now.photos.filter((photo) => photo.album).sort(byInstant);
}

// Number of each photo of the trip; what takes no part has none.
const numbers = () => numbered(now.photos.filter((photo) => photo.album && photo.album.part));

function timeline() {
  const rows = inOrder(), order = numbers();
  redrawn($("timeline"), rows.map((photo) => {
    const place = photo.album.part ? where(photo.best) : photo.album.why_not || "takes no part";
    const n = order.get(photo), doubts = photo.album.doubts || [];
    return el("li", { class: n ? "" : "aside", "data-n": n || null, ...pointing(n) }, el("button", { type: "button", "data-key": photo.id, "aria-current": String(photo === now.chosen), onclick: () => choose(photo) },
      el("span", { class: "when" }, photo.when, doubts.length ? el("span", { class: "doubt", title: doubts.join("; ") }, " doubtful") : ""), el("span", { class: "place" }, say(place)), el("span", { class: "file muted" }, say(photo.name))));
  }));
  const current = $("timeline").querySelector("[aria-current=true]");
  if (current) $("timeline").scrollLeft += current.getBoundingClientRect().left - $("timeline").getBoundingClientRect().left - 40;
  if (!map) return;
  Object.assign(map, { trip: stopsOf(order), tracks: now.lines });
  if (now.view) legend(now.view.answer);
  map.paint();
}

// --- tracks ------------------------------------------------------------------------------------------------------

function tracksShown() {
  const day = (stamp) => stamp.slice(0, 10), span = (track) => (day(track.begin) === day(track.end) ? day(track.begin) : `${day(track.begin)} to ${day(track.end)}`);
  redrawn($("tracks"), now.tracks.map((track) => el("li", {},
    el("span", {}, say(track.name), el("span", { class: "muted small" }, ` · ${track.points.toLocaleString("en")} ${track.points === 1 ? "point" : "points"}, ${span(track)}`),
      track.notes.map((note) => el("span", { class: "muted small left-out-of" }, say(sentence(note.replace(`${track.name}: `, "")))))),
    el("button", { type: "button", class: "plain", "data-key": track.id, "aria-label": `Remove the track ${track.name}`, onclick: () => removeTrack(track) }, "Remove"))));
}

// Read tracks; the photos are weighed with them from now on.
async function addTracks(files) {
  $("track-error").hidden = true;
  const wrong = [];
  for (const file of files) {
    const form = new FormData();
    form.append("tracks", file, file.name);
    try { now.tracks.push(...await (await ask("/api/tracks", { method: "POST", body: form })).json()); } catch (error) { wrong.push(error.message); }
  }
  if (now.tracks.length) $("together").checked = true;
  tracksShown(); keep();
  if (wrong.length) {
    if ($("trip").hidden) trouble(wrong.join("\n"));
    $("track-error").textContent = wrong.join(" "); $("track-error").hidden = false; $("trip-more").open = true;
  }
}

async function removeTrack(track) {
  now.tracks = now.tracks.filter((other) => other !== track);
  tracksShown(); strip();
  ask(`/api/tracks/${track.id}`, { method: "DELETE" }).catch(() => {});
  await reweigh();
}

// After a change to the album: weigh it, and the photo that is shown with it.
async function reweigh() {
  try { await album(); } catch (error) {
    const clock = /a camera and hours|days off/.test(error.message);
    if (clock) { $("clock-error").textContent = error.message; $("clock-error").hidden = false; $("trip-says").textContent = ""; $("trip-more").open = true; return; }
    if (error.status === 404) { now.tracks = []; tracksShown(); }
    $("together").checked = false;
    await album().catch(() => {});
    trouble(error.message);
  }
  if (now.chosen) await choose(now.chosen);
}

function listenToAlbum() {
  $("together").addEventListener("change", reweigh);
  $("track").addEventListener("change", async () => {
    const files = [...$("track").files];
    $("track").value = "";
    await addTracks(files);
    strip();
    await reweigh();
  });
  $("clock-form").addEventListener("submit", (event) => { event.preventDefault(); if (clocksStated().length) $("together").checked = true; reweigh(); });
}
