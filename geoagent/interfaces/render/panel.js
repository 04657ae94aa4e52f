// The text beside the map. Everything from the answer goes in as text, never as HTML.
const DATA = JSON.parse($("data").textContent);

const map = new WorldMap($("view"), $("canvas"), $("pins"), $("tip"), DATA);
map.show.shade = !map.cells.length;  // both at once say the same thing twice, too dark to read
let current = 0;

function photoOf(a) {
  if (!a.photo) return null;
  const { src, width, height } = a.photo;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  a.regions.forEach((region, i) => {
    if (!region.polygon.length) return;
    const shape = outlined(svg, a, i);
    if (!shape) return;
    const r = 9.5 / Math.min(430 / width, 340 / height), [x, y] = region.polygon[0];
    region.cues.forEach((n, j) => {
      const at = { cx: clamp(x, r, width - r) + 2.2 * r * j, cy: clamp(y, r, height - r) };
      const disc = document.createElementNS(SVG, "circle"), text = document.createElementNS(SVG, "text");
      for (const [key, value] of Object.entries({ ...at, r })) disc.setAttribute(key, value);
      disc.style.fill = a.cues[n - 1].colour; disc.style.strokeWidth = r / 7;
      text.setAttribute("x", at.cx); text.setAttribute("y", at.cy); text.style.fontSize = `${1.3 * r}px`; text.textContent = n;
      svg.append(disc, text);
    });
    shape.addEventListener("pointerenter", () => light(a, region.cues.map((n) => n - 1), true));
    shape.addEventListener("pointerleave", () => light(a, region.cues.map((n) => n - 1), false));
  });
  unreadOn(svg, a);
  return el("div", { class: "photo" }, el("img", { src, alt: `The photo, ${a.regions.length} lines of text marked` }), svg);
}

function light(a, cues, on) {
  for (const i of cues) {
    const row = document.querySelector(`[data-cue="${i}"]`);
    if (row) row.classList.toggle("hot", on);
    for (const r of a.cues[i].regions)
      document.querySelectorAll(`.seen[data-region="${r}"], [data-line="${r}"]`).forEach((node) => node.classList.toggle("hot", on));
  }
}

function cueRow(a, cue, i, most) {
  const share = Math.min(1, Math.abs(cue.nats) / most) * 50, against = cue.nats < 0;
  const lit = (on) => () => light(a, [i], on);
  return el("li", { class: "cue", tabindex: "0", "data-cue": i, onpointerenter: lit(true), onpointerleave: lit(false),
    onfocus: lit(true), onblur: lit(false) },
  el("div", { class: "top" },
    el("span", { class: "num", style: { background: cue.colour } }, String(i + 1)),
    el("span", { class: "value" }, el("span", { class: "muted small" }, say(cue.kind), " "), say(cue.value)),
    el("span", { class: "bar", "aria-hidden": "true" }, el("b"), el("i", { class: against ? "against" : "",
      style: { left: `${against ? 50 - share : 50}%`, width: `${share}%` } })),
    el("span", { class: "nats", "aria-label": `${cue.natsText} nats` }, cue.natsText)),
  el("p", { class: "says" }, say(cue.says), cue.favours.place || cue.favours.country ? [" → ", el("strong", {}, say(where(cue.favours)))] : ""),
  el("p", { class: "without" }, cue.changes ? ["Without it: ", say(where(cue.without))] : "Without it the answer stays the same",
    cue.source === "lexicon" ? "" : [" · from ", say(cue.source)]));
}

function panel(a) {
  const most = Math.max(1, ...a.cues.map((cue) => Math.abs(cue.nats)));
  const kids = [
    el("p", { class: "source" }, say(a.id ? `${a.source} · ${a.id}` : a.source)), headline(a),
    a.warnings.map((text) => el("p", { class: "note" }, say(text))),
    a.album.map((text) => el("p", { class: "small muted" }, say(text))),
    photoOf(a),
    section("Why: cues in the scene", a.cues.length ? [
      el("p", { class: "small muted" }, `Bars: what each cue added to the log probability of the place (nats; right for, left against): ${ODDS}.`),
      el("ol", { class: "cues" }, a.cues.map((cue, i) => cueRow(a, cue, i, most)))]
      : a.status === "error" || a.blank ? [] : [el("p", { class: "muted" }, "No text cue contributed to this answer.")]),
    a.explanation && !a.blank ? el("details", {}, el("summary", {}, "The same in words"), el("p", {}, say(a.explanation))) : "",
    section("What each half says", comparison(a)),
    besideOf(a, (source) => { const i = DATA.answers.findIndex((other) => other.source === source); return i < 0 ? null : () => select(i, false); }),
    countriesOf(a), alternativesOf(a), fileOf(a), linesOf(a), neighboursOf(a), remarksOf(a), factsOf(a),
  ];
  return kids.flat(4);
}

// Photos of an album by time, and all answers in that order, those without a time at the end.
const NUMBERS = numbered(DATA.answers);
const ORDER = [...NUMBERS.keys(), ...DATA.answers.filter((a) => !NUMBERS.has(a))];
map.trip = stopsOf(NUMBERS);
$("times").hidden = NUMBERS.size < 2;

function select(index, fit = true) {
  current = index;
  const a = DATA.answers[index], box = $("panel");
  const pickers = DATA.answers.length > 1 ? [el("h2", { style: { marginTop: 0, border: 0, paddingTop: 0 } }, `${DATA.answers.length} photos`),
    el("div", { class: "pickers" }, ORDER.map((other, place) => [other, DATA.answers.indexOf(other), place + 1]).map(([other, i, n]) => el("button", { type: "button", class: "row", "data-pick": i,
      "aria-current": String(i === index), onclick: () => { select(i); document.querySelector(`[data-pick="${i}"]`).focus(); }, ...pointing(NUMBERS.get(other)) },
    el("span", { class: "muted" }, String(n)),
    other.photo && el("img", { class: "thumb", src: other.photo.src, alt: "", loading: "lazy" }), el("span", {}, say(other.source), el("br"), el("span", { class: "muted small" },
      other.status === "error" ? "no answer" : say(where(other.best)), other.when ? ` · ${other.when}` : "")), el("span", { class: "small" }, other.best.p))))] : [];
  const scroll = box.querySelector(".pickers") ? box.querySelector(".pickers").scrollTop : 0;
  box.replaceChildren(...[...pickers, ...panel(a)].filter((kid) => kid !== "" && kid !== null && kid !== undefined));
  if (box.querySelector(".pickers")) box.querySelector(".pickers").scrollTop = scroll;
  drawMap(a, false, DATA.answers.flatMap((other, i) => i === index ? [] : [[other, () => select(i, false), NUMBERS.get(other) || 0]]), NUMBERS.get(a) || 0);
  if (fit) home();
  if (NUMBERS.size > 1) timeLine($("times"), NUMBERS, a, fit, (photo) => select(DATA.answers.indexOf(photo), false));
}

// A photo of an album that has no place, or takes no part, shows the places of the others.
function home() {
  const a = DATA.answers[current];
  map.fit(known(a.best) && a.part !== false || map.trip.length < 2 ? extent(a) : wholeTrip(map.trip));
}
$("home").addEventListener("click", home);
tileButton(map, DATA.tiles, DATA.attribution ? `Borders: ${DATA.attribution}` : "");
map.tracks = DATA.tracks;
select(0, DATA.answers.length === 1);
// All at once: those that name a place and take part, and the tracks.
const PLACED = DATA.answers.filter((a) => known(a.best) && a.part !== false).map((a) => a.best);
if (DATA.answers.length > 1) map.fit(DATA.answers.some((a) => a.part) ? wholeTrip(PLACED) : PLACED);
else if (map.tracks.length && PLACED.length) map.fit([...extent(DATA.answers[0]), ...wholeTrip([])]);
$("layers").open = innerWidth > 860;
