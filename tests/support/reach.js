// What of a page cannot be reached at the width it has now: controls beyond an edge that nobody can scroll to, and
// whether the page itself scrolls sideways.
() => {
  const SLACK = 1.5;
  const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const named = (one) => {
    const words = (one.ariaLabel || one.innerText || one.name || one.id || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${one.tagName.toLowerCase()} "${words}"`;
  };
  const seen = (one) =>
    one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !one.closest(".unseen, .skip, dialog:not([open])");
  const found = [];
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  if (wide > 0) {
    const by = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > innerWidth + SLACK).at(-1);
    found.push(`the page is ${wide} px too wide${by ? `, by ${by.tagName.toLowerCase()}.${by.className} "${by.textContent.trim().slice(0, 30)}"` : ""}`);
  }
  for (const one of document.querySelectorAll(controls)) {
    if (!seen(one)) continue;
    let box = one.getBoundingClientRect();
    if (box.width < 1 || box.height < 1) continue;
    let { left, right } = box;
    let lost = "";
    for (let around = one.parentElement; around && around !== document.documentElement; around = around.parentElement) {
      const { overflowX, position } = getComputedStyle(around);
      if (overflowX === "visible") continue;
      const edge = around.getBoundingClientRect();
      if (overflowX === "auto" || overflowX === "scroll") {
        // It can be scrolled into view: what stands around must show the scroller, not the control.
        if (around.scrollWidth > around.clientWidth + SLACK && around.tabIndex < 0 && !around.matches(".rail > div, .tabs, .sheet")) lost = `in a region that scrolls and takes no focus: .${around.className}`;
        ({ left, right } = edge);
      } else if (left < edge.left - SLACK || right > edge.right + SLACK) lost = `cut off by ${around.tagName.toLowerCase()}.${around.className}`;
      if (position === "fixed") break;
    }
    if (left < -SLACK || right > innerWidth + SLACK) lost = lost || `at ${Math.round(left)} to ${Math.round(right)}`;
    const words = one.innerText?.trim().split(/\s+/) ?? [];
    // A control that is squeezed shows a word of usual length letter under letter.
    if (words.every((word) => word.length < 15) && words.length && !one.matches("select, textarea, :has(*:not(.unseen))")) {
      const text = document.createRange();
      text.selectNodeContents(one);
      const lines = new Set([...text.getClientRects()].map((line) => Math.round(line.top))).size;
      if (lines > words.length) lost = lost || `broken into ${lines} lines`;
    }
    if (lost) found.push(`${named(one)} ${lost}`);
  }
  return found.slice(0, 6);
}
