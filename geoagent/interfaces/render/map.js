"use strict";
// The map: Web Mercator on a canvas, pins as buttons above it; needs geometry.js, and trip.js where there is a trip.
class WorldMap {
  constructor(view, canvas, pins, tip, data) {
    Object.assign(this, { view, canvas, pins, tip, x: 0.5, y: 0.42, z: 1, marks: [], dots: [], circles: [], link: null, trip: [], hot: 0 });
    Object.assign(this, { tracks: [], towns: [], belief: [], lit: [], litColour: "", shade: new Map(), tiles: null });
    this.show = { shade: true, dots: true, cells: true, radii: true, trip: true, tracks: true };
    this.countries = data.countries.map(([code, rings]) => ({ code, ...shape(rings, data.grid) }));
    this.cells = data.cells.map(([p, rings]) => ({ p, ...shape(rings, data.grid) }));
    this.context = canvas.getContext("2d");
    this.pointers = new Map();
    new ResizeObserver(() => this.resize()).observe(view);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.listen();
    this.resize();
  }
  get size() { return 256 * 2 ** this.z; }
  resize() {
    this.w = this.view.clientWidth || 1; this.h = this.view.clientHeight || 1;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = this.w * ratio; this.canvas.height = this.h * ratio; this.ratio = ratio;
    if (this.wanted) this.fit(this.wanted, this.most); else this.paint();
  }
  // Pixel of a place, on the copy of the world that is nearest to the middle.
  pixel(p) {
    let dx = mx(p.lon) - this.x;
    dx -= Math.round(dx);
    return [this.w / 2 + dx * this.size, this.h / 2 + (my(p.lat) - this.y) * this.size];
  }
  move(x, y, z) {
    this.z = clamp(z, Math.max(0, Math.log2(Math.min(this.w, this.h * 1.2) / 256)), MAX_ZOOM);
    const half = this.h / 2 / this.size;
    this.x = x - Math.floor(x);
    this.y = half >= 0.5 ? 0.5 : clamp(y, half, 1 - half);
    this.paint();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rested(), 250);
  }
  rested() {}
  pan(dx, dy) { this.wanted = null; this.move(this.x + dx / this.size, this.y + dy / this.size, this.z); }
  zoom(dz, px = this.w / 2, py = this.h / 2) {
    this.wanted = null;
    const ax = (px - this.w / 2) / this.size, ay = (py - this.h / 2) / this.size;
    const z = clamp(this.z + dz, 0, MAX_ZOOM), k = 1 - 2 ** (this.z - z);
    this.move(this.x + ax * k, this.y + ay * k, z);
  }
  // Whether a place is in sight, not just at the edge.
  sees(p) { const [x, y] = this.pixel(p); return x > 0 && y > 0 && x < this.w && y < this.h; }
  // A step by button or key: about the best place where it is in sight, so that it stays there.
  step(dz) {
    const best = this.marks.find((mark) => mark.name);
    if (best && this.sees(best)) this.zoom(dz, ...this.pixel(best)); else this.zoom(dz);
  }
  // Show all of `points` ({lat, lon}), also where they lie on both sides of ±180°.
  fit(points, most = 11) {
    this.wanted = points; this.most = most;
    if (!points.length) return this.move(0.5, 0.42, 0);
    const xs = points.map((p) => mx(p.lon) - Math.floor(mx(p.lon))).sort((a, b) => a - b);
    let gap = xs[0] + 1 - xs[xs.length - 1], start = 0;
    for (let i = 1; i < xs.length; i++) if (xs[i] - xs[i - 1] > gap) { gap = xs[i] - xs[i - 1]; start = i; }
    const width = 1 - gap, left = xs[start], ys = points.map((p) => my(p.lat));
    const top = Math.min(...ys), bottom = Math.max(...ys), pad = Math.min(this.w, this.h) * 0.14;
    const z = Math.min(Math.log2((this.w - 2 * pad) / 256 / Math.max(width, 1e-9)),
      Math.log2((this.h - 2 * pad) / 256 / Math.max(bottom - top, 1e-9)), most);
    this.move(left + width / 2, (top + bottom) / 2, z);
  }
  paint() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => { this.due = 0; this.draw(); });
  }
  // Call `act` once for each copy of the world in sight, with the copy's offset.
  copies(act) {
    const half = this.w / 2 / this.size;
    for (let k = Math.floor(this.x - half); k <= Math.floor(this.x + half); k++) act(k);
  }
  world(k) {
    const s = this.size * this.ratio;
    this.context.setTransform(s, 0, 0, s, (this.w / 2 * this.ratio) + (k - this.x) * s, this.h / 2 * this.ratio - this.y * s);
  }
  draw() {
    const c = this.context, css = getComputedStyle(document.documentElement), px = 1 / this.size;
    const ink = (name) => css.getPropertyValue("--" + name).trim();
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = ink("sea"); c.fillRect(0, 0, this.w, this.h);
    const top = Math.max(1e-9, ...this.shade.values()), topCell = Math.max(1e-9, ...this.cells.map((cell) => cell.p));
    const half = this.w / 2 / this.size, halfY = this.h / 2 / this.size;
    const within = (k) => ({ box }) => box[2] + k > this.x - half && box[0] + k < this.x + half
      && box[3] > this.y - halfY && box[1] < this.y + halfY;
    c.fillStyle = ink("land");
    this.copies((k) => { this.world(k); for (const country of this.countries.filter(within(k))) c.fill(country.fill, "evenodd"); });
    // Tiles lie over the land and below everything else; where one is missing, the land is seen.
    if (this.tiles) { c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0); this.tiles.draw(this, c); }
    this.copies((k) => {
      this.world(k);
      const seen = within(k);
      for (const country of this.countries.filter(seen)) {
        const p = this.show.shade && this.shade.get(country.code);
        if (p > 0.002) {
          c.globalAlpha = 0.06 + 0.4 * Math.sqrt(p / top) * Math.sqrt(top); c.fillStyle = ink("best");
          c.fill(country.fill, "evenodd"); c.globalAlpha = 1;
        }
      }
      if (this.show.cells) for (const cell of this.cells.filter(seen)) {
        const heat = Math.sqrt(cell.p / topCell);  // the eye should find what counts, not what is large
        c.globalAlpha = 0.03 + 0.57 * heat; c.fillStyle = ink("best"); c.fill(cell.fill, "evenodd");
        c.globalAlpha = 0.08 + 0.42 * heat; c.strokeStyle = ink("best"); c.lineWidth = 0.7 * px; c.stroke(cell.fill); c.globalAlpha = 1;
      }
      if (this.show.radii && this.belief.length) {
        c.strokeStyle = ink("best"); c.lineWidth = 1.3 * px; c.setLineDash([4 * px, 3 * px]); c.globalAlpha = 0.9;
        for (const cell of this.belief.filter(seen)) c.stroke(cell.line);
        c.setLineDash([]); c.globalAlpha = 1;
      }
      for (const cell of this.lit.filter(seen)) {
        c.globalAlpha = 0.3; c.fillStyle = this.litColour || ink("vision"); c.fill(cell.fill, "evenodd"); c.globalAlpha = 1;
        c.strokeStyle = this.litColour || ink("vision"); c.lineWidth = 1.4 * px; c.stroke(cell.fill);
      }
      c.strokeStyle = ink("border"); c.lineWidth = (this.z < 3 ? 0.6 : 1) * px; c.lineJoin = "round";
      for (const country of this.countries.filter(seen)) c.stroke(country.line);
      if (this.show.radii) for (const ring of this.circles) this.ring(c, ring, px, ink);
      if (this.link) this.arc(c, px, ink);
    });
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.labels(c, ink);
    this.walked(c, ink);
    if (this.trip.length > 1 && this.show.trip) drawTrip(this, c, ink);
    if (this.show.dots) for (const dot of this.dots) {
      const [x, y] = this.pixel(dot);
      c.beginPath(); c.arc(x, y, dot.r, 0, 7); c.globalAlpha = 0.45; c.fillStyle = ink("dot"); c.fill();
      c.globalAlpha = 1; c.strokeStyle = ink("bg"); c.lineWidth = 1; c.stroke();
    }
    if (this.marks.some((mark) => mark.n)) gather(this);
    for (const mark of this.marks) {
      const [x, y] = this.pixel(mark);
      mark.node.style.transform = `translate(${(x - mark.ax).toFixed(1)}px, ${(y - mark.ay).toFixed(1)}px)`;
    }
    const named = this.marks.find((mark) => mark.name);
    if (named) {
      const [x, y] = this.pixel(named);
      c.font = "600 14px system-ui, sans-serif"; c.textAlign = "left"; c.textBaseline = "middle"; c.lineJoin = "round";
      c.lineWidth = 4; c.strokeStyle = ink("bg"); c.fillStyle = ink("ink");
      c.strokeText(named.name, x + 20, y - 22); c.fillText(named.name, x + 20, y - 22);
    }
    this.ruler();
    this.view.dataset.zoom = this.z.toFixed(3);
    this.view.dataset.centre = `${latOf(this.y).toFixed(4)},${((this.x - 0.5) * 360).toFixed(4)}`;
  }
  ring(c, { p, km, dash }, px, ink) {
    const { line, north, south } = circle(p, km), path = new Path2D(), edge = new Path2D();
    // Copies of the world repeat every 1; a circle that runs past ±180° must be drawn in both neighbours' place.
    for (const shift of [-1, 0, 1]) {
      line.forEach(([lon, lat], i) => {
        if (i) { path.lineTo(mx(lon) + shift, my(lat)); edge.lineTo(mx(lon) + shift, my(lat)); }
        else { path.moveTo(mx(lon) + shift, my(lat)); edge.moveTo(mx(lon) + shift, my(lat)); }
      });
      if (north !== south) {
        const y = north ? 0 : 1, first = mx(line[0][0]) + shift, last = mx(line[line.length - 1][0]) + shift;
        path.lineTo(last, y); path.lineTo(first, y);
      }
      path.closePath();
    }
    if (north && south) path.rect(-1, 0, 3, 1);
    c.save();
    c.beginPath(); c.rect(0, 0, 1, 1); c.clip();
    c.globalAlpha = dash ? 0.07 : 0.16; c.fillStyle = ink("best"); c.fill(path, "evenodd");
    c.globalAlpha = 1; c.strokeStyle = ink("best"); c.lineWidth = 1.8 * px; c.setLineDash(dash ? [7 * px, 5 * px] : []);
    c.stroke(edge); c.restore();
  }
  // Tracks: `tracks` are lines of [lat, lon] whose longitudes run on across ±180°.
  walked(c, ink) {
    if (!this.show.tracks) return;
    c.lineJoin = "round"; c.lineCap = "round";
    for (const line of this.tracks) {
      const first = mx(line[0][1]) - this.x, shift = this.x + Math.round(first);
      const path = new Path2D();
      for (const [lat, lon] of line) path.lineTo(this.w / 2 + (mx(lon) - shift) * this.size, this.h / 2 + (my(lat) - this.y) * this.size);
      for (const [name, width] of [["bg", 4.5], ["track", 2.4]]) { c.strokeStyle = ink(name); c.lineWidth = width; c.stroke(path); }
    }
    c.lineCap = "butt";
  }
  // The shortest way from the picture's own place to that of picture and text together.
  arc(c, px, ink) {
    const [a, b] = this.link, d = haversineKm(a, b) / EARTH_KM;
    if (d < 1e-6 || d > 3.1) return;
    const line = [];
    for (let i = 0; i <= 64; i++) {
      const f = Math.sin((1 - i / 64) * d) / Math.sin(d), g = Math.sin(i / 64 * d) / Math.sin(d);
      const v = (h) => f * h(a) + g * h(b);
      const x = v((q) => Math.cos(q.lat * RAD) * Math.cos(q.lon * RAD)), z = v((q) => Math.sin(q.lat * RAD));
      const y = v((q) => Math.cos(q.lat * RAD) * Math.sin(q.lon * RAD));
      const wx = mx(Math.atan2(y, x) / RAD), wy = my(Math.atan2(z, Math.hypot(x, y)) / RAD);
      line.push([wx - (i ? Math.round(wx - line[i - 1][0]) : 0), wy]);
    }
    c.save(); c.beginPath(); c.rect(0, 0, 1, 1); c.clip(); c.beginPath();
    for (const shift of [-1, 0, 1]) line.forEach(([x, y], i) => { if (i) c.lineTo(x + shift, y); else c.moveTo(x + shift, y); });
    c.strokeStyle = ink("vision"); c.lineWidth = 2 * px; c.setLineDash([2 * px, 5 * px]); c.lineCap = "round"; c.stroke();
    c.restore();
  }
  // Whether a tile that has names of its own lies at a pixel.
  tiled(x, y) { return Boolean(this.tiles) && this.tiles.covers(x, y); }
  labels(c, ink) {
    c.font = "12px system-ui, sans-serif"; c.textAlign = "center"; c.textBaseline = "middle";
    const taken = [];
    const ranked = this.countries.filter((k) => k.label).sort((a, b) => (b.extent[2] - b.extent[0]) - (a.extent[2] - a.extent[0]));
    for (const { code, label, extent } of ranked) {
      const name = countryName(code), wide = c.measureText(name).width;
      if ((extent[2] - extent[0]) * this.size < wide + 8 || (extent[3] - extent[1]) * this.size < 22) continue;
      const [x, y] = this.pixel({ lon: (label[0] - 0.5) * 360, lat: latOf(label[1]) });
      if (x < -80 || y < 0 || x > this.w + 80 || y > this.h || this.tiled(x, y)) continue;
      if (taken.some(([tx, ty, tw]) => Math.abs(tx - x) < (tw + wide) / 2 + 6 && Math.abs(ty - y) < 16)) continue;
      taken.push([x, y, wide]);
      c.lineWidth = 3; c.strokeStyle = ink("land"); c.fillStyle = ink("label"); c.strokeText(name, x, y); c.fillText(name, x, y);
    }
    this.named = this.townNames(c, ink, taken);
    this.view.dataset.towns = String(this.named);
  }
  // Towns by population, as many as there is room for; returns how many are named.
  townNames(c, ink, taken) {
    let named = 0;
    const pinned = this.marks.find((mark) => mark.name), most = Math.round(this.w * this.h / 12000);
    if (pinned) { const [x, y] = this.pixel(pinned); taken.push([x + 45, y - 22, 130]); }
    c.textAlign = "left";
    for (const town of this.towns) {
      if (named >= most) break;
      if (pinned && town.name === pinned.name) continue;
      const [x, y] = this.pixel(town);
      if (x < 0 || y < 0 || x > this.w || y > this.h || this.tiled(x, y)) continue;
      const large = town.population >= 300000;
      c.font = `${large ? "600 " : ""}12px system-ui, sans-serif`;
      const wide = c.measureText(town.name).width, mid = x + 6 + wide / 2;
      if (taken.some(([tx, ty, tw]) => Math.abs(tx - mid) < (tw + wide) / 2 + 8 && Math.abs(ty - y) < 17)) continue;
      taken.push([mid, y, wide]); named++;
      c.beginPath(); c.arc(x, y, large ? 3 : 2.2, 0, 7); c.fillStyle = ink("ink"); c.fill();
      c.lineWidth = 3; c.strokeStyle = ink("land"); c.fillStyle = ink("ink"); c.strokeText(town.name, x + 6, y); c.fillText(town.name, x + 6, y);
    }
    return named;
  }
  ruler() {
    const km = 2 * Math.PI * EARTH_KM * Math.cos(latOf(this.y) * RAD) / this.size * 110;
    const base = 10 ** Math.floor(Math.log10(km)), step = [5, 2, 1].find((n) => n * base <= km) * base;
    $("scale").textContent = step < 1 ? `${Math.round(step * 1000)} m` : `${step.toLocaleString("en")} km`;
    $("scale").style.width = `${(110 * step / km).toFixed(0)}px`;
  }
  tell(text, x, y) {
    this.tip.hidden = !text;
    if (!text) return;
    this.tip.textContent = text;
    this.tip.style.left = `${clamp(x + 14, 4, Math.max(4, this.w - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${clamp(y - 34, 4, this.h - 30)}px`;
  }
  listen() {
    const v = this.view;
    const at = (event) => { const box = v.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    v.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(-event.deltaY * (event.deltaMode ? 0.05 : 0.0025), ...at(event));
    }, { passive: false });
    v.addEventListener("dblclick", (event) => this.zoom(1, ...at(event)));
    v.addEventListener("pointerdown", (event) => {
      if (event.target.closest(".pin")) return;
      v.setPointerCapture(event.pointerId); this.pointers.set(event.pointerId, at(event)); v.classList.add("drag");
    });
    v.addEventListener("pointermove", (event) => {
      const now = at(event), before = this.pointers.get(event.pointerId);
      if (!before) return this.hover(event, now);
      const other = [...this.pointers].find(([id]) => id !== event.pointerId);
      if (other) {
        const apart = (p) => Math.hypot(p[0] - other[1][0], p[1] - other[1][1]) || 1;
        this.zoom(Math.log2(apart(now) / apart(before)), (now[0] + other[1][0]) / 2, (now[1] + other[1][1]) / 2);
      } else this.pan(before[0] - now[0], before[1] - now[1]);
      this.pointers.set(event.pointerId, now);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) v.addEventListener(name, (event) => {
      this.pointers.delete(event.pointerId); if (!this.pointers.size) v.classList.remove("drag");
    });
    v.addEventListener("pointerleave", () => this.tell(""));
    v.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const act = {
        ArrowLeft: () => this.pan(-80, 0), ArrowRight: () => this.pan(80, 0), ArrowUp: () => this.pan(0, -80),
        ArrowDown: () => this.pan(0, 80), "+": () => this.step(1), "=": () => this.step(1), "-": () => this.step(-1),
        "0": () => $("home").click(), Home: () => $("home").click(),
      }[event.key];
      if (act) { event.preventDefault(); act(); }
    });
    $("in").addEventListener("click", () => this.step(1));
    $("out").addEventListener("click", () => this.step(-1));
  }
  hover(event, [x, y]) {
    if (event.target.closest(".pin")) return;
    const near = this.show.dots && this.dots.find((dot) => { const [a, b] = this.pixel(dot); return Math.hypot(a - x, b - y) <= dot.r + 3; });
    this.tell(near ? near.says : "", x, y);
  }
}
