// <textarea data-numbered> gets line numbers. The textarea stays what people type in, what a form reads and what a screen
// reader reads. Behind it lies a copy of its lines in the same place, width and font, so that they wrap alike.
export function numberLines(root = document) {
  for (const area of root.querySelectorAll("textarea[data-numbered]")) if (!area.numbers) area.numbers = new Numbers(area);
}

// Selects a line, counted from 1, and brings it into view.
export function goToLine(area, line) {
  const lines = area.value.split("\n");
  const at = Math.min(Math.max(line, 1), lines.length);
  const start = lines.slice(0, at - 1).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + lines[at - 1].length);
  area.numbers?.show(at);
}

class Numbers {
  constructor(area) {
    this.area = area;
    this.lines = [];
    this.sheet = document.createElement("div");
    const gutter = Object.assign(document.createElement("div"), { className: "gutter", ariaHidden: "true" });
    const frame = Object.assign(document.createElement("div"), { className: "numbered" });
    gutter.append(this.sheet);
    area.replaceWith(frame);
    frame.append(gutter, area);
    area.addEventListener("input", () => this.follow());
    area.addEventListener("scroll", () => this.scroll());
    new ResizeObserver(() => this.fit()).observe(area);
    this.follow();
  }

  // Only lines that changed are laid out anew: a text may have thousands.
  follow() {
    const lines = this.area.value.split("\n");
    const before = this.lines;
    const most = Math.min(lines.length, before.length);
    let first = 0;
    while (first < most && lines[first] === before[first]) first += 1;
    let last = 0;
    while (last < most - first && lines[lines.length - 1 - last] === before[before.length - 1 - last]) last += 1;
    const places = [...this.sheet.children].slice(first, before.length - last);
    const after = this.sheet.children[before.length - last] ?? null;
    places.forEach((place) => place.remove());
    const fresh = document.createDocumentFragment();
    for (const line of lines.slice(first, lines.length - last)) {
      const place = document.createElement("div");
      place.textContent = line;
      fresh.append(place);
    }
    this.sheet.insertBefore(fresh, after);
    this.lines = lines;
    this.fit();
  }

  fit() {
    this.sheet.style.width = `${this.area.clientWidth}px`;
    this.scroll();
  }

  scroll() {
    this.sheet.style.transform = `translateY(${-this.area.scrollTop}px)`;
  }

  show(line) {
    const place = this.sheet.children[line - 1];
    if (place) this.area.scrollTop = Math.max(0, place.offsetTop - this.area.clientHeight / 3);
  }

  mark(line) {
    this.sheet.children[line - 1]?.classList.add("flawed");
  }

  unmark() {
    this.sheet.querySelectorAll(".flawed").forEach((place) => place.classList.remove("flawed"));
  }
}
