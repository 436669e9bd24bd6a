// Jobs as they happen. The server's events (web/http/streams.py) ring; htmx fetches what they changed, in the page's own
// words. Only the text of a draft is drawn here, since it grows too fast to be fetched.
const REDRAW_MS = 120;
const ANNOUNCE_MS = 6000;

export function followJobs() {
  const followers = [...document.querySelectorAll("[data-job-events]")].map((section) => new Follower(section));
  const seen = () => followers.forEach((one) => (document.hidden ? one.close() : one.open()));
  // A browser opens few connections to one host: a tab that nobody looks at gives its own back.
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", () => followers.forEach((one) => one.close()));
  addEventListener("pageshow", seen);
  seen();
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

class Follower {
  constructor(section) {
    this.section = section;
    this.status = section.querySelector("[data-live-status]");
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

  // A stream that starts anew tells everything anew.
  start() {
    Object.assign(this, { written: "", turn: 0, position: 0 });
  }

  end(job) {
    this.ended = true;
    this.close();
    // Of a cancelled generation nothing is kept, its page neither.
    const { gone } = this.section.dataset;
    if (gone && job.state === "cancelled") return location.replace(gone);
    this.tell("Done.");
    this.section.classList.add("ended");
    this.refresh();
    if (this.text && !this.written) this.section.remove();
    else if (this.text && job.state === "succeeded") document.addEventListener("htmx:after:swap", () => this.give(), { once: true });
  }

  // The draft itself, read and checked, takes the place of its raw text.
  give() {
    if (!document.querySelector("#draft .pairs")) return document.addEventListener("htmx:after:swap", () => this.give(), { once: true });
    this.section.remove();
    if (scrollY > 0) scrollTo({ top: 0 });
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
      for (const part of document.querySelectorAll("[data-follows]")) htmx.trigger(part, "pigi:moved");
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
  const atEnd = innerHeight + scrollY >= document.body.scrollHeight - 80;
  const names = Object.keys(draft);
  for (const [index, name] of names.entries()) {
    const part = place.children[index] ?? place.appendChild(blank());
    const [title, text] = part.children;
    const value = wording(draft[name]);
    if (title.textContent !== label(name)) title.textContent = label(name);
    if (text.textContent !== value) text.textContent = value;
  }
  while (place.children.length > names.length) place.lastElementChild.remove();
  if (atEnd) scrollTo({ top: document.body.scrollHeight });
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
