// Selecting pictures in a panel, by pointer and by keyboard.
//
// Markup (`web/selection.py` makes it):
//   data-selecting="KEY"  the list; what is selected stays so while pages with this KEY are turned
//   data-pick="ID"        in each item: a button with role="checkbox"
//   data-select="all"     a button that selects all pictures of this page; "none": none at all
//   data-bar              the bar with what can be done; it is there while something is selected
//   data-one, data-many   of the bar's <output>: "1 picture selected", "{n} pictures selected"
//   data-chosen="what[]"  in a form: filled with a hidden field of this name for each selected id
//
// Keys: Tab reaches the list's boxes once, the arrow keys walk through them, Space selects, Shift
// with Space or an arrow key or a click selects a range, Ctrl+A all of the page, Escape none.
//
// A form that acts from the bar empties the selection. Other scripts call
// `bilderatlas.selected()`, an array of ids in the order of selection, and `bilderatlas.select(ids)`,
// and hear the event "bilderatlas:selected".
(() => {
  const chosen = new Set();
  let key = null; // of the list that `chosen` belongs to
  let anchor = null; // the id where a range begins
  let sent = null; // the bar's form that was sent last

  const list = () => document.querySelector("main [data-selecting]");
  const boxes = () => [...document.querySelectorAll("main [data-selecting] [data-pick]")];

  const fill = (place) => {
    const fields = [...chosen].map((value) =>
      Object.assign(document.createElement("input"), { type: "hidden", name: place.dataset.chosen, value }),
    );
    place.replaceChildren(...fields);
  };

  const count = (output) => {
    const text = chosen.size === 1 ? output.dataset.one : output.dataset.many;
    output.textContent = text.replace("{n}", chosen.size.toLocaleString(document.documentElement.lang));
  };

  // Shows what is selected.
  const show = () => {
    for (const box of boxes()) box.setAttribute("aria-checked", chosen.has(box.dataset.pick));
    const all = list();
    if (all) all.classList.toggle("is-selecting", chosen.size > 0);
    for (const bar of document.querySelectorAll("[data-bar]")) {
      bar.hidden = chosen.size === 0;
      bar.querySelectorAll("output").forEach(count);
    }
    document.querySelectorAll("[data-chosen]").forEach(fill);
    document.dispatchEvent(new CustomEvent("bilderatlas:selected", { detail: { ids: [...chosen] } }));
  };

  const put = (id, isChosen) => (isChosen ? chosen.add(id) : chosen.delete(id));

  const select = (ids) => {
    chosen.clear();
    for (const id of ids) chosen.add(id);
    show();
  };

  // From the anchor to this box, all as the anchor is.
  const range = (box) => {
    const all = boxes();
    const ends = [all.findIndex((one) => one.dataset.pick === anchor), all.indexOf(box)];
    const isChosen = ends[0] < 0 || chosen.has(anchor);
    const from = ends[0] < 0 ? ends[1] : Math.min(...ends);
    for (const one of all.slice(from, Math.max(...ends) + 1)) put(one.dataset.pick, isChosen);
  };

  const stepTo = (box) => {
    for (const one of boxes()) one.tabIndex = one === box ? 0 : -1;
    box.focus();
  };

  // The box that an arrow key leads to; up and down go by what is seen.
  const towards = (box, arrow) => {
    const all = boxes();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[arrow];
    if (step) return all[all.indexOf(box) + step];
    const here = box.getBoundingClientRect();
    const isBeyond = (there) =>
      arrow === "ArrowDown" ? there.top > here.top + 8 : there.top < here.top - 8;
    const away = (one) => {
      const there = one.getBoundingClientRect();
      return isBeyond(there) ? 1e4 * Math.abs(there.top - here.top) + Math.abs(there.left - here.left) : Infinity;
    };
    const nearest = all.reduce((best, one) => (away(one) < away(best) ? one : best), box);
    return nearest === box ? undefined : nearest;
  };

  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-selecting] [data-pick]");
    const button = event.target.closest("[data-select]");
    if (box) {
      const id = box.dataset.pick;
      if (event.shiftKey && anchor !== null) range(box);
      else {
        put(id, !chosen.has(id));
        anchor = id;
      }
      for (const one of boxes()) one.tabIndex = one === box ? 0 : -1;
      show();
    } else if (button) {
      if (button.dataset.select === "all") for (const one of boxes()) chosen.add(one.dataset.pick);
      else chosen.clear();
      show();
    }
  });

  document.addEventListener("keydown", (event) => {
    const isInList = event.target.closest("[data-selecting]");
    const box = event.target.closest("[data-selecting] [data-pick]");
    if (event.key === "Escape" && chosen.size && (isInList || event.target.closest("[data-bar]"))) {
      select([]);
      if (!isInList && boxes().length) stepTo(boxes().find((one) => one.tabIndex === 0) || boxes()[0]);
    } else if (isInList && event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      select(new Set([...chosen, ...boxes().map((one) => one.dataset.pick)]));
    } else if (box && event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = towards(box, event.key);
      if (!next) return;
      if (event.shiftKey) {
        anchor ??= box.dataset.pick;
        if (!chosen.has(anchor)) chosen.add(anchor);
        range(next);
        show();
      }
      stepTo(next);
    }
  });

  document.addEventListener("submit", (event) => {
    sent = event.target.closest("[data-bar]") ? event.target : null;
  });
  document.addEventListener("bilderatlas:acted", () => {
    if (sent) select([]);
    sent = null;
  });

  document.addEventListener("bilderatlas:turned", () => {
    const here = list();
    const hereKey = here ? here.dataset.selecting : null;
    if (hereKey !== key) {
      chosen.clear();
      anchor = null;
    }
    key = hereKey;
    const all = boxes();
    if (!all.some((one) => one.tabIndex === 0) && all.length) all[0].tabIndex = 0;
    show();
  });

  window.bilderatlas = { ...window.bilderatlas, select, selected: () => [...chosen] };
})();
