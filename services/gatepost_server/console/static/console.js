// Keys, and nothing that a page needs to work: everything can be reached by Tab and Enter.
"use strict";

(() => {
  const on = () => document.body.hasAttribute("data-shortcuts");
  let leading = 0; // until when a letter after g leads somewhere

  const typing = (target) =>
    target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));

  const rows = () => Array.from(document.querySelectorAll("[data-row] a[data-open]"));

  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const here = all.findIndex((each) => each.closest("[data-row]").contains(document.activeElement));
    all[Math.min(all.length - 1, Math.max(0, here < 0 ? 0 : here + by))].focus();
  };

  const press = (key) => {
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!found || found.disabled) return false;
    if (found.matches("[data-focus], textarea, input:not([type=checkbox]), select")) {
      found.focus(); // Enter does it: a slip of the finger decides nothing
      found.scrollIntoView({ block: "nearest" });
    } else found.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && typing(event.target)) return event.target.blur();
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const now = Date.now();
    if (now < leading) {
      leading = 0;
      const place = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) { event.preventDefault(); place.click(); }
      return;
    }
    if (event.key === "g") leading = now + 1500;
    else if (event.key === "?") document.getElementById("shortcuts")?.showModal();
    else if (event.key === "j" && rows().length) step(1);
    else if (event.key === "k" && rows().length) step(-1);
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  // A form that says so is sent as soon as something in it changes.
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form[data-eager]");
    if (form) form.requestSubmit();
  });
})();
