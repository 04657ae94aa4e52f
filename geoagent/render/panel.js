// The text beside the map. Everything from the answer goes in as text, never as HTML.
const DATA = JSON.parse($("data").textContent);
const map = new WorldMap($("view"), $("canvas"), $("pins"), $("tip"), DATA);
map.show.shade = !map.cells.length;  // both at once say the same thing twice, too dark to read
let current = 0;

function pin(kind, place, text, ax, ay, act, label = "") {
  const node = el("button", { type: "button", class: "pin", "aria-label": text, onclick: act,
    onfocus: () => { const [x, y] = map.pixel(place); map.tell(text, x, y); }, onblur: () => map.tell(""),
    onpointerenter: () => { const [x, y] = map.pixel(place); map.tell(text, x, y); }, onpointerleave: () => map.tell("") },
  mark(kind, label));
  $("pins").append(node);
  map.marks.push({ node, lat: place.lat, lon: place.lon, ax, ay, name: kind === "best" ? where(place).split(",")[0].slice(0, 40) : "" });
}

function go(place, km) {
  const around = km ? circle(place, km).line.map(([lon, lat]) => ({ lon, lat })) : [place];
  map.fit(around, km ? 12 : Math.max(map.z, 8));
}

// The points that a first look should hold.
function extent(a) {
  const points = [], b = a.best;
  const around = (p, km) => { if (known(p)) points.push(p, ...(km > 0 && km < 9000 ? circle(p, km).line.map(([lon, lat]) => ({ lon, lat })) : [])); };
  if (known(b) && b.r90 >= 9000) return [];  // it may be anywhere: show the world
  around(b, Math.max(450, 1.2 * (b.r90 || 0)));  // wide enough to see which part of which country it is
  if (known(b)) { for (const p of [a.vision, a.exif]) if (known(p) && haversineKm(p, b) < 2500) points.push(p); } else if (b.country && b.precision !== "none") {
    const shape = map.countries.find((c) => c.code === b.country);
    if (shape && shape.extent) {
      const [x0, y0, x1, y1] = shape.extent;
      points.push({ lon: (x0 - 0.5) * 360, lat: latOf(y0) }, { lon: (x1 - 0.5) * 360, lat: latOf(y1) });
    }
  }
  return points;
}

function shadeFrom(a, which) {
  const list = { aware: a.countries, vision: a.vision && a.vision.countries, text: a.text && a.text.countries }[which] || [];
  map.shade = new Map(list);
}

function drawMap(a, fit) {
  $("pins").replaceChildren();
  Object.assign(map, { marks: [], dots: [], circles: [], link: null });
  const b = a.best;
  DATA.answers.forEach((other, i) => {
    if (i !== current && known(other.best))
      pin("one", other.best, `${other.source}: ${where(other.best)}`, 10, 24, () => select(i, false));
  });
  a.alternatives.forEach((alt, i) => {
    if (known(alt)) pin("alt", alt, `Alternative ${i + 1}: ${where(alt)} (${alt.p})`, 10.5, 10.5, () => go(alt), String(i + 1));
  });
  if (known(a.exif)) pin("file", a.exif, `What the file says, not evidence: ${a.exif.coordinates}`, 9, 9, () => go(a.exif));
  if (known(a.text)) pin("text", a.text, `Text only: ${where(a.text)}`, 8.5, 8.5, () => go(a.text));
  if (known(a.vision)) pin("vision", a.vision, `Picture only: ${where(a.vision)}`, 11, 11, () => go(a.vision, a.vision.r90));
  if (known(b)) {
    pin("best", b, `Best place: ${where(b)}`, 15, 36, () => go(b, b.r90));
    for (const [km, dash] of [[b.r90, true], [b.r50, false]]) if (km > 0) map.circles.push({ p: b, km, dash });
    if (known(a.vision)) map.link = [a.vision, b];
  }
  const top = Math.max(1e-9, ...a.neighbours.map((n) => n.weight));
  map.dots = a.neighbours.map((n) => ({ lat: n.lat, lon: n.lon, r: 2.5 + 7 * Math.sqrt(n.weight / top),
    says: `${n.ref}: ${n.share} of the position${n.similarity ? `, similarity ${n.similarity}` : ""}` }));
  legend(a);
  if (fit) map.fit(extent(a)); else map.paint();
}

function legend(a) {
  const box = $("legend"), line = (key, text) => el("label", {}, el("span", { class: "key" }, key), el("span", {}, text));
  const toggle = (name, text) => {
    const input = el("input", { type: "checkbox", onchange: () => { map.show[name] = input.checked; map.paint(); } });
    input.checked = map.show[name];
    return el("label", {}, el("span", { class: "key" }, input), el("span", {}, text));
  };
  const shades = [["aware", "Picture and text", a.countries], ["vision", "Picture only", a.vision && a.vision.countries],
    ["text", "Text only", a.text && a.text.countries]].filter(([, , list]) => list && list.length);
  const choice = el("select", { "aria-label": "Countries shaded by", onchange: () => { shadeFrom(a, choice.value); map.paint(); } },
    shades.map(([key, text]) => el("option", { value: key }, text)));
  box.replaceChildren(...[
    known(a.best) && line(mark("best"), "Best place"),
    known(a.vision) && line(mark("vision"), "Picture only"),
    known(a.text) && line(mark("text"), "Text only"),
    a.alternatives.some(known) && line(mark("alt", "1"), "Alternatives"),
    known(a.exif) && line(mark("file"), "What the file says, not evidence"),
    known(a.best) && a.best.r90 > 0 && toggle("radii", "Circles that hold 50 % and 90 %"),
    a.neighbours.length && toggle("dots", "What the position was computed from"),
    map.cells.length && toggle("cells", "Probability of map cells"),
    shades.length && toggle("shade", "Probability of countries, by"),
    shades.length && choice,
  ].filter(Boolean));
  $("layers").hidden = !box.children.length;
  shadeFrom(a, "aware");
}

function photoOf(a) {
  if (!a.photo) return null;
  const { src, width, height } = a.photo;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  a.regions.forEach((region, i) => {
    if (!region.polygon.length) return;
    const points = region.polygon.map(([x, y]) => `${x},${y}`).join(" ");
    const add = (name, stroke) => {
      const p = document.createElementNS(SVG, "polygon");
      p.setAttribute("points", points); p.setAttribute("class", name); p.dataset.region = i;
      if (stroke) p.style.stroke = stroke;
      svg.append(p);
      return p;
    };
    if (!region.cues.length) return void add("idle");
    add("case");
    const shape = add("seen", a.cues[region.cues[0] - 1].colour);
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

function comparison(a) {
  const rows = [["Picture only", a.vision], ["Text only", a.text], ["Picture and text", a.aware]].filter(([, p]) => p);
  if (!rows.length) return [];
  const head = el("tr", {}, ["", "Place", "Country", "50 % / 90 % within"].map((t, i) => el("th", { scope: "col", class: i > 1 ? "n" : "" }, t)));
  head.children[2].setAttribute("title", "Probability of the country");
  const cells = rows.map(([name, p]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, say(where(p))),
    el("td", { class: "n" }, p.p), el("td", { class: "n" }, `${p.r50Text} / ${p.r90Text}`)));
  const kids = [el("table", {}, el("thead", {}, head), el("tbody", {}, cells))];
  if (known(a.vision) && known(a.best)) {
    const km = haversineKm(a.vision, a.best);
    kids.push(el("p", { class: "small muted" }, km < 1 ? "The text left the place where the picture alone puts it."
      : `The text moved the answer by ${km < 10 ? km.toFixed(1) : Math.round(km).toLocaleString("en")} km.`));
  }
  return kids;
}

function headline(a) {
  const b = a.best;
  if (a.status === "error")
    return [el("h1", {}, "No answer"), el("p", { class: "note", role: "alert" }, say(a.error || "The photo could not be answered."))];
  const named = b.precision !== "none" && (b.place || b.country);
  const facts = [["Half of the probability within", b.r50Text], ["90 % within", b.r90Text], [b.country ? `Probability of ${countryName(b.country)}` : "Probability of the country", b.p]];
  return [
    el("h1", {}, say(named ? where(b) : "No place can be named"), a.status === "partial" ? el("span", { class: "badge" }, "partial") : ""),
    el("p", {}, b.coordinates ? el("span", {}, b.coordinates) : el("span", { class: "muted" }, named ? "Coordinates are not shown at this precision" : "The evidence points nowhere clearly enough"),
      b.precisionSays && named ? el("span", { class: "muted" }, ` · precision: ${b.precisionSays}`) : ""),
    el("dl", { class: "facts" }, facts.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)))),
  ];
}

function panel(a) {
  const most = Math.max(1, ...a.cues.map((cue) => Math.abs(cue.nats)));
  const top = Math.max(1e-9, ...a.countries.map(([, p]) => p));
  const kids = [
    el("p", { class: "source" }, say(a.id ? `${a.source} · ${a.id}` : a.source)), headline(a),
    a.warnings.map((text) => el("p", { class: "note" }, say(text))),
    photoOf(a),
    section("Why: cues in the scene", a.cues.length ? [
      el("p", { class: "small muted" }, "Bars: what each cue added to the log probability of the place (nats; right for, left against)."),
      el("ol", { class: "cues" }, a.cues.map((cue, i) => cueRow(a, cue, i, most)))]
      : a.status === "error" ? [] : [el("p", { class: "muted" }, "No text cue counted in this answer.")]),
    a.explanation ? el("details", {}, el("summary", {}, "The same in words"), el("p", {}, say(a.explanation))) : "",
    section("What each half says", comparison(a)),
    section("Countries", a.countries.slice(0, 6).map(([code, p]) => el("div", { class: "share" }, say(countryName(code)),
      el("span", { class: "bar", "aria-hidden": "true" }, el("i", { style: { width: `${100 * p / top}%` } })),
      el("span", { class: "nats" }, p >= 0.995 ? ">99 %" : p < 0.005 ? "<1 %" : `${Math.round(100 * p)} %`)))),
    section("Other places that the evidence allows", a.alternatives.length ? el("ol", { class: "alts" }, a.alternatives.map((alt, i) => el("li", {},
      known(alt) ? el("button", { type: "button", class: "row", onclick: () => go(alt) }, mark("alt", String(i + 1)), el("span", {}, say(where(alt))), el("span", {}, alt.p))
        : el("p", { class: "row" }, mark("alt", String(i + 1)), el("span", {}, say(where(alt))), el("span", {}, alt.p))))) : []),
    section("What the file says, not evidence", a.exif ? [el("p", {}, `GPS position in the file: ${a.exif.coordinates}`,
      a.exif.distance ? `, ${a.exif.distance} from the answer` : ""), el("p", { class: "small muted" }, "Anybody can write any position into a file. It was not used.")] : []),
    section("Text read in the photo", a.regions.length ? el("ul", { class: "plain" }, a.regions.map((region, i) => el("li", { class: "cue", "data-line": i },
      say(region.text), el("span", { class: "muted small" }, ` · ${[region.script, region.language, region.confidence].filter(Boolean).join(" · ")}${region.cues.length ? ` · cue ${region.cues.join(", ")}` : ""}`)))) : []),
    a.neighbours.length ? el("details", {}, el("summary", {}, `What the position was computed from (${a.neighbours.length})`),
      el("ul", { class: "plain small" }, a.neighbours.slice(0, 40).map((n) => el("li", {}, say(n.ref), ` · ${n.share}`)))) : "",
    a.facts.length ? el("details", {}, el("summary", {}, "Versions and times"),
      el("table", { class: "small" }, el("tbody", {}, a.facts.map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, say(key)), el("td", {}, say(value))))))) : "",
  ];
  return kids.flat(4);
}

function select(index, fit = true) {
  current = index;
  const a = DATA.answers[index], box = $("panel");
  const pickers = DATA.answers.length > 1 ? [el("h2", { style: { marginTop: 0, border: 0, paddingTop: 0 } }, `${DATA.answers.length} photos`),
    el("div", { class: "pickers" }, DATA.answers.map((other, i) => el("button", { type: "button", class: "row", "data-pick": i,
      "aria-current": String(i === index), onclick: () => { select(i); document.querySelector(`[data-pick="${i}"]`).focus(); } },
    el("span", { class: "muted" }, String(i + 1)), el("span", {}, say(other.source), el("br"), el("span", { class: "muted small" },
      other.status === "error" ? "no answer" : say(where(other.best)))), el("span", { class: "small" }, other.best.p))))] : [];
  const scroll = box.querySelector(".pickers") ? box.querySelector(".pickers").scrollTop : 0;
  box.replaceChildren(...[...pickers, ...panel(a)].filter((kid) => kid !== "" && kid !== null && kid !== undefined));
  if (box.querySelector(".pickers")) box.querySelector(".pickers").scrollTop = scroll;
  drawMap(a, fit);
}

$("home").addEventListener("click", () => map.fit(extent(DATA.answers[current])));
const drawn = DATA.attribution ? `Borders: ${DATA.attribution}` : "";
$("credit").textContent = drawn; $("credit").hidden = !drawn;
$("tiles").title = "Until you press this, the page asks nobody for anything. Then openstreetmap.org learns which area you look at.";
$("tiles").addEventListener("click", () => {
  map.tiles = map.tiles ? null : new Tiles(map, DATA.tiles);
  $("tiles").setAttribute("aria-pressed", String(!!map.tiles));
  $("tiles").textContent = map.tiles ? "Hide map tiles" : "Load online map tiles (asks openstreetmap.org)";
  $("credit").hidden = !map.tiles && !drawn;
  if (map.tiles) $("credit").replaceChildren("© ", el("a", { href: "https://www.openstreetmap.org/copyright", rel: "noopener noreferrer", target: "_blank" }, "OpenStreetMap contributors"));
  else $("credit").textContent = drawn;
  map.paint();
});
select(0, DATA.answers.length === 1);
if (DATA.answers.length > 1) map.fit(DATA.answers.map((a) => a.best).filter(known));
$("layers").open = innerWidth > 860;
