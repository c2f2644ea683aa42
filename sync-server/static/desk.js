// The keys of the desk, the tools of its pictures, and values that are shown for five seconds. Everything works without
// it: by links, forms and pages.
(() => {
  "use strict";
  const SHOWN_MS = 5000;
  const all = (css, root = document) => [...root.querySelectorAll(css)];
  const one = (css, root = document) => root.querySelector(css);

  // Keys.
  const rows = all("[data-row]");
  let at = -1;
  const move = (by) => {
    if (rows.length === 0) return;
    at = Math.min(Math.max(at + by, 0), rows.length - 1);
    rows.forEach((row, n) => row.toggleAttribute("data-here", n === at));
    one("a", rows[at]).focus();
  };
  const press = (key) => {
    const control = one(`[data-key="${key}"]`);
    if (control) control.click();
    return control !== null;
  };
  const help = () => {
    const keys = one("#keys");
    if (!keys) return;
    keys.open = !keys.open;
    keys.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const search = one(".find input");
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    else if (event.key === "/" && search) search.focus();
    else if (event.key === "?") help();
    else if (!["a", "r", "n"].includes(event.key) || event.repeat || !press(event.key)) return;
    event.preventDefault();
  });

  // The notice counts what is chosen; its button opens it.
  const button = one("[data-return]");
  const flaws = all("[data-flaw]");
  if (button) {
    const words = button.firstChild.textContent;
    const count = () => {
      const n = flaws.filter((flaw) => flaw.value !== "").length;
      button.firstChild.textContent = n === 0 ? words : button.dataset.words.replace("{n}", n) + " ";
      button.classList.toggle("pri", n > 0);
    };
    flaws.forEach((flaw) => flaw.addEventListener("change", count));
    count();
    button.addEventListener("click", (event) => {
      const box = one("#box-return");
      event.preventDefault();
      box.open = true;
      box.scrollIntoView({ block: "center" });
      one("textarea", box).focus({ preventScroll: true });
    });
  }

  // A form that is on its way is not sent twice.
  all("form.deed").forEach((form) =>
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "1";
    }),
  );
  window.addEventListener("pageshow", () => all("form.deed").forEach((form) => delete form.dataset.sent));

  // Pictures.
  const viewer = one("[data-viewer]");
  const tools = viewer && one("[data-tools]", viewer);
  const scans = viewer ? all(".scan", viewer) : [];
  if (tools && scans.some((scan) => one("img", scan))) {
    let zoom = 0;
    let turned = 0;
    const draw = () => {
      scans.forEach((scan) => {
        scan.dataset.zoom = zoom;
        scan.dataset.turned = turned;
      });
    };
    tools.hidden = false;
    one("[data-turn]", tools).addEventListener("click", () => { turned = (turned + 1) % 4; draw(); });
    one("[data-larger]", tools).addEventListener("click", () => { zoom = Math.min(zoom + 1, 3); draw(); });
    one("[data-smaller]", tools).addEventListener("click", () => { zoom = Math.max(zoom - 1, 0); draw(); });
  }
  all(".scan img").forEach((image) => image.addEventListener("error", () => { image.hidden = true; }));

  // Values in full, for a moment.
  all("form[data-reveal]").forEach((form) => {
    const shown = form.parentElement.querySelector(".said");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const control = one("button", form);
      if (control.disabled) return;
      control.disabled = true;
      const masked = shown.textContent;
      try {
        const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const value = one("[data-revealed]", page);
        if (!answer.ok || !value) throw new Error("not shown");
        shown.textContent = value.textContent;
        setTimeout(() => { shown.textContent = masked; control.disabled = false; }, SHOWN_MS);
      } catch {
        // As without a script: the page says what is wrong.
        control.disabled = false;
        form.submit();
      }
    });
  });
})();
