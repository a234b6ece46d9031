// Labelling by keyboard and by pointer, on the page /label. `selection.js` knows what is selected.
//
//   data-label="cat"   a button that gives this label to what is meant; data-key="1": so does the key
//   data-group="cat"   a button that gives it to all pictures below, data-give to the one around it
//   data-take="cat"    a button that takes it from the picture around it
//   data-new           the form for a label that is typed
//   data-suggested     of a picture: what Enter gives it
(() => {
  const LABELS = "/api/v1/labels";
  const done = []; // decisions that were made here, the last one last
  let place = null; // of the picture to go to when the page was drawn again

  const dock = () => document.querySelector("main .dock");
  const boxes = () => [...document.querySelectorAll("main .labelling [data-pick]")];
  const itemOf = (element) => element && element.closest(".labelling > li");
  const boxOf = (item) => item && item.querySelector("[data-pick]");
  let lastAt = null; // the picture that was pointed at, or had the focus, last

  // What is selected; else the picture with the focus, else the one under the pointer.
  const meant = () => {
    const selected = window.bilderatlas.selected();
    if (selected.length) return selected;
    const box = boxOf(itemOf(document.activeElement) || lastAt);
    return box && box.isConnected ? [box.dataset.pick] : [];
  };

  const remember = () => {
    const at = boxOf(itemOf(document.activeElement) || lastAt);
    place = at ? boxes().indexOf(at) : null;
  };

  const told = (text, label, n) => text.replace("{label}", label).replace("{n}", n);

  const change = async (method, label, images, text) => {
    if (!images.length) return window.bilderatlas.say(dock().dataset.which);
    remember();
    try {
      const said = told(text, label, images.length);
      await window.bilderatlas.act(LABELS, { label, images }, { method, said });
      window.bilderatlas.select([]);
    } catch (error) {
      window.bilderatlas.say(error.message);
    }
  };
  const give = (label, images) => change("POST", label, images, dock().dataset.said);
  const take = (label, images) => change("DELETE", label, images, dock().dataset.taken);

  // Gives each of the pictures meant the label that is suggested for it.
  const accept = async () => {
    const ids = new Set(meant());
    const groups = new Map();
    for (const box of boxes()) {
      const { suggested } = itemOf(box).dataset;
      if (!ids.has(box.dataset.pick) || !suggested) continue;
      groups.set(suggested, [...(groups.get(suggested) || []), box.dataset.pick]);
    }
    if (!groups.size) window.bilderatlas.say(dock().dataset.which);
    for (const [label, images] of groups) await give(label, images);
  };

  const undo = async () => {
    const decision = done.pop();
    if (!decision) return;
    remember();
    const body = { verb: "undo", what: [decision] };
    await window.bilderatlas.act("/api/v1/decisions", body, { said: dock().dataset.undone });
  };

  const help = () => document.getElementById("label-help").showModal();

  document.addEventListener("bilderatlas:acted", ({ detail }) => {
    const decision = detail.answer && detail.answer.decision;
    if (!decision) return;
    if (decision.verb === "label" || decision.verb === "unlabel") done.push(decision.decision);
    else if (decision.verb === "undo") {
      const at = done.indexOf(decision.payload.decision);
      if (at >= 0) done.splice(at, 1); // by the button of the status line
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("main button");
    if (!button || !dock()) return;
    const { label, group, give: offered, take: given } = button.dataset;
    const own = () => [boxOf(itemOf(button)).dataset.pick];
    if (label) give(label, meant());
    else if (offered) give(offered, own());
    else if (given) take(given, own());
    else if ("help" in button.dataset) help();
    else if (group) {
      const below = button.closest("section").querySelectorAll("[data-pick]");
      give(group, [...below].map((box) => box.dataset.pick));
    }
  });

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && itemOf(event.target)) lastAt = itemOf(event.target);
  });
  document.addEventListener("focusin", (event) => {
    if (itemOf(event.target)) lastAt = itemOf(event.target);
  });

  document.addEventListener("submit", (event) => {
    if (!("new" in event.target.dataset)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // actions.js would send it without the pictures
    const field = event.target.elements.label;
    const label = field.value.trim();
    if (!label) return;
    field.blur();
    give(label, meant()).then(() => event.target.reset());
  }, true);

  const isTyped = (event) => event.key.length === 1 && /\p{L}/u.test(event.key);

  document.addEventListener("keydown", (event) => {
    const at = dock();
    const isWriting = event.target.closest("input, textarea, select, dialog[open]");
    if (!at || isWriting || event.ctrlKey || event.metaKey || event.altKey) {
      if (at && isWriting && event.key === "Escape" && event.target.matches(".dock input")) {
        event.target.blur();
        window.bilderatlas.focusAt(place ?? 0);
      }
      return;
    }
    const key = at.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    const isLink = event.target.closest("a, button:not([data-pick])");
    if (key) give(key.dataset.label, meant());
    else if (event.key === "z") undo();
    else if (event.key === "?") help();
    else if (event.key === "Enter" && !isLink) accept();
    else if (isTyped(event)) {
      remember();
      document.getElementById("label-new").focus(); // the letter is typed there
      return;
    } else return;
    event.preventDefault();
  });

  const focusAt = (index) => {
    const all = boxes();
    if (!all.length) return;
    const box = all[Math.min(index, all.length - 1)];
    for (const one of all) one.tabIndex = one === box ? 0 : -1;
    box.focus({ preventScroll: true });
  };

  const show = () => {
    const output = dock() && dock().querySelector("output");
    if (!output) return;
    const n = window.bilderatlas.selected().length;
    const text = n === 0 ? output.dataset.none : n === 1 ? output.dataset.one : output.dataset.many;
    output.textContent = text.replace("{n}", n.toLocaleString(document.documentElement.lang));
  };
  document.addEventListener("bilderatlas:selected", show);
  document.addEventListener("bilderatlas:turned", () => {
    show();
    if (dock() && place !== null) focusAt(place);
    place = null;
    lastAt = null;
  });

  window.bilderatlas = { ...window.bilderatlas, focusAt };
})();
