// Dark or light, chosen before the first paint. Without a choice the browser's own counts.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("scheme");
  if (chosen === "dark" || chosen === "light") root.dataset.scheme = chosen;

  const isDark = () =>
    root.dataset.scheme
      ? root.dataset.scheme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;

  document.addEventListener("click", (event) => {
    if (!event.target.closest(".scheme")) return;
    root.dataset.scheme = isDark() ? "light" : "dark";
    localStorage.setItem("scheme", root.dataset.scheme);
  });
})();
