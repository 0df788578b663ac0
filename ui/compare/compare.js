// The comparison: every method of a task translates the drawing of one editor, each in its own tile and time.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load), after the editor's files.

const { tasks, input_specs: inputSpecs, texts, limits } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const results = $(".results");
const ICONS = {
  reroll: "M4.500 4.500h15v15h-15zM9 9h.010M15 15h.010M15 9h.010M9 15h.010",
  about: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8h.010",
};
let task = null;
let tiles = [];
let recalled = null; // {task, seeds} of the last link
let truth = null; // the tile of the true translation, where a task has some
let truthRequests = 0; // so that an older answer does not replace a newer one

const toasts = new Toasts(part("toasts"), texts);
const client = new LocalClient(server, texts, props.browser, toasts);
const editor = new Editor($(".editor"), { inputSpecs, limits, texts, client, toasts, onchange: refresh });
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function iconButton(action, label) {
  const button = make("button", { type: "button", title: label });
  button.dataset.action = action;
  button.setAttribute("aria-label", label);
  button.innerHTML = `<svg viewBox="0 0 24 24"><path d="${ICONS[action]}"/></svg>`;
  return button;
}

/** A picture with its name below. */
class Tile {
  constructor(name, kind) {
    this.name = name;
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", fill(texts.result_of, { name }));
    this.context = squareContext(512, this.canvas);
    this.time = make("small", { className: "time" });
    this.frame = make("div", { className: "frame" }, this.canvas);
    this.caption = make("figcaption", {}, make("span", { className: "name", textContent: name, title: name }));
    this.root = make("figure", { className: `tile ${kind}` }, this.frame, this.caption, this.time);
    this.clear();
  }

  get done() {
    return this.root.dataset.state === "done";
  }

  clear() {
    this.root.dataset.state = "empty";
    this.time.textContent = "";
  }

  paint(picture) {
    drawScaled(this.context, picture);
    this.root.dataset.state = "done";
  }
}

/** A method's result for the newest drawing, whatever the other methods do. */
class MethodTile extends Tile {
  constructor(method) {
    super(method.name, "method");
    this.method = method;
    this.seed = null; // of a random style; null is the mean style
    this.image = null;
    this.root.dataset.checkpoint = method.checkpoint;
    if (method.styled) this.addButton("reroll", texts.reroll, () => this.setSeed(Math.floor(Math.random() * 10000)));
    this.addButton("about", texts.card_of, () => trigger("about", { checkpoint: method.checkpoint }));
    this.root.append(this.figures());
    this.requests = new LiveRequests({
      send: ({ settings, image }) => client.callWithImage("translate", settings, image),
      onAnswer: (answer, request, isCurrent) => this.showResult(answer, request, isCurrent),
      onError: (error) => this.showError(error),
      onBusy: (busy) => this.showBusy(busy),
      offline: texts.offline,
    });
  }

  addButton(action, label, onclick) {
    this.caption.append(Object.assign(iconButton(action, fill(label, this)), { onclick }));
  }

  figures() {
    const list = make("dl");
    list.setAttribute("aria-label", fill(texts.numbers_of, this));
    for (const { label, value, best, about } of this.method.figures) {
      const number = make("dd", { textContent: value, className: best ? "best" : "" });
      list.append(make("div", { title: about }, make("dt", { textContent: label }), number));
    }
    return list;
  }

  translate() {
    this.requests.request(() => {
      const { checkpoint, direction } = this.method;
      const source = editor.image;
      // Each tile has its own key: the server keeps codes by checkpoint and may forget those of one alone.
      if (this.image?.canvas !== source.canvas) this.image = { canvas: source.canvas, key: null, get url() { return source.url; } };
      return { payload: { settings: { checkpoint, direction, seed: this.seed }, image: this.image }, seed: this.seed };
    });
  }

  setSeed(seed) {
    this.seed = seed;
    if (!editor.empty) this.translate();
  }

  async showResult(answer, { number, seed }, isCurrent) {
    const picture = await loadImage(answer.image);
    if (!isCurrent()) return;
    this.paint(picture);
    const style = !this.method.styled ? [] : seed === null ? [texts.mean_style] : [fill(texts.style_seed, { seed })];
    this.time.textContent = [answer.backend ? timeOf(answer, texts) : fill(texts.ms, answer), ...style].join(" · ");
    this.root.dataset.shown = number;
  }

  showError(error) {
    this.clear(); // the result for an older drawing beside other methods' newer ones would mislead
    toasts.show(error.message);
  }

  showBusy(busy) {
    if (busy) this.root.setAttribute("aria-busy", "true");
    else this.root.removeAttribute("aria-busy");
    showDownload();
  }

  drop() {
    this.requests.drop();
    this.clear();
  }
}

// ---- the drawing changed

function refresh() {
  if (!task) return;
  results.dataset.state = editor.empty ? "empty" : "asked";
  for (const tile of tiles) {
    if (editor.empty) tile.drop();
    else tile.translate();
  }
  showTruth();
  showDownload();
}

/** Show the true translation, which is known for an example on which nothing is drawn. */
async function showTruth() {
  const number = ++truthRequests;
  const last = editor.drawing.current.at(-1);
  const example = last?.type === "picture" ? last : null;
  const url = example && task.truths ? await truthOf(example.variants[example.variant].src) : null;
  const picture = url && (await loadImage(url));
  if (number !== truthRequests || !truth) return;
  if (picture) truth.paint(picture);
  else truth.clear();
}

async function truthOf(src) {
  try {
    const urls = await editor.examples();
    const { checkpoint, direction } = task;
    task.fetchedTruths ??= client.call("truths", { checkpoint, direction });
    return (await task.fetchedTruths).truths[urls.indexOf(src)] ?? null;
  } catch (error) {
    task.fetchedTruths = null; // fetched again with the next example
    toasts.show(error.message);
    return null;
  }
}

// ---- one picture of all results

const ready = () => tiles.some((tile) => tile.done) && !tiles.some((tile) => tile.root.hasAttribute("aria-busy"));

function showDownload() {
  $('[data-action="download"]').disabled = editor.empty || !ready();
}

/** A canvas with the input, the results and the truth, their names below; white in the dark theme, too. */
function compose() {
  const shown = [...tiles, ...(truth ? [truth] : [])].filter((tile) => tile.done);
  const input = { name: texts.input, canvas: editor.snapshot(), time: { textContent: "" } };
  const cells = [input, ...shown];
  const [side, gap, caption, title] = [320, 20, 44, 52];
  const columns = cells.length <= 4 ? cells.length : Math.ceil(cells.length / 2);
  const rows = Math.ceil(cells.length / columns);
  const canvas = make("canvas", {
    width: gap + columns * (side + gap),
    height: title + rows * (side + caption) + gap,
  });
  const ctx = canvas.getContext("2d");
  const write = (words, font, colour, x, y) => {
    Object.assign(ctx, { font: `${font} system-ui, sans-serif`, fillStyle: colour });
    ctx.fillText(words, x, y, side);
    return ctx.measureText(words).width;
  };
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.textBaseline = "middle";
  write(task.title, "600 20px", "#111", gap, title / 2 + 2);
  cells.forEach(({ name, canvas: picture, time }, i) => {
    const x = gap + (i % columns) * (side + gap);
    const y = title + Math.floor(i / columns) * (side + caption);
    ctx.imageSmoothingEnabled = picture.width > side;
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(picture, x, y, side, side);
    ctx.strokeStyle = "#ddd";
    ctx.strokeRect(x - 0.5, y - 0.5, side + 1, side + 1);
    const width = write(name, "600 16px", "#111", x, y + side + caption / 2 - 2);
    write(time.textContent, "14px", "#666", x + width + 10, y + side + caption / 2 - 2);
  });
  return canvas;
}

function download() {
  downloadCanvas(compose(), task.title.replace(/\W+/g, "-"));
}

// ---- links

function copyOwnLink() {
  const { checkpoint, direction } = task;
  const seeded = tiles.filter((tile) => tile.seed !== null);
  const seeds = new Map(seeded.map((tile) => [tile.method.checkpoint, tile.seed]));
  copyLink(linkTo(props.tab, { checkpoint, direction, seeds }), toasts);
}

/** Take what a link says: a task, named by any of its models, and the seeds of styles. */
function recall({ checkpoint, direction, seeds }) {
  const isMeant = (method) => method.checkpoint === checkpoint && method.direction === direction;
  recalled = { task: Object.keys(tasks).find((key) => tasks[key].methods.some(isMeant)), seeds };
  props.value = { task: recalled.task };
  if (tasks[recalled.task] === task) recallSeeds();
  else applyTask(); // which recalls the seeds, too
  trigger("recall");
}

/** Take the seeds of the last link when its task is shown: a control still being laid out may name another one first. */
function recallSeeds() {
  if (props.value.task !== recalled?.task) return;
  for (const tile of tiles) if (tile.method.styled) tile.setSeed(recalled.seeds.get(tile.method.checkpoint) ?? null);
}

// ---- which task

function columnsFor(count) {
  return count <= 3 ? count : count === 4 ? 2 : count <= 6 ? 3 : 4;
}

/** The page's choice changed: `value` names the task. */
function applyTask() {
  if (tasks[props.value.task] === task) return;
  for (const tile of tiles) tile.drop();
  task = tasks[props.value.task];
  tiles = task.methods.map((method) => new MethodTile(method));
  truth = task.truths ? new Tile(texts.truth, "truth") : null;
  truth?.frame.append(make("p", { className: "unknown", textContent: texts.truth_unknown }));
  const all = [...tiles, ...(truth ? [truth] : [])];
  $(".comparison").style.setProperty("--columns", columnsFor(all.length));
  $(".comparison").dataset.columns = columnsFor(all.length);
  part("tiles").replaceChildren(...all.map((tile) => tile.root));
  part("legend").textContent = task.legend;
  editor.use(task.checkpoint, task.direction);
  client.use(task);
  part("try-examples").hidden = !editor.inputSpec.examples;
  editor.showExamples(part("first-examples"));
  editor.showExamples(part("examples"));
  refresh();
  recallSeeds();
}

$('[data-action="download"]').addEventListener("click", download);
$('[data-action="link"]').addEventListener("click", copyOwnLink);
showPlace(part("here"), client, texts);
watch("value", applyTask);
applyTask();
followLinks(props.tab, element, editor, recall);
if (props.opens) new Opening(editor, { draws: false });
