// Selecting on a map: a lasso or a rectangle is drawn with the pointer.
//
// Buttons with data-tool="move", "lasso" or "rectangle" say what dragging does, in the whole
// document; Shift with a drag is a lasso whatever they say. Escape gives up what is being drawn.
(() => {
  const LEAST = 8; // CSS pixels that a drag must cover; a shorter one is a click

  const NS = "http://www.w3.org/2000/svg";

  const rectangle = ([a, b]) => [a, [b[0], a[1]], b, [a[0], b[1]]];

  // The tool chosen by the buttons.
  const tool = () => document.querySelector('[data-tool][aria-pressed="true"]')?.dataset.tool || "move";

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (!button) return;
    for (const other of document.querySelectorAll("[data-tool]"))
      other.setAttribute("aria-pressed", other === button);
    document.querySelector(".plot")?.classList.toggle("is-selecting", button.dataset.tool !== "move");
  });

  window.bilderatlas = window.bilderatlas || {};

  // Calls done([[x, y], ...]) with the corners (CSS pixels within the plot) of what was drawn.
  window.bilderatlas.lasso = (plot, done) => {
    const drawing = document.createElementNS(NS, "svg");
    const shape = drawing.appendChild(document.createElementNS(NS, "polygon"));
    drawing.setAttribute("class", "map-lasso");
    drawing.setAttribute("aria-hidden", "true");
    plot.append(drawing);
    let path = null; // the corners so far
    let isRectangle = false;
    let isOver = false; // a shape was drawn just now: the click at its end means nothing

    const at = (event) => {
      const box = plot.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const corners = () => (isRectangle ? rectangle(path) : path);
    const show = () => shape.setAttribute("points", path ? corners().join(" ") : "");
    const span = (axis) => {
      const values = path.map((corner) => corner[axis]);
      return Math.max(...values) - Math.min(...values);
    };
    const end = (isKept) => {
      const drawn = path && isKept && span(0) + span(1) > LEAST ? corners() : null;
      path = null;
      show();
      if (drawn) done(drawn);
    };
    const only = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const listen = (name, hear) => plot.addEventListener(name, hear, { capture: true });

    listen("pointerdown", (event) => {
      isOver = false;
      if (event.button !== 0 || path || !(event.shiftKey || tool() !== "move")) return;
      only(event);
      plot.setPointerCapture(event.pointerId);
      isRectangle = !event.shiftKey && tool() === "rectangle";
      path = [at(event), at(event)];
    });
    listen("pointermove", (event) => {
      if (!path) return;
      only(event);
      if (isRectangle) path[1] = at(event);
      else path.push(at(event));
      show();
    });
    listen("pointerup", (event) => {
      if (!path) return;
      only(event);
      isOver = true;
      end(true);
    });
    listen("pointercancel", () => end(false));
    listen("click", (event) => isOver && only(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && path) end(false);
    });
  };
})();
