// Trainings, as the server tells of them every other second while somebody looks.

const LOOK_MS = 2000;
const texts = props.texts;
const list = element.querySelector('[data-part="list"]');
const toasts = new Toasts(element.querySelector('[data-part="toasts"]'), texts);
const shown = new Map(); // id → Run

class Run {
  constructor(id) {
    this.id = id;
    this.root = document.createElement("article");
    this.root.className = "run";
    this.root.innerHTML = `
      <header><h3></h3><span class="method"></span><span class="words" role="status"></span></header>
      <progress max="1"></progress>
      <p class="why"></p>
      <dl class="figures"></dl>
      <div class="curves"></div>
      <figure class="sample" hidden>
        <img alt=""><label><span></span><input type="range" min="0" step="1"><output></output></label>
      </figure>
      <div class="actions"></div>
      <form class="longer" hidden></form>
      <details class="command"><summary></summary><pre></pre></details>
      <details class="log"><summary></summary><pre tabindex="0"></pre></details>`;
    this.part = (selector) => this.root.querySelector(selector);
    this.part(".command summary").textContent = texts.command;
    this.part(".log summary").textContent = texts.log;
    this.part(".log").ontoggle = () => this.showLog();
    this.makeLonger();
    this.part(".sample span").textContent = texts.history;
    this.part("progress").setAttribute("aria-label", texts.progress);
    this.slider = this.part("input");
    this.slider.oninput = () => { this.follows = +this.slider.value === this.steps.length - 1; this.showSample(); };
    this.steps = [];
    this.follows = true; // the newest grid, until somebody looks back
    this.pictures = new Map();
    this.curves = new Map();
  }

  show(run) {
    this.root.dataset.state = run.state;
    this.tab = run.tab;
    put(this.part("h3"), run.name);
    put(this.part(".method"), run.method);
    put(this.part(".words"), run.words);
    put(this.part(".why"), run.why);
    put(this.part(".command pre"), run.command);
    this.longer = run.longer;
    if (!run.can.includes("longer")) this.part(".longer").hidden = true;
    this.showLog();
    this.part("progress").value = run.share;
    const figures = run.figures.map(([name, value]) => {
      const row = document.createElement("div");
      for (const [tag, words] of [["dt", name], ["dd", value]]) row.append(made(tag, words));
      return row;
    });
    this.part(".figures").replaceChildren(...figures);
    run.curves.forEach((curve) => this.showCurve(curve));
    this.showActions(run);
    if (run.samples.join() !== this.steps.join()) {
      this.steps = run.samples;
      this.slider.max = Math.max(0, this.steps.length - 1);
      if (this.follows) this.slider.value = this.slider.max;
      this.showSample();
    }
  }

  showCurve({ name, last, points }) {
    if (!this.curves.has(name)) {
      const root = made("div", "");
      root.className = "curve";
      root.innerHTML = `<small><span></span><b></b></small><svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true"><path/></svg>`;
      root.querySelector("span").textContent = name;
      this.part(".curves").append(root);
      this.curves.set(name, root);
    }
    const root = this.curves.get(name);
    put(root.querySelector("b"), last);
    const values = points.map(([, value]) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const [first, end] = [points[0][0], points.at(-1)[0]];
    const place = ([step, value]) =>
      `${(100 * (step - first) / Math.max(1, end - first)).toFixed(2)},${(38 - 36 * (value - low) / (high - low || 1)).toFixed(2)}`;
    root.querySelector("path").setAttribute("d", points.length > 1 ? `M${points.map(place).join("L")}` : "");
  }

  showActions(run) {
    const wanted = run.can.join();
    if (this.wanted === wanted) return;
    this.wanted = wanted;
    this.part(".actions").replaceChildren(...run.can.map((action) => {
      const button = made("button", texts[`do_${action}`]);
      button.type = "button";
      button.dataset.action = action;
      button.onclick = () => this.act(action, button);
      return button;
    }));
  }

  async act(action, button) {
    if (action === "discard" && button.dataset.sure !== "true") {
      button.dataset.sure = "true";
      button.textContent = this.root.dataset.state === "done" ? texts.sure_model : texts.sure;
      setTimeout(() => { button.dataset.sure = ""; button.textContent = texts.do_discard; }, 5000);
      return;
    }
    if (action === "longer") return this.askLonger();
    if (action === "open") {
      location.hash = new URLSearchParams({ tab: this.tab, model: this.part("h3").textContent });
      return location.reload(); // this page lists the models that there were when it was opened
    }
    if (["zip", "push", "compare"].includes(action)) return trigger(action, { id: this.id });
    button.disabled = true;
    try {
      if (action === "try") await this.tryNow();
      else say(await server.act({ id: this.id, wish: action }));
      await refresh();
    } finally {
      button.disabled = false;
    }
  }

  /** A form for what a finished training goes on longer with: minutes, and what may change. */
  makeLonger() {
    const form = this.part(".longer");
    const fields = [["minutes", texts.longer_minutes, "1"], ["learning_rate", "--learning-rate", "any"], ["batch_size", "--batch-size", "1"]];
    for (const [name, words, step] of fields) {
      const label = made("label", "");
      const input = Object.assign(document.createElement("input"), { type: "number", name, step, min: "0" });
      label.append(made("span", words), input);
      form.append(label);
    }
    form.append(Object.assign(made("button", texts.longer_start), { type: "submit" }));
    form.onsubmit = async (event) => {
      event.preventDefault();
      const asked = Object.fromEntries(new FormData(form));
      const answer = say(await server.act({ id: this.id, wish: "longer", ...asked }));
      if (answer.error) return;
      form.hidden = true;
      await refresh();
    };
  }

  askLonger() {
    const form = this.part(".longer");
    form.hidden = !form.hidden;
    if (form.hidden) return;
    for (const input of form.querySelectorAll("input")) {
      input.value = input.name === "minutes" ? "20" : this.longer[input.name];
      input.placeholder = texts.longer_as_before;
    }
    form.elements.minutes.focus();
    form.elements.minutes.select();
  }

  /** What the training has printed, while somebody has that open. */
  async showLog() {
    if (!this.part(".log").open) return;
    const pre = this.part(".log pre");
    const answer = await server.log({ id: this.id });
    if (answer.said === undefined) return;
    const followed = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 8;
    put(pre, answer.said || texts.log_empty);
    if (followed) pre.scrollTop = pre.scrollHeight;
  }

  /** Have the training write what it has learned so far, wait for it, and ask the page to open it. */
  async tryNow() {
    if (this.root.dataset.state === "running") {
      const asked = say(await server.act({ id: this.id, wish: "export" }));
      if (asked.error) return;
      for (let tries = 0; tries < 90; tries++) {
        await new Promise((done) => setTimeout(done, 700));
        const answer = await server.act({ id: this.id, wish: "exported" });
        if (answer.error || answer.ready) break;
      }
    }
    trigger("try_now", { id: this.id });
  }

  async showSample() {
    const figure = this.part(".sample");
    figure.hidden = !this.steps.length;
    if (figure.hidden) return;
    const step = this.steps[+this.slider.value];
    put(this.part("output"), texts.at_step.replace("{step}", step.toLocaleString()));
    if (!this.pictures.has(step)) {
      const answer = await server.sample({ id: this.id, step });
      if (!answer.image) return;
      this.pictures.set(step, answer.image);
    }
    if (step !== this.steps[+this.slider.value]) return; // the slider has moved on
    const image = this.part("img");
    image.alt = texts.grid.replace("{step}", step);
    image.src = this.pictures.get(step);
  }
}

function made(tag, words) {
  return Object.assign(document.createElement(tag), { textContent: words });
}

function put(node, words) {
  if (node.textContent !== words) node.textContent = words; // untouched, a screen reader need not say it again
}

function say(answer) {
  if (answer.error) toasts.show(answer.error);
  return answer;
}

async function refresh() {
  const answer = await server.jobs({});
  if (!answer.jobs) return;
  const ids = answer.jobs.map((run) => run.id);
  for (const [id, run] of shown) if (!ids.includes(id)) { run.root.remove(); shown.delete(id); }
  answer.jobs.forEach((told, at) => {
    if (!shown.has(told.id)) shown.set(told.id, new Run(told.id));
    const run = shown.get(told.id);
    if (list.children[at] !== run.root) list.insertBefore(run.root, list.children[at] ?? null);
    run.show(told);
  });
}

async function keepLooking() {
  while (element.isConnected) {
    const looked = !document.hidden && element.offsetParent !== null;
    try {
      if (looked) await refresh();
    } catch {
      // The server is away; the next look may find it again.
    }
    await new Promise((done) => setTimeout(done, looked ? LOOK_MS : 600));
  }
}

watch("value", refresh);
keepLooking();
