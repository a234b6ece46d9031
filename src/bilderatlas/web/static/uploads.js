// Files, folders and archives that are dropped on `.adding`, or chosen there, are sent one by one,
// a few at a time; then a job reads them. What is under way is shown in the tray of jobs, so that
// it goes on while the pages change.
(() => {
  const API = "/api/v1/uploads";
  const AT_ONCE = 3;
  const TRIES = 5; // where the server is busy or the line is cut
  const SHOWN = 100; // refused files that are listed by name
  const { make } = window.bilderatlas;
  const say = (name, given) => window.bilderatlas.jobs.say(name, given);
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let nUnderWay = 0;

  // -- what was dropped or chosen -> [{ file, name }, ...]

  const filesOf = async (entry, path = "") => {
    const name = path + entry.name;
    if (entry.isFile) {
      const file = await new Promise((done, fail) => entry.file(done, fail));
      return [{ file, name }];
    }
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) return found;
      for (const inner of some) found.push(...(await filesOf(inner, `${name}/`)));
    }
  };

  const dropped = async (transfer) => {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()); // before any wait
    const found = [];
    for (const entry of entries) if (entry) found.push(...(await filesOf(entry)));
    return found;
  };

  const chosen = (input) =>
    [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

  // -- one upload, as it is shown in the tray

  class Shown {
    constructor(nAll, stop) {
      this.said = make("p", { className: "job-said" });
      this.bar = make("progress", { max: 1, value: 0 });
      this.bar.setAttribute("aria-label", say("uploading"));
      this.now = make("ul", { className: "sending" });
      this.refused = make("details", { className: "refused", hidden: true });
      this.refused.append(make("summary"), make("ul"));
      this.ways = make("p", { className: "job-ways" });
      const title = make("p", { className: "job-title" }, make("strong", { text: say("uploading") }));
      this.item = make("li", { className: "job" }, title, this.bar, this.said, this.now, this.refused, this.ways);
      this.offer({ cancel: stop });
      this.nAll = nAll;
      document.getElementById("uploads-list").prepend(this.item);
      window.bilderatlas.jobs.draw();
    }

    // The buttons from now on, by their names.
    offer(ways) {
      const buttons = Object.entries(ways).map(([name, act]) => {
        const made = make("button", { type: "button", className: "small", text: say(name) });
        made.addEventListener("click", act);
        return made;
      });
      this.ways.replaceChildren(...buttons);
    }

    draw(upload) {
      this.bar.value = upload.nBytes ? Math.min(1, upload.nSent / upload.nBytes) : 1;
      this.said.textContent = say("sent", { done: upload.nDone, all: this.nAll });
      const rows = [...upload.sending].map(([file, share]) => {
        const bar = make("progress", { max: 1, value: share });
        bar.setAttribute("aria-label", file.name);
        return make("li", {}, make("span", { className: "file", text: file.name }), bar);
      });
      this.now.replaceChildren(...rows);
    }

    refuse(file, reason, nRefused) {
      const [summary, list] = this.refused.children;
      this.refused.hidden = false;
      summary.textContent = say(nRefused === 1 ? "one_refused" : "refused", { n: nRefused });
      if (list.children.length < SHOWN) {
        list.append(make("li", {}, make("strong", { text: file.name }), ` ${reason}`));
      }
    }

    end(said, ways = {}) {
      this.said.textContent = said;
      this.bar.remove();
      this.now.remove();
      this.offer({ ...ways, dismiss: () => this.remove() });
    }

    remove() {
      this.item.remove();
      window.bilderatlas.jobs.draw();
    }
  }

  // -- sending

  const put = (address, file, onSent, requests) =>
    new Promise((done, fail) => {
      const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
      requests.add(request);
      request.open("PUT", address);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => onSent(event.loaded);
      request.onload = () => done(request);
      request.onabort = () => done(null);
      request.onerror = () => fail(new Error(say("cut")));
      request.onloadend = () => requests.delete(request);
      request.send(file);
    });

  const isBusy = (status) => status === 429 || status === 503;
  const detailOf = (request) => {
    try {
      return JSON.parse(request.responseText).detail;
    } catch {
      return `${request.status} ${request.statusText}`;
    }
  };

  class Upload {
    constructor(files) {
      this.waiting = [...files].reverse();
      this.nBytes = files.reduce((sum, { file }) => sum + file.size, 0);
      this.nSent = this.nDone = this.nRefused = 0;
      this.isStopped = false;
      this.sending = new Map(); // file -> the share of it that was sent
      this.requests = new Set();
      this.shown = new Shown(files.length, () => this.stop());
    }

    stop() {
      this.isStopped = true;
      this.waiting = [];
      for (const request of this.requests) request.abort();
    }

    async run() {
      const { upload } = await window.bilderatlas.send(API, {});
      this.address = `${API}/${upload}`;
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.sendNext()));
      if (this.isStopped || this.nRefused === this.nDone) {
        await fetch(this.address, { method: "DELETE" });
        this.shown.end(say(this.isStopped ? "stopped" : "nothing"));
        return;
      }
      await this.finish();
    }

    // Has the files read. Where that is refused, the upload stays, and can be gone on with.
    async finish() {
      try {
        await this.close();
      } catch (error) {
        this.shown.end(error.message, { resume: () => this.finish() });
        return;
      }
      window.bilderatlas.jobs.refresh();
      if (this.nRefused) this.shown.end(say("sent", { done: this.nDone - this.nRefused, all: this.nDone }));
      else this.shown.remove();
    }

    async close() {
      for (let n = 1; ; n += 1) {
        try {
          return await window.bilderatlas.send(`${this.address}/finish`, {});
        } catch (error) {
          const isOver = error.status && !isBusy(error.status);
          if (isOver || n === TRIES) throw error;
          await pause(1000 * n);
        }
      }
    }

    async sendNext() {
      for (let next = this.waiting.pop(); next; next = this.waiting.pop()) {
        const refusal = await this.sendOne(next);
        if (this.isStopped) return;
        this.sending.delete(next);
        this.nDone += 1;
        if (refusal) this.shown.refuse(next, refusal, (this.nRefused += 1));
        this.shown.draw(this);
      }
    }

    // Sends a file; why it was refused, nothing where it was taken.
    async sendOne(one) {
      let nBefore = 0;
      const onSent = (n) => {
        this.nSent += n - nBefore;
        nBefore = n;
        this.sending.set(one, one.file.size ? n / one.file.size : 1);
        this.shown.draw(this);
      };
      for (let n = 1; ; n += 1) {
        onSent(0);
        const address = `${this.address}/files?name=${encodeURIComponent(one.name)}`;
        const answer = await put(address, one.file, onSent, this.requests).catch((error) => error);
        if (!answer || this.isStopped) return null;
        const isOver = !(answer instanceof Error) && !isBusy(answer.status);
        if (isOver || n === TRIES) onSent(one.file.size);
        if (isOver) return answer.status < 300 ? null : detailOf(answer);
        if (n === TRIES) return answer instanceof Error ? answer.message : detailOf(answer);
        const wait_s = answer instanceof Error ? n : answer.getResponseHeader("Retry-After") || n;
        await pause(1000 * wait_s);
      }
    }
  }

  const send = async (files) => {
    if (!files.length) return;
    const upload = new Upload(files);
    nUnderWay += 1;
    try {
      await upload.run();
    } catch (error) {
      upload.stop();
      upload.shown.end(error.message);
    } finally {
      nUnderWay -= 1;
    }
  };

  // -- where files come from

  const choosers = Object.fromEntries(
    ["files", "folder"].map((kind) => {
      const input = make("input", { type: "file", multiple: true, webkitdirectory: kind === "folder" });
      input.addEventListener("change", () => {
        send(chosen(input));
        input.value = "";
      });
      return [kind, input];
    }),
  );

  const zoneOf = (event) => event.target.closest && event.target.closest(".adding");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-choose]");
    if (button) choosers[button.dataset.choose].click();
  });
  for (const [kind, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(kind, (event) => {
      const zone = zoneOf(event);
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("is-over", isOver);
      if (kind === "drop") dropped(event.dataTransfer).then(send);
    });
  }
  window.addEventListener("beforeunload", (event) => {
    if (nUnderWay) event.preventDefault(); // the browser asks whether to leave
  });
})();
