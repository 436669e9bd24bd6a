// Drafts: the page of a request stays open behind that of its draft, and where a draft goes when it is accepted.
//
// A purpose is kept nowhere once its job has ended, in no storage of the browser either. What was typed is still in the
// form, which stays in this document while its draft is shown: so it can be changed and asked again.
import { numberLines } from "./editor.js";
import { instead, prepareForms } from "./forms.js";
import { followSections } from "./live.js";
import { placeAfter } from "./places.js";
import { say, SAID, tellMoments } from "./shell.js";

let asked;
let shown = here();

function here() {
  return location.pathname + location.search;
}

export function followDrafts() {
  instead("stays", showDraft);
  // The job's events say how it went on; the page stays as it is.
  instead("followed", (form) => say(SAID[form.dataset.said]));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-again]") && !event.ctrlKey && !event.metaKey && askAgain()) event.preventDefault();
  });
  document.addEventListener("change", (event) => event.target.form?.dataset.places !== undefined && place(event.target));
  document.querySelectorAll("form[data-places]").forEach(followPlace);
  addEventListener("popstate", () => {
    if (!asked || here() === shown) return;
    if (asked.path === here()) put(asked.nodes, asked.title);
    else location.reload();
  });
}

async function showDraft(form, told) {
  const path = placeAfter(form, told);
  let page;
  try {
    const answer = await fetch(path, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return location.assign(path);
  }
  asked = { path: here(), title: document.title, nodes: [...document.getElementById("main").childNodes] };
  history.pushState(null, "", path);
  put([...page.getElementById("main").childNodes], page.title);
}

// Back to the form with what was typed, if it is still open.
export function askAgain() {
  if (!asked) return false;
  history.pushState(null, "", asked.path);
  put(asked.nodes, asked.title);
  document.getElementById("purpose").focus();
  return true;
}

function put(nodes, title) {
  const main = document.getElementById("main");
  main.replaceChildren(...nodes);
  document.title = title;
  shown = here();
  scrollTo({ top: 0, behavior: "instant" });
  main.focus({ preventScroll: true });
  numberLines(main);
  prepareForms(main);
  window.htmx?.process(main);
  followSections();
  tellMoments(main);
}

// Accepting as the next revision of something takes its project, its entity tag, and its name unless another was typed.
function followPlace(form) {
  const replaced = form.elements.resource;
  if (!replaced) return;
  const chosen = replaced.matches(":disabled") ? undefined : replaced.selectedOptions[0];
  form.querySelector('input[type="hidden"][name="project"]').value = chosen?.dataset.project ?? "";
  if (chosen) form.dataset.etag = chosen.dataset.tag;
  else delete form.dataset.etag;
}

function place(control) {
  const { form } = control;
  followPlace(form);
  const name = form.querySelector("#accept-name");
  if (!name || !["as", "resource"].includes(control.name)) return;
  name.value = form.dataset.etag ? form.elements.resource.selectedOptions[0].textContent : name.defaultValue;
}
