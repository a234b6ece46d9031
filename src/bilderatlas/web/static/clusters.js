// The form for a new run shows the fields that the chosen method reads. Those not shown are not
// sent: they are disabled.
(() => {
  const fit = () => {
    const method = document.querySelector('main select[name="options.method"]');
    if (!method) return;
    for (const label of document.querySelectorAll("main [data-read-by]")) {
      const isRead = label.dataset.readBy.split(" ").includes(method.value);
      label.hidden = !isRead;
      label.querySelector("input").disabled = !isRead;
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches('select[name="options.method"]')) fit();
  });
  document.addEventListener("bilderatlas:turned", fit);
})();
