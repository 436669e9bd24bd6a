// The command palette: the places of the navigation, and what search finds by name. What it offers, pages offer too.
import { goTo } from "./places.js";

const PAUSE = 150;

export function followPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const told = dialog.querySelector("[role=status]");
  let asked, waiting, chosen = 0;

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    field.value = "";
    show(placesFor(""));
    dialog.showModal();
  };

  function show(entries) {
    list.replaceChildren(...entries.map(entryOf));
    choose(0);
  }

  function choose(index) {
    const entries = [...list.children];
    chosen = entries.length ? (index + entries.length) % entries.length : 0;
    entries.forEach((entry, at) => entry.setAttribute("aria-selected", String(at === chosen)));
    field.setAttribute("aria-activedescendant", entries[chosen]?.id ?? "");
    entries[chosen]?.scrollIntoView({ block: "nearest" });
  }

  async function look() {
    const text = field.value.trim();
    const places = placesFor(text);
    asked?.abort();
    asked = new AbortController();
    if (!text || !dialog.dataset.search) return show(places);
    try {
      const answer = await fetch(`${dialog.dataset.search}?limit=12&q=${encodeURIComponent(text)}`, { signal: asked.signal });
      const found = answer.ok ? (await answer.json()).found : [];
      show([...found.map((one) => ({ name: one.name, where: wordsOf(one), path: one.links.page })), ...places]);
      told.textContent = list.children.length ? `${list.children.length} found` : "Nothing has this name";
    } catch (error) {
      if (error.name !== "AbortError") show(places);
    }
  }

  field.addEventListener("input", () => {
    show(placesFor(field.value.trim()));
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE);
  });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(chosen + step);
    else if (event.key === "Enter" && !event.isComposing) go(list.children[chosen]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => go(event.target.closest("[data-path]")));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => asked?.abort());
  document.addEventListener("keydown", (event) => {
    if (opens(event)) {
      event.preventDefault();
      open();
    }
  });

  function go(entry) {
    if (entry) goTo(entry.dataset.path);
    else if (dialog.dataset.page && field.value.trim()) goTo(`${dialog.dataset.page}?q=${encodeURIComponent(field.value.trim())}`);
  }
}

// A single key only where nobody types and shortcuts are on; with Ctrl or Cmd anywhere.
function opens(event) {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") return true;
  const typing = event.target.matches?.("input, select, textarea, [contenteditable]");
  return event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && document.getElementById("keys-on")?.checked;
}

// Links that are on the page anyway: the navigation, the organisations, the account.
function placesFor(text) {
  const wanted = text.toLowerCase();
  const seen = new Set();
  return [...document.querySelectorAll(".rail a, .bar .sheet a")]
    .map((link) => ({ name: link.textContent.trim(), where: link.closest(".rail") ? "Page" : "Menu", path: link.getAttribute("href") }))
    .filter((place) => place.name.toLowerCase().includes(wanted) && !seen.has(place.path) && seen.add(place.path));
}

function entryOf({ name, where, path }, at) {
  const entry = document.createElement("li");
  entry.id = `palette-${at}`;
  entry.setAttribute("role", "option");
  entry.dataset.path = path;
  const soft = Object.assign(document.createElement("span"), { className: "soft small", textContent: where });
  entry.append(Object.assign(document.createElement("span"), { textContent: name }), soft);
  return entry;
}

const KINDS = { project: "Project", agent: "Agent", "mcp-server": "MCP server", document: "Document", settings: "Settings" };

function wordsOf(one) {
  const archived = one.state === "archived" || one.project.state === "archived" ? ", archived" : "";
  return `${KINDS[one.kind]}${one.kind === "project" ? "" : ` in ${one.project.name}`}${archived}`;
}
