// What a form holds, as the JSON that is sent.
//
// A control's name is a path in that JSON. data-type says what its text means: integer, number, lines, words, json, boolean, set,
// whole for a textarea that is all of it, or aside for a choice that only shows and hides parts of the form.
// data-optional leaves it out when empty. [data-list=path] holds [data-item]s: an array of objects.
// What is in [data-object=name] goes below that name.
//
// A form that also has a `whole` textarea, disabled, knows by it what there was before: fields without a control
// stay as they were, and so do line endings, since a textarea gives all of them as line feeds.
import { entriesOf } from "./lists.js";

export function bodyOf(form, fields) {
  const whole = form.querySelector('[data-type="whole"]');
  const body = read(form, form, "", fields);
  if (!whole) return body;
  const name = nameWithin(whole, "");
  if (whole.matches(":disabled")) {
    const found = name ? (body[name] ?? {}) : body;
    const content = completed(baseOf(form, whole), found, namesIn(whole.form, name));
    return name ? { ...body, [name]: content } : content;
  }
  const pointer = name && `/${name}`;
  fields.set(pointer, whole);
  const content = parsed(whole, pointer);
  return name ? { ...body, [name]: content } : content;
}

export const contentOf = (form, fields) => {
  const name = nameWithin(form.querySelector('[data-type="whole"]'), "");
  const body = bodyOf(form, fields);
  return name ? body[name] : body;
};

// What the form was made of, or took over from JSON.
const baseOf = (form, whole) => (form.base ??= exactly(whole.defaultValue));

// Numbers stay as they were written: read and written again, 1.0 would become 1, and a big integer another.
function exactly(text) {
  return JSON.parse(text, (_, value, context) => {
    const kept = typeof value !== "number" || !JSON.rawJSON || context?.source === undefined || String(value) === context.source;
    return kept ? value : JSON.rawJSON(context.source);
  });
}

function parsed(control, pointer) {
  try {
    return exactly(control.value);
  } catch (error) {
    const before = control.value.slice(0, walk(control.value)).split("\n");
    const [line, column] = [before.length, before.at(-1).length + 1];
    const message = `This is not JSON from line ${line}, column ${column} on. Look there, and just before, for a comma, quote or bracket too many or too few.`;
    throw Object.assign(error, { pointer, line, message });
  }
}

// The line, counted from 1, on which the value at a JSON pointer begins, or the nearest one around it.
export function lineOf(text, pointer) {
  const wanted = pointer.split("/").slice(1).map((one) => one.replaceAll("~1", "/").replaceAll("~0", "~"));
  let [deepest, place] = [0, 0];
  walk(text, (around, at) => {
    const fits = around.length <= wanted.length && around.every((one, index) => String(one.key) === wanted[index]);
    if (fits && around.length > deepest) [deepest, place] = [around.length, at];
  });
  return text.slice(0, place).split("\n").length;
}

const TOKEN = /\s*(?:("[^"\\\n]*(?:\\.[^"\\\n]*)*")|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|([{}[\],:]))/iy;

// Goes through a JSON text and looks at each key and value. Returns where it stops being JSON, undefined if nowhere:
// browsers tell that each in other words, some not at all.
function walk(text, look = () => {}) {
  const around = [];
  let [state, at] = ["value", 0];
  for (;;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    at += /^\s*/.exec(text.slice(at, at + 1000))[0].length;
    if (!token) return state === "done" && at >= text.length ? undefined : at;
    const [, string, sign] = token;
    const inner = around.at(-1);
    const begun = state === "first" || state === "more";
    if (sign === "}" || sign === "]") {
      if (!begun || inner.array !== (sign === "]")) return at;
      around.pop();
      state = around.length ? "more" : "done";
    } else if (sign === ",") {
      if (state !== "more") return at;
      if (inner.array) inner.key += 1;
      state = inner.array ? "value" : "key";
    } else if (sign === ":") {
      if (state !== "colon") return at;
      state = "value";
    } else if (state === "key" || (state === "first" && !inner.array)) {
      if (!string) return at;
      inner.key = JSON.parse(string);
      look(around, at);
      state = "colon";
    } else if (state === "value" || state === "first") {
      look(around, at);
      if (sign) around.push({ array: sign === "[", key: sign === "[" ? 0 : undefined });
      state = sign ? "first" : around.length ? "more" : "done";
    } else return at;
    at = TOKEN.lastIndex;
  }
}

function nameWithin(control, name) {
  const outer = control.closest("[data-object]")?.dataset.object;
  return [outer, name].filter(Boolean).join(".");
}

function read(root, form, path, fields) {
  const found = {};
  const own = (element) => (element.parentElement.closest("[data-item]") ?? form) === root && !element.closest("template");
  const named = (element, name) => (root === form ? nameWithin(element, name) : name);
  for (const control of root.querySelectorAll("input[name], select[name], textarea[name]")) {
    if (!own(control) || control.matches(":disabled") || (control.type === "radio" && !control.checked)) continue;
    if (control.dataset.type === "whole" || control.dataset.type === "aside") continue;
    const name = named(control, control.name);
    const pointer = `${path}/${name.replaceAll(".", "/")}`;
    fields.set(pointer, control);
    const value = valueOf(control, pointer);
    if (control.dataset.type === "set") put(found, name, [...(get(found, name) ?? []), ...(control.checked ? [control.value] : [])]);
    else if (value !== undefined) put(found, name, value);
  }
  for (const list of root.querySelectorAll("[data-list]")) {
    if (!own(list) || list.closest("fieldset:disabled")) continue;
    const name = named(list, list.dataset.list);
    const place = `${path}/${name.replaceAll(".", "/")}`;
    put(found, name, [...list.querySelectorAll(":scope > [data-item]")].map((item, index) => read(item, form, `${place}/${index}`, fields)));
  }
  return found;
}

function valueOf(control, pointer) {
  const text = control.value;
  if (control.dataset.optional !== undefined && text.trim() === "") return undefined;
  switch (control.dataset.type) {
    case "number": return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
    case "integer": return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
    case "lines": return entriesOf(control);
    case "words": return text.split(/[\s,]+/).filter(Boolean);
    case "boolean": return control.type === "checkbox" ? control.checked : text === "true";
    case "json": return text.trim() === "" ? undefined : parsed(control, pointer);
    default: return text;
  }
}

// Names of all that has a control, shown or not.
function namesIn(form, within) {
  const controls = [...form.querySelectorAll('[name]:not([data-type="whole"], [data-type="aside"]), [data-list]')];
  const own = controls.filter((one) => !one.parentElement.closest("[data-item], template") && (one.closest("[data-object]")?.dataset.object ?? "") === within);
  return new Set(own.map((one) => one.dataset.list ?? one.name));
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !JSON.isRawJSON?.(value);

function completed(before, found, names, path = "") {
  // Another type is another thing: nothing of the one goes into the other.
  if (!isObject(before) || before.type !== found.type) return found;
  for (const [name, value] of Object.entries(before)) {
    const here = path ? `${path}.${name}` : name;
    if (names.has(here)) found[name] = withEndings(value, found[name]);
    else if (isObject(found[name])) completed(value, found[name], names, here);
    else if (![...names].some((one) => one.startsWith(`${here}.`))) found[name] = value;
    if (found[name] === undefined) delete found[name];
  }
  return found;
}

// Lines that were there before keep their endings; new ones get the most frequent.
function withEndings(before, text) {
  if (typeof before !== "string" || typeof text !== "string" || !before.includes("\r")) return text;
  const [old, lines] = [before.split(BREAK), text.split("\n")];
  const endings = before.match(BREAK);
  const most = Math.min(old.length, lines.length) - 1;
  let [head, tail] = [0, 0];
  while (head < most && old[head] === lines[head]) head += 1;
  while (tail < most - head && old.at(-1 - tail) === lines.at(-1 - tail)) tail += 1;
  const count = (ending) => endings.filter((one) => one === ending).length;
  const usual = ["\n", "\r\n", "\r"].reduce((best, one) => (count(one) > count(best) ? one : best));
  const left = (index) => lines.length - 1 - index;
  const endOf = (index) => (index < head ? endings[index] : left(index) <= tail ? endings.at(-left(index)) : usual);
  return lines.map((line, index) => (left(index) ? line + endOf(index) : line)).join("");
}

const BREAK = /\r\n|\r|\n/g;

export const get = (object, name) => name.split(".").reduce((inner, part) => inner?.[part], object);

function put(object, name, value) {
  const parts = name.split(".");
  const last = parts.pop();
  const inner = parts.reduce((at, part) => (at[part] ??= {}), object);
  inner[last] = value;
}
