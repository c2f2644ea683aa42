// The window: signatures are drawn into the form, a file that is too large is told before it is sent, a number is copied.
// Everything else works without it.
(() => {
  "use strict";
  const MOST_BYTES = 12 * 1024 * 1024;
  // Of one call; a body may have a little more than its files.
  const MOST_TOGETHER = 30 * 1024 * 1024;
  const MOST_FILES = 10;
  const WIDTH = 400;
  const HEIGHT = 240;
  const MOST_POINTS = 1500;

  // Signatures. The picture is a view of the hidden field beside it; the form is drawn anew by the centre.
  let stroke = null;
  const field = (svg) => svg.previousElementSibling;
  const place = (svg, event) => {
    const box = svg.getBoundingClientRect();
    const at = (value, from, size, most) => Math.round(Math.min(Math.max((value - from) / size, 0), 1) * most);
    return [at(event.clientX, box.left, box.width, WIDTH), at(event.clientY, box.top, box.height, HEIGHT)];
  };
  const drawn = (svg) => {
    try {
      const value = JSON.parse(field(svg).value);
      return Array.isArray(value.strokes) ? value.strokes : [];
    } catch {
      return [];
    }
  };
  document.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest("[data-sign]");
    if (!svg || stroke !== null) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    svg.append(line);
    stroke = { svg, line, began: event.timeStamp, points: [[...place(svg, event), 0]] };
  });
  document.addEventListener("pointermove", (event) => {
    if (stroke === null || stroke.points.length >= MOST_POINTS) return;
    const after = Math.round(event.timeStamp - stroke.began);
    stroke.points.push([...place(stroke.svg, event), after]);
    stroke.line.setAttribute("points", stroke.points.map(([x, y]) => `${x},${y}`).join(" "));
  });
  const finish = () => {
    if (stroke === null) return;
    const { svg, points } = stroke;
    stroke = null;
    const strokes = [...drawn(svg), points];
    const input = field(svg);
    input.value = JSON.stringify({ strokes, width: WIDTH, height: HEIGHT });
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("pointerup", finish);
  document.addEventListener("pointercancel", finish);

  // A file that no form takes is not sent, nor more of them than one call takes.
  const note = document.querySelector("#file-too-large");
  document.addEventListener("change", (event) => {
    const files = event.target.type === "file" ? [...event.target.files] : [];
    const together = [...document.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
    const bytes = together.reduce((sum, file) => sum + file.size, 0);
    const large = files.some((file) => file.size > MOST_BYTES)
      || (files.length > 0 && (together.length > MOST_FILES || bytes > MOST_TOGETHER));
    if (note && event.target.type === "file") note.hidden = !large;
    if (!large) return;
    event.stopImmediatePropagation();
    event.target.value = "";
    if (note) note.scrollIntoView({ block: "center" });
  }, true);

  // What was sent is not sent again: whatever became of it is told.
  document.addEventListener("htmx:after:swap", () => {
    // The answer had no form: whoever was signed out signs in, and goes on with what was kept.
    if (note && !document.querySelector("#form-drawing")) location.assign(location.pathname);
    for (const input of document.querySelectorAll("input[type=file]")) input.value = "";
  });

  // Copying.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).dataset.copied);
      button.textContent = button.dataset.done;
    });
  }
})();
