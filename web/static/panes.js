// A resource is written as a form or as the JSON behind it. <nav data-panes="id of the form"> has a link to each:
// following one takes over what was typed so far.
import { contentOf, get } from "./fields.js";
import { addItem, clear, complain, showParts, unreadable } from "./forms.js";
import { asLines } from "./lists.js";

export function followPanes() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-panes] a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.ariaCurrent !== "page") turnTo(link);
  });
}

function turnTo(link) {
  const nav = link.closest("[data-panes]");
  const form = document.getElementById(nav.dataset.panes);
  const fields = new Map();
  clear(form);
  try {
    const content = contentOf(form, fields);
    if (link.dataset.pane === "json") write(form, content);
    else fill(form, content);
  } catch (error) {
    if (error.pointer === undefined) throw error;
    return complain(form, fields, { ...unreadable(error), title: "The form cannot show this yet." });
  }
  for (const pane of form.querySelectorAll("[data-part]")) pane.hidden = pane.disabled = pane.dataset.part !== link.dataset.pane;
  showParts(form);
  for (const one of nav.querySelectorAll("a")) one.ariaCurrent = one === link ? "page" : null;
  history.replaceState(null, "", link.href);
}

function write(form, content) {
  const whole = form.querySelector('[data-type="whole"]');
  whole.value = JSON.stringify(content, null, 2);
  whole.numbers?.follow();
}

function fill(form, content) {
  const pane = form.querySelector('[data-part="form"]');
  if (content === null || typeof content !== "object" || Array.isArray(content)) throw misfit("");
  for (const list of listsIn(pane)) list.replaceChildren(list.querySelector(":scope > template"));
  fillControls(pane, content, "");
  form.base = content;
}

function fillControls(root, values, path) {
  const own = (element) => element.parentElement.closest("[data-item], [data-part]") === root && !element.closest("template");
  for (const control of root.querySelectorAll("[name]")) if (own(control)) show(control, get(values, control.name), `${path}/${control.name.replaceAll(".", "/")}`);
  for (const list of listsIn(root)) {
    const entries = get(values, list.dataset.list) ?? [];
    const place = `${path}/${list.dataset.list.replaceAll(".", "/")}`;
    if (!Array.isArray(entries)) throw misfit(place);
    for (const [index, entry] of entries.entries()) fillControls(addItem(list), entry, `${place}/${index}`);
  }
}

const listsIn = (root) => [...root.querySelectorAll("[data-list]")].filter((list) => !list.closest("template"));

// What is not there is shown as a new form would show it.
function show(control, value, pointer) {
  const { type } = control.dataset;
  const texts = Array.isArray(value) && value.every((one) => typeof one === "string");
  if (control.type === "radio") control.checked = value === undefined ? control.defaultChecked : control.value === value;
  else if (type === "set") control.checked = texts && value.includes(control.value);
  else if (control.type === "checkbox") control.checked = value ?? false;
  else if (value === undefined || value === null) control.value = control.localName === "select" || control.type === "number" ? (control.dataset.optional === undefined ? initial(control) : "") : "";
  else if (type === "lines" || type === "words") {
    if (!texts) throw misfit(pointer);
    control.value = control.shown = type === "lines" ? asLines(value) : value.join(" ");
  } else if (type === "json") control.value = JSON.stringify(value, null, 2);
  else if (typeof value === "object") throw misfit(pointer);
  else control.value = value;
  control.numbers?.follow();
}

const initial = (control) => (control.localName === "select" ? ([...control.options].find((one) => one.defaultSelected) ?? control.options[0])?.value : control.defaultValue);

const misfit = (pointer) => Object.assign(new Error("misfit"), { pointer, line: undefined, message: "This has a form that the fields do not have. Write it as JSON, or correct it here." });
