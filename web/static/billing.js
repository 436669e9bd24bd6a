// To Stripe and back. <form data-api data-goes> asks for a job, and goes where it leads once it has ended: to the page
// at Stripe's that it has opened or, with data-goes=/a/path of ours, there. data-at-once sends it without a click.
import { complain, instead, pause } from "./forms.js";
import { ownOr } from "./places.js";

const LOOK_MS = 1000;
const GIVE_UP_MS = 60_000;
const SLOW_MS = 6000;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);
// Codes of failures that pass. Their advice says that it is tried again, which is over once the job has failed.
const PASSING = new Set(["billing_busy", "billing_unreachable", "billing_failed"]);
const LOST = { title: "The response was lost on the way.", detail: "Reload the page and try again." };

export function followBilling() {
  instead("goes", go);
  document.addEventListener("submit", (event) => event.target.dataset.goes !== undefined && watch(event.target));
  const form = document.querySelector("form[data-at-once]");
  form?.requestSubmit(form.querySelector("button"));
}

let slow = 0;
function watch(form) {
  clearTimeout(slow);
  slow = setTimeout(appease, SLOW_MS, form);
}

function appease(form) {
  const status = form.querySelector("[data-status]");
  if (form.ariaBusy === "true" && status) status.textContent = "Stripe is slow to respond. Pigi keeps trying; there is no need to press again.";
}

async function go(form, asked) {
  let job = asked;
  try {
    job = await ended(asked);
    if (job.state !== "succeeded") return complain(form, new Map(), why(job, form));
    // Only what was asked about is fetched: nobody is to lose what they began to do on the page meanwhile.
    const part = document.getElementById(form.dataset.refreshes);
    if (part) return part.dispatchEvent(new CustomEvent("pigi:moved"));
    if (form.dataset.goes) arrive(form.dataset.goes, form.dataset.said);
    else location.assign(outside((await read(job.links.result)).url));
  } catch (problem) {
    return complain(form, new Map(), problem.detail ? problem : { ...LOST, way: job.id && wayTo(job) });
  }
  // The button stays busy until the browser has left.
  await new Promise((done) => addEventListener("pagehide", done, { once: true }));
}

function arrive(place, said) {
  const fragment = said ? `#said=${said}` : "";
  if (place !== location.pathname) return location.replace(ownOr(place + fragment, "/dashboard"));
  // An address that differs in its fragment alone is not loaded again.
  history.replaceState(null, "", place + fragment);
  location.reload();
}

async function ended(asked) {
  const until = Date.now() + GIVE_UP_MS;
  let job = asked;
  while (!ENDED.has(job.state) && Date.now() < until) {
    await pause(LOOK_MS);
    job = await read(job.links.self);
  }
  return job;
}

// Throws the problem document of a refusal.
async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json, application/problem+json" }, credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw await answer.json();
  return answer.json();
}

function outside(text) {
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(url.protocol);
  return url.href;
}

const wayTo = (job) => ["See the job", `/o/${job.organisation_id}/jobs/${job.id}`];

function why(job, form) {
  const words = job.explanation ?? { title: "Stripe has not responded yet.", advice: "Look at the job, or try again later." };
  const passing = PASSING.has(job.reason) && !form.dataset.goes ? "Nothing was bought or changed. Press the button again in a few minutes." : words.advice;
  const detail = ENDED.has(job.state) ? passing : "Pigi keeps trying. Look at the job, or come back later.";
  return { title: words.title, detail, way: wayTo(job) };
}
