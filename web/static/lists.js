// A textarea of data-type lines is a list, one entry a line. People paste lists as the files that they come from write
// them: `a, b`, `[a, b]`, `- a` below each other, JSON strings. data-list-of="names" says that entries hold no commas but
// within brackets or quotes, so that all of these can be told apart. What was in the list already is never taken apart.

// A break of a line within an entry.
const WITHIN_LINE = "↵";
export const asLines = (entries) => entries.map((entry) => entry.replaceAll("\n", WITHIN_LINE)).join("\n");

export function entriesOf(control) {
  const before = control.shown ?? control.defaultValue;
  // What was there already stays as it is: an argument may be empty, or begin with a space.
  const kept = new Set(before === "" ? [] : before.split("\n"));
  const lines = control.value.split("\n").map((line) => (kept.has(line) ? line : line.trim())).filter((line) => line || kept.has(line));
  const strings = control.value !== before && stringsIn(lines.join("\n"));
  if (strings) return strings;
  const names = control.dataset.listOf === "names";
  return lines.flatMap((line) => (names && !kept.has(line) ? namesIn(line) : line)).map((entry) => entry.replaceAll(WITHIN_LINE, "\n"));
}

// A list that was pasted becomes one entry a line as soon as it is left: what will be sent can be seen.
export function followLists() {
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.type === "lines") target.value = asLines(entriesOf(target));
  });
}

function stringsIn(text) {
  if (!/^\[?\s*"/.test(text)) return undefined;
  try {
    const found = JSON.parse(text.startsWith("[") ? text.replace(/,$/, "") : `[${text.replace(/,$/, "")}]`);
    return Array.isArray(found) && found.every((one) => typeof one === "string") ? found.map((one) => one.trim()).filter(Boolean) : undefined;
  } catch {
    return undefined;
  }
}

const OPENS = "([{";
const CLOSES = ")]}";

function namesIn(line) {
  const bare = line.replace(/^-\s+/, "").replace(/^[\w-]+:(\s+|$)/, "").replace(/,$/, "");
  const [, listed] = /^\[(.*)\]$/.exec(bare) ?? [];
  const text = listed ?? bare;
  const parts = [""];
  let [depth, quote] = [0, ""];
  for (const sign of text) {
    if (quote) quote = sign === quote ? "" : quote;
    else if (sign === '"' || (sign === "'" && parts.at(-1).trim() === "")) quote = sign;
    else if (OPENS.includes(sign)) depth += 1;
    else if (CLOSES.includes(sign)) depth = Math.max(0, depth - 1);
    if (sign === "," && depth === 0 && !quote) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts.map((part) => part.trim().replace(/^(["'])(.*)\1$/, "$2")).filter((part) => part && !/^[[\]]$/.test(part));
}
