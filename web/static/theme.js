// Runs before the first paint, so that a dark page never flashes light. The one thing kept in storage (P05).
"use strict";
(() => {
  const KEY = "pigi_theme";
  const ORDER = ["system", "light", "dark"];
  const root = document.documentElement;

  const chosen = () => {
    try {
      const kept = localStorage.getItem(KEY);
      return ORDER.includes(kept) ? kept : "system";
    } catch {
      return "system";
    }
  };

  const apply = (theme) => {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-button]")) {
      const next = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
      button.setAttribute("aria-label", `Theme: ${theme}. Change to ${next}`);
      button.title = `Theme: ${theme}`;
      for (const icon of button.querySelectorAll("[data-for]")) icon.toggleAttribute("hidden", icon.dataset.for !== theme);
    }
  };

  const choose = (theme) => {
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // A browser that refuses storage forgets the theme with the page; that is all.
    }
    apply(theme);
  };

  root.classList.add("scripted");
  apply(chosen());
  addEventListener("DOMContentLoaded", () => apply(chosen()));
  addEventListener("storage", (event) => event.key === KEY && apply(chosen()));
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-button]")) return;
    choose(ORDER[(ORDER.indexOf(root.dataset.theme ?? "system") + 1) % ORDER.length]);
  });
})();
