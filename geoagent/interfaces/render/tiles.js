"use strict";
// Raster tiles. Made only when the reader asks for them: until then the page requests nothing.
class Tiles {
  constructor(map, host) { this.map = map; this.host = host; this.cache = new Map(); this.failed = 0; }
  draw(map, c) {
    const z = clamp(Math.round(map.z), 0, 19), n = 2 ** z, side = map.size / n;
    const left = map.x * n - map.w / 2 / side, top = map.y * n - map.h / 2 / side;
    for (let ty = Math.max(0, Math.floor(top)); ty <= Math.min(n - 1, Math.floor(top + map.h / side)); ty++)
      for (let tx = Math.floor(left); tx <= Math.floor(left + map.w / side); tx++) {
        const image = this.get(z, ((tx % n) + n) % n, ty);
        if (image.complete && image.naturalWidth) c.drawImage(image, (tx - left) * side, (ty - top) * side, side + 0.5, side + 0.5);
      }
  }
  get(z, x, y) {
    const key = `${z}/${x}/${y}`;
    let image = this.cache.get(key);
    if (!image) {
      image = new Image();
      image.onload = () => this.map.paint();
      image.onerror = () => { this.failed++; $("credit").textContent = "Map tiles could not be loaded; the outlines need no network."; };
      image.src = `${this.host}/${key}.png`;
      if (this.cache.size > 400) this.cache.delete(this.cache.keys().next().value);
    } else this.cache.delete(key);
    this.cache.set(key, image);
    return image;
  }
}
