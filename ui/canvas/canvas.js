// The easel: the desk on one side, the result that follows it on the other.
// Runs with `element`, `props`, `server`, `trigger` and `watch` in scope (gr.HTML's js_on_load).

const { models, texts, limits } = props;
const $ = (selector) => element.querySelector(selector);
const part = (name) => $(`[data-part="${name}"]`);
const act = (name) => $(`[data-do="${name}"]`);
const out = $(".out");
const [after, before, returned, apart] = [".after", ".before", ".returned", ".apart"].map((name) => squareContext(512, $(name)));
let settings = {};
let shown = null; // of the result: {url, key}, key being the sheet's

const talk = new Talk(server, texts, part("toasts"));
const desk = new Desk($(".desk"), { sheets: models, limits, talk, onchange: refresh });
const walk = new Walk($(".walk"), desk, refresh);
const visit = new History($(".history"), { tab: props.tab, desk, recall });

const inside = new Inside($(".inside"), {
  talk, texts, result: after.canvas,
  ask: () => shown && { payload: { ...settings, ...(walk.second && { share: walk.share }) }, image: desk.image, second: walk.second },
});

// ---- asking

const live = new Live(
  ({ payload, image, second }) => talk.askAbout("translate", payload, image, second),
  showResult,
  showFailure,
  (busy) => {
    out.toggleAttribute("aria-busy", busy) && out.setAttribute("aria-busy", "true");
    busy ? inside.hold() : inside.follow();
  },
);

function refresh() {
  visit.cancel();
  if (walk.on) walk.showStart();
  if (desk.empty) return showNothing();
  live.request(() => {
    const { second } = walk;
    const way_back = !$(".back").hidden;
    const payload = { ...settings, way_back, ...(second && { share: walk.share }) };
    return { drawing: desk.picture(), settings, payload: { payload, image: desk.image, second } };
  });
}

// ---- the result

function paint(ctx, picture, smooth = true) {
  ctx.imageSmoothingEnabled = smooth;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(picture, 0, 0, ctx.canvas.width, ctx.canvas.height);
}

async function showResult(answer, question, wanted) {
  const [image, back] = await Promise.all([answer.image, answer.back].map((url) => url && loadImage(url)));
  if (!wanted()) return; // cleared while the picture was being decoded
  paint(before, question.drawing, desk.sheet.kind !== "labels");
  paint(after, image);
  if (back) showBack(back);
  shown = { url: answer.image, key: desk.key };
  part("time").textContent = texts.time.replace("{ms}", answer.ms);
  act("download").disabled = act("swap").disabled = false;
  out.dataset.state = "done";
  out.dataset.shown = question.number;
  const { image: input, second } = question.payload;
  if (!second && desk.pointer === null) visit.note({ settings: question.settings, input: input.url, result: answer.image });
}

function showFailure(error) {
  talk.say(error.message === "lost" ? texts.offline : error.message);
  if (shown?.key !== desk.key) showNothing(); // what is there is another model's
}

function showNothing() {
  live.forget();
  shown = null;
  out.dataset.state = "empty";
  part("time").textContent = part("apart").textContent = "";
  act("download").disabled = act("swap").disabled = true;
  for (const ctx of [returned, apart]) ctx.clearRect(0, 0, 512, 512);
  inside.hold();
  inside.follow();
}

/** The way back beside the result, and how far it is from the drawing: |drawing - way back|, black where equal. */
function showBack(back) {
  paint(returned, back);
  paint(apart, before.canvas);
  apart.globalCompositeOperation = "difference";
  paint(apart, back);
  apart.globalCompositeOperation = "source-over";
  const { data } = apart.getImageData(0, 0, 512, 512);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  const share = sum / (255 * 3 * 512 * 512);
  part("apart").textContent = texts.apart.replace("{percent}", (100 * share).toFixed(1));
}

function press(button, on) {
  button.setAttribute("aria-pressed", on);
}

function openBack(on) {
  $(".back").hidden = !on;
  press(act("back"), on);
}

function openWalk(on) {
  press(act("walk"), on);
  walk.open(on);
}

function showDifference() {
  const on = $(".apart").hidden;
  $(".apart").hidden = !on;
  press(act("difference"), on);
}

const reversed = () => `${settings.checkpoint} ${settings.direction.split("2").reverse().join("2")}`;

/** Lay the result on the other direction's paper and turn round. */
async function swap() {
  await desk.place({ as_is: shown.url }, "as_is", reversed());
  trigger("swap");
}

// ---- links and what a visitor wants back

/** Take these settings, here and in the page's controls. */
function recall({ checkpoint, direction, seed, temperature }) {
  props.value = { checkpoint, direction, seed, temperature };
  applySettings();
  trigger("recall");
}

// ---- which model

/** The page's settings changed: `value` names checkpoint, direction, seed and temperature. */
function applySettings() {
  const changed = props.value.checkpoint !== settings.checkpoint || props.value.direction !== settings.direction;
  settings = { ...props.value };
  if (changed) showSheet();
  refresh();
}

function showSheet() {
  desk.use(settings.checkpoint, settings.direction);
  live.forget();
  const both = reversed() in models;
  act("swap").hidden = act("back").hidden = !both;
  if (!both) openBack(false);
  act("walk").hidden = !desk.sheet.walks;
  if (!desk.sheet.walks && walk.on) openWalk(false);
  else if (walk.on) walk.show();
  part("invite").hidden = !desk.sheet.examples;
  desk.showExamples(part("invited"));
  desk.showExamples(part("examples"));
}

const actions = {
  download: () => savePicture(after.canvas, settings.checkpoint),
  swap,
  back: () => { openBack($(".back").hidden); refresh(); },
  walk: () => openWalk(!walk.on),
  difference: showDifference,
  link: () => copyLink(linkTo(props.tab, settings), talk),
};

element.addEventListener("click", (event) => actions[event.target.closest("button")?.dataset.do]?.());
$(".wipe").addEventListener("input", (event) => out.style.setProperty("--wipe", `${event.target.value}%`));

watch("value", applySettings);
applySettings();
followLinks(props.tab, element, desk, recall);
