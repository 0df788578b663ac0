// The Multimodal tab: the editor, the result in a style, and everything that chooses one. The present style is
// `app.style`, or `interpolation` while the visitor slides from one style to another.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load).

const { input_specs: inputSpecs, texts, limits, spaces, formats } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const button = (name) => $(`[data-action="${name}"]`);
const result = $(".result");
const after = squareContext(512, $(".after"));
const IDLE_MS = 250; // without a change for so long, the small pictures are updated
const HOLD_MS = 80; // a hand that holds still for so long, without letting go, sees the full picture in place of a draft

const toasts = new Toasts(part("toasts"), texts);
const client = new LocalClient(server, texts, props.browser, toasts);
const editor = new Editor($(".editor"), { inputSpecs, limits, texts, client, toasts, onchange: drawingChanged });
const visit = new History($(".history"), { tab: props.tab, editor, recall });

/** The state of the tab, which the panels share. */
const app = {
  client, toasts, texts, editor, formats,
  saved: (globalThis.savedStyles ??= new SavedStyles()), // one for the page: two would overwrite each other's storage
  /** The saved styles of the present model and direction. */
  get savedHere() { return app.saved.of(app.settings, app.space.mean.length); },
  settings: {},
  space: null,
  style: null,
  drawingNumber: 0, // counts changes of the drawing, so that it is known of which one small pictures are
  get image() { return editor.image; },
  get empty() { return editor.empty; },
  get target() { return spaces[spaceKey()].name; },
  randomSeed: () => Math.floor(Math.random() * 10000),
  onText: () => {},
  onSaved: () => {},
  onIdle: () => {}, // the small pictures are up to date
  setStyle, interpolate, refreshWhenIdle, fill, fits,
};
let interpolation = null; // {start, end, share} while the style is between two others
let seed = null; // of the present style, if it came from one
let dragging = false; // the next request will come at once, and nothing may delay it
let holdTimer = null; // runs while a hand may be holding still

const inside = new Inside($(".inside"), {
  client, toasts, texts, result: after.canvas,
  question: () => (result.dataset.state === "done" ? { payload: { ...app.settings, style: app.style }, image: editor.image } : null),
});

// ---- requests

const requests = new LiveRequests({
  send: ({ payload, image }) => client.callWithImage("draw", payload, image),
  onAnswer: showResult,
  onError: (error) => toasts.show(error.message),
  onBusy: (busy) => {
    result.toggleAttribute("aria-busy", busy) && result.setAttribute("aria-busy", "true");
    busy ? inside.pause() : inside.refresh();
  },
  offline: texts.offline,
  isLoading: () => client.isLoading,
});

/** Request the result of the present drawing and style; a draft is one that the next result will replace at once. */
function refresh(draft) {
  dragging = draft;
  visit.cancel();
  refreshWhenIdle();
  clearTimeout(holdTimer);
  if (editor.empty) return showNothing();
  if (draft) holdTimer = setTimeout(() => ask(false), HOLD_MS);
  ask(draft);
}

function ask(draft) {
  requests.request(() => {
    const chosen = interpolation ?? { style: app.style };
    return { isVisitors: !editor.opening, interpolation, settings: app.settings, payload: { payload: { ...app.settings, ...chosen, draft }, image: editor.image } };
  });
}

async function showResult(answer, request, isCurrent) {
  const image = await loadImage(answer.image);
  if (!isCurrent() || request.settings !== app.settings) return; // cleared, or another model, meanwhile
  after.imageSmoothingQuality = request.payload.payload.draft ? "low" : "high";
  after.drawImage(image, 0, 0, after.canvas.width, after.canvas.height);
  part("time").textContent = timeOf(answer, texts);
  if (request.interpolation && request.interpolation === interpolation) {
    app.style = answer.style;
    showStyle();
  }
  for (const name of ["save", "download"]) button(name).disabled = false;
  app.onText(answer.text);
  result.dataset.state = "done";
  result.dataset.shown = request.number;
  result.dataset.style = answer.text;
  const { payload, image: input } = request.payload;
  const style = request.interpolation ? answer.style : payload.style;
  if (request.isVisitors && !payload.draft) visit.schedule({ settings: { ...request.settings, style }, input: urlOf(input.canvas), result: answer.image });
}

function showNothing() {
  clearTimeout(holdTimer);
  requests.drop();
  result.dataset.state = "empty";
  part("time").textContent = "";
  for (const name of ["save", "download"]) button(name).disabled = true;
  app.onText("");
  inside.pause();
  inside.refresh();
}

function drawingChanged() {
  app.drawingNumber++;
  refresh(editor.pointer !== null);
}

/** Whether a file is small enough to be sent; shows a message if it is not. */
function fits(file) {
  if (file.size <= limits.bytes) return true;
  const mega = (bytes) => Math.round(bytes / 1e6);
  toasts.show(texts.too_large.replace("{size}", mega(file.size)).replace("{limit}", mega(limits.bytes)));
  return false;
}

// ---- the style

/** Make a style the present one; `of` may name its seed. */
function setStyle(style, of = {}, draft = false) {
  app.style = [...style];
  interpolation = null;
  seed = of.seed ?? null;
  showStyle();
  refresh(draft);
}

/** Make a style between two others the present one; `between` is {start, end, share}. */
function interpolate(between, draft) {
  interpolation = between;
  seed = null;
  refresh(draft);
}

function move(changes, draft) {
  setStyle(withinLimit(app.space.moved(app.style, changes)), {}, draft);
}

/** Take the style of a random seed, unless the visitor chooses another style or model meanwhile. */
async function random() {
  const chosen = app.randomSeed();
  const { settings, style } = app;
  try {
    const { styles } = await client.call("sample", { ...settings, seed: chosen, count: 1 });
    if (settings === app.settings && style === app.style) setStyle(styles[0], { seed: chosen });
  } catch (error) {
    toasts.show(error.message);
  }
}

/** Show the present style on the pad and the sliders, except on the one that is being dragged. */
function showStyle() {
  const distances = app.space.distances(app.style);
  if (pad.pointer === null) pad.show(distances[0], distances[1]);
  setSliders(part("directions"), distances);
  if (numbersDetails.open) setSliders(part("numbers"), app.style);
  part("seed").textContent = seed === null ? "" : texts.seed.replace("{n}", seed);
}

/** Set the sliders whose values change, and no others: laying all out anew at each move delays the result. */
function setSliders(root, values) {
  root.querySelectorAll("input").forEach((slider, i) => {
    const value = values[i].toFixed(2);
    if (slider.dataset.shown === value) return;
    slider.dataset.shown = slider === dragged ? "" : value; // it may be let go of at another value than the style's
    if (slider !== dragged) slider.value = values[i];
    slider.setAttribute("aria-valuetext", values[i].toFixed(1));
    const output = slider.nextElementSibling;
    if (output?.tagName === "OUTPUT") output.textContent = value;
  });
}

// ---- pad and sliders

const numbersDetails = $("details.numbers"); // its sliders are updated only while it is open
numbersDetails.addEventListener("toggle", showStyle);

const pad = new StylePad(part("pad"), texts, ([x, y], done) => move({ 0: x, 1: y }, !done));
let dragged = null; // the slider that is being dragged

function slider(label, reach, moved) {
  const input = Object.assign(document.createElement("input"), { type: "range", min: -reach, max: reach, step: 0.02 });
  input.setAttribute("aria-label", label);
  onDrag(input, (draft) => {
    dragged = input;
    moved(input.valueAsNumber, draft);
    if (!draft) dragged = null;
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
  const name = app.space.names[k];
  const label = name ? (texts[`changes_${name}`] ?? name) : texts.direction.replace("{n}", k + 1);
  const middle = slider(label, REACH, (value, draft) => move({ [k]: value }, draft));
  if (!name) return row.append(low, middle, high), row;
  const named = Object.assign(document.createElement("div"), { className: "named" });
  named.append(Object.assign(document.createElement("span"), { textContent: label, ariaHidden: "true" }), middle);
  row.append(low, named, high);
  return row;
}

function numberRow(i) {
  const row = Object.assign(document.createElement("div"), { className: "number" });
  const change = (value, draft) => {
    const style = [...app.style];
    style[i] = value;
    setStyle(style, {}, draft);
  };
  row.append(slider(texts.number.replace("{n}", i + 1), 4, change), document.createElement("output"));
  return row;
}

/** Show small pictures of the styles at the pad's corners and the sliders' ends. */
async function showEnds(isCurrent) {
  const places = [...pad.corners, ...element.querySelectorAll(".direction .end")];
  if (editor.empty) return places.forEach((picture) => (picture.hidden = true));
  const far = REACH * 0.85; // a corner's picture is inside the pad
  const corners = [[-far, far], [far, far], [-far, -far], [far, -far]].map(([x, y]) => ({ 0: x, 1: y }));
  const ends = [...part("directions").children].flatMap((_, k) => [{ [k]: -REACH }, { [k]: REACH }]);
  const styles = [...corners, ...ends].map((changes) => withinLimit(app.space.moved(app.style, changes)));
  const { images } = await client.callWithImage("draw_each", { ...app.settings, styles, side: TILE }, editor.image);
  if (!isCurrent()) return;
  places.forEach((picture, i) => Object.assign(picture, { src: images[i], hidden: false }));
}

/** The server takes styles up to a limit. */
const withinLimit = (style) => style.map((value) => clamp(value, limits.style));

// ---- what is updated when nothing has changed for a while

let changes = 0;
let idleTimer = null;

/** Update the small pictures and the open panel after some time without a change; to be called at each change. */
function refreshWhenIdle(delay = IDLE_MS) {
  changes++;
  clearTimeout(idleTimer);
  idleTimer = setTimeout(refreshIdle, delay);
}

async function refreshIdle() {
  if (dragging) return; // the end of the drag is another change
  const number = changes;
  const isCurrent = () => number === changes;
  try {
    await showEnds(isCurrent);
    if (isCurrent()) await panels[openName].refresh(isCurrent);
    if (isCurrent()) app.onIdle();
  } catch (error) {
    if (isCurrent()) toasts.show(error.message);
  }
}

/** Show the drawing in tiles, in the styles that `chosen` names: {styles} or {start, end, count}. */
async function fill(tiles, chosen, isCurrent) {
  if (editor.empty) return tiles.forEach((tile) => showPicture(tile, null));
  const { images } = await client.callWithImage("draw_each", { ...app.settings, ...chosen, side: TILE }, editor.image);
  if (isCurrent()) tiles.forEach((tile, i) => showPicture(tile, images[i]));
}

// ---- panels

const panel = (name) => $(`#${props.tab}-${name}`);
const panels = {
  random: new RandomStylesPanel(panel("random"), app),
  guide: new GuidePanel(panel("guide"), app),
  saved: new SavedStylesPanel(panel("saved"), app),
  interpolation: new StyleInterpolationPanel(panel("interpolation"), app),
  inputs: new ManyInputsPanel(panel("inputs"), app),
};
let openName = "random";

app.onSaved = (items) => {
  part("count").textContent = items.length || "";
  panels.interpolation.showChoices();
};

const tabs = [...element.querySelectorAll("[role=tab]")];

function openPanel(tab) {
  openName = tab.id.replace(`${props.tab}-tab-`, "");
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", on);
    other.tabIndex = on ? 0 : -1;
    $(`#${other.getAttribute("aria-controls")}`).hidden = !on;
  }
  refreshWhenIdle(0);
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

function save() {
  const small = squareContext(96);
  small.imageSmoothingQuality = "high";
  small.drawImage(after.canvas, 0, 0, 96, 96);
  const number = app.savedHere.length + 1;
  const name = texts.new_name.replace("{n}", number);
  app.saved.add(app.settings, app.style, small.canvas.toDataURL("image/webp", 0.85), name);
  panels.saved.reset();
}

// ---- settings

let recalled = null; // settings with a style that the page's controls do not show yet; they have none for a style

/** Take settings from a link or the history, here and in the page's controls. */
function recall({ checkpoint, direction, style }) {
  recalled = props.value = { checkpoint, direction, style };
  applySettings();
  trigger("recall");
}

/** How many numbers a style has. */
const numbers = (checkpoint, direction) => spaces[`${checkpoint} ${direction[2]}`].mean.length;

const spaceKey = () => `${app.settings.checkpoint} ${app.settings.direction[2]}`;

/** The page's settings changed: `value` has checkpoint and direction, and may have a style. */
function applySettings() {
  const { checkpoint, direction } = props.value;
  const like = (other) => checkpoint === other?.checkpoint && direction === other.direction;
  const same = like(app.settings);
  // A control that is still being laid out may have named another model meanwhile.
  const style = props.value.style ?? (!same && like(recalled) ? recalled.style : null);
  if (!props.value.style && like(recalled)) recalled = null;
  if (same && !style) return;
  if (!same) {
    app.settings = { checkpoint, direction };
    app.space = new StyleSpace(spaces[spaceKey()]);
    showModel();
  }
  setStyle(style ?? app.space.mean);
  // The mean of many colours is grey, so a random style is the better first one.
  if (!style) random();
}

function showModel() {
  editor.use(app.settings.checkpoint, app.settings.direction);
  client.use(app.settings);
  app.drawingNumber++;
  interpolation = null;
  showNothing();
  part("directions").replaceChildren(...Array.from({ length: app.space.sliders }, (_, k) => directionRow(k)));
  part("numbers").replaceChildren(...app.space.mean.map((_, i) => numberRow(i)));
  for (const panel of Object.values(panels)) panel.reset();
  part("try-examples").hidden = !editor.inputSpec.examples;
  editor.showExamples(part("first-examples"));
  editor.showExamples(part("examples"));
}

button("save").onclick = save;
button("random").onclick = random;
button("typical").onclick = () => setStyle(app.space.mean);
button("download").onclick = () => downloadCanvas(after.canvas, app.settings.checkpoint);
button("link").onclick = () => copyLink(linkTo(props.tab, { ...app.settings, style: app.style }), toasts);

showPlace(part("here"), client, texts);
watch("value", applySettings);
applySettings();
followLinks(props.tab, element, editor, recall, numbers);
if (props.opens) {
  const wandering = new Wandering(app);
  const link = linked();
  const isStyled = link?.tab === props.tab && "style" in link; // somebody wants this style to be seen
  new Opening(editor, { draws: false, onPlaced: () => isStyled || wandering.begin(), onEnd: () => wandering.end() });
}
