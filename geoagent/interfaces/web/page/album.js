// Photos of this visit that belong together: weighed as an album, with their time line.

// Weigh all photos together, or each by itself again; nothing is read again.
async function album() {
  const notes = [];
  for (const photo of now.photos) Object.assign(photo, { told: null, taken: null, when: "", best: null, album: null });
  if ($("together").checked && now.photos.length > 1) {
    $("trip-says").textContent = "Weighing the photos together…";
    const form = fields();
    for (const photo of now.photos) form.append("observations", photo.id);
    const found = await (await ask("/api/album", { method: "POST", body: form })).json();
    found.items.forEach(({ observation, answer }, i) => Object.assign(now.photos[i], { told: observation, best: answer.best, album: answer.album, taken: answer.album.taken, when: whenOf(answer.album.taken) }));
    notes.push(...found.notes);
  }
  $("trip-says").textContent = notes.join(" ");
  timeline();
}

// "2023-07-04 08:12 UTC"; without UTC it is what the camera's clock showed.
const whenOf = (taken) => (taken ? taken.replace("T", " ").replace(/:\d\d(Z?)$/, (_, utc) => (utc ? " UTC" : "")) : "no time");

// In order of time where it is known, else as they came; photos that take no part say why.
function inOrder() {
  return now.photos.filter((photo) => photo.album).sort((a, b) => (a.taken || "~").localeCompare(b.taken || "~"));
}

// Number of each photo of the trip; what takes no part has none.
const numbers = () => numbered(now.photos.filter((photo) => photo.album && photo.album.part));

function timeline() {
  const rows = inOrder(), order = numbers();
  $("timeline").replaceChildren(...rows.map((photo) => {
    const place = photo.album.part ? where(photo.best) : photo.album.why_not || "takes no part";
    const n = order.get(photo);
    return el("li", { class: n ? "" : "aside", "data-n": n || null, ...pointing(n) }, el("button", { type: "button", "aria-current": String(photo === now.chosen), onclick: () => choose(photo) },
      el("span", { class: "when" }, photo.when), el("span", { class: "place" }, say(place)), el("span", { class: "file muted" }, say(photo.name))));
  }));
  const current = $("timeline").querySelector("[aria-current=true]");
  if (current) $("timeline").scrollLeft += current.getBoundingClientRect().left - $("timeline").getBoundingClientRect().left - 40;
  if (map) { map.trip = stopsOf(order); map.paint(); }
}
