// Making nodes. Everything from an answer goes in as text, never as HTML.
const SVG = "http://www.w3.org/2000/svg";

function el(tag, props = {}, ...kids) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(node.style, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...kids.flat().filter((kid) => kid !== null && kid !== undefined && kid !== ""));
  return node;
}
// Draw the children of a box again; the keyboard stays on the one where it was, told by `data-key`.
function redrawn(box, kids) {
  const held = document.activeElement && box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  box.replaceChildren(...kids);
  if (held === undefined) return;
  const again = [...box.querySelectorAll("[data-key]")].find((node) => node.dataset.key === held);
  if (again) again.focus({ preventScroll: true });
}
// Foreign text in its own direction, so that it cannot turn around what stands beside it.
const say = (text) => el("bdi", {}, String(text));
const section = (title, ...kids) => kids.flat().length ? [el("h2", {}, title), ...kids.flat()] : [];
const mark = (kind, text = "") => el("span", { class: `mark ${kind}`, "aria-hidden": "true" }, text);
const where = (p) => {
  if (!p) return "–";
  if (p.precision === "none") return "no place named";
  const country = countryName((p.country || "").split(".")[0]);  // a cue may name an admin-1 unit by its code
  return [p.place && p.place !== country ? p.place : "", country].filter(Boolean).join(", ") || "no place named";
};
