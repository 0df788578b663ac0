// The page around the views: which model, which direction, its chance.

const page = JSON.parse(document.getElementById("settings").textContent);
const models = Object.fromEntries(page.models.map((model) => [model.name, model]));
const spoken = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((code) => code in page.languages) ?? "en";
const words = page.languages[spoken];
const byId = (id) => document.getElementById(id);
const chosen = { checkpoint: page.models[0].name, direction: null, dropout: false, temperature: 0, seed: 0 };

const escaped = (word) => word.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A view: a component of the page, whose script starts when it is first shown. */
class View {
  constructor(name) {
    Object.assign(this, { name, element: byId(`${name}-view`), watchers: [], props: null });
  }

  show(value) {
    this.element.hidden = false;
    if (this.props) {
      this.props.value = value;
      for (const watcher of this.watchers) watcher();
    } else this.start(value);
  }

  start(value) {
    const { name, element } = this;
    const own = page.models.filter((model) => model.view === name);
    const all = (of) => Object.fromEntries(own.flatMap((model) => Object.entries(model[of]).map(([key, found]) => [`${model.name} ${key}`, found])));
    const texts = words.texts[name];
    this.props = {
      value, texts, tab: name, limits: page.limits, browser: null, opens: true, formats: [],
      input_specs: all("specs"), spaces: all("spaces"),
    };
    const filled = (_, key) => escaped(key === "tab" ? name : texts[key.slice("texts.".length)]);
    element.innerHTML = page.templates[name].replace(/\{\{([\w.]+)\}\}/g, filled);
    START[name]({
      element, props: this.props, server: { models, limits: page.limits },
      trigger: (event) => this.heard(event),
      watch: (_, watcher) => this.watchers.push(watcher),
    });
  }

  heard(event) {
    if (event === "swap") chosen.direction = chosen.direction.split("2").reverse().join("2");
    if (event === "recall") {
      const { checkpoint, direction, seed = null, temperature = 1 } = this.props.value;
      Object.assign(chosen, { checkpoint, direction, dropout: seed !== null, temperature: seed === null ? 0 : temperature });
      if (seed !== null) chosen.seed = seed;
      return showControls(); // the view has taken its settings already
    }
    apply();
  }
}

const views = { draw: new View("draw"), styles: new View("styles") };

/** Let the view of the chosen model take what is chosen. */
function apply() {
  showControls();
  const { checkpoint, direction } = chosen;
  const { view, chance } = models[checkpoint];
  for (const other of Object.values(views)) if (other.name !== view) other.element.hidden = true;
  const isRandom = { dropout: chosen.dropout, latent: chosen.temperature > 0 }[chance];
  const seed = isRandom ? Math.min(Math.max(Math.trunc(chosen.seed) || 0, 0), page.limits.seed) : null;
  const temperature = chance === "latent" ? chosen.temperature : 1;
  views[view].show(view === "styles" ? { checkpoint, direction } : { checkpoint, direction, seed, temperature });
}

// ---- controls

function radios(root, name, label, choices, value, choose) {
  root.setAttribute("aria-label", label);
  root.hidden = choices.length < 2;
  root.replaceChildren(...choices.map(([key, title, detail]) => {
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value: key, checked: key === value });
    input.onchange = () => choose(key);
    const row = document.createElement("label");
    row.append(input, title);
    if (detail) row.append(" ", Object.assign(document.createElement("small"), { textContent: detail }));
    return row;
  }));
}

function field(label, type, value, more, change) {
  const input = Object.assign(document.createElement("input"), { type, ...more });
  if (type === "checkbox") input.checked = value;
  else input.value = value;
  input.addEventListener(type === "range" ? "input" : "change", () => {
    change(type === "checkbox" ? input.checked : input.valueAsNumber);
    apply();
  });
  const row = document.createElement("label");
  row.append(label, input);
  return row;
}

function showControls() {
  const model = models[chosen.checkpoint];
  if (!(chosen.direction in model.directions)) [chosen.direction] = Object.keys(model.directions);
  const focused = document.activeElement?.closest?.(".choices, .settings") ? document.activeElement : null;
  const { controls } = words;
  const names = page.models.map(({ name, title, method }) => [name, title, method]);
  radios(byId("models"), "model", controls.model, names, model.name, (name) => {
    chosen.checkpoint = name;
    apply();
  });
  radios(byId("directions"), "direction", controls.direction, Object.entries(model.directions), chosen.direction, (direction) => {
    chosen.direction = direction;
    apply();
  });
  if (focused?.type === "radio") document.querySelector(`.choices [value="${CSS.escape(focused.value)}"]`)?.focus();
  showChance(model, focused);
}

let shownChance = null;

function showChance({ chance, view }, focused) {
  const root = byId("chance");
  root.hidden = view !== "draw" || !["dropout", "latent"].includes(chance);
  const state = JSON.stringify([chance, chosen.dropout]);
  if (root.hidden || (focused && root.contains(focused) && state === shownChance)) return;
  shownChance = state;
  const { controls } = words;
  const another = Object.assign(document.createElement("button"), { type: "button", textContent: controls.another_seed });
  another.onclick = () => {
    chosen.seed = Math.floor(Math.random() * 10000);
    apply();
  };
  const seed = field(controls.seed, "number", chosen.seed, { min: 0, max: page.limits.seed, step: 1 }, (value) => (chosen.seed = value || 0));
  const dropout = field(controls.dropout, "checkbox", chosen.dropout, {}, (on) => (chosen.dropout = on));
  const range = { min: 0, max: page.limits.temperature, step: 0.05 };
  const temperature = field(controls.temperature, "range", chosen.temperature, range, (value) => (chosen.temperature = value));
  if (chance === "latent") root.replaceChildren(temperature, seed, another);
  else root.replaceChildren(dropout, ...(chosen.dropout ? [seed, another] : []));
}

// ---- the beginning

/** Choose the model of a link; its view reads the rest. */
function followLink() {
  const link = linked();
  const model = models[link?.model];
  if (!model || link.tab !== model.view) return;
  if (views[model.view].props && !views[model.view].element.hidden) return; // the view follows it by itself
  Object.assign(chosen, { checkpoint: link.model, direction: link.direction ?? null });
  apply();
}

function begin() {
  document.documentElement.lang = spoken;
  document.title = byId("head").querySelector("h1").textContent = words.page.title;
  byId("head").querySelector("p").textContent = words.page.tagline;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", show);
  show();
  const problem = networkModule ? (typeof WebAssembly === "object" ? null : "network_blocked") : "from_a_file";
  if (problem) return Object.assign(byId("problem"), { textContent: words.texts.draw[problem], hidden: false });
  addEventListener("hashchange", followLink);
  followLink();
  if (!Object.values(views).some((view) => view.props)) apply();
}

begin();
