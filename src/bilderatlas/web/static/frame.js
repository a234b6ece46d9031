// The other language is chosen for a year, and the document loaded anew in it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-language]");
  if (!button) return;
  document.cookie = `language=${button.dataset.language}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
});
