// The advice on k and eps: asked for once, then drawn as curves, with what is recommended marked.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 340, HEIGHT = 190, LEFT = 46, RIGHT = 12, TOP = 12, BOTTOM = 30;

  const make = (name, attributes, ...children) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  const short = (number) =>
    Number(number.toPrecision(3)).toLocaleString(document.documentElement.lang);

  // Values onto pixels; k is drawn by its logarithm, as its candidates are spread.
  const scale = (values, from, to, bend = (value) => value) => {
    const low = bend(Math.min(...values)), high = bend(Math.max(...values));
    return (value) => from + ((bend(value) - low) / (high - low || 1)) * (to - from);
  };

  const chart = ({ title, xs, ys, at, xName, isLogarithmic, words }) => {
    const x = scale(xs, LEFT, WIDTH - RIGHT, isLogarithmic ? Math.log : undefined);
    const y = scale(ys, HEIGHT - BOTTOM, TOP);
    const line = xs.map((value, i) => `${x(value).toFixed(1)},${y(ys[i]).toFixed(1)}`).join(" ");
    const low = Math.min(...ys), high = Math.max(...ys);
    const text = (content, px, py, anchor, kind = "") =>
      make("text", { x: px, y: py, "text-anchor": anchor, class: kind }, content);
    const parts = [
      make("path", { class: "axes", d: `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }),
      make("polyline", { class: "curve", points: line }),
      text(short(high), LEFT - 6, TOP + 5, "end"),
      text(short(low), LEFT - 6, HEIGHT - BOTTOM, "end"),
      text(short(Math.min(...xs)), LEFT, HEIGHT - 10, "middle"),
      text(short(Math.max(...xs)), WIDTH - RIGHT, HEIGHT - 10, "end"),
      text(xName, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "middle"),
    ];
    let said = `${title}: ${words.from} ${short(ys[0])} ${words.to} ${short(ys[ys.length - 1])}`;
    const isInside = at !== null && at >= Math.min(...xs) && at <= Math.max(...xs);
    if (isInside) {
      const near = xs.reduce((best, one, i) => (Math.abs(one - at) < Math.abs(xs[best] - at) ? i : best), 0);
      parts.push(
        make("path", { class: "recommended", d: `M${x(at)} ${TOP}V${HEIGHT - BOTTOM}` }),
        make("circle", { class: "recommended", cx: x(at), cy: y(ys[near]), r: 4 }),
      );
      said += `; ${words.recommended}: ${short(ys[near])} ${words.at} ${xName} = ${short(at)}`;
    }
    const figure = document.createElement("figure");
    const caption = Object.assign(document.createElement("figcaption"), { textContent: title });
    const drawing = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said };
    figure.append(caption, make("svg", drawing, ...parts));
    return figure;
  };

  const table = (rows, columns, words) => {
    const row = (cells, kind) => {
      const line = document.createElement("tr");
      line.append(...cells.map((cell) => Object.assign(document.createElement(kind), { textContent: cell })));
      return line;
    };
    const body = document.createElement("table");
    body.append(row(columns, "th"), ...rows.map((one) => row(columns.map((name) => short(one[name])), "td")));
    const folded = document.createElement("details");
    const summary = Object.assign(document.createElement("summary"), { textContent: words.numbers });
    const wide = Object.assign(document.createElement("div"), { className: "wide", tabIndex: 0 });
    wide.append(body);
    folded.append(summary, wide);
    return folded;
  };

  const fill = (name, advice, charts, rows, columns, words) => {
    const section = document.querySelector(`main [data-answer="${name}"]`);
    if (!section) return;
    section.querySelector(".reason").textContent = advice.reason;
    section.querySelector(".curves").replaceChildren(...charts.map(chart), table(rows, columns, words));
    for (const place of section.querySelectorAll(`[data-filled="${name}"]`)) {
      const field = { type: "hidden", name: `options.${name}`, value: advice[name] };
      place.replaceChildren(Object.assign(document.createElement("input"), field));
    }
    section.hidden = false;
  };

  const draw = ({ k, eps }, words) => {
    const columns = (rows, name) => rows.map((row) => row[name]);
    const overK = (name) => ({
      title: words[name], xs: columns(k.curves, "k"), ys: columns(k.curves, name), at: k.k, xName: "k",
      isLogarithmic: true, words,
    });
    const overEps = (name) => ({
      title: words[name], xs: columns(eps.curves, "eps"), ys: columns(eps.curves, name), at: eps.eps,
      xName: "eps", words,
    });
    const ofK = ["silhouette", "gap", "stability", "inertia"];
    const ofEps = ["separation", "noise", "n_clusters"];
    if (k.curves.length) fill("k", k, ofK.map(overK), k.curves, ["k", ...ofK], words);
    const ranks = { title: words.k_distances, xs: eps.k_distances.map((_, i) => i + 1), ys: eps.k_distances, at: null,
      xName: "", words };
    const some = eps.curves.filter((_, i) => i % Math.ceil(eps.curves.length / 25) === 0);
    fill("eps", eps, [...ofEps.map(overEps), ranks], some, ["eps", ...ofEps], words);
  };

  document.addEventListener("bilderatlas:turned", async () => {
    const wait = document.querySelector("main [data-advice]");
    if (!wait || wait.dataset.asked === wait.dataset.advice) return;
    const asked = wait.dataset.advice;
    wait.dataset.asked = asked;
    const isStill = () => wait.isConnected && wait.dataset.advice === asked;
    try {
      const answer = await fetch(asked);
      const content = await answer.json();
      if (!isStill()) return;
      if (!answer.ok) throw new Error(content.detail || answer.statusText);
      wait.hidden = true;
      draw(content, JSON.parse(wait.dataset.texts));
    } catch (error) {
      if (isStill()) wait.textContent = error.message;
    }
  });
})();
