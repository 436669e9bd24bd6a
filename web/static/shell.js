// The shell: fonts, toasts, dialogs, menus, copying, moments in words, and the keyboard.

export const SAID = {
  saved: "Saved.",
  made: "Created.",
  "copy-asked": "Your copy is being made.",
  accepted: "The draft is now part of the project.",
  discarded: "The draft was discarded.",
  archived: "Archived.",
  gone: "Deleted for good.",
  unarchived: "No longer archived.",
  invited: "The invitation is on its way.",
  resent: "The invitation is on its way again.",
  revoked: "Revoked.",
  removed: "Removed.",
  role: "The role was changed.",
  left: "You have left the organisation.",
  deleted: "The organisation is closed. It can be restored until the time shown.",
  restored: "The organisation was restored. If it had a subscription, it must be bought again.",
  "account-deleted": "The account is closed. It can be restored until the time shown.",
  "account-restored": "The account was restored. Organisations that went along are back too, but for their subscriptions.",
  asked: "Up to date with Stripe.",
  "export-asked": "The export is being prepared.",
  "export-started": "The export is started. Whoever it belongs to gets a mail when it is ready.",
  joined: "Welcome to the organisation.",
  cancelled: "The job is being cancelled.",
  retried: "The job will run again.",
  matching: "Done. What is left stands below.",
  issued: "The key was created.",
  proposed: "The hold was added. Another operator must approve it.",
  approved: "The hold counts from now on.",
  released: "The hold is over.",
  password: "The password was changed. Other browsers were signed out.",
  "password-set": "The password was set. Sign in with it.",
  address: "The address is confirmed.",
  "address-asked": "A link is on its way to the new address.",
  "request-made": "It is in the register.",
  "request-withdrawn": "It was taken back.",
  "ticket-answered": "It is answered. The mail is on its way.",
  "ticket-closed": "It is closed.",
  "attested": "It is on the page of the promises now.",
  "attestation-withdrawn": "It is taken back.",
  "request-answered": "It is answered. The mail is on its way.",
  "request-extended": "It is extended. The mail is on its way.",
  "signed-out": "You are signed out.",
  "signed-out-everywhere": "You are signed out everywhere.",
  "session-ended": "That browser is signed out.",
  "others-ended": "All other browsers are signed out.",
  "factor-off": "The second factor is off.",
  factor: "Saved. It counts from the members’ next click on.",
  welcome: "Welcome to Pigi.",
};

export function furnish() {
  later(fetchFonts);
  sayFromAddress();
  // On a narrow screen the navigation is a row that scrolls.
  const here = document.querySelector(".rail [aria-current]");
  if (here) here.closest("div").scrollLeft = here.offsetLeft - 24;
  tellMoments(document);
  openScrollers();
  setInterval(() => tellMoments(document), 30_000);
  document.addEventListener("htmx:after:swap", () => (tellMoments(document), openScrollers()));
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
}

// A table wider than its place scrolls there: then the keyboard gets at it, and a name says what scrolls.
const scrollers = new ResizeObserver((entries) => entries.forEach(({ target }) => {
  if (target.scrollWidth <= target.clientWidth) return target.removeAttribute("tabindex");
  const within = target.closest("[aria-labelledby], [aria-label]");
  target.tabIndex = 0;
  if (within !== target) target.role = "region";
  if (within !== target) target.ariaLabel = within?.ariaLabel ?? document.getElementById(within?.getAttribute("aria-labelledby"))?.textContent ?? document.title;
}));
const openScrollers = () => document.querySelectorAll(".scroll, .card.flush").forEach((one) => scrollers.observe(one));

const later = (act) => (document.readyState === "complete" ? setTimeout(act) : addEventListener("load", () => setTimeout(act)));

// After everything else, so that a font host that is away costs nothing but the font. No referrer, no credentials (P24).
function fetchFonts() {
  if (document.documentElement.dataset.fonts !== "bunny") return;
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", crossOrigin: "anonymous", referrerPolicy: "no-referrer" });
  link.href = "https://fonts.bunny.net/css?family=instrument-sans:400,500,600&display=swap";
  document.head.append(link);
}

export function say(words) {
  const toast = document.getElementById("toast");
  toast.textContent = words ?? "";
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (toast.textContent = ""), 7000);
}

// What to say after a page change travels in the fragment, which no server and no storage sees; it names a sentence.
function sayFromAddress() {
  const said = /^#said=([\w-]+)$/.exec(location.hash)?.[1];
  if (!said) return;
  history.replaceState(null, "", location.pathname + location.search);
  setTimeout(() => say(Object.hasOwn(SAID, said) ? SAID[said] : ""), 150);
}

// A question before an act that is hard to take back. Resolves to whether it was answered with yes.
// A part of the form that asks is shown in the dialog meanwhile: what else is to be decided.
export function ask({ confirm, confirmTitle = "Are you sure?", confirmButton = "Go on" }, part) {
  const dialog = document.getElementById("ask");
  dialog.querySelector("h2").textContent = confirmTitle;
  dialog.querySelector("p").textContent = confirm;
  dialog.querySelector("[value=yes]").textContent = confirmButton;
  dialog.returnValue = "";
  const home = part?.parentElement;
  if (part) {
    dialog.querySelector("p").after(part);
    part.hidden = false;
  }
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    if (part) {
      part.hidden = true;
      home.append(part);
    }
    done(dialog.returnValue === "yes");
  }, { once: true }));
}

function onClick(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  const peek = event.target.closest("[data-peek]");
  if (peek) {
    const control = document.getElementById(peek.dataset.peek);
    const hidden = control.type === "password";
    control.type = hidden ? "text" : "password";
    peek.textContent = hidden ? "Hide" : "Show";
    peek.ariaPressed = String(hidden);
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    say("Copied.");
  } catch {
    getSelection().selectAllChildren(source);
    say("Selected: copy it with your keyboard.");
  }
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
// A deadline is read by people in several time zones.
const zoned = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

export function tellMoments(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([data-day])")) {
    const at = new Date(time.dateTime);
    const seconds = (at - Date.now()) / 1000;
    // What is to come is rounded: a period of 7 days would begin as one of 6, and an hour as one of 59 minutes.
    const reach = seconds > 0 ? Math.round(seconds / 60) * 60 : -seconds;
    const [unit, size] = UNITS.find(([, length]) => reach >= length) ?? [];
    time.title = zoned.format(at);
    const whole = seconds > 0 ? Math.round(seconds / size) : Math.trunc(seconds / size);
    const words = Math.abs(seconds) > 30 * 86400 ? undefined : unit ? relative.format(whole, unit) : seconds > 0 ? "in a moment" : "just now";
    const shown = time.dataset.exact === undefined ? words : (time.dataset.exact === "zoned" ? zoned : exact).format(at);
    if (shown && time.textContent !== shown) time.textContent = shown;
  }
}

// g then a letter goes to a place of the navigation, c creates, / searches; never while somebody types.
let leader = 0;
function onKey(event) {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  const typing = event.target.matches?.("input, select, textarea, [contenteditable]") || document.querySelector("dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !document.getElementById("keys-on")?.checked) return;
  if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "g") leader = Date.now();
  else {
    const goes = Date.now() - leader < 1500 ? `g ${event.key}` : event.key;
    leader = 0;
    document.querySelector(`[data-key="${CSS.escape(goes)}"]`)?.click();
  }
}
