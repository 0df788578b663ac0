// Links that open a tab with its settings. They are in the address's fragment, which browsers do not send to a server.
// The drawing is not in them.

const LINKED = "#tab=";

/** The settings that the page's address names, {tab, model, …} of strings; null where it names none. */
function linked() {
  return location.hash.startsWith(LINKED) ? Object.fromEntries(new URLSearchParams(location.hash.slice(1))) : null;
}

/** The address that opens `tab` with these settings; `seeds` is a Map from models to seeds, for the comparison. */
function linkTo(tab, { checkpoint, direction, seed, temperature, style, seeds }) {
  const fields = { tab, model: checkpoint, direction };
  if (seed != null) Object.assign(fields, { seed, temperature });
  if (style) fields.style = style.map((number) => Number(number.toFixed(3))).join(",");
  if (seeds?.size) fields.seeds = [...seeds].map((pair) => pair.join(":")).join(",");
  const address = new URL(location.href);
  // these may stand in a fragment, and are readable
  address.hash = new URLSearchParams(fields).toString().replace(/%(2C|2F|3A)/g, decodeURIComponent);
  return address.href;
}

/**
 * Check what a link says.
 *
 * @param link     as `linked` gives it
 * @param editor   for its `inputSpecs`, its `texts`, and its `limits` of seed, temperature and style
 * @param numbers  (checkpoint, direction) → how many numbers its styles have, 0 for none
 * @returns {settings, complaints}: settings, without those out of range, null if the model is not here; sentences.
 */
function checkLink(link, { inputSpecs, limits, texts }, numbers) {
  const checkpoint = link.model;
  const directionsOf = (model) => ["A2B", "B2A"].filter((name) => `${model} ${name}` in inputSpecs);
  const directions = directionsOf(checkpoint);
  if (!directions.length) {
    return { settings: null, complaints: [texts.link_model.replace("{name}", String(checkpoint ?? "").slice(0, 60))] };
  }
  const complaints = [];
  /** The value of a field if it is there and valid. */
  const field = (name, read, fits, limit) => {
    if (!(name in link)) return undefined;
    const value = read(link[name]);
    if (fits(value)) return value;
    complaints.push(texts[`link_${name}`].replace("{limit}", limit));
    return undefined;
  };
  const within = (limit) => (value) => Number.isFinite(value) && value >= 0 && value <= limit;
  const number = (text) => (text.trim() ? Number(text) : NaN);
  const direction = field("direction", String, (value) => directions.includes(value)) ?? directions[0];
  const count = numbers(checkpoint, direction);
  const isSeed = (value) => within(limits.seed)(value) && Number.isInteger(value);
  const isStyle = (list) => list.length === count && list.every((value) => within(limits.style)(Math.abs(value)));
  const named = (pair) => [pair.slice(0, pair.lastIndexOf(":")), number(pair.slice(pair.lastIndexOf(":") + 1))];
  const areSeeds = (seeds) => [...seeds].every(([model, seed]) => directionsOf(model).length && isSeed(seed));
  return {
    settings: {
      checkpoint,
      direction,
      seed: field("seed", number, isSeed, limits.seed) ?? null,
      temperature: field("temperature", number, within(limits.temperature), limits.temperature) ?? 1,
      style: field("style", (text) => text.split(",").map(number), isStyle) ?? null,
      seeds: field("seeds", (text) => new Map(text.split(",").map(named)), areSeeds) ?? new Map(),
    },
    complaints,
  };
}

/**
 * Call `recall(settings)` for the link in the address, now and whenever it changes, if it is for this tab; show what
 * is wrong with it. The other arguments are those of `checkLink`.
 */
function followLinks(tab, element, editor, recall, numbers = () => 0) {
  const open = (link) => {
    const { settings, complaints } = checkLink(link, editor, numbers);
    if (settings) recall(settings);
    if (complaints.length) editor.toasts.show(complaints.join(" "));
  };
  const read = () => {
    if (!element.isConnected) return removeEventListener("hashchange", read);
    const link = linked();
    if (link?.tab === tab && "model" in link) open(link); // without a model it only names the tab
  };
  addEventListener("hashchange", read);
  read();
}

/** Put a link into the address bar and the clipboard, and say so. */
async function copyLink(address, toasts) {
  window.history.replaceState(window.history.state, "", address);
  try {
    await navigator.clipboard.writeText(address);
    toasts.show(toasts.texts.link_copied);
  } catch {
    toasts.show(toasts.texts.link_in_bar); // without HTTPS or permission there is no clipboard
  }
}
