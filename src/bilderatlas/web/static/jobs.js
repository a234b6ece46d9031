// The tray of jobs: what runs, how far it is, what came of it. It asks the server what there is when
// a page has been turned, and follows `/jobs/events` while something runs and somebody looks.
// Other scripts call `bilderatlas.jobs.refresh`, `.draw`, `.say`, and `bilderatlas.make`.
(() => {
  const API = "/api/v1/jobs";
  const SHOWN_S = 15 * 60; // how long one that has ended stays in the tray
  const RATE_S = 12; // over how long the rate is measured
  const PUT_AWAY = "bilderatlas-jobs-put-away";
  const FOLDED = "bilderatlas-jobs-folded";
  const jobs = new Map(); // by id, as the server told them last
  const samples = new Map(); // id -> [[seconds, n_done], ...]
  let words = {};
  let mayEdit = false;
  let source = null;
  let isKnown = false; // whether the list was read once: what is then new is news

  const tray = () => document.getElementById("jobs");
  const isActive = (job) => job.state === "waiting" || job.state === "running";
  const number = (n) => n.toLocaleString(document.documentElement.lang);

  const say = (name, given = {}) =>
    (words[name] ?? name).replace(/\{(\w+)\}/g, (_, key) =>
      typeof given[key] === "number" ? number(given[key]) : given[key],
    );

  const make = (tag, { className, text, ...props } = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    element.append(...children);
    return element;
  };

  const putAway = () => JSON.parse(localStorage.getItem(PUT_AWAY) || "[]");
  const isShown = (job) => {
    if (isActive(job)) return true;
    const age_s = (Date.now() - Date.parse(job.ended_at)) / 1000;
    return age_s < SHOWN_S && !putAway().includes(job.job);
  };

  // How many a second lately, from what was heard of a job; 0 where that is not known yet.
  const rateOf = (job) => {
    const seen = samples.get(job.job) ?? [];
    const [first, last] = [seen[0], seen[seen.length - 1]];
    return first && last[0] - first[0] > 1.5 ? (last[1] - first[1]) / (last[0] - first[0]) : 0;
  };

  const note = (job) => {
    const now = performance.now() / 1000;
    const before = (samples.get(job.job) ?? []).filter(([at, n]) => now - at < RATE_S && n <= job.n_done);
    samples.set(job.job, [...before, [now, job.n_done]]);
  };

  const duration = (seconds) => {
    if (seconds < 90) return say("seconds", { n: Math.max(1, Math.round(seconds)) });
    if (seconds < 5400) return say("minutes", { n: Math.round(seconds / 60) });
    return say("hours", { n: Math.round(seconds / 360) / 10 });
  };

  const progressOf = (job) => {
    const parts = [];
    const { n_done, n_total } = job;
    if (n_total) parts.push(say("of", { done: Math.min(n_done, n_total), all: n_total }));
    else if (n_done) parts.push(say("so_far", { n: n_done }));
    const rate = rateOf(job);
    if (rate > 0) parts.push(say("rate", { n: rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate) }));
    if (rate > 0 && n_total > n_done) parts.push(say("left", { time: duration((n_total - n_done) / rate) }));
    if (job.n_problems) parts.push(say("problems", { n: job.n_problems }));
    return parts.join(" · ") || say(job.state);
  };

  const RESULTS = {
    cluster: (r) => [["see_clusters", `/clusters?run=${encodeURIComponent(r.run)}`]],
    name: (r) => [["see_clusters", `/clusters?run=${encodeURIComponent(r.run)}`]],
    project: (r) => [["see_map", `/map?run=${encodeURIComponent(r.run)}`]],
    index: (r) => [
      ["see_pictures", "/gallery"],
      ...(r.n_problems ? [["see_problems", "/problems"]] : []),
    ],
  };

  const cameOf = (job) => {
    if (job.state !== "done") return say(job.state);
    const result = job.result ?? {};
    if (job.verb === "index") {
      const said = say(result.n_new === 1 ? "one_new" : "new", { n: result.n_new });
      return result.n_problems ? `${said} · ${say("problems", { n: result.n_problems })}` : said;
    }
    if ("n_clusters" in result) return say("clusters", { n: result.n_clusters });
    return say("done");
  };

  const refuse = (error) => window.bilderatlas.say(error.message);
  const button = (name, act) => {
    const made = make("button", { type: "button", className: "small", text: say(name) });
    made.dataset.does = name;
    made.addEventListener("click", act);
    return made;
  };

  const tell = (job, what) =>
    window.bilderatlas.send(`${API}/${job.job}/${what}`, {}).then(refresh, refuse);

  const buttonsOf = (job) => {
    const made = [];
    if (job.state === "done") {
      for (const [name, href] of (RESULTS[job.verb] ?? (() => []))(job.result ?? {})) {
        made.push(make("a", { href, className: "small", text: say(name) }));
      }
    }
    if (mayEdit && isActive(job)) made.push(button("cancel", () => tell(job, "cancel")));
    if (mayEdit && job.can_resume) {
      made.push(button("resume", () => { hide(job); tell(job, "resume"); }));
    }
    if (!isActive(job)) made.push(button("dismiss", () => hide(job)));
    return made;
  };

  const hide = (job) => {
    localStorage.setItem(PUT_AWAY, JSON.stringify([...putAway(), job.job].slice(-200)));
    draw();
  };

  const itemOf = (job) => {
    const title = make("strong", { text: say(job.verb) });
    const item = make("li", { className: `job is-${job.state}` }, make("p", { className: "job-title" }, title));
    item.dataset.job = job.job;
    if (job.who) item.firstChild.append(make("span", { className: "quiet", text: job.who }));
    if (job.state === "running") {
      const bar = make("progress", { max: 1 });
      if (job.n_total) bar.value = Math.min(1, job.n_done / job.n_total);
      bar.setAttribute("aria-label", say(job.verb));
      item.append(bar);
    }
    item.append(make("p", { className: "job-said", text: isActive(job) ? progressOf(job) : cameOf(job) }));
    if (job.error) item.append(make("p", { className: "refusal", text: job.error.message }));
    item.append(make("p", { className: "job-ways" }, ...buttonsOf(job)));
    return item;
  };

  // What has the focus keeps it: its item is drawn again around it.
  const draw = () => {
    const list = document.getElementById("jobs-list");
    if (!list) return;
    const held = document.activeElement && document.activeElement.closest("#jobs-list [data-does]");
    const [does, of] = held ? [held.dataset.does, held.closest("li").dataset.job] : [];
    const shown = [...jobs.values()].filter(isShown);
    shown.sort((one, other) => (one.asked_at < other.asked_at ? 1 : -1));
    list.replaceChildren(...shown.map(itemOf));
    if (held) list.querySelector(`[data-job="${of}"] [data-does="${does}"]`)?.focus();
    const n = shown.filter(isActive).length;
    tray().querySelector(".jobs-now").textContent = n ? say("n_running", { n }) : "";
    tray().hidden = !shown.length && !document.querySelector("#uploads-list li");
  };

  const announce = (job) => {
    document.getElementById("jobs-news").textContent = `${say(job.verb)}: ${cameOf(job)}`;
    document.dispatchEvent(new CustomEvent("bilderatlas:job-ended", { detail: job }));
    const isTyping = document.activeElement && document.activeElement.matches("main input, main select");
    if (document.querySelector("main [data-counts]") && !isTyping) window.bilderatlas.again();
  };

  const hear = (job) => {
    const before = jobs.get(job.job);
    if (isActive(job)) note(job);
    jobs.set(job.job, job);
    const isNews = before ? isActive(before) : isKnown;
    if (isNews && !isActive(job)) announce(job);
  };

  const follow = () => {
    const isWorthIt = !document.hidden && [...jobs.values()].some(isActive);
    if (isWorthIt && !source) {
      let isBack = false;
      source = new EventSource(`${API}/events`);
      source.onmessage = (event) => {
        hear(JSON.parse(event.data));
        draw();
        follow();
      };
      source.onopen = () => {
        if (isBack) refresh(); // what ended while the line was cut
        isBack = true;
      };
    } else if (!isWorthIt && source) {
      source.close();
      source = null;
    }
  };

  const refresh = async () => {
    if (!tray()) return;
    const answer = await fetch(`${API}?n=20`).catch(() => null);
    if (!answer || !answer.ok) return;
    const listed = (await answer.json()).jobs;
    listed.reverse().forEach(hear); // the newest last
    isKnown = true;
    draw();
    follow();
  };

  const unfold = (isOpen) => {
    tray().querySelector(".jobs-fold").setAttribute("aria-expanded", String(isOpen));
    document.getElementById("jobs-all").hidden = !isOpen;
  };

  const begin = () => {
    if (!tray()) return;
    const isNarrow = window.matchMedia("(max-width: 760px)").matches;
    unfold((localStorage.getItem(FOLDED) ?? (isNarrow ? "yes" : "no")) !== "yes");
    words = JSON.parse(tray().dataset.words);
    mayEdit = JSON.parse(tray().dataset.edits);
    refresh();
  };

  document.addEventListener("bilderatlas:turned", begin);
  document.addEventListener("bilderatlas:acted", (event) => {
    if (event.detail.answer && event.detail.answer.job) refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) follow();
    else refresh();
  });
  document.addEventListener("click", (event) => {
    const fold = event.target.closest(".jobs-fold");
    if (!fold) return;
    const isOpen = fold.getAttribute("aria-expanded") === "true";
    localStorage.setItem(FOLDED, isOpen ? "yes" : "no");
    unfold(!isOpen);
  });

  window.bilderatlas = { ...window.bilderatlas, jobs: { refresh, draw, say }, make };
})();
