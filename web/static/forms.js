// <form data-api method=… action=/api/v1/…> is sent as JSON, and what comes back is shown where it belongs.
//
//   data-verb        PATCH, PUT or DELETE, where the method attribute cannot say it
//   data-etag        sent as If-Match
//   data-next        where to go when done, with data-then (places.js)
//   data-said        which sentence of `SAID` (shell.js) to show there
//   data-confirm     asked before, with the form's [data-asked] part, whose controls count as the form's
//   data-lost        what to say when what is told once was lost on the way
//   data-reveal      id of an element to show instead, its [data-fill=name] filled from the answer
//   data-prefer      sent as Prefer
//   data-open        sent by people who are not signed in: no Idempotency-Key, no second try by itself
// What its controls mean is told in fields.js.
import { goToLine } from "./editor.js";
import { bodyOf, lineOf } from "./fields.js";
import { followLists } from "./lists.js";
import { followPanes } from "./panes.js";
import { placeAfter } from "./places.js";
import { ask, say, SAID } from "./shell.js";

// Problem documents speak to programs too; this is the same for somebody with a form: what happened, what to do.
const WORDS = {
  invalid: ["Some fields need to be corrected.", "Correct what is marked and send it again."],
  confirmation_required: ["This needs your password once more.", "Send it again and type your password when you are asked."],
  precondition_failed: ["Somebody changed it meanwhile.", "Look at the current version, then make your change again. What you wrote stays here until you leave."],
  second_factor_required: ["This takes a second factor, and your account has none.", "Set one up on your account page, then come back."],
  secret_found: ["This looks like a secret, and Pigi keeps none.", "Use a slot where one is offered, and change the secret: it was sent. If a value is only an example, say so: its history will show that you did."],
  unauthenticated: ["Your session is over.", "What you wrote stays here until you leave."],
  password_weak: ["This password would be guessed.", "Choose another. A password manager makes good ones."],
  already_subscribed: ["The organisation already has a subscription.", "Somebody bought it meanwhile. Reload the page to change or cancel it."],
  not_restorable: ["It cannot be restored.", "Somebody has already restored it, or it is too late. Reload the page."],
  csrf_refused: ["This page is from an earlier session.", "Reload it and try again."],
};
// What a plan limits, and how to make room besides choosing another.
const LIMITED = {
  members: ["members and open invitations together", "Revoke an invitation or remove a member"],
  resources: ["active resources", "Archive what is not used"],
  generations_a_day: ["drafts with AI a day (UTC)", "Wait"],
  bytes: ["of stored configuration, with all revisions and what is archived", "Let an owner delete what is archived for good"],
  writes_a_day: ["changes of configuration a day (UTC)", "Wait"],
};
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];
function sized(count) {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${(count / 1024 ** unit).toLocaleString("en", { maximumFractionDigits: 1 })} ${UNITS[unit]}`;
}
const TRIES = 3;
// What other modules do with an answer, by the data-… that asks for it, where data-next would not do.
const otherwise = new Map();
export const instead = (name, act) => otherwise.set(name, act);
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
export const cookie = (name) => document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);

export function followForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-api]");
    if (!form) return;
    event.preventDefault();
    submit(form, event.submitter);
  });
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add]");
    const drop = event.target.closest("[data-drop]");
    if (add) addItem(document.getElementById(add.dataset.add)).querySelector("input, select, textarea").focus();
    if (drop) dropItem(drop);
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });
  document.addEventListener("change", (event) => showParts(event.target.form));
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.dataset.guard !== undefined) form.dataset.guard = "changed";
    if (event.target.ariaInvalid === "true") unmark(event.target);
  });
  addEventListener("beforeunload", (event) => {
    if (document.querySelector('form[data-guard="changed"]')) event.preventDefault();
  });
  prepareForms(document);
  followPanes();
  followLists();
  goToPlace();
  addEventListener("hashchange", goToPlace);
}

export const prepareForms = (root) => root.querySelectorAll("form[data-api]").forEach(showParts);

async function submit(form, button) {
  if (form.ariaBusy === "true") return;
  const confirmed = !asks(form) || (await ask(form.dataset, form.querySelector("[data-asked]")));
  if (!confirmed) return;
  clear(form);
  const fields = new Map();
  let body;
  try {
    body = JSON.stringify(bodyOf(form, fields));
  } catch (error) {
    return complain(form, fields, unreadable(error));
  }
  busy(form, button, true);
  try {
    let answer = await send(form, body);
    if (answer.status === 403 && (await answer.clone().json().catch(() => ({}))).code === "confirmation_required" && (await passwordGiven())) answer = await send(form, body);
    if (answer.ok) await succeed(form, answer);
    else await refuse(form, fields, answer);
  } catch {
    complain(form, fields, { title: "Pigi could not be reached.", detail: "Check your connection and send it again: nothing is done twice." });
  } finally {
    busy(form, button, false);
  }
}

// Of a text that should be JSON and is not.
export function unreadable({ pointer, line, message }) {
  return { title: "It was not sent, since a part of it cannot be read.", detail: "What you wrote stays here.", errors: [{ pointer, line, message }] };
}

// data-confirm-if="role=owner" asks only about that choice.
function asks(form) {
  const [name, value] = form.dataset.confirmIf?.split("=") ?? [];
  return form.dataset.confirm !== undefined && (!name || form.elements[name]?.value === value);
}

// The same key goes with every try of one act, also when its outcome is unknown and the person presses again.
async function send(form, body) {
  const verb = (form.dataset.verb ?? form.method).toUpperCase();
  const headers = { Accept: "application/json, application/problem+json" };
  const empty = verb === "DELETE" && body === "{}";
  if (!empty) headers["Content-Type"] = "application/json";
  if (cookie("XSRF-TOKEN")) headers["X-XSRF-TOKEN"] = cookie("XSRF-TOKEN");
  if (form.dataset.etag) headers["If-Match"] = form.dataset.etag;
  if (form.dataset.prefer) headers.Prefer = form.dataset.prefer;
  if (form.examples) headers["Pigi-Examples"] = [...form.examples].join(", ");
  const open = form.dataset.open !== undefined;
  if (form.act?.body !== body) form.act = { body, key: crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now() };
  if (!open) headers["Idempotency-Key"] = form.act.key;
  for (let round = 1; ; round += 1) {
    const last = open || round === TRIES;
    try {
      const answer = await fetch(form.getAttribute("action"), { method: verb, headers, body: empty ? undefined : body, credentials: "same-origin", redirect: "error" });
      if (answer.status !== 503 || last) {
        form.act = undefined;
        return answer;
      }
    } catch (error) {
      if (last) throw error;
    }
    await pause(700 * 2 ** round);
  }
}

// Some acts ask for the password once more; it counts for ten minutes, so one dialog serves several of them.
function passwordGiven() {
  const dialog = document.getElementById("confirm");
  const form = dialog.querySelector("form");
  form.reset();
  clear(form);
  form.querySelector("[data-first]").hidden = false;
  const second = form.querySelector("[data-second]");
  second.hidden = second.disabled = true;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

instead("confirmed", (form) => form.closest("dialog").close("yes"));

async function succeed(form, answer) {
  const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (form.dataset.guard !== undefined) form.dataset.guard = "";
  for (const [name, act] of otherwise) if (form.dataset[name] !== undefined) return act(form, told);
  if (form.dataset.reveal) return reveal(form, told);
  const place = placeAfter(form, told);
  const said = form.dataset.said ? `#said=${form.dataset.said}` : "";
  const here = location.pathname + location.search;
  // Going to where one is already would only change the fragment, and the page would stay as it was.
  if (place !== "." && place !== here) return location.assign(place + said);
  history.replaceState(null, "", here + said);
  location.reload();
}

function reveal(form, told) {
  const shown = document.getElementById(form.dataset.reveal);
  // What is told once is null when an earlier try had been answered and the answer was lost on the way.
  if ([...shown.querySelectorAll("[data-fill]")].some((place) => told[place.dataset.fill] === null)) {
    return complain(form, new Map(), { title: "The response was lost on the way.", detail: form.dataset.lost ?? "The key was created, but can be shown only once. Reload the page, revoke it, and create another." });
  }
  for (const place of shown.querySelectorAll("[data-fill]")) place.textContent = [told[place.dataset.fill] ?? ""].flat().join("\n");
  form.closest("[data-replaced]")?.setAttribute("hidden", "");
  shown.hidden = false;
  shown.focus();
  if (form.dataset.said) say(SAID[form.dataset.said]);
}

const LOST = { title: "Something went wrong on the way.", detail: "Try again in a moment." };

// Of an XMLHttpRequest that was refused.
export function problemOf(request) {
  try {
    const problem = JSON.parse(request.responseText);
    if (Object.hasOwn(WORDS, problem.code)) [problem.title, problem.detail] = WORDS[problem.code];
    return problem;
  } catch {
    return LOST;
  }
}

async function refuse(form, fields, answer) {
  const problem = await answer.json().catch(() => ({ ...LOST }));
  if (problem.code === "second_factor_needed" && askForCode(form)) return;
  if (problem.code === "owner_needed" && askForOwner(form)) return;
  if (Object.hasOwn(WORDS, problem.code)) [problem.title, problem.detail] = WORDS[problem.code];
  if (problem.code === "plan_limit" && Object.hasOwn(LIMITED, problem.what)) {
    const [things, room] = LIMITED[problem.what];
    const many = problem.what === "bytes" ? sized : (count) => count.toLocaleString("en");
    problem.title = `The ${problem.plan} plan allows ${many(problem.limit)} ${things}.`;
    const other = problem.plan === "Unmetered" ? "ask the operator for more" : "let an owner choose another plan";
    problem.detail = `${many(problem.used)} are used. ${room}, or ${other}. Nothing is lost.`;
  }
  const wait = Number(answer.headers.get("Retry-After"));
  if (wait > 5) problem.detail += ` You can try again ${wait < 90 ? `in ${wait} seconds` : `at ${new Date(Date.now() + wait * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`}.`;
  const here = encodeURIComponent(location.pathname + location.search);
  if (problem.code === "unauthenticated") problem.way = ["Sign in in a new tab, then send this again", `/sign-in?next=${here}`];
  const own = /^\/o\/[\w-]+/.exec(location.pathname)?.[0];
  if (problem.code === "plan_limit" && own) problem.way = ["See what is used, in a new tab", `${own}/billing`];
  if (answer.status === 412) problem.way = ["See the current version, in a new tab", location.pathname];
  complain(form, fields, problem);
}

// The password was right. It stays in the form and is sent again with the code: no session waits in between.
function askForCode(form) {
  const second = form.querySelector("[data-second]");
  if (!second?.disabled) return false;
  form.querySelector("[data-first]").hidden = true;
  second.hidden = second.disabled = false;
  second.querySelector("input").focus();
  return true;
}

// Nobody is signed in here to whom the link belongs: the password shows who it is.
function askForOwner(form) {
  const owner = form.querySelector("[data-owner]");
  if (!owner?.disabled) return false;
  owner.hidden = owner.disabled = false;
  owner.querySelector("input").focus();
  return true;
}

function busy(form, button, on) {
  form.ariaBusy = String(on);
  // Also those that stand elsewhere in the page.
  for (const one of form.elements) if (one.type === "submit") one.disabled = on;
  if (button) button.ariaBusy = String(on);
  const status = form.querySelector("[data-status]");
  if (status) status.textContent = on ? status.dataset.status : "";
}

// Showing what is wrong

export function complain(form, fields, problem) {
  const summary = document.createElement("div");
  summary.className = "summary";
  summary.tabIndex = -1;
  summary.role = "alert";
  summary.append(element("p", element("strong", problem.title)), element("p", problem.detail ?? ""));
  if (problem.way) summary.append(element("p", Object.assign(element("a", problem.way[0]), { href: problem.way[1], target: "_blank", rel: "noopener" })));
  const list = document.createElement("ul");
  for (const flaw of problem.errors ?? []) {
    const item = element("li", mark(fields, flaw));
    if (flaw.example) item.append(" ", excuse(form, flaw));
    list.append(item);
  }
  if (list.children.length) summary.append(list);
  form.prepend(summary);
  summary.focus();
}

// What looks like a secret may be an example: one value each, sent again with what names it.
function excuse(form, flaw) {
  const button = Object.assign(element("button", "This is an example"), { type: "button", className: "button small" });
  button.setAttribute("aria-label", `This is an example: ${flaw.kind}, line ${flaw.line}`);
  button.addEventListener("click", () => {
    (form.examples ??= new Set()).add(flaw.example);
    form.requestSubmit();
  });
  return button;
}

// The nearest field at or above the pointer: a line of a textarea is the textarea's.
function nearest(fields, pointer) {
  let found = pointer;
  while (found && !fields.has(found)) found = found.slice(0, found.lastIndexOf("/"));
  return found;
}

// #at=pointer:line leads to where the content of a page's editor has it.
function goToPlace() {
  const [, place, line] = /^#at=([^:]+):(\d+)$/.exec(decodeURIComponent(location.hash)) ?? [];
  const form = place && document.getElementById("editor");
  if (!form) return;
  history.replaceState(null, "", location.pathname + location.search);
  const fields = new Map();
  bodyOf(form, fields);
  const inner = form.querySelector("[data-object]")?.dataset.object;
  const pointer = inner ? `/${inner}${place}` : place;
  const found = nearest(fields, pointer);
  const control = fields.get(found);
  const rest = pointer.slice(found.length + 1);
  if (control?.localName !== "textarea") control?.focus();
  else if (control.dataset.type === "whole") goToLine(control, lineOf(control.value, place));
  else goToLine(control, Number(line) || (/^\d+$/.test(rest) ? Number(rest) + 1 : 1));
}

function mark(fields, flaw) {
  const pointer = nearest(fields, flaw.pointer ?? `/${flaw.parameter ?? ""}`);
  const control = fields.get(pointer);
  if (!control) return document.createTextNode(flaw.pointer ? `${flaw.pointer.slice(1).replaceAll("/", " > ")}: ${flaw.message}` : flaw.message);
  // A place in a text that is JSON itself is told by its line.
  if (control.dataset.type === "whole" && flaw.pointer?.length > pointer.length) {
    const place = flaw.pointer.slice(pointer.length);
    return mark(fields, { ...flaw, pointer, line: lineOf(control.value, place), message: `${place.slice(1).replaceAll("/", " > ")}: ${flaw.message}` });
  }
  const line = flaw.pointer.slice(pointer.length + 1);
  const { message } = flaw;
  const at = control.dataset.type === "lines" && /^\d+$/.test(line) ? Number(line) + 1 : flaw.line;
  const words = at && !/\bline \d/.test(message) ? `line ${at}: ${message}` : message;
  const label = control.labels?.[0]?.textContent.trim().replace(/\s*optional$/, "") || control.getAttribute("aria-label") || control.name;
  const notes = (control.notes ??= []);
  const note = Object.assign(element("p", words), { className: "error", id: `${control.id || control.name}-error${notes.length || ""}` });
  notes.push(note);
  control.ariaInvalid = "true";
  control.dataset.hint ??= control.getAttribute("aria-describedby") ?? "";
  control.setAttribute("aria-describedby", [...notes.map((one) => one.id), control.dataset.hint].join(" ").trim());
  for (let fold = control.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  (control.closest(".field, fieldset") ?? control.parentElement).append(note);
  const link = Object.assign(element("a", `${label}: ${words}`), { href: `#${control.id}` });
  link.addEventListener("click", (event) => {
    event.preventDefault();
    if (at && control.localName === "textarea") goToLine(control, at);
    else control.focus();
  });
  if (at) control.numbers?.mark(at);
  return link;
}

function unmark(control) {
  control.numbers?.unmark();
  for (const note of control.notes?.splice(0) ?? []) note.remove();
  control.removeAttribute("aria-invalid");
  if (control.dataset.hint) control.setAttribute("aria-describedby", control.dataset.hint);
  else control.removeAttribute("aria-describedby");
}

export function clear(form) {
  form.querySelector(":scope > .summary")?.remove();
  form.querySelectorAll("[aria-invalid=true]").forEach(unmark);
}

function element(name, inside) {
  const made = document.createElement(name);
  made.append(inside);
  return made;
}

// Parts that belong to a choice, and lists that grow

export function showParts(form) {
  for (const part of form?.querySelectorAll("[data-when]") ?? []) {
    const [name, wanted] = part.dataset.when.split("=");
    const scope = part.closest("[data-item]") ?? form;
    const control = [...scope.querySelectorAll("input, select")].find((one) => one.name === name && (one.type !== "radio" || one.checked));
    part.hidden = part.disabled = !wanted.split("|").includes(control?.value);
  }
}

let made = 0;
export function addItem(list) {
  const item = list.querySelector(":scope > template").content.firstElementChild.cloneNode(true);
  made += 1;
  for (const one of item.querySelectorAll("[id], [for], [aria-describedby]")) {
    for (const name of ["id", "for", "aria-describedby"]) if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace("NEW", `new${made}`));
  }
  list.append(item);
  showParts(list.closest("form"));
  return item;
}

function dropItem(button) {
  const item = button.closest("[data-item]");
  const after = item.parentElement.parentElement.querySelector("[data-add]");
  const form = item.closest("form");
  item.remove();
  if (form?.dataset.guard !== undefined) form.dataset.guard = "changed";
  after?.focus();
}
