// What can be folded away (`<details data-fold="NAME">`) stays as it was left while pages are turned.
(() => {
  const isOpen = new Map(); // by name

  document.addEventListener(
    "toggle",
    ({ target }) => target.dataset.fold && isOpen.set(target.dataset.fold, target.open),
    true, // it does not bubble
  );
  document.addEventListener("bilderatlas:turned", () => {
    for (const part of document.querySelectorAll("details[data-fold]")) {
      if (isOpen.has(part.dataset.fold)) part.open = isOpen.get(part.dataset.fold);
    }
  });
})();
