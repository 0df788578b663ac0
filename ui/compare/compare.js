// The board: every method of a task answers the one desk, each in its own tile and its own time.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load), after the desk's files.

const { tasks, models, texts, limits } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const outs = $(".outs");
const ICONS = {
  reroll: "M4.500 4.500h15v15h-15zM9 9h.010M15 15h.010M15 9h.010M9 15h.010",
  about: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8h.010",
};
let task = null;
let tiles = [];
let recalled = null; // {task, seeds} of the last link
let truth = null;
let glance = 0; // counts the drawings whose truth was looked for

const talk = new Talk(server, texts, part("toasts"));
const desk = new Desk($(".desk"), { sheets: models, limits, talk, onchange: refresh });
const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function iconButton(act, label) {
  const button = make("button", { type: "button", title: label });
  button.dataset.act = act;
  button.setAttribute("aria-label", label);
  button.innerHTML = `<svg viewBox="0 0 24 24"><path d="${ICONS[act]}"/></svg>`;
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
    this.sheet = make("div", { className: "sheet" }, this.canvas);
    this.caption = make("figcaption", {}, make("span", { className: "name", textContent: name, title: name }));
    this.root = make("figure", { className: `tile ${kind}` }, this.sheet, this.caption, this.time);
    this.clear();
  }

  get done() {
    return this.root.dataset.state === "done";
  }

  clear() {
    this.root.dataset.state = "empty";
    this.time.textContent = "";
  }

  paint(picture, smooth) {
    this.context.imageSmoothingEnabled = smooth;
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(picture, 0, 0, 512, 512);
    this.root.dataset.state = "done";
  }
}

/** A method's answers to the drawing; the newest drawing wins, whatever the other methods do. */
class MethodTile extends Tile {
  constructor(method) {
    super(method.name, "method");
    this.method = method;
    this.seed = null; // of a random style; none is the mean style
    this.image = null;
    this.root.dataset.checkpoint = method.checkpoint;
    if (method.styled) this.addButton("reroll", texts.reroll, () => this.take(Math.floor(Math.random() * 10000)));
    this.addButton("about", texts.card_of, () => trigger("about", { checkpoint: method.checkpoint }));
    this.root.append(this.figures());
    this.live = new Live(
      ({ settings, image }) => talk.askAbout("translate", settings, image),
      (answer, question, wanted) => this.show(answer, question, wanted),
      (error) => this.fail(error),
      (busy) => this.rest(busy),
    );
  }

  addButton(act, label, onclick) {
    this.caption.append(Object.assign(iconButton(act, fill(label, this)), { onclick }));
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

  ask() {
    this.live.request(() => {
      const { checkpoint, direction } = this.method;
      const { url } = desk.image;
      // A key of this tile's own: the server keeps codes by checkpoint, and forgets each in its own time.
      if (this.image?.url !== url) this.image = { url, key: null };
      return { payload: { settings: { checkpoint, direction, seed: this.seed }, image: this.image }, seed: this.seed };
    });
  }

  take(seed) {
    this.seed = seed;
    if (!desk.empty) this.ask();
  }

  async show(answer, { number, seed }, wanted) {
    const picture = await loadImage(answer.image);
    if (!wanted()) return;
    this.paint(picture, true);
    const style = !this.method.styled ? [] : seed === null ? [texts.mean_style] : [fill(texts.style_seed, { seed })];
    this.time.textContent = [fill(texts.ms, answer), ...style].join(" · ");
    this.root.dataset.shown = number;
  }

  fail(error) {
    this.clear(); // the picture of an older drawing beside the newer ones of other methods would mislead
    talk.say(error.message === "lost" ? texts.offline : error.message);
  }

  rest(busy) {
    if (busy) this.root.setAttribute("aria-busy", "true");
    else this.root.removeAttribute("aria-busy");
    showDownload();
  }

  forget() {
    this.live.forget();
    this.clear();
  }
}

// ---- the drawing changed

function refresh() {
  if (!task) return;
  outs.dataset.state = desk.empty ? "empty" : "asked";
  for (const tile of tiles) {
    if (desk.empty) tile.forget();
    else tile.ask();
  }
  showTruth();
  showDownload();
}

/** The truth is known while an example lies on the paper and nothing is drawn over it. */
async function showTruth() {
  const now = ++glance;
  const last = desk.paper.current.at(-1);
  const laid = last?.type === "picture" ? last : null;
  const url = laid && task.truths ? await truthOf(laid.variants[laid.variant].src) : null;
  const picture = url && (await loadImage(url));
  if (now !== glance || !truth) return;
  if (picture) truth.paint(picture, true);
  else truth.clear();
}

async function truthOf(src) {
  try {
    const urls = await desk.examples();
    const { checkpoint, direction } = task;
    task.known ??= talk.call("truths", { checkpoint, direction });
    return (await task.known).truths[urls.indexOf(src)] ?? null;
  } catch (error) {
    task.known = null; // asked for again with the next example
    talk.say(error.message);
    return null;
  }
}

// ---- one picture of all

const ready = () => tiles.some((tile) => tile.done) && !tiles.some((tile) => tile.root.hasAttribute("aria-busy"));

function showDownload() {
  $('[data-act="download"]').disabled = desk.empty || !ready();
}

/** Input, results and truth with their names below, on white whatever the page's colours. */
function compose() {
  const shown = [...tiles, ...(truth ? [truth] : [])].filter((tile) => tile.done);
  const input = { name: texts.input, canvas: desk.picture(), time: { textContent: "" } };
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
  savePicture(compose(), task.title.replace(/\W+/g, "-"));
}

// ---- links

function copy() {
  const { checkpoint, direction } = task;
  const rolled = tiles.filter((tile) => tile.seed !== null);
  const seeds = new Map(rolled.map((tile) => [tile.method.checkpoint, tile.seed]));
  copyLink(linkTo(props.tab, { checkpoint, direction, seeds }), talk);
}

/** A link names a task by any of its models, and the styles that were rolled by their seeds. */
function recall({ checkpoint, direction, seeds }) {
  const isMeant = (method) => method.checkpoint === checkpoint && method.direction === direction;
  recalled = { task: Object.keys(tasks).find((key) => tasks[key].methods.some(isMeant)), seeds };
  props.value = { task: recalled.task };
  if (tasks[recalled.task] === task) roll();
  else applyTask(); // which rolls them, too
  trigger("recall");
}

/** Take the styles that a link named. Again when its task returns: a control being laid out may name another first. */
function roll() {
  if (props.value.task !== recalled?.task) return;
  for (const tile of tiles) if (tile.method.styled) tile.take(recalled.seeds.get(tile.method.checkpoint) ?? null);
}

// ---- which task

function columnsFor(count) {
  return count <= 3 ? count : count === 4 ? 2 : count <= 6 ? 3 : 4;
}

/** The page's choice changed: `value` names the task. */
function applyTask() {
  if (tasks[props.value.task] === task) return;
  for (const tile of tiles) tile.forget();
  task = tasks[props.value.task];
  tiles = task.methods.map((method) => new MethodTile(method));
  truth = task.truths ? new Tile(texts.truth, "truth") : null;
  truth?.sheet.append(make("p", { className: "unknown", textContent: texts.truth_unknown }));
  const all = [...tiles, ...(truth ? [truth] : [])];
  $(".board").style.setProperty("--columns", columnsFor(all.length));
  $(".board").dataset.columns = columnsFor(all.length);
  part("tiles").replaceChildren(...all.map((tile) => tile.root));
  part("legend").textContent = task.legend;
  desk.use(task.checkpoint, task.direction);
  part("or").hidden = !desk.sheet.examples;
  desk.showExamples(part("invited"));
  desk.showExamples(part("examples"));
  refresh();
  roll();
}

$('[data-act="download"]').addEventListener("click", download);
$('[data-act="link"]').addEventListener("click", copy);
watch("value", applyTask);
applyTask();
followLinks(props.tab, element, desk, recall);
