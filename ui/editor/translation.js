// The translation view: the editor, and beside it the result, which follows the drawing.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load).

const { input_specs: inputSpecs, texts, limits } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const button = (name) => $(`[data-action="${name}"]`);
const result = $(".result");
const canvases = [".after", ".before", ".returned", ".difference"];
const [after, before, returned, difference] = canvases.map((name) => squareContext(512, $(name)));
let settings = {};
let shown = null; // the result: {url: or a canvas, specKey}

const toasts = new Toasts(part("toasts"), texts);
const client = new LocalClient(server, texts, props.browser, toasts);
const editor = new Editor($(".editor"), { inputSpecs, limits, texts, client, toasts, onchange: refresh });
const interpolation = new Interpolation($(".interpolation"), editor, refresh);
const visit = new History($(".history"), { tab: props.tab, editor, recall });

const inside = new Inside($(".inside"), { client, toasts, texts, result: after.canvas, question: questionInside });

// ---- requests

const requests = new LiveRequests({
  send: ({ payload, image, second }) => client.callWithImage("translate", payload, image, second),
  onAnswer: showResult,
  onError: showError,
  onBusy: (busy) => {
    result.toggleAttribute("aria-busy", busy) && result.setAttribute("aria-busy", "true");
    busy ? inside.pause() : inside.refresh();
  },
  offline: texts.offline,
  isLoading: () => client.isLoading,
});

function refresh() {
  visit.cancel();
  if (interpolation.isOpen) interpolation.showStart();
  if (editor.empty) return showNothing();
  requests.request(() => {
    const way_back = !$(".way-back").hidden;
    const payload = { ...settings, way_back, ...shareSetting() };
    const { second } = interpolation;
    return { isVisitors: !editor.opening, snapshot: editor.snapshot(), settings, payload: { payload, image: editor.image, second } };
  });
}

/** The setting that an interpolation adds to the payload. */
function shareSetting() {
  return interpolation.second && { share: interpolation.share };
}

/** What to ask about the shown result when looking inside; null if none is shown. */
function questionInside() {
  const payload = { ...settings, ...shareSetting() };
  return shown && { payload, image: editor.image, second: interpolation.second };
}

// ---- the result

async function showResult(answer, request, isCurrent) {
  const [image, back] = await Promise.all([answer.image, answer.back].map((url) => url && loadImage(url)));
  if (!isCurrent()) return; // cleared while the picture was being decoded
  drawScaled(before, request.snapshot, editor.inputSpec.kind !== "labels");
  drawScaled(after, image);
  if (back) showWayBack(back);
  shown = { url: answer.image, specKey: editor.specKey };
  part("time").textContent = timeOf(answer, texts);
  button("download").disabled = button("swap").disabled = false;
  result.dataset.state = "done";
  result.dataset.shown = request.number;
  const { image: input, second } = request.payload;
  if (request.isVisitors && !second && editor.pointer === null) {
    visit.schedule({ settings: request.settings, input: urlOf(input.canvas), result: answer.image });
  }
}

function showError(error) {
  toasts.show(error.message);
  if (shown?.specKey !== editor.specKey) showNothing(); // the shown result is of another model
}

function showNothing() {
  requests.drop();
  shown = null;
  result.dataset.state = "empty";
  part("time").textContent = part("distance").textContent = "";
  button("download").disabled = button("swap").disabled = true;
  for (const ctx of [returned, difference]) ctx.clearRect(0, 0, 512, 512);
  inside.pause();
  inside.refresh();
}

/** Show the result translated back, its difference |drawing - way back|, and the mean of that. */
function showWayBack(back) {
  drawScaled(returned, back);
  drawScaled(difference, before.canvas);
  difference.globalCompositeOperation = "difference";
  drawScaled(difference, back);
  difference.globalCompositeOperation = "source-over";
  const { data } = difference.getImageData(0, 0, 512, 512);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  const share = sum / (255 * 3 * 512 * 512);
  part("distance").textContent = texts.distance.replace("{percent}", (100 * share).toFixed(1));
}

function press(name, on) {
  button(name).setAttribute("aria-pressed", on);
}

function openWayBack(on) {
  $(".way-back").hidden = !on;
  press("way-back", on);
}

function openInterpolation(on) {
  press("interpolate", on);
  interpolation.open(on);
}

function toggleDifference() {
  const on = $(".difference").hidden;
  $(".difference").hidden = !on;
  press("difference", on);
}

/** The spec key of the other direction. */
const reversed = () => `${settings.checkpoint} ${settings.direction.split("2").reverse().join("2")}`;

/** Make the result the input of the other direction. */
async function swap() {
  await editor.place({ as_is: urlOf(shown.url) }, "as_is", reversed());
  trigger("swap");
}

// ---- settings

/** Take settings from a link or the history, here and in the page's controls. */
function recall({ checkpoint, direction, seed, temperature }) {
  props.value = { checkpoint, direction, seed, temperature };
  applySettings();
  trigger("recall");
}

/** The page's settings changed: `value` has checkpoint, direction, seed and temperature. */
function applySettings() {
  const changed = props.value.checkpoint !== settings.checkpoint || props.value.direction !== settings.direction;
  settings = { ...props.value };
  if (changed) showModel();
  refresh();
}

function showModel() {
  editor.use(settings.checkpoint, settings.direction);
  client.use(settings);
  requests.drop();
  const { interpolates, examples } = editor.inputSpec;
  const hasBoth = reversed() in inputSpecs;
  button("swap").hidden = button("way-back").hidden = !hasBoth;
  if (!hasBoth) openWayBack(false);
  button("interpolate").hidden = !interpolates;
  if (!interpolates && interpolation.isOpen) openInterpolation(false);
  else if (interpolation.isOpen) interpolation.show();
  part("try-examples").hidden = !examples;
  editor.showExamples(part("first-examples"));
  editor.showExamples(part("examples"));
}

const actions = {
  download: () => downloadCanvas(after.canvas, settings.checkpoint),
  swap,
  "way-back": () => { openWayBack($(".way-back").hidden); refresh(); },
  interpolate: () => openInterpolation(!interpolation.isOpen),
  difference: toggleDifference,
  link: () => copyLink(linkTo(props.tab, settings), toasts),
};

element.addEventListener("click", (event) => actions[event.target.closest("button")?.dataset.action]?.());
$(".wipe").addEventListener("input", (event) => result.style.setProperty("--wipe", `${event.target.value}%`));

showPlace(part("here"), client, texts);
watch("value", applySettings);
applySettings();
followLinks(props.tab, element, editor, recall);
if (props.opens) new Opening(editor);
