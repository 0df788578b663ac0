// The easel: paper on one side, the result that follows it on the other. Knows domains by their
// kind (outline, labels, picture) and models by what `props.models` says of them, never by name.
// Runs with `element`, `props`, `server` and `watch` in scope (gr.HTML's js_on_load).

const { models, texts, limits } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const act = (name) => $(`[data-do="${name}"]`);
const TOOLS = { outline: ["pen", "erase"], labels: ["rect", "brush", "erase"], picture: [] };
const WIDTHS = { outline: [1, 6, 0.5, 2.5], labels: [2, 40, 1, 10] }; // from, to, step, first; at 128 px

const papers = {};
const view = $(".paper");
const sheet = $(".in .sheet");
const out = $(".out");
const after = squareContext(512, $(".after"));
const before = squareContext(512, $(".before"));
let settings = {};
let model = null;
let paper = null;
let tool = null;
let colour = null;
let pointer = null;
let camera = null;

// ---- messages

function say(sentence) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.append(Object.assign(document.createElement("span"), { textContent: sentence }));
  const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
  close.setAttribute("aria-label", texts.close);
  close.onclick = () => toast.remove();
  toast.append(close);
  part("toasts").replaceChildren(toast);
  setTimeout(() => toast.remove(), 9000);
}

/** Call a server function; its own sentence, or ours if it cannot be reached, becomes an Error. */
async function call(name, payload) {
  let answer;
  try {
    answer = await server[name](payload);
  } catch {
    throw new Error(texts.offline);
  }
  if (!answer || answer.error) throw new Error(answer?.error ?? texts.offline);
  return answer;
}

async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

// ---- the result

const live = new Live(
  (payload) => call("translate", payload),
  showResult,
  (error) => say(error.message === "lost" ? texts.offline : error.message),
  (busy) => out.toggleAttribute("aria-busy", busy) && out.setAttribute("aria-busy", "true"),
);

function refresh() {
  part("ghost").hidden = !paper.empty;
  act("undo").disabled = !paper.ops.length;
  act("redo").disabled = !paper.undone.length;
  act("clear").disabled = !paper.current.length;
  showVariant();
  if (paper.empty) return showNothing();
  live.request(() => ({
    drawing: paper.copy(paper.view),
    payload: { ...settings, image: paper.wire.canvas.toDataURL("image/png") },
  }));
}

async function showResult(answer, question, wanted) {
  const image = await loadImage(answer.image);
  if (!wanted()) return; // cleared while the picture was being decoded
  for (const [ctx, picture] of [[before, question.drawing], [after, image]]) {
    ctx.imageSmoothingEnabled = ctx === after || !paper.exact;
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(picture, 0, 0, ctx.canvas.width, ctx.canvas.height);
  }
  part("time").textContent = texts.time.replace("{ms}", answer.ms);
  act("download").disabled = false;
  out.dataset.state = "done";
  out.dataset.shown = question.number;
}

function showNothing() {
  live.forget();
  out.dataset.state = "empty";
  part("time").textContent = "";
  act("download").disabled = true;
}

function download() {
  after.canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${settings.checkpoint}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

// ---- drawing

function at(event) {
  const box = view.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * paper.size, ((event.clientY - box.top) / box.height) * paper.size];
}

function newOperation() {
  if (tool === "rect") return { type: "rect", colour };
  const erases = tool === "erase";
  const width = (part("width").valueAsNumber * paper.size) / 128 * (erases && !paper.exact ? 4 : 1);
  return { type: "stroke", colour: erases ? paper.colour : colour, width, erases };
}

view.addEventListener("pointerdown", (event) => {
  if (!tool || pointer !== null || event.button > 0) return;
  event.preventDefault();
  document.activeElement?.blur(); // keys belong to the drawing now, not to the field typed in last
  pointer = event.pointerId;
  view.setPointerCapture(pointer);
  paper.begin(newOperation(), at(event));
  refresh();
});

// A quick stroke must not count as a fling, which would swallow the tap on the next button.
view.addEventListener("touchstart", (event) => tool && event.preventDefault(), { passive: false });

view.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pointer) return;
  const events = event.getCoalescedEvents?.() ?? [];
  paper.extend((events.length ? events : [event]).map(at));
  refresh();
});

function pointerGone(event, keep) {
  if (event.pointerId !== pointer) return;
  pointer = null;
  if (keep) paper.finish();
  else paper.cancel();
  refresh();
}
view.addEventListener("pointerup", (event) => pointerGone(event, true));
view.addEventListener("pointercancel", (event) => pointerGone(event, false));

function chooseTool(name) {
  tool = name;
  for (const button of element.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", button.dataset.tool === name);
  }
}

function chooseColour(value) {
  colour = value;
  if (tool === "erase") chooseTool(TOOLS[model.kind][0]);
  for (const button of part("palette").children) button.setAttribute("aria-pressed", button.value === value);
}

const undo = () => paper.undo() && refresh();
const redo = () => paper.redo() && refresh();

// ---- pictures: examples, files, the clipboard, the camera

/** Lay a picture on the paper; `urls` holds it as it is and, for outlines, its outline. */
async function place(urls, variant) {
  const target = paper;
  const variants = {};
  for (const [name, url] of Object.entries(urls)) variants[name] = await loadImage(url);
  const operation = { type: "picture", variants, variant };
  if (target !== paper) return target.keep(operation); // another model was chosen in the meantime
  if (pointer !== null) pointerGone({ pointerId: pointer }, true);
  paper.add(operation);
  refresh();
}

async function takeFile(file) {
  if (file.size > limits.bytes) {
    const mega = (bytes) => Math.round(bytes / 1e6);
    return say(texts.too_large.replace("{size}", mega(file.size)).replace("{limit}", mega(limits.bytes)));
  }
  sheet.setAttribute("aria-busy", "true");
  try {
    const payload = { file, checkpoint: settings.checkpoint, direction: settings.direction };
    const answer = await call("open_picture", { binary: true, data: payload });
    await place(answer.pictures, answer.variant);
  } catch (error) {
    say(error.message);
  } finally {
    sheet.removeAttribute("aria-busy");
  }
}

function showVariant() {
  const picture = paper.picture;
  part("variant").hidden = !picture?.variants.outline;
  for (const button of part("variant").children) {
    button.setAttribute("aria-pressed", button.dataset.variant === picture?.variant);
  }
}

function chooseVariant(name) {
  paper.picture.variant = name;
  paper.redraw();
  refresh();
}

function takeTransfer(transfer) {
  const file = transfer?.files[0];
  if (file) takeFile(file);
  return Boolean(file);
}

async function openCamera() {
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, facingMode: "environment" } });
  } catch {
    return say(texts.no_camera);
  }
  const video = $(".camera");
  video.srcObject = camera;
  await video.play();
  video.hidden = part("shutter").hidden = false;
  act("shoot").focus({ preventScroll: true });
}

function closeCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = null;
  $(".camera").hidden = part("shutter").hidden = true;
}

/** The middle square of what the camera sees, as the visitor saw it on the paper. */
function shoot() {
  const video = $(".camera");
  const side = Math.min(video.videoWidth, video.videoHeight);
  const ctx = squareContext(side);
  ctx.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, side, side);
  closeCamera();
  ctx.canvas.toBlob((blob) => takeFile(new File([blob], "camera.png", { type: "image/png" })));
}

// ---- which model

function thumbnails(container) {
  container.replaceChildren();
  model.examples.forEach((url, i) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "thumb" });
    button.setAttribute("aria-label", texts.example.replace("{n}", i + 1));
    button.append(Object.assign(new Image(), { src: url, alt: "" }));
    button.onclick = () => place({ as_is: url }, "as_is");
    container.append(button);
  });
}

function showPalette() {
  const swatches = Object.entries(model.palette).map(([name, value]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", value });
    const dot = document.createElement("i");
    dot.style.background = value;
    button.append(dot, name);
    button.onclick = () => chooseColour(value);
    return button;
  });
  part("palette").replaceChildren(...swatches);
  part("palette").hidden = !swatches.length;
}

function showModel() {
  const draws = TOOLS[model.kind];
  element.querySelector(".easel").dataset.kind = model.kind;
  part("drawing").hidden = !draws.length;
  for (const button of element.querySelectorAll("[data-tool]")) button.hidden = !draws.includes(button.dataset.tool);
  if (draws.length) {
    const [min, max, step, value] = WIDTHS[model.kind];
    Object.assign(part("width"), { min, max, step });
    part("width").value = value;
  }
  part("ghost").textContent = texts[`ghost_${model.kind}`];
  part("invite").hidden = !model.examples.length;
  showPalette();
  thumbnails(part("invited"));
  thumbnails(part("examples"));
  chooseTool(draws[0] ?? null);
  chooseColour(model.pen);
}

/** The page's settings changed: `value` names checkpoint, direction, style and seed. */
function applySettings() {
  const changed = props.value.checkpoint !== settings.checkpoint || props.value.direction !== settings.direction;
  settings = { ...props.value };
  if (changed) {
    closeCamera();
    if (pointer !== null) pointerGone({ pointerId: pointer }, true);
    showNothing();
    const key = `${settings.checkpoint} ${settings.direction}`;
    model = models[key];
    paper = papers[key] ??= new Paper({ kind: model.kind, size: model.size, colour: model.paper }, view);
    paper.show();
    showModel();
  }
  refresh();
}

// ---- wiring

const actions = {
  undo,
  redo,
  clear: () => { paper.clear(); refresh(); },
  upload: () => part("file").click(),
  camera: openCamera,
  shoot,
  cancel: closeCamera,
  download,
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.do) actions[button.dataset.do]();
  else if (button?.dataset.tool) chooseTool(button.dataset.tool);
  else if (button?.dataset.variant) chooseVariant(button.dataset.variant);
});

part("file").addEventListener("change", (event) => {
  takeTransfer(event.target);
  event.target.value = ""; // the same file can be chosen again
});

$(".wipe").addEventListener("input", (event) => out.style.setProperty("--wipe", `${event.target.value}%`));

sheet.addEventListener("dragover", (event) => {
  event.preventDefault();
  sheet.classList.add("over");
});
sheet.addEventListener("dragleave", () => sheet.classList.remove("over"));
sheet.addEventListener("drop", (event) => {
  event.preventDefault();
  sheet.classList.remove("over");
  if (!takeTransfer(event.dataTransfer)) say(texts.not_a_picture);
});

/** Page-wide keys and pastes are for the easel in sight, and never taken from a text field. */
function ours(event) {
  const typing = event.target.closest?.("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, [contenteditable=true]");
  return element.isConnected && element.offsetParent !== null && !typing;
}

const page = new AbortController();
const listen = (type, handler) => document.addEventListener(type, (event) => {
  if (!element.isConnected) page.abort(); // the component was taken off the page
  else if (ours(event)) handler(event);
}, { signal: page.signal });

listen("paste", (event) => takeTransfer(event.clipboardData) && event.preventDefault());
listen("keydown", (event) => {
  if (event.key === "Escape" && camera) closeCamera();
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const action = key === "y" || (key === "z" && event.shiftKey) ? redo : key === "z" ? undo : null;
  if (!action) return;
  event.preventDefault();
  action();
});

watch("value", applySettings);
applySettings();
