// The photo in its place: zoomed by wheel, double click, keys and pinch, and dragged; its boxes go with it.
const MOST_ZOOM = 12;
const shot = { z: 1, dx: 0, dy: 0, width: 1, height: 1, pointers: new Map(), moved: false };

// The largest size at which the whole photo fits into its place, times the zoom.
function frame() {
  const box = $("photo"), figure = box.querySelector("figure");
  if (!figure || !now.view) return;
  const [width, height] = now.view.size_px, large = innerWidth > 860;
  const scale = large ? Math.min((box.clientWidth - 24) / width, (box.clientHeight - 24) / height) : box.clientWidth / width;
  box.style.height = large ? "" : `${height * scale}px`;
  Object.assign(shot, { width: width * scale, height: height * scale });
  const room = (size, all) => Math.max(0, (size * shot.z - all) / 2);
  const [x, y] = [room(shot.width, box.clientWidth), room(shot.height, box.clientHeight)];
  Object.assign(shot, { dx: clamp(shot.dx, -x, x), dy: clamp(shot.dy, -y, y) });
  Object.assign(figure.style, { width: `${shot.width * shot.z}px`, height: `${shot.height * shot.z}px`,
    transform: `translate(calc(-50% + ${shot.dx}px), calc(-50% + ${shot.dy}px))` });
  Object.assign(figure.querySelector("img").style, { width: "100%", height: "100%" });
  box.classList.toggle("near", shot.z > 1);
  box.dataset.zoom = shot.z.toFixed(3);
  $("photo-out").disabled = shot.z <= 1; $("photo-in").disabled = shot.z >= MOST_ZOOM;
}

// Zoom about a point of the place, given from its middle; what lies there stays there.
function zoomPhoto(factor, px = 0, py = 0) {
  const z = clamp(shot.z * factor, 1, MOST_ZOOM), k = z / shot.z;
  Object.assign(shot, { z, dx: px - (px - shot.dx) * k, dy: py - (py - shot.dy) * k });
  frame();
}
function wholePhoto() { Object.assign(shot, { z: 1, dx: 0, dy: 0 }); frame(); }
function panPhoto(dx, dy) { shot.dx += dx; shot.dy += dy; frame(); }

function photoButtons() {
  const button = (id, label, text, act) => el("button", { type: "button", id, "aria-label": label, title: label, onclick: act }, text);
  return el("div", { id: "photo-zoom" }, button("photo-in", "Zoom into the photo", "+", () => zoomPhoto(1.6)),
    button("photo-out", "Zoom out of the photo", "−", () => zoomPhoto(1 / 1.6)));
}

function listenToPhoto() {
  const box = $("photo");
  const at = (event) => { const b = box.getBoundingClientRect(); return [event.clientX - b.left - b.width / 2, event.clientY - b.top - b.height / 2]; };
  box.addEventListener("wheel", (event) => {
    if (event.deltaY > 0 && shot.z <= 1) return;  // the page scrolls
    event.preventDefault();
    zoomPhoto(2 ** (-event.deltaY * (event.deltaMode ? 0.05 : 0.0025)), ...at(event));
  }, { passive: false });
  box.addEventListener("dblclick", (event) => {
    if (event.target.closest("button")) return;
    if (shot.z > 1) wholePhoto(); else zoomPhoto(3, ...at(event));
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button")) return;
    shot.pointers.set(event.pointerId, at(event));
    shot.moved = false;
  });
  box.addEventListener("pointermove", (event) => {
    const before = shot.pointers.get(event.pointerId), here = at(event);
    if (!before) return;
    const other = [...shot.pointers].find(([id]) => id !== event.pointerId);
    if (other) {
      const apart = (p) => Math.hypot(p[0] - other[1][0], p[1] - other[1][1]) || 1;
      zoomPhoto(apart(here) / apart(before), (here[0] + other[1][0]) / 2, (here[1] + other[1][1]) / 2);
      shot.moved = true;
    } else if (shot.z > 1) {
      if (!shot.moved && Math.hypot(here[0] - before[0], here[1] - before[1]) < 4) return;  // a click that trembles
      if (!shot.moved) box.setPointerCapture(event.pointerId);
      shot.moved = true;
      panPhoto(here[0] - before[0], here[1] - before[1]);
    }
    shot.pointers.set(event.pointerId, here);
  });
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) box.addEventListener(name, (event) => shot.pointers.delete(event.pointerId));
  box.addEventListener("click", (event) => { if (shot.moved) { event.stopPropagation(); shot.moved = false; } }, true);
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== box) return;
    const act = {
      "+": () => zoomPhoto(1.6), "=": () => zoomPhoto(1.6), "-": () => zoomPhoto(1 / 1.6), 0: wholePhoto, Home: wholePhoto,
      ...(shot.z > 1 ? { ArrowLeft: () => panPhoto(60, 0), ArrowRight: () => panPhoto(-60, 0), ArrowUp: () => panPhoto(0, 60), ArrowDown: () => panPhoto(0, -60) } : {}),
    }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  new ResizeObserver(frame).observe(box);
}
