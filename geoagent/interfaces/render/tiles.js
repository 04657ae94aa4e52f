"use strict";
// Raster tiles. Made only when the reader asks for them: until then the page requests nothing.
class Tiles {
  // `gone` is called once if not one tile of those that were asked for came.
  constructor(map, host, gone) { Object.assign(this, { map, host, gone, cache: new Map(), asked: 0, failed: 0, loaded: 0 }); }
  draw(map, c) {
    const z = clamp(Math.round(map.z), 0, 19), n = 2 ** z, side = map.size / n;
    const left = map.x * n - map.w / 2 / side, top = map.y * n - map.h / 2 / side;
    for (let ty = Math.max(0, Math.floor(top)); ty <= Math.min(n - 1, Math.floor(top + map.h / side)); ty++)
      for (let tx = Math.floor(left); tx <= Math.floor(left + map.w / side); tx++) {
        const image = this.get(z, ((tx % n) + n) % n, ty);
        if (has(image)) c.drawImage(image, (tx - left) * side, (ty - top) * side, side + 0.5, side + 0.5);
      }
  }
  // Whether a loaded tile lies at a pixel of the map.
  covers(px, py) {
    const { map } = this, z = clamp(Math.round(map.z), 0, 19), n = 2 ** z;
    const x = Math.floor((map.x + (px - map.w / 2) / map.size) * n), y = Math.floor((map.y + (py - map.h / 2) / map.size) * n);
    const image = this.cache.get(`${z}/${((x % n) + n) % n}/${y}`);
    return Boolean(image) && has(image);
  }
  get(z, x, y) {
    const key = `${z}/${x}/${y}`;
    let image = this.cache.get(key);
    if (!image) {
      image = new Image();
      image.referrerPolicy = "origin";  // their policy asks for it; the path of this page is not told
      image.onload = () => { this.loaded++; this.map.paint(); };
      image.onerror = () => { this.failed++; if (!this.loaded && this.failed === this.asked) this.gone(); };
      this.asked++;
      image.src = `${this.host}/${key}.png`;
      if (this.cache.size > 400) this.cache.delete(this.cache.keys().next().value);
    } else this.cache.delete(key);
    this.cache.set(key, image);
    return image;
  }
}

const has = (image) => image.complete && image.naturalWidth > 0;

// The button that loads them; `drawn` is the credit of the map's own outlines.
function tileButton(map, host, drawn) {
  const button = $("tiles"), load = button.textContent;
  $("credit").textContent = drawn; $("credit").hidden = !drawn;
  button.title = "Until you press this, the page asks nobody else for anything. After that, openstreetmap.org learns which area you look at.";
  const turn = (tiles) => {
    map.tiles = tiles;
    button.setAttribute("aria-pressed", String(!!map.tiles));
    button.textContent = map.tiles ? "Hide map tiles" : load;
    $("credit").hidden = !map.tiles && !drawn;
    if (map.tiles) $("credit").replaceChildren("© ", el("a", { href: "https://www.openstreetmap.org/copyright", rel: "noopener noreferrer", target: "_blank" }, "OpenStreetMap contributors"));
    else $("credit").textContent = drawn;
    map.paint();
  };
  button.addEventListener("click", () => {
    if (map.tiles) return turn(null);
    const tiles = new Tiles(map, host, () => {
      if (map.tiles !== tiles) return;
      turn(null);
      $("credit").hidden = false; $("credit").textContent = "No tiles could be loaded: this is the page's own map, which needs no network.";
    });
    turn(tiles);
  });
}
