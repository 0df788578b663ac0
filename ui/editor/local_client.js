// Calls of the server's functions, of which this browser answers those about networks itself where it can and is to: see
// ui/browser/here.js. Whoever calls does not notice. A picture that was made here is a canvas and no URL: `loadImage` and
// `urlOf` take either.

const MOST_CODES = 24; // pictures whose codes are kept, of each page component
const LOCAL = new Set(["translate", "draw", "draw_each"]);
const THUMBNAIL_QUALITY = 0.85;

/** The style at `share` of the way between two, along the great circle, as `i2i_models.checkpoints.styles.interpolate`. */
function styleBetween(a, b, share) {
  const norm = (v) => Math.hypot(...v);
  const lerp = (x, y) => x + share * (y - x);
  const straight = () => a.map((value, i) => Math.fround(lerp(value, b[i])));
  const [lengthA, lengthB] = [norm(a), norm(b)];
  if (Math.min(lengthA, lengthB) < 1e-6) return straight();
  const [unitA, unitB] = [a.map((v) => v / lengthA), b.map((v) => v / lengthB)];
  const angle = 2 * Math.atan2(norm(unitA.map((v, i) => v - unitB[i])), norm(unitA.map((v, i) => v + unitB[i])));
  if (angle < 1e-3 || angle > Math.PI - 1e-3) return straight();
  const [from, to] = [Math.sin((1 - share) * angle), Math.sin(share * angle)].map((s) => s / Math.sin(angle));
  return unitA.map((v, i) => Math.fround((from * v + to * unitB[i]) * lerp(lengthA, lengthB)));
}

/** A style as text, as the server writes it. */
const styleText = (style) => `munit:v1:${style.map((value) => String(Number(value.toFixed(4)) + 0)).join(",")}`;

class LocalClient extends ServerClient {
  /**
   * @param server, texts  as for ServerClient
   * @param browser        {scripts, runtime, models}: addresses, as `browser_props` of ui/browser tells them; or null
   * @param toasts         a Toasts, which says once that the browser could not go on
   */
  constructor(server, texts, browser, toasts) {
    super(server, texts);
    Object.assign(this, { browser, toasts, here: null });
    this.codes = new Map(); // image → Map(direction → {network, codes}), the newest last
    this.current = null; // checkpoint and direction of the newest question
    this.onchange = () => {}; // where pictures are computed, or how far it is
    this.imported = browser && typeof WebAssembly === "object" ? this.import() : null;
  }

  async import() {
    try {
      const { here } = await import(new URL(`${this.browser.scripts}here.js`, document.baseURI).href);
      const { sampleStyle } = await import(new URL(`${this.browser.scripts}network.js`, document.baseURI).href);
      Object.assign(this, { here, sampleStyle });
      here.addEventListener("change", () => this.onchange());
      here.addEventListener("failure", ({ place }) => {
        if (place === this.placeOf(this.current)) this.toasts.show(this.texts.here_failed);
      });
      this.onchange();
    } catch {
      // the server answers all
    }
  }

  placeOf(settings) {
    const address = settings && this.browser?.models[settings.checkpoint];
    return (address && this.here?.place(address, this.browser.runtime, address.startsWith("browser/own/"))) || null;
  }

  /** The state for a switch: null where there is nothing to switch, else {on, isReady, loaded, total}, the last in bytes. */
  get state() {
    const place = this.placeOf(this.current);
    if (!place) return null;
    const { loaded, total } = place;
    return { on: place.isWanted, isReady: Boolean(place.network) && !place.loading, loaded, total };
  }

  /** Whether a question has to wait until something is loaded: here never, since the server answers meanwhile. */
  get isLoading() {
    return false;
  }

  toggle() {
    this.here.choose(this.placeOf(this.current).isWanted ? "server" : "here");
    this.warm();
  }

  /** Begin to load the present model if it is wanted, rather than with the next question. */
  warm() {
    this.placeOf(this.current)?.answering([this.current.direction]);
  }

  /** A model was chosen; nothing was asked yet. */
  use({ checkpoint, direction }) {
    this.current = { checkpoint, direction };
    this.onchange();
  }

  async call(name, payload) {
    if (name === "sample" && this.placeOf(payload)?.isWanted) {
      const network = this.placeOf(payload).answering([payload.direction]);
      const styles = network && Array.from({ length: payload.count }, (_, i) => network.sample((payload.seed ?? 0) + i));
      if (styles) return { styles };
    }
    return super.call(name, payload);
  }

  async callWithImage(name, payload, image, second = null) {
    const place = LOCAL.has(name) ? this.placeOf(payload) : null;
    if (!place) return super.callWithImage(name, payload, image, second);
    const directions = [payload.direction, ...(payload.way_back ? [opposite(payload.direction)] : [])];
    const start = performance.now();
    const network = place.answering(directions);
    if (network) {
      try {
        const answer = await this.answer(network, name, payload, image, second);
        if (name !== "draw_each") place.took("here", kindOf(name, second), performance.now() - start, directions);
        return answer;
      } catch (error) {
        place.fail(error); // and the server draws the same picture
      }
    }
    const asked = performance.now();
    const answer = await super.callWithImage(name, payload, image, second);
    if (name !== "draw_each") place.took("server", kindOf(name, second), performance.now() - asked, directions);
    return answer;
  }

  // ---- answers of this browser, as the server gives them

  async answer(network, name, payload, image, second) {
    const start = performance.now();
    if (name === "draw_each") return this.drawEach(network, payload, image);
    const style = payload.start ? styleBetween(payload.start, payload.end, payload.share) : payload.style?.map(Math.fround);
    const { seed = null, temperature = 1, direction } = payload;
    let codes = await this.codesOf(network, image, direction);
    if (second) codes = await network.mixed(codes, await this.codesOf(network, second, direction), payload.share);
    const drawn = await network.decode(codes, { style, seed, temperature });
    if (second) network.forget(codes);
    const answer = { image: canvasOf(drawn) };
    if (payload.way_back) answer.back = canvasOf(await translated(network, drawn, opposite(direction)));
    if (style) Object.assign(answer, { style, text: styleText(style) });
    const ms = performance.now() - start;
    return { ...answer, ms: ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms), backend: network.backend };
  }

  async drawEach(network, { direction, styles, start, end, count, side }, image) {
    const steps = Array.from({ length: count ?? 0 }, (_, i) => styleBetween(start, end, i / (count - 1)));
    const wanted = count ? steps : styles.map((style) => style.map(Math.fround));
    const codes = await this.codesOf(network, image, direction, { quiet: true });
    const images = [];
    for (const style of wanted) {
      const drawn = canvasOf(await network.decode(codes, { style, quiet: true }));
      const small = squareContext(Math.min(side, drawn.width));
      drawScaled(small, drawn);
      images.push(small.canvas.toDataURL("image/jpeg", THUMBNAIL_QUALITY));
    }
    return { images, styles: wanted };
  }

  /** The codes of an image, encoded unless they are still there. */
  async codesOf(network, image, direction, options = {}) {
    const known = this.codes.get(image) ?? new Map();
    this.codes.delete(image);
    this.codes.set(image, known);
    const key = `${network.base} ${direction}`;
    if (known.get(key)?.network !== network) {
      const codes = pixelsOf(image).then((pixels) => network.encode(pixels, direction, options));
      known.set(key, { network, codes });
      codes.catch(() => known.delete(key));
    }
    for (const [old, entries] of this.codes) {
      if (this.codes.size <= MOST_CODES) break;
      this.codes.delete(old);
      for (const entry of entries.values()) entry.codes.then((codes) => entry.network.forget(codes)).catch(() => {});
    }
    return known.get(key).codes;
  }
}

const opposite = (direction) => direction.split("2").reverse().join("2");
const kindOf = (name, second) => (name === "draw" || second ? "decode" : "translate");

/** The ImageData of an editor's image, {canvas} or {url}. */
async function pixelsOf({ canvas, url }) {
  const source = canvas ?? (await loadImage(url));
  const { width, height } = source;
  if (canvas) return canvas.getContext("2d").getImageData(0, 0, width, height);
  const copy = Object.assign(document.createElement("canvas"), { width, height });
  const ctx = copy.getContext("2d", { willReadFrequently: true });
  ctx.drawImage(source, 0, 0);
  return ctx.getImageData(0, 0, width, height);
}

function canvasOf(picture) {
  const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

async function translated(network, picture, direction) {
  const codes = await network.encode(picture, direction);
  const drawn = await network.decode(codes);
  network.forget(codes);
  return drawn;
}

/** A button that says where pictures are computed and changes it; hidden where there is no choice. */
function showPlace(button, client, texts) {
  const show = () => {
    const { state } = client;
    button.hidden = !state;
    if (!state) return;
    const loading = state.on && !state.isReady;
    const [loaded, total] = [state.loaded, state.total].map((bytes) => (bytes / 1e6).toFixed(1));
    const progress = state.total ? texts.here_loading.replace("{mb}", loaded).replace("{total}", total) : texts.here_starting;
    button.textContent = loading ? progress : state.on ? texts.here_on : texts.here_off;
    button.title = state.on ? texts.here_on_info : texts.here_off_info;
    button.setAttribute("aria-pressed", state.on);
    button.dataset.place = loading ? "loading" : state.on ? "here" : "server";
  };
  client.onchange = show;
  button.addEventListener("click", () => client.toggle());
  show();
}

/** An answer's time in words. */
function timeOf(answer, texts) {
  if (!answer.backend) return texts.time.replace("{ms}", answer.ms);
  const backend = { webgpu: "WebGPU", wasm: "WASM" }[answer.backend];
  return texts.time_here.replace("{backend}", backend).replace("{ms}", answer.ms);
}
