// The map that is served: its numbers are fetched once, its card asks for the picture pointed at, a
// click opens it, and what is selected goes to the server as a selection that the address names.
(() => {
  const HEAD = 16; // bytes: four numbers, see GET /projection/{run}/points
  const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

  let shown = null; // the map that is drawn: { etag, points, drawn, canvas }
  let asked = 0; // which call of `show` is the newest

  const fetched = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error((await answer.json()).detail);
    return { etag: answer.headers.get("ETag"), content: await answer.arrayBuffer() };
  };

  // x, y, z of each around the origin, the farthest at distance 1.
  const centred = (given, n, dims) => {
    const places = new Float32Array(3 * n);
    const [low, high] = [Array(dims).fill(Infinity), Array(dims).fill(-Infinity)];
    for (let at = 0; at < given.length; at += 1) {
      const axis = at % dims;
      if (given[at] < low[axis]) low[axis] = given[at];
      if (given[at] > high[axis]) high[axis] = given[at];
    }
    let farthest = 0;
    for (let i = 0; i < n; i += 1) {
      let square = 0;
      for (let axis = 0; axis < dims; axis += 1) {
        const value = given[dims * i + axis] - (low[axis] + high[axis]) / 2;
        places[3 * i + axis] = value;
        square += value * value;
      }
      farthest = Math.max(farthest, square);
    }
    const scale = farthest > 0 ? 1 / Math.sqrt(farthest) : 1;
    return places.map((value) => value * scale);
  };

  const pointsFrom = (content) => {
    const [n, dims] = new Uint32Array(content, 0, 4);
    const coordinates = new Float32Array(content, HEAD, n * dims);
    const parts = new Int32Array(content, HEAD + 4 * n * dims, n);
    const ids = new Uint8Array(content, HEAD + 4 * n * (dims + 1), 16 * n);
    const imageId = (i) => {
      let text = "";
      for (let at = 16 * i; at < 16 * i + 16; at += 1) text += HEX[ids[at]];
      return text;
    };
    return { n, places: centred(coordinates, n, dims), is_flat: dims === 2, parts, imageId };
  };

  const pictureOf = ({ parts, imageId }, i) =>
    parts[i] < 0
      ? `/api/v1/images/${imageId(i)}/thumbnail`
      : `/api/v1/regions/${imageId(i)}-${parts[i]}/crop`;

  const cardOf = (points, names) => {
    let asking = 0;
    const tellFile = async (picture, file, imageId, address) => {
      const answer = await fetch(`/api/v1/images/${imageId}`);
      if (!answer.ok || picture.getAttribute("src") !== address) return;
      picture.alt = file.textContent = (await answer.json()).path.split(/[\\/]/).pop();
    };
    return (box, i, label) => {
      const [picture, name, file] = ["img", ".cluster", ".file"].map((part) => box.querySelector(part));
      const src = pictureOf(points, i);
      if (picture.getAttribute("src") === src) return;
      picture.src = src;
      picture.alt = name.textContent = names()[label] || "";
      file.textContent = "";
      clearTimeout(asking);
      // of points passed over nobody asks
      asking = setTimeout(tellFile, 120, picture, file, points.imageId(i), src);
    };
  };

  // The address of this page with another selection.
  const withSelection = (selection) => {
    const parameters = new URLSearchParams(location.search);
    if (selection) parameters.set("selection", selection);
    else parameters.delete("selection");
    return `${location.pathname}?${parameters}`;
  };

  const select = async (indices) => {
    if (!indices.length) return;
    const ids = [...new Set(indices.map(shown.points.imageId))];
    try {
      const kept = await window.bilderatlas.send("/api/v1/selections", { image_ids: ids });
      window.bilderatlas.go(withSelection(kept.selection));
    } catch (error) {
      window.bilderatlas.say(error.message);
    }
  };

  const draw = (root, plot, points, labels) => {
    const about = () => JSON.parse(root.dataset.about);
    const drawn = window.bilderatlas.plot(
      plot,
      { ...about(), ...points, labels },
      {
        fill: cardOf(points, () => about().names),
        open: (i) => window.bilderatlas.go(`/images/${points.imageId(i)}`),
        only: () => {}, // clicks in the legend hold
      },
    );
    if (drawn) window.bilderatlas.lasso(plot, (polygon) => select(drawn.within(polygon)));
    return drawn;
  };

  // A number for each point, 0 for those that are not selected; and the ids into the forms.
  const mark = async (root) => {
    if (!root.dataset.selection) return shown.drawn.mark(null);
    const answer = await fetch(root.dataset.selection);
    if (!answer.ok) return shown.drawn.mark(null); // the page says why
    const ids = (await answer.json()).image_ids;
    const chosen = new Set(ids);
    shown.drawn.mark(Uint8Array.from({ length: shown.points.n }, (_, i) => chosen.has(shown.points.imageId(i))));
    for (const place of document.querySelectorAll("[data-selected-ids]")) {
      const { selectedIds: name } = place.dataset;
      const fields = ids.map((value) =>
        Object.assign(document.createElement("input"), { type: "hidden", name, value }),
      );
      place.replaceChildren(...fields);
      place.closest("form").querySelector("[type=submit]").disabled = false;
    }
  };

  const show = async () => {
    asked += 1;
    const number = asked;
    const root = document.querySelector("#map[data-points]");
    if (!root) return void (shown = null);
    const plot = root.querySelector(".plot");
    try {
      const [points, colours] = await Promise.all([root.dataset.points, root.dataset.colours].map(fetched));
      if (number !== asked) return; // the page was turned meanwhile
      const labels = new Int32Array(colours.content);
      const isSame = shown?.etag === points.etag && shown.drawn && shown.canvas.isConnected;
      if (isSame) shown.drawn.colour(labels, JSON.parse(root.dataset.about));
      else {
        const read = pointsFrom(points.content);
        plot.querySelector(":scope > canvas")?.remove();
        plot.querySelector(":scope > svg")?.remove();
        const drawn = draw(root, plot, read, labels);
        shown = { etag: points.etag, points: read, drawn, canvas: plot.querySelector("canvas") };
      }
      if (shown.drawn) await mark(root);
      // for those who wait for the drawing: ms since the document was asked for
      const { canvas } = shown;
      requestAnimationFrame((now) => canvas && (canvas.dataset.drawnMs = Math.round(now)));
    } catch (error) {
      window.bilderatlas.say(error.message);
    }
  };

  // Shown when its element is there or says something else, which may be after the page was
  // turned; and again when the same page was turned, whose labels may be others now.
  let seen = null;
  new MutationObserver(() => {
    const root = document.querySelector("#map");
    const said = root ? JSON.stringify({ ...root.dataset }) : null;
    if (said === seen) return;
    seen = said;
    show();
  }).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-points", "data-colours", "data-selection", "data-about"],
  });
  document.addEventListener("bilderatlas:turned", () => shown && show());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-tool-all]") || !shown?.drawn) return;
    const { clientWidth: width, clientHeight: height } = shown.canvas;
    select(shown.drawn.within([[0, 0], [width, 0], [width, height], [0, height]]));
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest(".map-colour");
    if (form) form.requestSubmit();
  });
})();
