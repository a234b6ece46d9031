// The map that is served: its card asks the server for the picture pointed at, a click opens it.
(() => {
  const nothing = () => window.dash_clientside.no_update;

  const cardFrom = (map) => {
    const ids = map.image_ids.split("\n");
    let asking = 0;

    const tellFile = async (picture, file, imageId, address) => {
      const answer = await fetch(`/api/v1/images/${encodeURIComponent(imageId)}`);
      if (!answer.ok || picture.getAttribute("src") !== address) return;
      picture.alt = file.textContent = (await answer.json()).path.split(/[\\/]/).pop();
    };
    const fill = (box, i, label) => {
      const [picture, name, file] = ["img", ".cluster", ".file"].map((part) =>
        box.querySelector(part),
      );
      const src = `/api/v1/images/${encodeURIComponent(ids[i])}/thumbnail`;
      if (picture.getAttribute("src") === src) return;
      picture.src = src;
      picture.alt = name.textContent = map.names[label] || "";
      file.textContent = "";
      clearTimeout(asking);
      // of points passed over nobody asks
      asking = setTimeout(tellFile, 120, picture, file, ids[i], src);
    };
    const open = (i) => window.bilderatlas.go(`/images/${encodeURIComponent(ids[i])}`);
    return { fill, open };
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.bilderatlas = {
    ...window.dash_clientside.bilderatlas,

    draw(map) {
      const plot = document.querySelector(".plot");
      if (map && plot) window.bilderatlas.plot(plot, map, cardFrom(map));
      return nothing();
    },
  };
})();
