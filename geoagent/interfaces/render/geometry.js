"use strict";
// Geometry of the map: Web Mercator with world coordinates in [0, 1], great circles, decoded outlines.
const $ = (id) => document.getElementById(id);
const RAD = Math.PI / 180, EARTH_KM = 6371.0088, MAX_LAT = 85.0511287798, MAX_ZOOM = 18;
const clamp = (v, low, high) => Math.min(high, Math.max(low, v));
const mx = (lon) => lon / 360 + 0.5;
const my = (lat) => {
  const s = Math.sin(clamp(lat, -MAX_LAT, MAX_LAT) * RAD);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
};
const latOf = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / RAD;
const known = (p) => !!p && p.lat !== null && p.lon !== null;

let names = null;
try { names = new Intl.DisplayNames(["en"], { type: "region" }); } catch { /* codes will do */ }
function countryName(code) {
  if (!code) return "";
  try { return (names && names.of(code)) || code; } catch { return code; }
}

function haversineKm(a, b) {
  const h = Math.sin((b.lat - a.lat) * RAD / 2) ** 2
    + Math.cos(a.lat * RAD) * Math.cos(b.lat * RAD) * Math.sin((b.lon - a.lon) * RAD / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, h)));
}

// The point that lies `km` from `p` in direction `bearing` (radians).
function destination(p, km, bearing) {
  const d = km / EARTH_KM, lat = p.lat * RAD;
  const sin = Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(bearing);
  const lon = Math.atan2(Math.sin(bearing) * Math.sin(d) * Math.cos(lat), Math.cos(d) - Math.sin(lat) * sin);
  return { lat: Math.asin(clamp(sin, -1, 1)) / RAD, lon: p.lon + lon / RAD };
}

// A geodesic circle as [lon, lat] whose longitudes run on across ±180°, with what it encloses.
function circle(p, km) {
  const r = Math.min(km, Math.PI * EARTH_KM * 0.999), line = [];
  for (let i = 0; i <= 180; i++) {
    const q = destination(p, r, i * 2 * RAD);
    if (i) while (q.lon - line[i - 1][0] > 180) q.lon -= 360;
    if (i) while (q.lon - line[i - 1][0] < -180) q.lon += 360;
    line.push([q.lon, q.lat]);
  }
  const north = haversineKm(p, { lat: 90, lon: 0 }) < r, south = haversineKm(p, { lat: -90, lon: 0 }) < r;
  return { line, north, south };
}

// Google's encoded polyline, back to [lon, lat].
function decode(text, grid) {
  const line = [];
  let at = 0, x = 0, y = 0;
  const next = () => {
    let value = 0, shift = 0, sign;
    do { sign = text.charCodeAt(at++) - 63; value |= (sign & 31) << shift; shift += 5; } while (sign >= 32);
    return value & 1 ? ~(value >> 1) : value >> 1;
  };
  while (at < text.length) { x += next(); y += next(); line.push([x / grid, y / grid]); }
  return line;
}

// Rings as one path to fill, one to stroke (without the seam that files cut at ±180°), a box, and a place for a name.
function shape(rings, grid) {
  const fill = new Path2D(), seamless = new Path2D();
  let box = [9, 9, -9, -9], largest = 0, label = null, extent = null;
  for (const text of rings) {
    const line = typeof text === "string" ? decode(text, grid) : text;
    let area = 0, cx = 0, cy = 0, b = [9, 9, -9, -9];
    line.forEach(([lon, lat], i) => {
      const x = mx(lon), y = my(lat), before = line[i - 1] || line[line.length - 1];
      const seam = Math.abs(lon) > 179.98 && Math.abs(before[0]) > 179.98 || lat < -89 || before[1] < -89;
      if (i) fill.lineTo(x, y); else fill.moveTo(x, y);
      if (i && !seam) seamless.lineTo(x, y); else seamless.moveTo(x, y);
      b = [Math.min(b[0], x), Math.min(b[1], y), Math.max(b[2], x), Math.max(b[3], y)];
      const px = mx(before[0]), py = my(before[1]), cross = px * y - x * py;
      area += cross; cx += (px + x) * cross; cy += (py + y) * cross;
    });
    fill.closePath();
    if (Math.abs(area) > largest) { largest = Math.abs(area); label = [cx / (3 * area), cy / (3 * area)]; extent = b; }
    box = [Math.min(box[0], b[0]), Math.min(box[1], b[1]), Math.max(box[2], b[2]), Math.max(box[3], b[3])];
  }
  return { fill, line: seamless, box, label, extent };
}
