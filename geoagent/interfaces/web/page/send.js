// What the page knows (`now`), how it asks the server, and how photos are sent and followed.
const TYPES = /^image\/(jpeg|png|webp|gif|avif)$/;
const EARLY_BYTES = 25e6;
let map = null, atlas = null;
const now = { formats: [], overview: null, photos: [], tracks: [], lines: [], chosen: null, view: null, job: null, held: null, pointed: new Map(), asking: null, settings: null, timer: 0 };

const show = (...ids) => { for (const id of ["start", "trouble", "work", "found"]) $(id).hidden = !ids.includes(id); };
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const plain = () => ({ text_weight: "", vision_weight: "", hint: "", within: "", exclude: "", max_precision: "", without: [] });

// What a server says when it refuses, in words; also where it does not answer at all.
class Refusal extends Error { constructor(message, status, after, fields = {}) { super(message); Object.assign(this, { status, after, fields }); } }
async function ask(path, options = {}) {
  let reply;
  try { reply = await fetch(path, options); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not respond. Is geoagent still running?", 0);
  }
  if (reply.ok) return reply;
  if (reply.status === 401) location.assign("/login");
  let message = `The server refused (${reply.status}).`, fields = {};
  try { const said = await reply.json(); message = said.error || message; fields = said.fields || {}; } catch { /* no words */ }
  throw new Refusal(message, reply.status, Number(reply.headers.get("Retry-After")) || 0, fields);
}

function fields(extra = {}) {
  const form = new FormData(), { without, ...rest } = now.settings || plain();
  for (const [key, value] of Object.entries({ ...rest, ...extra })) if (value !== "") form.append(key, value);
  for (const key of without) form.append("without", key);
  return form;
}

function trouble(message) {
  $("trouble").querySelector("p").textContent = message;
  $("trouble").hidden = false;
  $("trouble").scrollIntoView({ block: "nearest" });
}

// --- sending -----------------------------------------------------------------------------------------------------

async function send(given) {
  const cases = given.filter((file) => CASE.test(file.name || ""));
  for (const file of cases) { try { await openCase(file); $("trouble").hidden = true; } catch (error) { return trouble(`${file.name}: ${error.message}`); } }
  given = given.filter((file) => !cases.includes(file));
  const files = given.filter((file) => !TRACK.test(file.name || "")), tracks = given.filter((file) => TRACK.test(file.name || ""));
  if (tracks.length) {
    await addTracks(tracks);
    if (!files.length) return alone();
  }
  if (!files.length) return;
  if (now.job) return trouble("A photo is still being processed: wait, or cancel it.");
  const form = new FormData();
  for (const file of files) form.append("photos", file, file.name || "pasted");
  const job = now.job = { id: null, stopped: false };
  show("work");
  $("working").textContent = files.length === 1 ? "Analysing the photo" : `Analysing ${files.length} photos`;
  $("worksource").textContent = files.length === 1 ? files[0].name : "";
  early(files[0]);
  progress("Sending…", null);
  $("cancel").focus();
  try {
    let state = null;
    while (!state && !job.stopped) {
      try { state = await (await ask("/api/jobs", { method: "POST", body: form })).json(); } catch (error) {
        if (error.status !== 503) throw error;
        progress(`The queue is full. Trying again in ${error.after || 3} s.`, null);
        await wait(1000 * (error.after || 3));
      }
    }
    if (state) job.id = state.id;
    if (job.stopped && job.id) await ask(`/api/jobs/${job.id}`, { method: "DELETE" });
    while (!job.stopped && !state.over) {
      follow(state);
      await wait(state.items.length > 5 ? 800 : 250);
      state = await (await ask(`/api/jobs/${job.id}`)).json();
    }
    if (job.stopped) return back();
    await arrive(state.items);
  } catch (error) {
    if (now.job === job) { back(); trouble(error.message); }
  } finally { if (now.job === job) now.job = null; }
}

// Tracks came without photos: they count for the photos that are there, or wait for some.
async function alone() {
  if (now.photos.length) { strip(); return reweigh(); }
  if (now.tracks.length && !now.view) trouble(`${now.tracks.map((track) => track.name).join(", ")}: read. Now add the photos that were taken on the way.`);
}

// A first look for those pictures that a browser can show itself, unless they are huge.
function early(file) {
  const image = $("early");
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  image.hidden = !(TYPES.test(file.type) && file.size < EARLY_BYTES);
  if (!image.hidden) { image.onerror = () => { image.hidden = true; }; image.src = URL.createObjectURL(file); }
}

function progress(words, share) {
  $("stage-says").textContent = words;
  if (share === null) $("meter").removeAttribute("value"); else $("meter").value = 100 * share;
}

function follow(state) {
  const reading = state.items.find((item) => item.state === "reading"), waiting = state.items.find((item) => item.state === "waiting");
  const count = state.total > 1 ? `${state.done} of ${state.total} done. ` : "";
  // It comes near to the end and does not reach it before the answer is there.
  const part = reading ? 0.95 * (1 - Math.exp(-1.6 * reading.seconds / Math.max(0.5, state.typical_s))) : 0;
  if (reading) progress(`${count}Looking at the picture and reading its text…`, (state.done + part) / state.total);
  else if (waiting) progress(waiting.before ? `${count}Waiting: ${waiting.before} ${waiting.before === 1 ? "photo" : "photos"} before yours.` : `${count}Waiting for a reader…`, state.total > 1 ? state.done / state.total : null);
}

async function arrive(items) {
  const failed = items.filter((item) => item.state !== "done"), done = items.filter((item) => item.state === "done");
  for (const item of done) now.photos.push({ name: item.name, id: item.observation });
  if (done.length && $("together").checked) await album().catch((error) => trouble(error.message));
  if (done.length) await choose(now.photos[now.photos.length - done.length]); else back();
  if (failed.length) trouble(failed.map((item) => item.error).join("\n"));
  strip();
}

function back() {
  show(...(now.view ? ["found"] : ["start"]));
  $("another").hidden = !now.view;
  if (!now.view) $("file").focus();
}

// So that a page that is loaded again shows what this tab had; the tab forgets it when it is closed.
function keep() {
  try {
    sessionStorage.setItem("photos", JSON.stringify(now.photos.map(({ name, id, note }) => ({ name, id, note }))));
    sessionStorage.setItem("tracks", JSON.stringify(now.tracks));
  } catch { /* not allowed */ }
}

async function again() {
  const kept = (name) => { try { return JSON.parse(sessionStorage.getItem(name)) || []; } catch { return []; } };
  now.photos = kept("photos"); now.tracks = kept("tracks");
  tracksShown();
  while (now.photos.length && !now.view && !now.job) {
    const last = now.photos[now.photos.length - 1];
    now.chosen = last; now.settings = plain(); $("note").value = last.note || "";
    try { await weigh({ first: true }); strip(); } catch (error) {
      now.chosen = null;
      if (error.status !== 404) return;
      now.photos = now.photos.filter((photo) => photo !== last);
    }
  }
  keep();
}

// What is asked about a photo: in an album, what the others tell about it belongs to it.
const idOf = (photo) => photo.told || photo.id;

function strip() {
  keep();
  $("trip").hidden = (now.photos.length < 2 && !now.tracks.length) || !now.photos.length || $("found").hidden;
  $("strip").hidden = now.photos.length < 2 || $("found").hidden;
  $("all").hidden = now.photos.length < 2;
  redrawn($("strip"), now.photos.map((photo) => el("button", { type: "button", "data-key": photo.id, "aria-current": String(photo === now.chosen), onclick: () => choose(photo) }, el("span", {}, say(photo.name)))));
}
