// The view of digits: a pad to draw on, and what the networks make of the drawing while it grows.
// Runs with `element`, `props` and `server` in scope (gr.HTML's js_on_load), after live_requests.js.

const { texts, names } = props;
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const clear = element.querySelector('[data-action="clear"]');
const pad = element.querySelector(".pad");
const pen = pad.getContext("2d");
const WIDTH = 15; // of a line, in pixels of the pad; about that of the digits' strokes
const DOMAINS = ["A", "B"];
let domain = "A";
let empty = true;
let last = null; // where the hand was while it draws

Object.assign(pen, { lineCap: "round", lineJoin: "round", lineWidth: WIDTH, strokeStyle: "#fff", fillStyle: "#000" });

const client = new ServerClient(server, texts);
const requests = new LiveRequests({
  send: (payload) => client.call("cross", payload),
  onAnswer: show,
  onError: (error) => (part("said").textContent = error.message),
  onBusy: () => {},
  offline: texts.offline,
});

function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function otherThan(key) {
  return DOMAINS[1 - DOMAINS.indexOf(key)];
}

function refresh() {
  part("hint").hidden = !empty;
  clear.disabled = empty;
  part("digit-name").textContent = fill(texts.as, { name: names[domain] });
  part("translation-name").textContent = fill(texts.as, { name: names[otherThan(domain)] });
  if (empty) {
    requests.drop();
    for (const name of ["digit", "translation"]) part(name).hidden = true;
    for (const name of ["read", "read-translation", "bars", "bars-translation", "said"]) part(name).replaceChildren();
    return;
  }
  requests.request(() => ({ domain, payload: { image: pad.toDataURL("image/png"), domain } }));
}

function show(answer, request) {
  if (request.domain !== domain) return;
  part("said").textContent = "";
  showOne("digit", "read", "bars", names[domain], answer.digit, answer.read);
  showOne("translation", "read-translation", "bars-translation", names[otherThan(domain)], answer.translation, answer.read_translation);
}

function showOne(picture, read, bars, name, url, shares) {
  const best = shares.indexOf(Math.max(...shares));
  const said = fill(texts.reads, { digit: best, percent: Math.round(100 * shares[best]) });
  Object.assign(part(picture), { src: url, hidden: false, alt: `${fill(texts.as, { name })}: ${said}` });
  part(read).textContent = said;
  part(bars).replaceChildren(...shares.map(bar));
  part(bars).setAttribute("aria-label", fill(texts.bars, { name }));
}

function bar(share, digit) {
  const item = document.createElement("li");
  const height = document.createElement("i");
  height.style.height = `${100 * share}%`;
  item.title = `${Math.round(100 * share)} %`;
  item.append(height, String(digit));
  return item;
}

// ---- drawing

function place(event) {
  const box = pad.getBoundingClientRect();
  return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
}

function lineTo(event) {
  const here = place(event);
  pen.beginPath();
  pen.moveTo(...last);
  pen.lineTo(...here);
  pen.stroke();
  last = here;
}

function wipe() {
  pen.fillRect(0, 0, pad.width, pad.height);
  empty = true;
}

pad.addEventListener("pointerdown", (event) => {
  if (event.button > 0 || !event.isPrimary) return;
  pad.setPointerCapture(event.pointerId);
  last = place(event);
  empty = false;
  lineTo(event); // a point
  refresh();
});
pad.addEventListener("pointermove", (event) => {
  if (!last || !event.isPrimary) return;
  for (const passed of event.getCoalescedEvents?.() ?? [event]) lineTo(passed);
  refresh();
});
for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (last = null));
clear.addEventListener("click", () => {
  wipe();
  refresh();
});

for (const key of DOMAINS) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.domain = key;
  button.textContent = `${names[key]} → ${names[otherThan(key)]}`;
  button.setAttribute("aria-pressed", String(key === domain));
  button.addEventListener("click", () => {
    domain = key;
    for (const one of part("taken").children) one.setAttribute("aria-pressed", String(one.dataset.domain === domain));
    refresh();
  });
  part("taken").append(button);
}
wipe();
refresh();
