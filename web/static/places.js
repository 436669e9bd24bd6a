// Where a script goes: to paths of Pigi's own, whatever a page, an address or an answer said.
//
//   data-next        where to go when done, taken as it is: a path, or "." for the page itself, loaded again
//   data-then        what comes after it, with {fields} of the JSON answer, of the form, or of its data-… . It stands in the
//                    template as it is, so nothing that anybody typed is ever read as one; each field becomes one segment
const HOME = "/dashboard";
const HERE = ".";

// As `local_path` (web/pages/shell/query.py) has it. A browser reads a backslash as a slash, and drops tabs.
export function isOwn(place) {
  const path = /^[^?#]*/.exec(place)[0];
  if (!/^\/[!-[\]-z|~]*$/.test(place) || path.includes("//") || path.split("/").some(isStep)) return false;
  return new URL(place, location.origin).origin === location.origin;
}

const isStep = (segment) => /^(\.|%2e){1,2}$/i.test(segment);

export const ownOr = (place, other) => (isOwn(place) ? place : other);
export const goTo = (place) => location.assign(ownOr(place, HOME));

// Of what the answer does not tell, the form may.
export function placeAfter(form, told) {
  const { next = HERE, then = "" } = form.dataset;
  const typed = new FormData(form);
  const value = (name) => String(told[name] ?? typed.get(name) ?? form.dataset[name] ?? "");
  const [path, query = ""] = then.split("?");
  const fields = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => value(name));
  // An answer without what the way leads to leaves one where the list of them is.
  if (fields.some((one) => !one || isStep(one))) return ownOr(next, HOME);
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(value(name)));
  const asked = query.split("&").map((pair) => pair.replace(/\{(\w+)\}$/, (_, name) => encodeURIComponent(value(name))));
  const said = asked.filter((pair) => pair && !pair.endsWith("=")).join("&");
  const place = next + filled + (said && `?${said}`);
  return place === HERE ? HERE : ownOr(place, HOME);
}
