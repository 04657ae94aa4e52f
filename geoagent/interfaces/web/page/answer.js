// How the page shows one answer: photo, cues and their links. What an answer holds goes in as text, never as HTML.

// Photo with its regions; every cue's number is a button, so that the keyboard reaches it as well.
function photoFigure(a, src, [width, height], act) {
  const svg = document.createElementNS(SVG, "svg"), tags = [];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  a.regions.forEach((region, i) => {
    if (!region.polygon.length) return;
    const cues = region.cues.map((n) => n - 1), shape = outlined(svg, a, i);
    if (!shape) return;
    shape.addEventListener("pointerenter", () => act.light(cues, true));
    shape.addEventListener("pointerleave", () => act.light(cues, false));
    shape.addEventListener("click", () => act.hold(cues[0]));
    tags.push(tagsOf(a, cues, region.polygon, width, height, act));
  });
  unreadOn(svg, a);
  const lines = a.regions.length;
  const image = el("img", { src, width, height, alt: `The photo; ${lines === 0 ? "no text was found" : lines === 1 ? "1 line of text is marked" : `${lines} lines of text are marked`}` });
  return el("figure", {}, image, svg, tags);
}

// The numbers of a region's cues, beside it: before its first letter, or behind the last where there is no room before.
function tagsOf(a, cues, polygon, width, height, act) {
  const [tl, tr, br, bl] = polygon.map(([x, y]) => [100 * x / width, 100 * y / height]);
  const left = Math.min(tl[0], bl[0]), right = Math.max(tr[0], br[0]), before = left > 3 + 5 * cues.length || 100 - right < left;
  const y = before ? (tl[1] + bl[1]) / 2 : (tr[1] + br[1]) / 2;
  return el("span", { class: before ? "tags before" : "tags", style: { left: `${clamp(before ? left : right, 0, 100)}%`, top: `${clamp(y, 4, 96)}%` } },
    cues.map((n) => el("button", {
      type: "button", class: "tag", "data-tag": n, "aria-label": `Cue ${n + 1}: ${a.cues[n].kind} ${a.cues[n].value}`,
      style: { background: a.cues[n].colour }, onclick: () => act.hold(n),
      onpointerenter: () => act.light([n], true), onpointerleave: () => act.light([n], false),
      onfocus: () => act.light([n], true), onblur: () => act.light([n], false),
    }, String(n + 1))));
}

// What the page calls things of the command line, where they stand in the words of an answer.
const PAGE_WORDS = [["set it by --clock", "set it under Clocks"], ["hidden by max_precision", "withheld at this precision"]];
const onPage = (value) => JSON.parse(PAGE_WORDS.reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(value)));

function contribution(nats, most) {
  const share = Math.min(1, Math.abs(nats) / most) * 50, against = nats < 0;
  return el("span", { class: "bar", "aria-hidden": "true" }, el("b"), el("i", { class: against ? "against" : "",
    style: { left: `${against ? 50 - share : 50}%`, width: `${share}%` } }));
}

function cueItem(a, i, key, most, act) {
  const cue = a.cues[i], lit = (on) => () => act.light([i], on);
  const favours = cue.favours.place || cue.favours.country;
  return el("li", { class: "cue", "data-cue": i, onpointerenter: lit(true), onpointerleave: lit(false),
    onfocusin: lit(true), onfocusout: lit(false), onclick: (event) => { if (!event.target.closest(".plain")) act.hold(i); } },
  el("div", { class: "top" },
    el("span", { class: "num", "aria-hidden": "true", style: { background: cue.colour } }, String(i + 1)),
    el("button", { type: "button", class: "open", "aria-pressed": "false" }, el("span", { class: "muted small" }, say(cue.kind), " "), say(cue.value)),
    contribution(cue.nats, most),
    el("span", { class: "nats" }, cue.natsText, el("span", { class: "away" }, " nats"))),
  el("p", { class: "says" }, say(cue.says), favours ? [" → ", el("strong", {}, say(where(cue.favours)))] : ""),
  el("div", { class: "foot" },
    el("p", { class: "without" }, cue.changes ? ["Without it: ", say(where(cue.without))] : "Without it: the same",
      cue.source === "lexicon" ? "" : [" · from ", say(cue.source)]),
    key ? el("button", { type: "button", class: "plain", "aria-label": `Leave out cue ${i + 1}: ${cue.kind} ${cue.value}`, onclick: () => act.leaveOut(key) }, "Leave out") : ""));
}

function cueSection(view, act) {
  const a = view.answer, most = Math.max(1, ...a.cues.map((cue) => Math.abs(cue.nats)));
  return [
    el("h2", { id: "cues-title" }, "Why: cues in the scene"),
    a.cues.length ? el("p", { class: "small muted" }, `Bars: what each cue added to the log probability of the place (nats; right for, left against): ${ODDS}. Choose one to see it on the photo and the map.`)
      : a.blank ? "" : el("p", { class: "muted" }, "No text cue contributed to this answer."),
    el("ol", { class: "cues" }, a.cues.map((cue, i) => cueItem(a, i, view.keys[i], most, act))),
    view.left_out.length ? el("ul", { class: "plain left-out", "aria-label": "Cues that were left out" }, view.left_out.map((cue) => el("li", {},
      el("span", { class: "muted" }, "Left out: ", say(cue.kind), " ", say(cue.value)),
      el("button", { type: "button", class: "plain", "aria-label": `Count ${cue.kind} ${cue.value} again`, onclick: () => act.putBack(cue.key) }, "Put back")))) : "",
    a.explanation && !a.blank ? el("details", {}, el("summary", {}, "The same in words"), el("p", {}, say(a.explanation))) : "",
  ].filter((kid) => kid !== "");
}

// Whether picture and text agree, and which countries to expect, where the answer can tell.
function changed(exact) {
  const { comparison: between, credible } = exact, kids = [];
  if (between) kids.push(el("p", { class: between.conflict ? "note" : "small" }, say(between.says)));
  if (credible) kids.push(el("p", { class: "small muted" }, `${Math.round(100 * credible.coverage)} % of such photos are in: `,
    credible.countries.slice(0, 12).map(countryName).join(", "), credible.countries.length > 12 ? ` or ${credible.countries.length - 12} more` : ""));
  return kids;
}

// Names instead of codes: "Devanagari", "Hindi".
const spoken = (type, code) => { try { return new Intl.DisplayNames(["en"], { type }).of(code); } catch { return code; } };
const named = (kind, what) => (kind === "language" ? what.split(" ").map((code) => spoken("language", code)).join(" or ") : kind === "script" && /^[A-Z][a-z]{3}$/.test(what) ? spoken("script", what) : what);

function verdictOf(found) {
  const most = Math.max(1, ...found.evidence.map((row) => Math.abs(row.nats)));
  const rows = found.evidence.filter((row) => Math.abs(row.nats) >= 0.05);
  const signed = (nats) => `${nats < 0 ? "−" : "+"}${Math.abs(nats).toFixed(1)}`;
  return [
    el("h3", { class: found.verdict }, found.verdict[0].toUpperCase() + found.verdict.slice(1), el("span", { class: "muted" }, ": ", say(found.understood))),
    el("p", {}, say(found.says)),
    ...found.warnings.filter((text) => text.includes(found.claim.trim())).map((text) => el("p", { class: "note" }, say(text))),
    rows.length ? el("ul", { "aria-label": "Evidence" }, rows.map((row) => el("li", {}, contribution(row.nats, most), el("span", { class: "nats" }, signed(row.nats)), say(row.says)))) : "",
    found.expected.length ? el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Photos from there show"), el("th", { scope: "col" }, "Here"))),
      el("tbody", {}, found.expected.map((row) => el("tr", {}, el("td", {}, el("span", { class: "muted" }, `${row.kind} `), say(named(row.kind, row.what))),
        el("td", { class: { seen: "seen", "seen otherwise": "otherwise" }[row.status] || "muted" }, row.status,
          row.here && row.here !== row.what ? [": ", say(named(row.kind === "script" ? "script" : "", row.here))] : ""))))) : "",
  ].filter((kid) => kid !== "");
}
