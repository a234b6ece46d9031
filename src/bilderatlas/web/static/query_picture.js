// A picture to search with: chosen by the button `.drop`, dropped on it, or pasted anywhere. The
// server keeps it in memory for a while under a name, which becomes the address of the search.
(() => {
  const KEPT = ["threshold", "k", "where", "kind", "space", "selection"]; // what else the next search keeps

  const search = async (file) => {
    const refusal = document.getElementById("picture-refusal");
    document.documentElement.classList.add("is-turning");
    try {
      const answer = await fetch("/query-pictures", {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body: file,
      });
      const content = await answer.json();
      if (!answer.ok) throw new Error(content.detail);
      const next = new URLSearchParams({ picture: content.picture });
      const words = document.getElementById("q").value.trim();
      if (words) next.set("q", words); // sent or only typed
      for (const [name, value] of new URLSearchParams(location.search)) {
        if (KEPT.includes(name) || name.startsWith("weight-")) next.set(name, value);
      }
      window.bilderatlas.go(`/search?${next}`);
    } catch (error) {
      document.documentElement.classList.remove("is-turning");
      if (refusal) refusal.textContent = error.message;
    }
  };

  const chooser = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) search(chooser.files[0]);
    chooser.value = "";
  });

  const dropOf = (event) => event.target.closest && event.target.closest(".drop");

  document.addEventListener("click", (event) => {
    if (dropOf(event)) chooser.click();
  });
  for (const [kind, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(kind, (event) => {
      const drop = dropOf(event);
      if (!drop) return;
      event.preventDefault();
      drop.classList.toggle("is-over", isOver);
      if (kind === "drop" && event.dataTransfer.files[0]) search(event.dataTransfer.files[0]);
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file && document.querySelector(".drop")) search(file);
  });
})();
