// The page of one image. Keys: the left and right arrow (or k and j) go through the list, Escape back
// to it, z shows the picture in full size, b its parts.
(() => {
  const isOn = { full: false, boxes: false }; // stays while images are turned

  const mount = () => document.querySelector(".mount");

  const show = () => {
    const place = mount();
    if (!place) return;
    place.classList.toggle("is-full", isOn.full);
    place.classList.toggle("shows-boxes", isOn.boxes);
    for (const button of document.querySelectorAll("[data-toggle]")) {
      button.setAttribute("aria-pressed", isOn[button.dataset.toggle]);
    }
  };

  const toggle = (what) => {
    isOn[what] = !isOn[what];
    show();
  };

  const light = (event, isLit) => {
    const part = event.target.closest && event.target.closest("[data-part]");
    if (!part) return;
    for (const one of document.querySelectorAll(`[data-part="${CSS.escape(part.dataset.part)}"]`)) {
      one.classList.toggle("is-lit", isLit);
    }
  };
  for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, (event) => light(event, true));
  for (const kind of ["mouseout", "focusout"]) document.addEventListener(kind, (event) => light(event, false));

  // Copies a text in the way that works without a certificate, too.
  const copy = (button) => {
    const range = document.createRange();
    range.selectNodeContents(document.getElementById(button.dataset.copy));
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    if (document.execCommand("copy")) window.bilderatlas.say(button.dataset.said);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-toggle], [data-copy]");
    if (button && button.dataset.toggle) toggle(button.dataset.toggle);
    if (button && button.dataset.copy) copy(button);
  });

  const WAYS = {
    ArrowLeft: ".way [rel=prev][href]",
    k: ".way [rel=prev][href]",
    ArrowRight: ".way [rel=next][href]",
    j: ".way [rel=next][href]",
    Escape: ".way .back",
  };
  const TOGGLES = { z: "full", b: "boxes" };

  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    const isOther = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
    if (!mount() || isOther || target.closest("input, textarea, select, [data-selecting]")) return;
    const way = WAYS[key] && document.querySelector(WAYS[key]);
    if (way) {
      event.preventDefault();
      way.click();
    } else if (TOGGLES[key]) toggle(TOGGLES[key]);
  });

  // The file may be gone: the small picture is there still.
  document.addEventListener(
    "error",
    ({ target }) => {
      const place = target.closest && target.closest(".mount");
      if (!place || target.dataset.isSmall) return;
      target.dataset.isSmall = "yes";
      target.src = target.src.replace(/picture$/, "thumbnail");
      document.querySelector(".gone").hidden = false;
    },
    true,
  );

  document.addEventListener("bilderatlas:turned", () => {
    const picture = document.querySelector(".mount img");
    if (picture && picture.src.endsWith("/picture")) {
      delete picture.dataset.isSmall; // the element may be that of the image before
      document.querySelector(".gone").hidden = true;
    }
    show();
  });
})();
