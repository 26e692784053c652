// Uploads in pieces: a drop area, progress, pause, going on after a broken connection or a reload.
// Without this file the page has a plain form that sends one file whole.
(() => {
  const HIDDEN = ["absolute", "inset-0", "h-full", "opacity-0", "cursor-pointer"];
  const OVER = ["border-primary", "bg-primary/10"];
  const MB = 1_048_576;
  const SMALLEST = 256 * 1024;
  const SECONDS_A_PIECE = 3; // a piece that breaks off is sent again: on a slow line it is smaller
  const LONGEST_WAIT = 30; // seconds between two tries
  const REMEMBERED = "studio-upload:";
  const OVER_AND_DONE = ["ready", "refused", "imported"];

  class Refused extends Error {}
  class Stopped extends Error {}

  const size = (bytes) =>
    bytes < 100_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / MB).toFixed(1)} MB`;

  function duration(seconds) {
    if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
    return `${(seconds / 3600).toFixed(1)} h`;
  }

  // ── What is remembered over a reload: which upload a file belongs to ─────────────────────────

  const keyOf = (file, form) =>
    `${REMEMBERED}${form.dataset.url}:${form.dataset.into}:${file.name}:${file.size}:${file.lastModified}`;

  function remember(key, token) {
    try {
      if (token) localStorage.setItem(key, token);
      else localStorage.removeItem(key);
    } catch {
      // A browser that keeps nothing: an upload then begins anew after a reload.
    }
  }

  function remembered(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  // ── One file ─────────────────────────────────────────────────────────────────────────────────

  class Transfer {
    constructor(file, form, row, say) {
      this.file = file;
      this.form = form;
      this.row = row;
      this.say = say;
      this.key = keyOf(file, form);
      this.arrived = 0;
      this.piece = SMALLEST * 4;
      this.paused = false;
      this.cancelled = false;
      this.marks = []; // [time, bytes] of the last seconds, for the speed
      this.part("name").textContent = file.name;
      this.part("bar").setAttribute("aria-label", `Upload of ${file.name}`);
      this.part("pause").addEventListener("click", () => this.togglePause());
      this.part("cancel").addEventListener("click", () => this.cancel());
      this.show("Waiting");
    }

    part(name) {
      return this.row.querySelector(`[data-${name}]`);
    }

    show(state) {
      this.part("state").textContent = state;
      this.part("numbers").textContent = `${size(this.arrived)} of ${size(this.file.size)}`;
      this.part("bar").value = this.file.size ? this.arrived / this.file.size : 0;
    }

    fail(message) {
      const state = this.part("state");
      this.row.classList.add("border-error");
      state.classList.replace("text-quiet", "text-error");
      state.setAttribute("role", "alert");
      state.textContent = message;
      this.part("bar").hidden = true;
      this.buttons(false);
    }

    buttons(shown) {
      this.part("pause").hidden = !shown;
      this.part("cancel").hidden = !shown;
    }

    togglePause() {
      this.paused = !this.paused;
      this.part("pause").textContent = this.paused ? "Resume" : "Pause";
      this.marks = [];
      if (this.paused) this.request?.abort();
      else this.wake?.();
      this.show(this.paused ? "Paused" : "Going on");
      this.say(`${this.file.name}: ${this.paused ? "paused" : "going on"}`);
    }

    async cancel() {
      this.cancelled = true;
      this.request?.abort();
      this.wake?.();
    }

    /** Sends the file; ends with its upload, or throws `Refused` or `Stopped`. */
    async run() {
      this.buttons(true);
      let upload = await this.stubbornly(() => this.begin());
      while (upload.state === "arriving") upload = await this.stubbornly(() => this.sendPiece());
      remember(this.key, null);
      this.part("pause").hidden = true;
      this.show("Arrived. Looking at what is in it …");
      this.part("bar").removeAttribute("value");
      return upload;
    }

    async begin() {
      const known = remembered(this.key);
      if (known) {
        const found = await this.ask("GET", `${this.form.dataset.url}${known}/`, null, [404]);
        if (found?.state === "arriving" && found.size === this.file.size) {
          this.url = `${this.form.dataset.url}${known}/`;
          this.arrived = found.arrived;
          this.show(`Going on from ${size(this.arrived)}`);
          return found;
        }
        remember(this.key, null);
      }
      const made = await this.ask("POST", this.form.dataset.url, {
        filename: this.file.name,
        size: this.file.size,
        into: this.form.dataset.into,
      });
      this.url = `${this.form.dataset.url}${made.token}/`;
      remember(this.key, made.token);
      return made;
    }

    async sendPiece() {
      const from = this.arrived;
      const blob = this.file.slice(from, from + this.piece);
      const begun = performance.now();
      const answer = await this.ask("PUT", `${this.url}data/?offset=${from}`, blob, [409]);
      if (answer.state === undefined || answer.arrived === undefined) throw new Refused(answer.message);
      this.arrived = answer.arrived;
      const seconds = (performance.now() - begun) / 1000;
      if (answer.code === "conflict") {
        // The piece came twice, or another tab sends the same file: ask what is here, go on there.
        if (answer.state !== "arriving") return this.ask("GET", this.url);
        if (answer.arrived === from) throw new Error(answer.message);
        return answer;
      }
      const wanted = (blob.size / Math.max(seconds, 0.05)) * SECONDS_A_PIECE;
      const largest = Number(this.form.dataset.piece);
      this.piece = Math.round(Math.min(largest, Math.max(SMALLEST, Math.min(wanted, this.piece * 2))));
      this.progress(this.arrived);
      return answer;
    }

    progress(bytes) {
      const now = performance.now() / 1000;
      this.marks.push([now, bytes]);
      while (this.marks.length > 2 && now - this.marks[0][0] > 8) this.marks.shift();
      const [since, before] = this.marks[0];
      const speed = now - since > 0.5 ? (bytes - before) / (now - since) : 0;
      const left = speed > 0 ? `, ${duration((this.file.size - bytes) / speed)} left` : "";
      this.show(speed > 0 ? `${size(speed)} a second${left}` : "Uploading");
      this.part("numbers").textContent = `${size(bytes)} of ${size(this.file.size)}`;
      this.part("bar").value = bytes / this.file.size;
    }

    /** Tries until it works, with longer and longer waits; a refusal ends it. */
    async stubbornly(attempt) {
      for (let tries = 0; ; tries++) {
        await this.mayGoOn();
        try {
          return await attempt();
        } catch (error) {
          if (error instanceof Refused) throw error;
          if (this.cancelled || this.paused) continue;
          const seconds = Math.min(LONGEST_WAIT, 2 ** tries);
          this.marks = [];
          this.show(`The connection broke. Trying again in ${seconds} s`);
          await this.sleep(seconds);
        }
      }
    }

    async mayGoOn() {
      while (this.paused && !this.cancelled) await this.sleep(3600);
      if (this.cancelled) {
        remember(this.key, null);
        if (this.url) await this.ask("DELETE", this.url, null, [404, 409], true).catch(() => null);
        throw new Stopped();
      }
    }

    /** Until the time is over, or somebody resumes, cancels, or the network is back. */
    sleep(seconds) {
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          removeEventListener("online", end);
          this.wake = null;
          resolve();
        };
        const timer = setTimeout(end, seconds * 1000);
        addEventListener("online", end);
        this.wake = end;
      });
    }

    /** The answer's JSON. Throws `Refused` with the sentence of an answer that no retry mends. */
    ask(method, url, body, expected = [], evenCancelled = false) {
      return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        if (!evenCancelled) this.request = request;
        request.open(method, url);
        request.timeout = 300_000;
        request.setRequestHeader("X-CSRFToken", this.form.elements.csrfmiddlewaretoken.value);
        const bytes = body instanceof Blob;
        if (bytes) {
          request.setRequestHeader("Content-Type", "application/octet-stream");
          const from = this.arrived;
          request.upload.onprogress = (event) => this.progress(Math.min(from + event.loaded, this.file.size));
        } else if (body) request.setRequestHeader("Content-Type", "application/json");
        request.onload = () => {
          const answer = readJSON(request.responseText);
          const status = request.status;
          if (status < 300) return resolve(answer ?? {});
          if (expected.includes(status)) return resolve(status === 404 ? null : answer);
          const passing = status >= 500 && status !== 507;
          if (passing || status === 429 || status === 408) return reject(new Error(`${status}`));
          reject(new Refused(answer?.problems?.[0]?.message ?? answer?.message ?? `The server answered ${status}.`));
        };
        request.onerror = request.ontimeout = request.onabort = () => reject(new Error("connection"));
        request.send(bytes ? body : body ? JSON.stringify(body) : null);
      });
    }
  }

  function readJSON(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  // ── The page ─────────────────────────────────────────────────────────────────────────────────

  function enhance(form) {
    const input = form.querySelector("input[type=file]");
    const area = form.querySelector("[data-drop]");
    const list = form.querySelector("[data-files]");
    const said = form.querySelector("[data-said]");
    const template = document.querySelector("template[data-file-row]");
    if (!input || form.dataset.enhanced) return;
    form.dataset.enhanced = "yes";
    input.multiple = !form.dataset.into;
    // The input covers the area: the browser itself takes dropped files then.
    input.classList.add(...HIDDEN);
    input.classList.remove("file-input");
    for (const type of ["dragenter", "dragover"])
      area.addEventListener(type, () => area.classList.add(...OVER));
    for (const type of ["dragleave", "drop"])
      area.addEventListener(type, () => area.classList.remove(...OVER));
    input.addEventListener("focus", () => area.classList.add("outline-2", "outline-primary"));
    input.addEventListener("blur", () => area.classList.remove("outline-2", "outline-primary"));

    const waiting = [];
    const all = [];
    let working = false;
    const say = (text) => {
      said.textContent = text;
    };

    input.addEventListener("change", () => {
      for (const file of input.files) {
        const row = template.content.firstElementChild.cloneNode(true);
        list.append(row);
        list.hidden = false;
        const transfer = new Transfer(file, form, row, say);
        all.push(transfer);
        if (file.size > Number(form.dataset.max))
          transfer.fail(`${size(file.size)} is more than is taken here.`);
        else waiting.push(transfer);
      }
      input.value = "";
      goOn();
    });

    async function goOn() {
      if (working) return;
      working = true;
      while (waiting.length) await send(waiting.shift());
      working = false;
    }

    async function send(transfer) {
      try {
        const upload = await transfer.run();
        transfer.buttons(false);
        if (all.length === 1) {
          location.assign(upload.url);
          return;
        }
        finish(transfer, upload);
      } catch (error) {
        if (error instanceof Refused) {
          remember(transfer.key, null);
          transfer.fail(error.message);
        } else if (error instanceof Stopped) {
          all.splice(all.indexOf(transfer), 1);
          transfer.row.remove();
          list.hidden = !list.children.length;
          say(`${transfer.file.name}: cancelled`);
        } else throw error;
      }
    }

    function finish(transfer, upload) {
      const open = transfer.part("open");
      open.href = upload.url;
      open.hidden = false;
      transfer.part("bar").hidden = true;
      transfer.part("numbers").textContent = size(transfer.file.size);
      const done = OVER_AND_DONE.includes(upload.state);
      transfer.part("state").textContent = done
        ? "Checked. Look at it, then keep it"
        : "Arrived. A worker is checking it";
      say(`${transfer.file.name} has arrived`);
    }

    addEventListener("beforeunload", (event) => {
      if (working && all.length > 1) event.preventDefault();
    });
  }

  function enhanceAll() {
    document.querySelectorAll("form[data-upload]").forEach(enhance);
  }

  document.addEventListener("DOMContentLoaded", enhanceAll);
  document.addEventListener("htmx:afterSettle", enhanceAll);
})();
