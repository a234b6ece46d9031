// What people change, they change through the REST API: a form with method="post" is sent to its
// `action` as JSON. `name` is a member of the object, `name[]` (repeated) one of a list, and
// `options.k` the member `k` of the object `options`; what was left empty is left out.
//
//   data-method   another method than POST
//   data-said     what the status line says when it is done
//   data-next     the address to go to then; without it the page is drawn again
//   data-confirm  what to ask before it is done
//
// A refusal is shown in the form. Other scripts call `bilderatlas.act` and hear the event
// "bilderatlas:acted" with { action, answer }.
(() => {
  const put = (object, name, value) => {
    const dot = name.indexOf(".");
    if (dot > 0) {
      const inner = name.slice(0, dot);
      object[inner] ??= {};
      put(object[inner], name.slice(dot + 1), value);
    } else if (name.endsWith("[]")) {
      (object[name.slice(0, -2)] ??= []).push(value);
    } else object[name] = value;
  };

  const bodyOf = (form, button) => {
    const body = {};
    for (const [name, value] of new FormData(form, button)) {
      if (typeof value === "string" && value.trim()) put(body, name, value.trim());
    }
    return body;
  };

  const refuse = (form, detail) => {
    let line = form.querySelector(":scope > .refusal");
    if (!line) {
      line = document.createElement("p");
      line.className = "refusal";
      line.setAttribute("role", "alert");
      form.append(line);
    }
    line.textContent = detail;
  };

  // Sends `body` to a route of the REST API. Returns the answer; throws an Error whose message is
  // the refusal's own, with its status.
  const send = async (action, body, method = "POST") => {
    const answer = await fetch(action, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const isJson = /json/.test(answer.headers.get("Content-Type") || "");
    const content = isJson ? await answer.json() : null;
    if (!answer.ok) {
      const refusal = new Error((content && content.detail) || answer.statusText);
      throw Object.assign(refusal, { status: answer.status });
    }
    return content;
  };

  // The line that says what happened; `undo` is the id of a decision.
  let fading;
  const say = (message, undo) => {
    const line = document.getElementById("said");
    clearTimeout(fading);
    line.replaceChildren(message);
    if (undo) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = line.dataset.undo;
      button.addEventListener("click", () =>
        act("/api/v1/decisions", { verb: "undo", what: [undo] }).catch((error) => say(error.message)),
      );
      line.append(" ", button);
    }
    fading = setTimeout(() => line.replaceChildren(), undo ? 20000 : 8000);
  };

  // Draws the page again, where it is.
  const again = () => window.dash_clientside.set_props("again", { data: Date.now() });

  const act = async (action, body, { method, said = "", next } = {}) => {
    const answer = await send(action, body, method);
    const decision = answer && answer.decision;
    const undo = decision && decision.verb !== "undo" ? decision.decision : null;
    say(said, said && undo);
    document.dispatchEvent(new CustomEvent("bilderatlas:acted", { detail: { action, answer } }));
    if (next) window.bilderatlas.go(next);
    else again();
    return answer;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) return;
    const { method, said, next } = form.dataset;
    form.setAttribute("aria-busy", "true");
    try {
      const body = bodyOf(form, event.submitter);
      await act(form.getAttribute("action"), body, { method, said, next });
    } catch (error) {
      refuse(form, error.message);
    } finally {
      form.removeAttribute("aria-busy");
    }
  });

  window.bilderatlas = { ...window.bilderatlas, act, again, say, send };
})();
