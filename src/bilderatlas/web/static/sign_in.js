// A page that stays open longer than its key is known: what it asks for is refused with status 401,
// and the way on is the page that asks for a key.
(() => {
  const fetchAsBefore = window.fetch.bind(window);
  window.fetch = async (...asked) => {
    const answer = await fetchAsBefore(...asked);
    const isOurs = new URL(answer.url, location.href).origin === location.origin;
    if (answer.status === 401 && isOurs) {
      const here = location.pathname + location.search;
      location.assign(`/sign-in?next=${encodeURIComponent(here)}`);
    }
    return answer;
  };
})();
