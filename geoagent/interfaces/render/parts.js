// Parts that every page of an answer shows: the marks on its map, and the sections of its text. `map` is the page's own.
function pin(kind, place, text, ax, ay, act, label = "", n = 0) {
  const tell = () => { const [x, y] = map.pixel(place); map.tell(text, x, y); if (n) pointTo(n); };
  const leave = () => { map.tell(""); if (n) pointTo(0); };
  const node = el("button", { type: "button", class: "pin", "aria-label": text, "data-stop": n || null, onclick: act,
    onfocus: tell, onblur: leave, onpointerenter: tell, onpointerleave: leave }, mark(kind, label));
  $("pins").append(node);
  const name = kind === "best" ? `${n ? `${n} · ` : ""}${where(place).split(",")[0].slice(0, 40)}` : "";
  map.marks.push({ node, lat: place.lat, lon: place.lon, ax, ay, name, n: kind === "stop" ? n : 0 });
}

// A region's outline on the photo, in the colour of its first cue; undefined where it speaks for nothing.
function outlined(svg, a, i) {
  const { polygon, cues } = a.regions[i], points = polygon.map(([x, y]) => `${x},${y}`).join(" ");
  const add = (name, stroke) => {
    const p = document.createElementNS(SVG, "polygon");
    p.setAttribute("points", points); p.setAttribute("class", name); p.dataset.region = i;
    if (stroke) p.style.stroke = stroke;
    svg.append(p);
    return p;
  };
  if (!cues.length) return void add("idle");
  add("case");
  return add("seen", a.cues[cues[0] - 1].colour);
}

// Dashed boxes where text was detected and could not be read.
function unreadOn(svg, a) {
  for (const polygon of a.unread) {
    const group = document.createElementNS(SVG, "g"), title = document.createElementNS(SVG, "title");
    title.textContent = "text that could not be read";
    group.append(title);
    for (const name of ["under", "unread"]) {
      const p = document.createElementNS(SVG, "polygon");
      p.setAttribute("points", polygon.map(([x, y]) => `${x},${y}`).join(" ")); p.setAttribute("class", name);
      group.append(p);
    }
    svg.append(group);
  }
}

// Where a place can be looked at elsewhere. Links only: nothing is asked for before one is followed.
function linksOf(place) {
  const lat = place.lat.toFixed(5), lon = place.lon.toFixed(5), link = (text, href, title) => el("a", { href, title, target: "_blank", rel: "noopener noreferrer" }, text);
  const copy = el("button", { type: "button", class: "plain", title: "Copy the coordinates", onclick: async () => {
    const text = `${lat}, ${lon}`;
    try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; } catch { copy.textContent = text; }
  } }, "Copy");
  return el("span", { class: "links small" },
    link("OpenStreetMap", `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=13/${lat}/${lon}`, "Map of openstreetmap.org"),
    link("Satellite", `https://www.google.com/maps/@?api=1&map_action=map&center=${lat}%2C${lon}&zoom=15&basemap=satellite`, "Satellite picture of google.com"),
    link("Street level", `https://www.mapillary.com/app/?lat=${lat}&lng=${lon}&z=14`, "Pictures from the street, of mapillary.com"), copy);
}

function go(place, km) {
  const around = km ? circle(place, km).line.map(([lon, lat]) => ({ lon, lat })) : [place];
  map.fit(around, km ? 12 : Math.max(map.z, 8));
}

const ODDS = "0.7 doubles the odds, 2.3 makes them ten times as high";
const WIDE_KM = 2000;  // a circle of more says less than the cells that it stands for

// The most probable cells that hold a share of the probability together.
function believed(share) {
  const cells = [...map.cells].sort((a, b) => b.p - a.p), kept = [];
  let sum = 0;
  for (const cell of cells) { if (sum >= share) break; kept.push(cell); sum += cell.p; }
  return kept;
}

const corners = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y1]].map(([x, y]) => ({ lon: (x - 0.5) * 360, lat: latOf(y) }));

const around = (p, km) => [p, ...circle(p, km).line.map(([lon, lat]) => ({ lon, lat }))];

// Kilometres around a place that a first look holds: what is believed with some room, and enough to see where that is.
function roomOf({ precision, r50, r90 }) {
  const believed = [r90, r50].find((km) => km > 0 && (km <= WIDE_KM || !map.cells.length)) || 0;  // as circles are drawn
  const least = { full: 40, city: 40, region: 150 }[precision] || 450;
  return Math.max(least, 1.2 * believed, Math.min(3 * believed, 3 * least));
}

// The points that a first look should hold: the place with its circles, else the country, else the likeliest cells.
function extent(a) {
  const points = [], b = a.best, named = b.precision !== "none";
  const wide = !known(b) || b.r90 > WIDE_KM;
  if (known(b)) {
    points.push(...around(b, roomOf(b)));
  }
  if (wide && named && b.country) {
    const shape = map.countries.find((c) => c.code === b.country);
    if (shape && shape.extent) points.push(...corners(shape.extent));
  }
  if (wide && !points.length) for (const cell of believed(0.5)) points.push(...corners(cell.box));
  return points;
}

// The points that a first look at an album should hold: its stops (`places`), some country around them, and its tracks.
const wholeTrip = (places) => [...places.flatMap((place) => around(place, place.km || reachOf(place))), ...map.tracks.flat().map(([lat, lon]) => ({ lat, lon }))];

function shadeFrom(a, which) {
  const list = { aware: a.countries, vision: a.vision && a.vision.countries, text: a.text && a.text.countries }[which] || [];
  map.shade = new Map(list);
}

// Put an answer on the map; `others` are answers of other photos, each with what choosing it does, and its number in a trip.
function drawMap(a, fit, others = [], number = 0) {
  $("pins").replaceChildren();
  Object.assign(map, { marks: [], dots: [], circles: [], belief: [], link: null });
  const b = a.best;
  for (const [other, act, n] of others) {
    if (!known(other.best)) continue;
    if (n) pin("stop", other.best, `Photo ${n}, ${other.when}: ${where(other.best)} (${other.source})`, 11, -4, act, String(n), n);
    else pin("one", other.best, `${other.source}: ${where(other.best)}`, 10, 24, act);
  }
  a.alternatives.forEach((alt, i) => {
    if (known(alt)) pin("alt", alt, `Alternative ${i + 1}: ${where(alt)} (${alt.p})`, 10.5, 10.5, () => go(alt), String(i + 1));
  });
  if (known(a.exif)) pin("file", a.exif, `What the file says, not used: ${fileSays(a)}`, 9, 9, () => go(a.exif));
  if (known(a.text)) pin("text", a.text, `Text only: ${where(a.text)}`, 8.5, 8.5, () => go(a.text));
  if (known(a.vision)) pin("vision", a.vision, `${a.alone}: ${where(a.vision)}`, 11, 11, () => go(a.vision, a.vision.r90));
  if (known(b)) {
    pin("best", b, `Best place: ${where(b)}`, 15, 36, () => go(b, b.r90), "", number);
    for (const [km, dash] of [[b.r90, true], [b.r50, false]]) if (km > 0 && (km <= WIDE_KM || !map.cells.length)) map.circles.push({ p: b, km, dash });
    if (known(a.vision)) map.link = [a.vision, b];
  }
  map.belief = known(b) && !(b.r90 > WIDE_KM) ? [] : believed(0.9);
  const top = Math.max(1e-9, ...a.neighbours.map((n) => n.weight));
  map.dots = a.neighbours.filter((n) => known(b) || n.similarity).map((n) => ({ lat: n.lat, lon: n.lon, r: 2.5 + 7 * Math.sqrt(n.weight / top),
    says: `${n.ref}: ${n.share} of the position${n.similarity ? `, similarity ${n.similarity}` : ""}` }));
  legend(a);
  if (fit) map.fit(extent(a)); else map.paint();
}

function legend(a) {
  const box = $("legend"), line = (key, text) => el("label", {}, el("span", { class: "key" }, key), el("span", {}, text));
  const toggle = (name, text, sign = "") => {
    const input = el("input", { type: "checkbox", onchange: () => { map.show[name] = input.checked; map.paint(); } });
    input.checked = map.show[name];
    return el("label", {}, el("span", { class: "key" }, input), sign, el("span", {}, text));
  };
  const shades = [["aware", a.looked ? a.both : a.beside, a.countries], ["vision", a.alone, a.vision && a.vision.countries],
    ["text", "Text only", a.text && a.text.countries]].filter(([, , list]) => list && list.length);
  const choice = el("select", { "aria-label": "Countries shaded by", onchange: () => { shadeFrom(a, choice.value); map.paint(); } },
    shades.map(([key, text]) => el("option", { value: key }, text)));
  box.replaceChildren(...[
    known(a.best) && line(mark("best"), "Best place"),
    known(a.vision) && line(mark("vision"), a.alone),
    known(a.text) && line(mark("text"), "Text only"),
    a.alternatives.some(known) && line(mark("alt", "1"), "Alternatives"),
    known(a.exif) && line(mark("file"), "What the file says, not used"),
    map.trip.length > 1 && line(mark("stop", "1"), "Photos, numbered by time"),
    map.trip.length > 1 && toggle("trip", "Way from photo to photo, not as it was travelled"),
    map.tracks.length && toggle("tracks", "Tracks", el("span", { class: "stroke", "aria-hidden": "true" })),
    map.belief.length ? toggle("radii", "Cells with 90 % of the probability") : known(a.best) && a.best.r90 > 0 && toggle("radii", "Circles with 50 % and 90 % of the probability"),
    map.dots.length && toggle("dots", "Places behind the estimate"),
    map.cells.length && toggle("cells", "Probability of map cells"),
    shades.length && toggle("shade", "Probability of countries, by"),
    shades.length && choice,
  ].filter(Boolean));
  $("layers").hidden = !box.children.length;
  shadeFrom(a, "aware");
}

function headline(a) {
  const b = a.best;
  if (a.status === "error")
    return [el("h1", {}, "No answer"), el("p", { class: "note", role: "alert" }, say(a.error || "The photo could not be answered."))];
  const named = b.precision !== "none" && (b.place || b.country);
  const likeliest = b.country || (a.countries.length ? a.countries[0][0] : "");
  const facts = [[likeliest ? `Probability of ${countryName(likeliest)}${named ? "" : ", the likeliest country"}` : "Probability of the country", b.p]];
  if (named && b.r50Text !== "–") facts.unshift(["Half of the probability within", b.r50Text], ["90 % within", b.r90Text]);
  if (a.blank) return [el("h1", {}, say(a.unnamed), a.status === "partial" ? el("span", { class: "badge" }, "partial") : ""), el("p", {}, say(a.blank)),
    a.exif ? el("p", { class: "muted" }, "The file says ", say(a.exif.name || a.exif.coordinates), ": not used") : ""];
  return [
    el("h1", {}, say(named ? where(b) : a.unnamed), a.status === "partial" ? el("span", { class: "badge" }, "partial") : ""),
    el("p", {}, b.coordinates ? el("span", {}, b.coordinates) : el("span", { class: "muted" }, !named ? "The evidence points nowhere clearly enough"
      : a.vague ? "No more than the country can be told" : "Coordinates are not shown at this precision"),
      b.precisionSays && named && !a.vague ? el("span", { class: "muted" }, ` · precision: ${b.precisionSays}`) : ""),
    known(b) ? linksOf(b) : "",
    el("dl", { class: "facts" }, facts.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)))),
  ];
}

function comparison(a) {
  const rows = a.halves.filter(([, p]) => p);
  if (!rows.length) return [];
  const head = el("tr", {}, ["", "Place", "Country", "50 % / 90 % within"].map((t, i) => el("th", { scope: "col", class: i > 1 ? "n" : "" }, t)));
  head.children[2].setAttribute("title", "Probability of the country");
  const cells = rows.map(([name, p]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, say(where(p))),
    el("td", { class: "n" }, p.p), el("td", { class: "n" }, `${p.r50Text} / ${p.r90Text}`)));
  const kids = [el("table", {}, el("thead", {}, head), el("tbody", {}, cells))];
  if (known(a.vision) && known(a.best)) {
    const km = haversineKm(a.vision, a.best);
    kids.push(el("p", { class: "small muted" }, km < 1 ? `${a.beside} left the place where it is.`
      : `${a.beside} moved the answer by ${km < 10 ? km.toFixed(1) : Math.round(km).toLocaleString("en")} km.`));
  }
  return kids;
}

const LEAST_SHARE = 0.005;  // of a country that is worth a line
const shareText = (p) => (p >= 0.995 ? ">99 %" : p < 0.005 ? "<1 %" : `${Math.round(100 * p)} %`);

function countriesOf(a) {
  const top = Math.max(1e-9, ...a.countries.map(([, p]) => p));
  const shown = a.countries.slice(0, 6).filter(([, p], i) => p >= LEAST_SHARE || i === 0 && p > 0);
  const others = a.countries.slice(shown.length).filter(([, p]) => p >= 1e-5), sum = others.reduce((all, [, p]) => all + p, 0);
  return section("Countries", [...shown.map(([code, p]) => el("div", { class: "share" }, say(countryName(code)),
    el("span", { class: "bar", "aria-hidden": "true" }, el("i", { style: { width: `${100 * p / top}%` } })),
    el("span", { class: "nats" }, shareText(p)))),
  others.length ? el("p", { class: "small muted" }, others.length === 1 ? `${countryName(others[0][0])}: ${shareText(sum)}` : `${a.countries.length < 60 ? others.length : "All"} others together: ${shareText(sum)}`) : ""].filter(Boolean));
}

function alternativesOf(a) {
  const row = (alt, i) => [mark("alt", String(i + 1)), el("span", {}, say(where(alt))), el("span", {}, alt.p)];
  return section("Alternatives", a.alternatives.length ? el("ol", { class: "alts" }, a.alternatives.map((alt, i) =>
    el("li", {}, known(alt) ? el("button", { type: "button", class: "row", onclick: () => go(alt) }, row(alt, i)) : el("p", { class: "row" }, row(alt, i)), known(alt) ? linksOf(alt) : ""))) : []);
}

const fileSays = (a) => (a.exif.name ? `${a.exif.name} (${a.exif.coordinates})` : a.exif.coordinates);

function fileOf(a) {
  return section("What the file says, not used", a.exif ? [el("p", {}, "GPS position in the file: ", say(fileSays(a)),
    a.exif.distance ? `, ${a.exif.distance} from the answer` : ""), known(a.exif) ? linksOf(a.exif) : "", el("p", { class: "small muted" }, "Anyone can write any position into a file. It was not used.")]
    : a.partial ? [el("p", {}, `In the file's EXIF data: ${a.partial}. It was not used.`)] : []);
}

// "Luzern, Switzerland" for "Luzern, Lucerne, CH".
const townText = (place) => { const parts = place.split(", "); return [parts[0], countryName(parts[parts.length - 1])].filter(Boolean).join(", "); };

// The photos beside it in its album; `choose` shows one of them where the page can.
function besideOf(a, choose = () => null) {
  const told = a.told;
  if (!told) return [];
  const name = (witness) => {
    const act = witness.track ? null : choose(witness.source);
    return act ? el("button", { type: "button", class: "plain", onclick: act }, say(witness.source)) : say(witness.source);
  };
  return section("Beside it in time", [
    ...told.doubts.map((doubt) => el("p", { class: "note" }, say(doubt))),
    told.witnesses.length ? el("ol", { class: "witnesses" }, told.witnesses.map((witness) => el("li", {}, el("span", { class: "muted" }, `${witness.when}: `),
      witness.track ? "the track " : "", name(witness), witness.place ? [" near ", el("strong", {}, say(townText(witness.place)))] : "",
      witness.track ? "" : el("span", { class: "muted" }, `, by ${witness.restsOn}`)))) : "",
  ].filter((kid) => kid !== ""));
}

function linesOf(a) {
  const about = (region) => [region.script, region.language, region.confidence].filter(Boolean).join(" · ");
  return section("Text read in the photo", a.regions.length ? el("ul", { class: "plain" }, a.regions.map((region, i) => el("li", { class: "cue", "data-line": i },
    say(region.text), el("span", { class: "muted small" }, ` · ${about(region)}${region.cues.length ? ` · cue ${region.cues.join(", ")}` : ""}`)))) : []);
}

function neighboursOf(a) {
  return a.neighbours.length ? el("details", {}, el("summary", {}, `Places behind the estimate (${a.neighbours.length})`),
    el("ul", { class: "plain small" }, a.neighbours.slice(0, 40).map((n) => el("li", {}, say(n.ref), ` · ${n.share}`)))) : "";
}

function remarksOf(a) {
  return section("To know", a.remarks.map((text) => el("p", { class: "small muted" }, say(text))));
}

function factsOf(a) {
  return a.facts.length ? el("details", {}, el("summary", {}, "Versions and times"),
    el("table", { class: "small" }, el("tbody", {}, a.facts.map(([key, value]) => el("tr", {}, el("th", { scope: "row" }, say(key)), el("td", {}, say(value))))))) : "";
}
