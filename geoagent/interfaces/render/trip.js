// The trip of an album: its photos in order of time, numbered alike on the map, in lists and on the time line.

// Milliseconds since 1970 in UTC: the camera's clock put right (`utc`), else what it showed (`taken`); no time comes last.
function instant({ utc, taken }) {
  const text = utc || taken;
  return text ? Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`) : Infinity;
}
const byInstant = (a, b) => { const [x, y] = [instant(a), instant(b)]; return x === y ? 0 : x - y; };
const dayOf = (photo) => (photo.utc || photo.taken).slice(0, 10);

// Number of each photo that takes part and tells its time, from 1; `photos` have `taken` and `utc`, ISO 8601.
function numbered(photos) {
  const timed = photos.filter((photo) => photo.taken).sort(byInstant);
  return new Map(timed.map((photo, i) => [photo, i + 1]));
}

// The places of the trip, for the map: [{ n, lat, lon, km }].
const stopsOf = (numbers) => [...numbers].filter(([photo]) => photo.best && known(photo.best)).map(([{ best }, n]) => ({ n, lat: best.lat, lon: best.lon, km: reachOf(best) }));
// Kilometres around a stop that a map of the trip holds at least.
const reachOf = ({ precision }) => ({ full: 8, city: 8 }[precision] || 60);

// Light a photo on the map, in the list and on the time line at once; 0 for none.
function pointTo(n) {
  for (const node of document.querySelectorAll("[data-stop]")) node.classList.toggle("hot", node.dataset.stop === String(n));
  if (!map || map.hot === n) return;
  map.hot = n;
  map.paint();
}
const pointing = (n) => (n ? { "data-stop": n, onpointerenter: () => pointTo(n), onpointerleave: () => pointTo(0), onfocusin: () => pointTo(n), onfocusout: () => pointTo(0) } : {});

// A line through the stops, by the shorter way around the world, and a dot at each.
function drawTrip(world, c, ink) {
  const line = [];
  for (const stop of world.trip) {
    const x = mx(stop.lon), before = line.length ? line[line.length - 1][0] : x;
    line.push([x - Math.round(x - before), my(stop.lat), stop.n]);
  }
  c.strokeStyle = c.fillStyle = ink("vision"); c.lineWidth = 2; c.lineJoin = "round";
  const xs = line.map(([x]) => x), half = world.w / 2 / world.size;
  for (let k = Math.ceil(world.x - half - Math.max(...xs)); k <= Math.floor(world.x + half - Math.min(...xs)); k++) {
    const at = ([x, y]) => [world.w / 2 + (x + k - world.x) * world.size, world.h / 2 + (y - world.y) * world.size];
    c.setLineDash([6, 4]); c.beginPath();
    line.forEach((place, i) => (i ? c.lineTo(...at(place)) : c.moveTo(...at(place))));
    c.stroke(); c.setLineDash([]);
    for (const place of line) {
      c.beginPath(); c.arc(...at(place), 3.5, 0, 7); c.fill();
      if (place[2] === world.hot) { c.lineWidth = 3; c.beginPath(); c.arc(...at(place), 15, 0, 7); c.stroke(); c.lineWidth = 2; }
    }
  }
}

// Stops that would hide one another become one, which says whom it stands for.
function gather(world) {
  const kept = [];
  for (const mark of world.marks) {
    if (!mark.n) continue;
    const [x, y] = world.pixel(mark), near = kept.find((other) => Math.hypot(other.x - x, other.y - y) < 22);
    if (near) near.all.push(mark.n); else kept.push({ mark, x, y, all: [mark.n] });
    mark.node.hidden = Boolean(near);
  }
  for (const { mark, all } of kept) {
    const first = Math.min(...all), last = Math.max(...all);
    const label = all.length === 1 ? String(first) : last - first === all.length - 1 ? `${first}–${last}` : `${first} +${all.length - 1}`;
    const face = mark.node.firstChild;
    if (face.textContent !== label) { face.textContent = label; mark.ax = mark.node.offsetWidth / 2 || mark.ax; }
  }
}

// Pixels from one mark of the time line to the next: more for longer times, and room for the name of another day.
function gapOf(before, after) {
  const minutes = Math.max(0, (instant(after) - instant(before)) / 60e3);
  return Math.max(dayOf(before) === dayOf(after) ? 34 : 92, Math.min(150, 34 + 18 * Math.log2(1 + minutes / 15)));
}

// One mark a photo, days above; arrow keys go from photo to photo. `choose` is called with the photo.
function timeLine(box, numbers, current, whole, choose) {
  const photos = [...numbers.keys()], at = photos.indexOf(current);
  let x = 20;
  const marks = photos.map((photo, i) => {
    const day = dayOf(photo), n = i + 1, before = photos[i - 1];
    if (before) x += gapOf(before, photo);
    const words = `${n} of ${photos.length} · ${photo.when} · ${where(photo.best)} · ${photo.source}`;
    return el("li", { style: { left: `${x.toFixed(0)}px` } },
      before && dayOf(before) === day ? "" : el("span", { class: "day" }, day),
      el("button", { type: "button", class: known(photo.best) ? "stop" : "stop nowhere", "aria-label": words, title: words, "aria-current": String(i === at),
        tabindex: i === Math.max(0, at) ? 0 : -1, onclick: () => choose(photo), ...pointing(n) }, String(n)));
  });
  const line = el("ol", { class: "times", style: { width: `${x + 20}px` }, onkeydown: (event) => {
    const from = marks.findIndex((mark) => mark.contains(document.activeElement));
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (marks[to]) choose(photos[to]);
  } }, marks);
  const left = box.scrollLeft, held = box.contains(document.activeElement);
  box.replaceChildren(line);
  box.scrollLeft = left;
  if (at < 0) return;
  const middle = Number.parseFloat(marks[at].style.left);
  if (whole || middle < left + 30 || middle > left + box.clientWidth - 30) box.scrollLeft = middle - box.clientWidth / 2;
  if (held) marks[at].querySelector("button").focus({ preventScroll: true });
}
