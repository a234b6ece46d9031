// Links and forms turn the page without loading the whole document again. They stay ordinary
// links and forms: middle click, bookmarks and the back button work as everywhere.
(() => {
  const go = (address) => {
    if (address === location.pathname + location.search) return;
    history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate")); // what dcc.Location hears
    document.documentElement.classList.add("is-turning");
    window.scrollTo(0, 0);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='/']");
    const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || event.button !== 0 || !isPlain || link.target) return;
    event.preventDefault();
    go(link.getAttribute("href"));
  });

  document.addEventListener("submit", (event) => {
    if (event.target.method !== "get") return; // actions.js sends the others
    event.preventDefault();
    const given = [...new FormData(event.target)].filter(([, value]) => value.trim());
    go(`${event.target.getAttribute("action")}?${new URLSearchParams(given)}`);
  });

  // Escape leaves the field, "/" goes to it.
  document.addEventListener("keydown", (event) => {
    const isWriting = event.target.closest("input, textarea, select");
    const field = document.getElementById("q");
    if (event.key === "/" && !isWriting && field) {
      event.preventDefault();
      field.select();
    }
  });

  const markCurrent = () => {
    for (const link of document.querySelectorAll("header nav a")) {
      const path = link.getAttribute("href");
      const isHere = path === "/" ? location.pathname === "/" : location.pathname.startsWith(path);
      if (isHere) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };

  let shown = null; // the address of the page that is shown
  window.bilderatlas = { ...window.bilderatlas, go };
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.bilderatlas = {
    ...window.dash_clientside.bilderatlas,

    // A page has arrived: name the window, and let screen readers start at its heading; not where
    // the same page was drawn again. Other scripts hear the event "bilderatlas:turned".
    turned(page) {
      if (!page) return window.dash_clientside.no_update;
      document.title = page.title;
      document.documentElement.classList.remove("is-turning");
      markCurrent();
      const here = location.pathname + location.search;
      const isTyping = document.activeElement && document.activeElement.id === "q";
      const isNew = shown !== null && shown !== here;
      if (isNew && !isTyping) document.getElementById("main").focus({ preventScroll: true });
      shown = here;
      requestAnimationFrame(() => document.dispatchEvent(new CustomEvent("bilderatlas:turned")));
      return page.title;
    },
  };
})();
