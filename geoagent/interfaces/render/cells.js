// The page of geocells: the map of an answer, with every cell on it instead.
const cellName = (cell) => [countryName(cell.country), cell.admin1].filter(Boolean).join(", ");

function make(tag, props, ...kids) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value); else node.setAttribute(key, value);
  }
  node.append(...kids);
  return node;
}

class CellMap extends WorldMap {
  load() {
    this.geocells = DATA.geocells.map(([country, admin1, says, colour, rings]) => ({ country, admin1, says, colour, ...shape(rings) }));
    this.colours = true;
    this.paint();
  }
  draw() {
    super.draw();
    if (this.tiles) this.paintCells(this.context, 0.45);
  }
  labels(c, ink) {
    this.paintCells(c, 0.8);
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    super.labels(c, ink);
  }
  paintCells(c, opacity) {
    const half = this.w / 2 / this.size, halfY = this.h / 2 / this.size, px = 1 / this.size;
    const line = getComputedStyle(document.documentElement).getPropertyValue("--bg").trim();
    const border = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
    this.copies((k) => {
      this.world(k);
      const seen = ({ box }) => box[2] + k > this.x - half && box[0] + k < this.x + half
        && box[3] > this.y - halfY && box[1] < this.y + halfY;
      for (const cell of (this.geocells || []).filter(seen)) {
        c.globalAlpha = this.colours ? opacity : 0; c.fillStyle = cell.colour; c.fill(cell.fill, "evenodd");
        c.globalAlpha = 1; c.strokeStyle = this.colours ? line : border; c.lineWidth = (this.z < 3 ? 0.4 : 0.9) * px;
        c.stroke(cell.line);
      }
      if (this.chosen) { c.strokeStyle = border; c.lineWidth = 2 * px; c.stroke(this.chosen.line); }
      c.strokeStyle = border; c.globalAlpha = 0.55; c.lineWidth = (this.z < 3 ? 0.5 : 1) * px;
      for (const country of this.countries.filter(seen)) c.stroke(country.line);
      c.globalAlpha = 1;
    });
  }
  cellAt(px, py) {
    const x = this.x + (px - this.w / 2) / this.size, y = this.y + (py - this.h / 2) / this.size, u = x - Math.floor(x);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    return (this.geocells || []).find(({ box, fill }) => [u, u + 1, u - 1].some((v) =>
      box[0] <= v && v <= box[2] && box[1] <= y && y <= box[3] && this.context.isPointInPath(fill, v, y, "evenodd")));
  }
  hover(event, [x, y]) {
    const cell = this.cellAt(x, y);
    if (cell !== this.chosen) { this.chosen = cell; this.paint(); }
    this.tell(cell ? `${cellName(cell)}: ${cell.says}` : "", x, y);
  }
}

const map = new CellMap($("view"), $("canvas"), $("pins"), $("tip"));
map.load();
const show = (code) => map.fit(map.geocells.filter((cell) => !code || cell.country === code).flatMap(({ extent: b }) =>
  b ? [[b[0], b[1]], [b[2], b[3]]] : []).map(([x, y]) => ({ lon: (x - 0.5) * 360, lat: latOf(y) })));
$("home").addEventListener("click", () => map.fit([]));
$("panel").append(
  make("h1", {}, DATA.title), make("p", { class: "muted" }, DATA.summary),
  make("h2", {}, "Countries"),
  ...DATA.tally.map(([code, count, says]) => make("button", { type: "button", class: "row", onclick: () => show(code) },
    make("span", { class: "muted small" }, code), make("span", {}, countryName(code)), make("span", { class: "small" }, says))),
);
const tick = make("input", { type: "checkbox", checked: "", onchange: () => { map.colours = tick.checked; map.paint(); } });
$("legend").append(make("label", {}, tick, "Colours of cells"), make("p", { class: "small" }, DATA.legend));
$("credit").textContent = DATA.attribution ? `Borders: ${DATA.attribution}` : "";
$("credit").hidden = !DATA.attribution;
$("tiles").addEventListener("click", () => {
  map.tiles = map.tiles ? null : new Tiles(map, DATA.tiles);
  $("tiles").setAttribute("aria-pressed", String(!!map.tiles));
  $("tiles").textContent = map.tiles ? "Hide map tiles" : "Load online map tiles (from openstreetmap.org)";
  $("credit").hidden = !map.tiles && !DATA.attribution;
  $("credit").textContent = map.tiles ? "© OpenStreetMap contributors" : `Borders: ${DATA.attribution}`;
  map.paint();
});
map.fit([]);
