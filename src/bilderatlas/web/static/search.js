// Sliders of the search form: they show their number while they are moved, and search when they are
// let go, a moment later: arrow keys are pressed several times. One that stands at its default is not sent.
(() => {
  let waiting;
  const sliderOf = (target) => target.closest && target.closest(".search [data-default] input[type=range]");

  document.addEventListener("input", ({ target }) => {
    const slider = sliderOf(target);
    if (slider) slider.closest("[data-default]").querySelector("output").textContent = slider.value;
  });
  document.addEventListener("change", ({ target }) => {
    const slider = sliderOf(target);
    if (!slider) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => slider.isConnected && slider.form.requestSubmit(), 500);
  });
  document.addEventListener(
    "submit",
    ({ target }) => {
      for (const label of target.querySelectorAll("[data-default]")) {
        const slider = label.querySelector("input");
        slider.disabled = Number(slider.value) === Number(label.dataset.default);
        setTimeout(() => (slider.disabled = false));
      }
    },
    true, // before navigate.js reads the form
  );
})();
