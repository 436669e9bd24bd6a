// Jobs as they happen. The server's events (web/http/streams.py) ring; htmx fetches what they changed, in the page's own
// words. Only the text of a draft is drawn here, since it grows too fast to be fetched.
import { askAgain } from "./drafts.js";
import { ownOr } from "./places.js";
import { say } from "./shell.js";

const HTMX = new URL("./vendor/htmx-4.0.1.min.js", import.meta.url);
const REDRAW_MS = 120;
const ANNOUNCE_MS = 6000;
const ENDS = { succeeded: "Ready", failed: "Failed", cancelled: "Stopped" };

let followers = [];
const seen = () => followers.forEach((one) => (document.hidden ? one.close() : one.open()));

// Follows what is on the page now, and leaves what was.
export function followSections() {
  followers.filter((one) => !one.section.isConnected).forEach((one) => one.leave());
  const known = new Map(followers.map((one) => [one.section, one]));
  followers = [...document.querySelectorAll("[data-job-events]")].map((section) => known.get(section) ?? new Follower(section));
  seen();
  fetchHtmx();
}

export function followJobs() {
  followSections();
  // A browser opens few connections to one host: a tab that nobody looks at gives its own back.
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", () => followers.forEach((one) => one.close()));
  addEventListener("pageshow", seen);
  document.addEventListener("htmx:before:request", (event) => {
    if (document.hidden && event.detail.ctx?.sourceElement?.matches("[data-polls]")) event.preventDefault();
  });
  // What is shown stays when a refusal comes back in its place. A redirect leads to sign-in: the session is over.
  document.addEventListener("htmx:before:swap", (event) => {
    const answer = event.detail.ctx?.response?.raw;
    if (answer?.ok && !answer.redirected) return;
    event.preventDefault();
    if (answer?.redirected) location.reload();
  });
}

// A third of all scripts by weight, and few pages have anything that it fetches; what comes to a page later may.
function fetchHtmx() {
  if (window.htmx || document.querySelector('script[src*="/htmx-"]') || !document.querySelector("[data-hx-get]")) return;
  const script = document.createElement("script");
  script.src = HTMX;
  document.head.append(script);
}

class Follower {
  constructor(section) {
    this.section = section;
    this.status = document.querySelector("[data-live-status]");
    this.line = document.querySelector("[data-live-line]");
    this.text = section.querySelector("[data-live-text]");
    this.hint = this.text?.firstElementChild;
    this.stalls = 0;
  }

  open() {
    if (this.source || this.ended) return;
    this.start();
    const source = (this.source = new EventSource(this.section.dataset.jobEvents));
    const on = (name, act) => source.addEventListener(name, (event) => {
      this.stalls = 0;
      act(JSON.parse(event.data));
    });
    on("move", (move) => {
      if (move.state === "running") this.begin(Date.parse(move.at));
      if (move.reason === "retried_by_hand") this.start();
      this.refresh();
    });
    on("progress", () => this.refresh());
    on("text", (piece) => this.take(piece));
    on("end", (job) => this.end(job));
    source.addEventListener("error", () => this.stumble());
  }

  close() {
    this.source?.close();
    this.source = undefined;
  }

  leave() {
    this.close();
    clearInterval(this.clock);
  }

  // From the first attempt on, so that people see that something happens also while nothing is written.
  begin(at) {
    this.since = Math.min(this.since ?? at, at);
    this.clock ??= setInterval(() => this.count(), 1000);
    this.count();
  }

  count() {
    if (!this.line) return;
    const seconds = Math.max(0, Math.round((Date.now() - this.since) / 1000));
    const time = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    const words = this.text ? Object.values(halfRead(this.written) ?? {}).map(wording).join(" ").split(/\s+/).filter(Boolean).length : 0;
    this.line.textContent = words ? `${time}, ${words.toLocaleString("en")} words so far` : time;
  }

  // A stream that starts anew tells everything anew.
  start() {
    Object.assign(this, { written: "", turn: 0, position: 0 });
  }

  end(job) {
    this.ended = true;
    this.leave();
    // Of a cancelled generation nothing is kept, its page neither; but the form may still be open that asked for it.
    const { gone } = this.section.dataset;
    if (gone && job.state === "cancelled") return askAgain() ? say("Stopped. What you typed is still here.") : location.replace(ownOr(gone, "/dashboard"));
    this.tell(`${ENDS[job.state] ?? "Ended"}.`);
    this.line?.remove();
    this.section.classList.add("ended");
    this.refresh();
    if (this.text && !this.written) this.section.remove();
    else if (this.text && job.state === "succeeded") document.addEventListener("htmx:after:swap", () => this.give(), { once: true });
  }

  // The draft itself, read and checked, takes the place of its raw text.
  give() {
    if (!document.querySelector("#draft .pairs")) return document.addEventListener("htmx:after:swap", () => this.give(), { once: true });
    // Whoever has read on stays where they are.
    const top = scrollY;
    this.section.remove();
    scrollTo({ top, behavior: "instant" });
  }

  // Streams close now and then by design; only silence after several tries is worth a word.
  stumble() {
    this.stalls += 1;
    if (this.source?.readyState === EventSource.CLOSED) {
      this.close();
      this.refresh();
      if (this.stalls < 5) setTimeout(() => !document.hidden && this.open(), 2000 * this.stalls);
    }
    if (this.stalls === 5) this.tell("Live updates stopped. The job goes on; reload the page to see it.");
  }

  refresh() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      for (const part of document.querySelectorAll("[data-follows]")) window.htmx?.trigger(part, "pigi:moved");
    }, 150);
  }

  take(piece) {
    if (!this.text || (piece.turn === this.turn && piece.position <= this.position)) return;
    this.hint?.remove();
    if (piece.turn !== this.turn) this.written = "";
    Object.assign(this, { turn: piece.turn, position: piece.position, written: this.written + piece.text });
    this.redraw ??= setTimeout(() => {
      this.redraw = undefined;
      draw(this.text, this.written);
    }, REDRAW_MS);
    if (Date.now() - (this.told ?? 0) > ANNOUNCE_MS) this.tell(`Writing: ${this.written.length.toLocaleString()} characters so far.`);
  }

  tell(words) {
    this.told = Date.now();
    if (this.status) this.status.textContent = words;
  }
}

// A draft is JSON. Half of it is shown as the fields that are there, the last one growing.
function draw(place, written) {
  const draft = halfRead(written);
  if (!draft) return;
  const names = Object.keys(draft);
  for (const [index, name] of names.entries()) {
    const part = place.children[index] ?? place.appendChild(blank());
    const [title, text] = part.children;
    const value = wording(draft[name]);
    if (title.textContent !== label(name)) title.textContent = label(name);
    if (text.textContent !== value) text.textContent = value;
  }
  while (place.children.length > names.length) place.lastElementChild.remove();
}

const label = (name) => (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ").replace("Mcp", "MCP");
const wording = (value) => {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value.join("\n") || "None";
  return JSON.stringify(value, null, 2);
};

function blank() {
  const part = document.createElement("div");
  part.className = "part";
  part.append(document.createElement("h3"), document.createElement("p"));
  return part;
}

// Closes what is open and drops what is half a word, until it can be read.
export function halfRead(text) {
  const open = [];
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (inString && sign === "\\") at += 1;
    else if (sign === '"') inString = !inString;
    else if (!inString && (sign === "{" || sign === "[")) open.push(sign === "{" ? "}" : "]");
    else if (!inString && (sign === "}" || sign === "]")) open.pop();
  }
  const tail = (inString ? '"' : "") + open.reverse().join("");
  const halves = [/$/, /\\(u[0-9a-f]{0,3})?$/i, /,\s*$/, /,?\s*"(?:[^"\\]|\\.)*"?\s*:?\s*$/, /:\s*[a-z0-9.+-]*$/i];
  for (const half of halves) {
    for (const close of [tail, tail.replace(/^"/, "")]) {
      try {
        const read = JSON.parse(text.replace(half, "") + close);
        if (read && typeof read === "object") return read;
      } catch {
        // Not yet.
      }
    }
  }
  return undefined;
}
