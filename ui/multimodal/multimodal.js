// Styles: a drawing on the desk, its picture in a style, and everything that chooses one. The style in
// force is `app.style`, or the way between two styles while the visitor slides along it.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load).

const { models, texts, limits, spaces, formats } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const out = $(".out");
const after = squareContext(512, $(".after"));
const REST = 250; // milliseconds without a change after which the small pictures follow

const talk = new Talk(server, texts, part("toasts"));
const desk = new Desk($(".desk"), { sheets: models, limits, talk, onchange: drawingChanged });
const visit = new History($(".history"), { tab: props.tab, desk, recall });

const app = {
  talk, texts, desk, formats,
  kept: (globalThis.keptStyles ??= new Kept()), // one for the page: two would overwrite each other's in the browser
  /** Those kept styles that fit the present model and direction. */
  get keptHere() { return app.kept.of(app.settings, app.space.mean.length); },
  settings: {},
  space: null,
  style: null,
  drawing: 0, // counts the drawings, so that small pictures know whether they are of this one
  get image() { return desk.image; },
  get empty() { return desk.empty; },
  get target() { return spaces[spaceKey()].name; },
  randomSeed: () => Math.floor(Math.random() * 10000),
  onText: () => {},
  onKept: () => {},
  take, follow, rest, fill, fits,
};
let way = null; // {start, end, share} while the style comes from there
let seed = null; // of the present style, if it came from one
let dragging = false; // the next picture will come at once, so nothing may stand in its way

const inside = new Inside($(".inside"), {
  talk, texts, result: after.canvas,
  ask: () => (out.dataset.state === "done" ? { payload: { ...app.settings, style: app.style }, image: desk.image } : null),
});

// ---- asking

const live = new Live(
  ({ payload, image }) => talk.askAbout("draw", payload, image),
  showResult,
  (error) => talk.say(error.message === "lost" ? texts.offline : error.message),
  (busy) => {
    out.toggleAttribute("aria-busy", busy) && out.setAttribute("aria-busy", "true");
    busy ? inside.hold() : inside.follow();
  },
);

/** Ask for the picture as things stand; a draft is one that the next picture will replace at once. */
function refresh(draft) {
  dragging = draft;
  visit.cancel();
  rest();
  if (desk.empty) return showNothing();
  live.request(() => {
    const chosen = way ?? { style: app.style };
    return { way, settings: app.settings, payload: { payload: { ...app.settings, ...chosen, draft }, image: desk.image } };
  });
}

async function showResult(answer, question, wanted) {
  const image = await loadImage(answer.image);
  if (!wanted() || question.settings !== app.settings) return; // cleared or turned round in the meantime
  after.imageSmoothingQuality = question.payload.payload.draft ? "low" : "high";
  after.drawImage(image, 0, 0, after.canvas.width, after.canvas.height);
  part("time").textContent = texts.time.replace("{ms}", answer.ms);
  if (question.way && question.way === way) {
    app.style = answer.style;
    showStyle();
  }
  for (const name of ["keep", "download"]) act(name).disabled = false;
  app.onText(answer.text);
  out.dataset.state = "done";
  out.dataset.shown = question.number;
  out.dataset.style = answer.text;
  const { payload, image: input } = question.payload;
  const style = question.way ? answer.style : payload.style;
  if (!payload.draft) visit.note({ settings: { ...question.settings, style }, input: input.url, result: answer.image });
}

function showNothing() {
  live.forget();
  out.dataset.state = "empty";
  part("time").textContent = "";
  for (const name of ["keep", "download"]) act(name).disabled = true;
  app.onText("");
  inside.hold();
  inside.follow();
}

function drawingChanged() {
  app.drawing++;
  refresh(desk.pointer !== null);
}

/** Whether a file is small enough to be sent; says so if it is not. */
function fits(file) {
  if (file.size <= limits.bytes) return true;
  const mega = (bytes) => Math.round(bytes / 1e6);
  talk.say(texts.too_large.replace("{size}", mega(file.size)).replace("{limit}", mega(limits.bytes)));
  return false;
}

// ---- the style

/** Take a style from anywhere; `of` may name its seed. */
function take(style, of = {}, draft = false) {
  app.style = [...style];
  way = null;
  seed = of.seed ?? null;
  showStyle();
  refresh(draft);
}

/** Take the style at a place on the way between two others. */
function follow(onTheWay, draft) {
  way = onTheWay;
  seed = null;
  refresh(draft);
}

function move(changes, draft) {
  take(withinLimit(app.space.moved(app.style, changes)), {}, draft);
}

/** Take the style of some seed; the answer is dropped if the visitor chose another style or model meanwhile. */
async function random() {
  const chosen = app.randomSeed();
  const { settings, style } = app;
  try {
    const { styles } = await talk.call("sample", { ...settings, seed: chosen, count: 1 });
    if (settings === app.settings && style === app.style) take(styles[0], { seed: chosen });
  } catch (error) {
    talk.say(error.message);
  }
}

/** Bring pad and sliders to where the style is; the one in the visitor's hand stays with it. */
function showStyle() {
  const distances = app.space.distances(app.style);
  if (pad.pointer === null) pad.show(distances[0], distances[1]);
  setSliders(part("directions"), distances);
  if (drawer.open) setSliders(part("numbers"), app.style);
  part("seed").textContent = seed === null ? "" : texts.seed.replace("{n}", seed);
}

/** Only what changes is touched: laying out sliders anew at each move of a hand delays its picture. */
function setSliders(root, values) {
  root.querySelectorAll("input").forEach((slider, i) => {
    const value = values[i].toFixed(2);
    if (slider.dataset.shown === value) return;
    slider.dataset.shown = slider === held ? "" : value; // a hand may leave it elsewhere than the style is
    if (slider !== held) slider.value = values[i];
    slider.setAttribute("aria-valuetext", values[i].toFixed(1));
    const output = slider.nextElementSibling;
    if (output?.tagName === "OUTPUT") output.textContent = value;
  });
}

// ---- pad and sliders

const drawer = $("details.numbers"); // what is shut in is not kept up to date
drawer.addEventListener("toggle", showStyle);

const pad = new Pad(part("pad"), texts, ([x, y], done) => move({ 0: x, 1: y }, !done));
let held = null; // the slider that is being dragged

function slider(label, reach, moved) {
  const input = Object.assign(document.createElement("input"), { type: "range", min: -reach, max: reach, step: 0.02 });
  input.setAttribute("aria-label", label);
  onDrag(input, (draft) => {
    held = input;
    moved(input.valueAsNumber, draft);
    if (!draft) held = null;
  });
  return input;
}

function directionRow(k) {
  const row = Object.assign(document.createElement("div"), { className: "direction" });
  const end = () => Object.assign(new Image(), { alt: "", className: "end", hidden: true });
  const place = () => Object.assign(document.createElement("span"), { className: "place" });
  const [low, high] = [place(), place()];
  low.append(end());
  high.append(end());
  row.append(low, slider(texts.direction.replace("{n}", k + 1), REACH, (value, draft) => move({ [k]: value }, draft)), high);
  return row;
}

function numberRow(i) {
  const row = Object.assign(document.createElement("div"), { className: "number" });
  const change = (value, draft) => {
    const style = [...app.style];
    style[i] = value;
    take(style, {}, draft);
  };
  row.append(slider(texts.number.replace("{n}", i + 1), 4, change), document.createElement("output"));
  return row;
}

/** Small pictures of where pad and sliders lead from the present style. */
async function showEnds(wanted) {
  const places = [...pad.corners, ...element.querySelectorAll(".direction .end")];
  if (desk.empty) return places.forEach((picture) => (picture.hidden = true));
  const far = REACH * 0.85; // a corner's picture lies inside of the pad
  const corners = [[-far, far], [far, far], [-far, -far], [far, -far]].map(([x, y]) => ({ 0: x, 1: y }));
  const ends = [...part("directions").children].flatMap((_, k) => [{ [k]: -REACH }, { [k]: REACH }]);
  const styles = [...corners, ...ends].map((changes) => withinLimit(app.space.moved(app.style, changes)));
  const { images } = await talk.askAbout("draw_each", { ...app.settings, styles, side: TILE }, desk.image);
  if (!wanted()) return;
  places.forEach((picture, i) => Object.assign(picture, { src: images[i], hidden: false }));
}

const withinLimit = (style) => style.map((value) => clamp(value, limits.style));

// ---- what follows at rest

let round = 0;
let clock = null;

/** Call this after each change: what is small or costly is drawn when none has come for a while. */
function rest(after = REST) {
  round++;
  clearTimeout(clock);
  clock = setTimeout(atRest, after);
}

async function atRest() {
  if (dragging) return; // its end calls again
  const mine = round;
  const wanted = () => mine === round;
  try {
    await showEnds(wanted);
    if (wanted()) await panels[open].refresh(wanted);
  } catch (error) {
    if (wanted()) talk.say(error.message);
  }
}

/** Fill tiles with the drawing in the styles that `chosen` ({styles} or {start, end, count}) names. */
async function fill(buttons, chosen, wanted) {
  if (desk.empty) return buttons.forEach((button) => paint(button, null));
  const { images } = await talk.askAbout("draw_each", { ...app.settings, ...chosen, side: TILE }, desk.image);
  if (wanted()) buttons.forEach((button, i) => paint(button, images[i]));
}

// ---- panels

const panel = (name) => $(`#${props.tab}-${name}`);
const panels = {
  random: new RandomPanel(panel("random"), app),
  picture: new PicturePanel(panel("picture"), app),
  kept: new KeptPanel(panel("kept"), app),
  between: new BetweenPanel(panel("between"), app),
  many: new ManyPanel(panel("many"), app),
};
let open = "random";

app.onKept = (items) => {
  part("count").textContent = items.length || "";
  panels.between.showChoices();
};

const tabs = [...element.querySelectorAll("[role=tab]")];

function openPanel(tab) {
  open = tab.id.replace(`${props.tab}-tab-`, "");
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", on);
    other.tabIndex = on ? 0 : -1;
    $(`#${other.getAttribute("aria-controls")}`).hidden = !on;
  }
  rest(0);
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener("click", () => openPanel(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(i + step + tabs.length) % tabs.length];
    next.focus();
    openPanel(next);
  });
}

function keep() {
  const small = squareContext(96);
  small.imageSmoothingQuality = "high";
  small.drawImage(after.canvas, 0, 0, 96, 96);
  const number = app.keptHere.length + 1;
  const name = texts.kept_as.replace("{n}", number);
  app.kept.add(app.settings, app.style, small.canvas.toDataURL("image/webp", 0.85), name);
  panels.kept.reset();
}

// ---- links and what a visitor wants back

let recalled = null; // settings with a style that the page's controls, which know of no style, do not show yet

/** Take these settings, here and in the page's controls. */
function recall({ checkpoint, direction, style }) {
  recalled = props.value = { checkpoint, direction, style };
  applySettings();
  trigger("recall");
}

/** How many numbers a style has. */
const numbers = (checkpoint, direction) => spaces[`${checkpoint} ${direction[2]}`].mean.length;

// ---- which model

const spaceKey = () => `${app.settings.checkpoint} ${app.settings.direction[2]}`;

/** The page's settings changed: `value` names checkpoint and direction, and may name a style. */
function applySettings() {
  const { checkpoint, direction } = props.value;
  const like = (other) => checkpoint === other?.checkpoint && direction === other.direction;
  const same = like(app.settings);
  // A control that is still being laid out may have named another model since.
  const style = props.value.style ?? (!same && like(recalled) ? recalled.style : null);
  if (!props.value.style && like(recalled)) recalled = null;
  if (same && !style) return;
  if (!same) {
    app.settings = { checkpoint, direction };
    app.space = new StyleSpace(spaces[spaceKey()]);
    showSheet();
  }
  take(style ?? app.space.mean);
  // The mean of many colours is grey: a style by chance is the better welcome.
  if (!style) random();
}

function showSheet() {
  desk.use(app.settings.checkpoint, app.settings.direction);
  app.drawing++;
  way = null;
  showNothing();
  part("directions").replaceChildren(...Array.from({ length: app.space.main }, (_, k) => directionRow(k)));
  part("numbers").replaceChildren(...app.space.mean.map((_, i) => numberRow(i)));
  for (const panel of Object.values(panels)) panel.reset();
  part("invite").hidden = !desk.sheet.examples;
  desk.showExamples(part("invited"));
  desk.showExamples(part("examples"));
}

const act = (name) => $(`[data-act="${name}"]`);
act("keep").onclick = keep;
act("random").onclick = random;
act("typical").onclick = () => take(app.space.mean);
act("download").onclick = () => savePicture(after.canvas, app.settings.checkpoint);

act("link").onclick = () => copyLink(linkTo(props.tab, { ...app.settings, style: app.style }), talk);

watch("value", applySettings);
applySettings();
followLinks(props.tab, element, desk, recall, numbers);
