// The map under the hand: drag, wheel, pinch and arrow keys move it; pointing shows a picture;
// a click opens it.
(() => {
  const REACH = 14; // pixels between the pointer and a point that it means
  const nothing = () => window.dash_clientside.no_update;

  const unpack = (text, Kind) =>
    new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  // One colour a point; with `only` the other clusters fade.
  const coloursOf = (labels, palette, grey, only) => {
    const shades = palette.map(rgb);
    const [noise, faded] = [rgb(grey), rgb(grey).map((part) => (part + 255) / 2)];
    const colours = new Uint8Array(labels.length * 3);
    labels.forEach((label, i) => {
      const shade = label < 0 ? noise : shades[label % shades.length];
      colours.set(only === undefined || only === label ? shade : faded, i * 3);
    });
    return colours;
  };

  const card = (plot) => {
    const box = plot.querySelector(".map-card");
    const [picture, name, file, ring] = ["img", ".cluster", ".file", ".map-ring"].map((part) =>
      plot.querySelector(part),
    );
    let asking = 0;
    const hide = () => {
      clearTimeout(asking);
      box.hidden = ring.hidden = true;
    };
    const tellFile = async (imageId, address) => {
      const answer = await fetch(`/api/v1/images/${encodeURIComponent(imageId)}`);
      if (!answer.ok || picture.getAttribute("src") !== address) return;
      picture.alt = file.textContent = (await answer.json()).path.split(/[\\/]/).pop();
    };
    const show = (point, imageId, cluster) => {
      const src = `/api/v1/images/${encodeURIComponent(imageId)}/thumbnail`;
      if (picture.getAttribute("src") !== src) {
        picture.src = src;
        picture.alt = name.textContent = cluster;
        file.textContent = "";
        clearTimeout(asking);
        asking = setTimeout(tellFile, 120, imageId, src); // of points passed over nobody asks
      }
      box.hidden = ring.hidden = false;
      const isLeft = point.x > plot.clientWidth / 2;
      const below = (-100 * point.y) / plot.clientHeight; // slides up as the point sinks
      box.style.translate = `${isLeft ? "calc(-100% - 14px)" : "14px"} ${below}%`;
      for (const part of [box, ring]) {
        part.style.left = `${point.x}px`;
        part.style.top = `${point.y}px`;
      }
    };
    return { show, hide };
  };

  // Gestures change the view in place and ask for a redraw.
  const steer = (canvas, view, isFlat, redraw) => {
    const fingers = new Map();
    let travelled = 0;

    const shift = (dx, dy) => {
      view.shift[0] += (2 * dx) / canvas.clientWidth;
      view.shift[1] -= (2 * dy) / canvas.clientHeight;
    };
    const turn = (dx, dy) => {
      view.yaw += dx * 0.008;
      view.pitch = Math.max(-1.57, Math.min(1.57, view.pitch + dy * 0.008));
    };
    const zoom = (factor, x, y) => {
      const bounded = Math.max(0.4, Math.min(60, view.zoom * factor)) / view.zoom;
      const at = [(2 * x) / canvas.clientWidth - 1, 1 - (2 * y) / canvas.clientHeight];
      view.shift = view.shift.map((part, axis) => at[axis] - (at[axis] - part) * bounded);
      view.zoom *= bounded;
    };
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };

    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      travelled = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.offsetX - before.x, event.offsetY - before.y];
      const apart = fingers.size === 2 ? spread() : 0;
      Object.assign(before, { x: event.offsetX, y: event.offsetY });
      travelled += Math.abs(dx) + Math.abs(dy);
      if (apart) zoom(spread() / apart, event.offsetX, event.offsetY);
      else if (isFlat || event.shiftKey) shift(dx, dy);
      else turn(dx, dy);
      redraw();
    });
    const lift = (event) => fingers.delete(event.pointerId);
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
      redraw();
    });
    canvas.addEventListener("keydown", (event) => {
      const [middleX, middleY] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
      const moves = {
        ArrowLeft: () => (isFlat ? shift(-30, 0) : turn(-15, 0)),
        ArrowRight: () => (isFlat ? shift(30, 0) : turn(15, 0)),
        ArrowUp: () => (isFlat ? shift(0, -30) : turn(0, -15)),
        ArrowDown: () => (isFlat ? shift(0, 30) : turn(0, 15)),
        "+": () => zoom(1.25, middleX, middleY),
        "-": () => zoom(0.8, middleX, middleY),
      };
      if (!moves[event.key]) return;
      event.preventDefault();
      moves[event.key]();
      redraw();
    });
    return { isDragging: () => fingers.size > 0, wasClick: () => travelled < 6 };
  };

  const start = (plot, map) => {
    const canvas = plot.querySelector("canvas") || plot.appendChild(document.createElement("canvas"));
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", map.label);
    const labels = unpack(map.labels, Int32Array);
    const ids = map.image_ids.split("\n");
    const colours = (only) => coloursOf(labels, map.palette, map.grey, only);
    const points = window.bilderatlas.points(canvas, unpack(map.places, Float32Array), colours());
    if (!points) {
      plot.textContent = map.no_webgl;
      return;
    }
    const view = map.is_flat
      ? { yaw: 0, pitch: 0, ...points.fit() }
      : { yaw: 0.6, pitch: 0.35, zoom: 1.25, shift: [0, 0] };
    const { show, hide } = card(plot);
    let isWaiting = false;
    const redraw = () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        points.draw(view);
      });
    };
    const hand = steer(canvas, view, map.is_flat, () => (hide(), redraw()));
    const under = (event) => points.nearest(view, event.offsetX, event.offsetY, REACH);

    canvas.addEventListener("pointermove", (event) => {
      if (hand.isDragging()) return;
      const point = under(event);
      canvas.style.cursor = point ? "pointer" : "grab";
      if (point) show(point, ids[point.i], map.names[labels[point.i]] || "");
      else hide();
    });
    canvas.addEventListener("pointerleave", hide);
    canvas.addEventListener("click", (event) => {
      const point = hand.wasClick() && under(event);
      if (point) window.bilderatlas.go(`/images/${encodeURIComponent(ids[point.i])}`);
    });
    for (const entry of document.querySelectorAll(".legend a")) {
      const fade = (only) => () => (points.recolour(colours(only)), redraw());
      entry.addEventListener("pointerenter", fade(Number(entry.dataset.cluster)));
      entry.addEventListener("pointerleave", fade());
    }
    const resized = new ResizeObserver(() => {
      if (canvas.isConnected) return redraw();
      resized.disconnect(); // another page has come
      points.release();
    });
    resized.observe(canvas);
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.bilderatlas = {
    ...window.dash_clientside.bilderatlas,

    draw(map) {
      const plot = document.querySelector(".plot");
      if (map && plot) start(plot, map);
      return nothing();
    },
  };
})();
