// The map that opens from disk: its pictures are on sheets inside the page, decoded when needed.
(() => {
  const MOST = 220; // pictures drawn on the map at once
  const [LEAST_SIDE, GREATEST_SIDE] = [34, 150]; // of them, CSS pixels
  const ROOM = 0.45; // of the plot, that they may fill
  const CARD_SIDE = 220;

  const map = JSON.parse(document.getElementById("map-data").textContent);
  const plot = document.querySelector(".plot");
  const files = map.files.split("\n");
  const sizes = Uint8Array.from(atob(map.sizes), (letter) => letter.charCodeAt(0));
  const n = files.length;
  const layer = document.createElement("canvas");
  let isShowing = true;
  let only;
  let shown = []; // { i, x, y, width, height } of the pictures on the map, the foremost last
  let drawn = null;

  const sheets = new Map();
  const sheet = (number) => {
    if (!sheets.has(number)) {
      const image = new Image();
      image.addEventListener("load", () => drawn?.redraw());
      image.src = `data:image/webp;base64,${document.getElementById(`sheet-${number}`).textContent}`;
      sheets.set(number, image);
    }
    return sheets.get(number);
  };

  // Draw picture i into a rectangle; false while its sheet is being decoded.
  const paint = (context, i, x, y, width, height) => {
    const { side, across } = map.sprites;
    const within = i % (across * across);
    const image = sheet(Math.floor(i / (across * across)));
    if (!image.complete) return false;
    const [left, top] = [(within % across) * side, Math.floor(within / across) * side];
    context.drawImage(image, left, top, sizes[2 * i], sizes[2 * i + 1], x, y, width, height);
    return true;
  };

  const fitted = (i, side) => {
    const scale = side / Math.max(sizes[2 * i], sizes[2 * i + 1]);
    return [Math.max(1, sizes[2 * i] * scale), Math.max(1, sizes[2 * i + 1] * scale)];
  };

  // Which pictures stand on the map: points come in random order, each takes its room if it is
  // free. So the first sheet is enough for the whole, and others are decoded as one comes closer.
  const choose = (located) => {
    const { clientWidth: width, clientHeight: height } = plot;
    const isIn = (at) =>
      located[at] > 0 && located[at] < width && located[at + 1] > 0 && located[at + 1] < height;
    const candidates = [];
    for (let i = 0; i < n; i += 1)
      if (isIn(3 * i) && (only === undefined || drawn.labels[i] === only)) candidates.push(i);
    const fair = Math.sqrt((ROOM * width * height) / Math.max(1, Math.min(candidates.length, MOST)));
    const side = Math.max(LEAST_SIDE, Math.min(GREATEST_SIDE, fair));
    const room = side * 0.8;
    const taken = new Map();
    const isFree = (x, y) => {
      const [column, row] = [Math.floor(x / room), Math.floor(y / room)];
      for (let c = column - 1; c <= column + 1; c += 1)
        for (let r = row - 1; r <= row + 1; r += 1) {
          const other = taken.get(`${c},${r}`);
          if (other && Math.hypot(other[0] - x, other[1] - y) < room) return false;
        }
      taken.set(`${column},${row}`, [x, y]);
      return true;
    };
    const found = [];
    for (const i of candidates) {
      const [x, y] = [located[3 * i], located[3 * i + 1]];
      if (!isFree(x, y)) continue;
      const [wide, high] = fitted(i, side);
      found.push({ i, x, y, width: wide, height: high, depth: located[3 * i + 2] });
      if (found.length === MOST) break;
    }
    return found.sort((a, b) => a.depth - b.depth);
  };

  const colourOf = (label) => (label < 0 ? map.grey : map.palette[label % map.palette.length]);

  const drawPictures = (points, view) => {
    const density = window.devicePixelRatio || 1;
    layer.width = Math.round(plot.clientWidth * density);
    layer.height = Math.round(plot.clientHeight * density);
    if (!isShowing || !drawn) return void (shown = []);
    const context = layer.getContext("2d");
    context.scale(density, density);
    shown = choose(points.locate(view));
    for (const { i, x, y, width, height } of shown) {
      const [left, top] = [x - width / 2, y - height / 2];
      context.fillStyle = colourOf(drawn.labels[i]);
      context.fillRect(left - 2, top - 2, width + 4, height + 4);
      paint(context, i, left, top, width, height);
    }
  };

  const at = (x, y) =>
    shown.findLast(
      (one) => Math.abs(one.x - x) <= one.width / 2 + 2 && Math.abs(one.y - y) <= one.height / 2 + 2,
    );

  const fill = (box, i, label) => {
    const canvas = box.querySelector("canvas");
    // twice as large as it is stored, at most: more shows no more
    const [width, height] = fitted(i, Math.min(CARD_SIDE, 2 * map.sprites.side));
    canvas.width = Math.round(width);
    canvas.height = Math.round(height);
    if (!paint(canvas.getContext("2d"), i, 0, 0, canvas.width, canvas.height))
      sheet(Math.floor(i / map.sprites.across ** 2)).addEventListener("load", () => fill(box, i, label), {
        once: true,
      });
    box.querySelector(".cluster").textContent = map.names[label] ?? "";
    box.querySelector(".file").textContent = files[i];
  };

  drawn = window.bilderatlas.plot(plot, map, {
    fill,
    at,
    drawn: drawPictures,
    only: (label) => (only = label),
  });
  if (!drawn) return;
  layer.className = "pictures";
  plot.querySelector(":scope > canvas").after(layer);
  const button = document.querySelector(".show");
  button.addEventListener("click", () => {
    isShowing = !isShowing;
    button.setAttribute("aria-pressed", isShowing);
    drawn.redraw();
  });
})();
