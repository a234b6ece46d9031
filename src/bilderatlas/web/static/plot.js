// A map in its frame: pointing shows a picture, a click opens it, the legend fades the others.
// The served page and the page that opens from disk give it their own pictures:
// page.fill(card, i, label) shows picture i in the card, page.open(i) is a click on it. Where the
// page has them: page.drawn(points, view) draws more once the points are drawn, page.at(x, y) finds
// what it drew, { i, x, y }, and page.only(label) is told what the legend lets stand out; then a
// click in the legend holds.
(() => {
  const REACH = 14; // pixels between the pointer and a point that it means
  const FEW = 20000; // points that any machine draws fast enough to turn them
  const REST_MS = 180; // without a movement: all points are drawn again
  const [FAST_MS, SLOW_MS] = [22, 50]; // between two frames

  const unpack = (given, Kind) =>
    typeof given === "string"
      ? new Kind(Uint8Array.from(atob(given), (letter) => letter.charCodeAt(0)).buffer)
      : given;

  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  const groundOf = (plot) => getComputedStyle(plot).backgroundColor.match(/\d+/g).map(Number);

  // One colour a point; those that do not stand out fade into the ground.
  const coloursOf = (labels, { palette, grey }, ground, standsOut) => {
    const fade = (shade) => shade.map((part, at) => (part + 4 * ground[at]) / 5);
    const shades = [...palette, grey].map(rgb);
    const faded = shades.map(fade);
    const colours = new Uint8Array(labels.length * 3);
    for (let i = 0; i < labels.length; i += 1) {
      const number = labels[i] < 0 ? palette.length : labels[i] % palette.length;
      const shade = (standsOut(i) ? shades : faded)[number];
      colours[3 * i] = shade[0];
      colours[3 * i + 1] = shade[1];
      colours[3 * i + 2] = shade[2];
    }
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
  // The listeners are gone with `signal`.
  const listen = (fade, doClicksHold, signal) => {
    let chosen;
    const entryOf = (event) => event.target.closest?.(".legend [data-cluster]");
    const hear = (name, act) =>
      document.addEventListener(name, (event) => entryOf(event) && act(entryOf(event)), { signal });
    hear("pointerover", (entry) => fade(Number(entry.dataset.cluster)));
    hear("pointerout", () => fade(chosen));
    if (!doClicksHold) return;
    hear("click", (entry) => {
      const label = Number(entry.dataset.cluster);
      chosen = chosen === label ? undefined : label;
      for (const other of document.querySelectorAll(".legend [data-cluster]"))
        other.setAttribute("aria-pressed", other === entry && chosen !== undefined);
      fade(chosen);
    });
  };

  // How many points are drawn while they move: as many as the machine draws fluently.
  const pace = (n) => {
    let most = FEW;
    let before = 0;
    return (now) => {
      const took = now - before;
      before = now;
      if (took < FAST_MS) most = Math.min(n, most * 1.3);
      else if (took > SLOW_MS && took < 500) most = Math.max(FEW / 4, most * 0.7);
      return Math.round(most);
    };
  };

  // Which of n points (x, y, depth, one after the other) lie within a polygon: even-odd.
  const within = (located, polygon) => {
    const [xs, ys] = [0, 1].map((axis) => polygon.map((corner) => corner[axis]));
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const found = [];
    for (let i = 0, at = 0; at < located.length; i += 1, at += 3) {
      const [x, y] = [located[at], located[at + 1]];
      if (x < left || x > right || y < top || y > bottom) continue;
      let isIn = false;
      for (let a = 0, b = xs.length - 1; a < xs.length; b = a, a += 1)
        if (ys[a] > y !== ys[b] > y && x < ((xs[b] - xs[a]) * (y - ys[a])) / (ys[b] - ys[a]) + xs[a])
          isIn = !isIn;
      if (isIn) found.push(i);
    }
    return found;
  };

  window.bilderatlas = window.bilderatlas || {};

  // map: places (x, y, z of each) and labels, as typed arrays or their base64; palette, grey,
  // is_flat, label, no_webgl. Points come in a random order: the first ones show the whole.
  window.bilderatlas.plot = (plot, map, page) => {
    const canvas = plot.querySelector(":scope > canvas") || plot.appendChild(document.createElement("canvas"));
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", map.label);
    let labels = unpack(map.labels, Int32Array);
    let shades = map;
    let only; // the label that the legend lets stand out
    let marked = null; // a number for each point, 0 for those that are not selected
    const standsOut = (i) => (only === undefined ? !marked || marked[i] > 0 : only === labels[i]);
    const colours = () => coloursOf(labels, shades, groundOf(plot), standsOut);
    const points = window.bilderatlas.points(canvas, unpack(map.places, Float32Array), colours());
    if (!points) {
      plot.textContent = map.no_webgl;
      return null;
    }
    const view = map.is_flat
      ? { yaw: 0, pitch: 0, ...points.fit() }
      : { yaw: 0.6, pitch: 0.35, zoom: 1.25, shift: [0, 0] };
    const { box, showAt, hide } = cardOf(plot);
    const nFluent = pace(points.n);
    let [isWaiting, isMoving, resting] = [false, false, 0];
    const redraw = () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame((now) => {
        isWaiting = false;
        points.draw(view, isMoving ? nFluent(now) : points.n);
        page.drawn?.(points, view);
      });
    };
    const move = () => {
      hide();
      isMoving = !map.is_flat && points.n > FEW;
      clearTimeout(resting);
      if (isMoving)
        resting = setTimeout(() => {
          isMoving = false;
          redraw();
        }, REST_MS);
      redraw();
    };
    const hand = window.bilderatlas.steer(canvas, view, map.is_flat, move);
    const under = ({ offsetX, offsetY }) =>
      page.at?.(offsetX, offsetY) || points.nearest(view, offsetX, offsetY, REACH);

    canvas.addEventListener("pointermove", (event) => {
      if (hand.isDragging()) return;
      const point = under(event);
      canvas.style.cursor = point ? "pointer" : "";
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
    const recolour = () => {
      points.recolour(colours());
      redraw();
    };
    const fade = (label) => {
      only = label;
      page.only?.(only);
      recolour();
    };
    const gone = new AbortController();
    listen(fade, Boolean(page.only), gone.signal);
    const resized = new ResizeObserver(() => {
      if (canvas.isConnected) return redraw();
      resized.disconnect(); // another page has come
      gone.abort();
      points.release();
    });
    resized.observe(canvas);

    return {
      redraw,
      hide,
      get labels() {
        return labels;
      },
      // Other labels, with their palette and grey.
      colour(given, its) {
        [labels, shades, only] = [given, its, undefined];
        recolour();
      },
      // Lets some points stand out; null: all.
      mark(given) {
        marked = given;
        recolour();
      },
      within: (polygon) => within(points.locate(view), polygon),
    };
  };
})();
