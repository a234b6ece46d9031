// A map in its frame: pointing shows a picture, a click opens it, the legend fades the others.
// The served page and the page that opens from disk give it their own pictures:
// page.fill(card, i, label) shows picture i in the card, page.open(i) is a click on it. Where the
// page has them: page.drawn(points, view) draws more once the points are drawn, page.at(x, y) finds
// what it drew, { i, x, y }, and page.only(label) is told what the legend lets stand out; then a
// click in the legend holds.
(() => {
  const REACH = 14; // pixels between the pointer and a point that it means

  const unpack = (text, Kind) =>
    new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  const groundOf = (plot) => getComputedStyle(plot).backgroundColor.match(/\d+/g).map(Number);

  // One colour a point; with `only` the other labels fade into the ground.
  const coloursOf = (labels, { palette, grey }, ground, only) => {
    const shades = palette.map(rgb);
    const [noise, faded] = [rgb(grey), rgb(grey).map((part, at) => (part + 2 * ground[at]) / 3)];
    const colours = new Uint8Array(labels.length * 3);
    labels.forEach((label, i) => {
      const shade = label < 0 ? noise : shades[label % shades.length];
      colours.set(only === undefined || only === label ? shade : faded, i * 3);
    });
    return colours;
  };

  const cardOf = (plot) => {
    const [box, ring] = [".map-card", ".map-ring"].map((part) => plot.querySelector(part));
    const hide = () => (box.hidden = ring.hidden = true);
    const showAt = (point) => {
      box.hidden = ring.hidden = false;
      const isLeft = point.x > plot.clientWidth / 2;
      const below = (-100 * point.y) / plot.clientHeight; // slides up as the point sinks
      box.style.translate = `${isLeft ? "calc(-100% - 14px)" : "14px"} ${below}%`;
      for (const part of [box, ring]) {
        part.style.left = `${point.x}px`;
        part.style.top = `${point.y}px`;
      }
    };
    return { box, showAt, hide };
  };

  // The legend's entries: pointing at one fades the others; where clicks hold, one keeps it so.
  const listen = (fade, doClicksHold) => {
    let chosen;
    for (const entry of document.querySelectorAll(".legend [data-cluster]")) {
      const label = Number(entry.dataset.cluster);
      entry.addEventListener("pointerenter", () => fade(label));
      entry.addEventListener("pointerleave", () => fade(chosen));
      if (!doClicksHold) continue;
      entry.addEventListener("click", () => {
        chosen = chosen === label ? undefined : label;
        for (const other of document.querySelectorAll(".legend [data-cluster]"))
          other.setAttribute("aria-pressed", other === entry && chosen !== undefined);
        fade(chosen);
      });
    }
  };

  window.bilderatlas = window.bilderatlas || {};

  // map: places and labels as base64 of typed arrays, palette, grey, is_flat, label, no_webgl.
  window.bilderatlas.plot = (plot, map, page) => {
    const canvas = plot.querySelector(":scope > canvas") || plot.appendChild(document.createElement("canvas"));
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", map.label);
    const labels = unpack(map.labels, Int32Array);
    const colours = (only) => coloursOf(labels, map, groundOf(plot), only);
    const points = window.bilderatlas.points(canvas, unpack(map.places, Float32Array), colours());
    if (!points) {
      plot.textContent = map.no_webgl;
      return null;
    }
    const view = map.is_flat
      ? { yaw: 0, pitch: 0, ...points.fit() }
      : { yaw: 0.6, pitch: 0.35, zoom: 1.25, shift: [0, 0] };
    const { box, showAt, hide } = cardOf(plot);
    let isWaiting = false;
    const redraw = () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        points.draw(view);
        page.drawn?.(points, view);
      });
    };
    const hand = window.bilderatlas.steer(canvas, view, map.is_flat, () => (hide(), redraw()));
    const under = ({ offsetX, offsetY }) =>
      page.at?.(offsetX, offsetY) || points.nearest(view, offsetX, offsetY, REACH);

    canvas.addEventListener("pointermove", (event) => {
      if (hand.isDragging()) return;
      const point = under(event);
      canvas.style.cursor = point ? "pointer" : "grab";
      if (!point) return hide();
      page.fill(box, point.i, labels[point.i]);
      showAt(point);
    });
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
    canvas.addEventListener("click", (event) => {
      const point = hand.wasClick() && under(event);
      if (!point) return;
      page.fill(box, point.i, labels[point.i]);
      showAt(point);
      page.open?.(point.i);
    });
    const fade = (only) => {
      points.recolour(colours(only));
      page.only?.(only);
      redraw();
    };
    listen(fade, Boolean(page.only));
    const resized = new ResizeObserver(() => {
      if (canvas.isConnected) return redraw();
      resized.disconnect(); // another page has come
      points.release();
    });
    resized.observe(canvas);
    return { labels, redraw, hide };
  };
})();
