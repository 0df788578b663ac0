// What the server's functions give elsewhere, given by this browser: networks run here, files are opened here.

const MOST_OPEN_NETWORKS = 3;
const SHOWN_SIDE = 512; // pixels of the longer side of a visitor's picture in the drawing editor
const GUIDE_SIDE = 256; // and of one whose style is taken
const READ_SIDE = 2048; // of a picture as a style encoder gets it, which makes it smaller still
const STYLE_PREFIX = "munit:v1:";
const networkModule = location.protocol === "file:" ? null : import(new URL("browser/network.js", document.baseURI).href);
networkModule?.catch(() => {}); // whoever awaits it hears of it

/** The last sentence about an error that a network's `key` names. */
const sentenceOf = (error, texts) => texts[`network_${error.key}`] ?? texts.network_failed;

/** An image at most `side` pixels a side, as a canvas context. */
function shrunk(image, side, smooth = true) {
  const scale = Math.min(1, side / Math.max(image.width, image.height));
  const [width, height] = [image.width, image.height].map((length) => Math.max(1, Math.round(length * scale)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const ctx = canvas.getContext("2d", { willReadFrequently: true });
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, width, height);
  drawScaled(ctx, image, smooth);
  return ctx;
}

/** A file of this page as a data URL: a host that sends large files on elsewhere would leave a plain image tainted. */
async function dataUrlOf(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const reader = new FileReader();
  const read = new Promise((resolve, reject) => Object.assign(reader, { onload: resolve, onerror: reject }));
  reader.readAsDataURL(await response.blob());
  await read;
  return reader.result;
}

class StaticClient extends LocalClient {
  static opened = new Map(); // checkpoint → promise of its network, the last used last
  static backend = "auto";

  /** @param server  {models}: by name, as ui/static/__init__.py describes them */
  constructor(server, texts, browser, toasts) {
    super(server, texts, null, toasts);
    this.models = server.models;
    this.loading = 0; // networks that are being loaded
    this.loaded = this.total = 0; // bytes of what is being loaded
  }

  /** For `showPlace`: how far loading is; nothing to switch to. */
  get state() {
    return this.loading ? { on: true, isReady: false, loaded: this.loaded, total: this.total } : null;
  }

  get isLoading() {
    return this.loading > 0;
  }

  toggle() {}

  warm() {}

  /** A model was chosen: load what it needs before anything is asked. */
  use({ checkpoint, direction }) {
    this.current = { checkpoint, direction };
    this.network(checkpoint, direction)
      .then((network) => this.whileLoading(network.prepare(direction)))
      .catch((error) => this.toasts.show(sentenceOf(error, this.texts)));
  }

  async whileLoading(promise) {
    this.loading++;
    this.onchange();
    try {
      return await promise;
    } finally {
      this.loading--;
      this.onchange();
    }
  }

  /** The network of a checkpoint, opened if it is not, and anew if its worker is gone. */
  async network(checkpoint, ...directions) {
    const { opened } = StaticClient;
    const found = await opened.get(checkpoint)?.catch(() => null);
    if (found?.isOpen) {
      opened.set(checkpoint, opened.get(checkpoint)); // still among the last used
      return found;
    }
    const opening = this.whileLoading(this.open(checkpoint, directions));
    opened.set(checkpoint, opening);
    opening.catch(() => opened.get(checkpoint) === opening && opened.delete(checkpoint));
    for (const [name, old] of [...opened].slice(0, -MOST_OPEN_NETWORKS)) {
      opened.delete(name);
      old.then((network) => network.close(), () => {});
    }
    return opening;
  }

  async open(checkpoint, directions) {
    const { openNetwork, sampleStyle } = await networkModule.catch((cause) => {
      throw Object.assign(new Error("no module", { cause }), { key: "offline" });
    });
    this.sampleStyle = sampleStyle;
    const onprogress = (loaded, total) => {
      Object.assign(this, { loaded, total });
      this.onchange();
    };
    const { backend } = StaticClient;
    return openNetwork({ base: `models/${checkpoint}/`, runtime: "runtime/", directions, backend, onprogress });
  }

  async callWithImage(name, payload, image, second = null) {
    try {
      return await this.answer(await this.network(payload.checkpoint), name, payload, image, second);
    } catch (error) {
      // A graphics processor that gave up once is not asked again.
      if (["lost", "slow", "failed", "memory"].includes(error.key)) StaticClient.backend = "wasm";
      throw new Error(sentenceOf(error, this.texts));
    }
  }

  call(name, payload) {
    return this[name](payload.data ?? payload);
  }

  // ---- the server's functions, each with its name and answer

  async examples({ checkpoint, direction }) {
    return { examples: await Promise.all(this.models[checkpoint].examples[direction].map(dataUrlOf)) };
  }

  async open_picture({ file, checkpoint, direction }) {
    const { kind } = this.models[checkpoint].specs[direction];
    const ctx = shrunk(await this.decoded(file), SHOWN_SIDE, kind !== "labels");
    const { width, height } = ctx.canvas;
    if (kind !== "outline") return { pictures: { as_is: urlOf(ctx.canvas) }, variant: "as_is" };
    const { darkOnLight, looksDrawn, outline } = await import(new URL("browser/outlines.js", document.baseURI).href);
    const picture = darkOnLight(ctx.getImageData(0, 0, width, height));
    const url = ({ data }) => urlOf(canvasOf(new ImageData(data, width, height)));
    const pictures = { as_is: url(picture), outline: url(outline(picture)) };
    return { pictures, variant: looksDrawn(picture) ? "as_is" : "outline" };
  }

  async decoded(file) {
    try {
      return await createImageBitmap(file);
    } catch {
      throw new Error(this.texts.not_a_picture);
    }
  }

  async sample({ checkpoint, seed, count }) {
    const { sampleStyle } = await networkModule;
    const { styleDim } = this.models[checkpoint];
    return { styles: Array.from({ length: count }, (_, i) => sampleStyle(styleDim, seed + i)) };
  }

  async paste({ checkpoint, text }) {
    const words = text.trim().replace(STYLE_PREFIX, "").split(/[\s,;]+/).filter(Boolean);
    const style = words.map(Number);
    const { styleDim } = this.models[checkpoint];
    const isGood = style.length === styleDim && style.every((value) => Math.abs(value) <= this.server.limits.style);
    if (!isGood) throw new Error(this.texts.no_style_text.replace("{n}", styleDim));
    return { style };
  }

  async gallery({ checkpoint, direction }) {
    const { model } = await this.network(checkpoint);
    const { styles, pictures } = model.styles[direction[2]];
    if (!pictures) return { examples: [] };
    const { file, side, columns } = pictures;
    const sheet = await loadImage(await dataUrlOf(`models/${checkpoint}/${file}`));
    const examples = styles.map((style, i) => {
      const ctx = squareContext(side);
      ctx.drawImage(sheet, -(i % columns) * side, -Math.floor(i / columns) * side);
      return { style, picture: ctx.canvas.toDataURL("image/png") };
    });
    return { examples };
  }

  async read_guide({ file, checkpoint, direction }) {
    const image = await this.decoded(file);
    const { canvas } = shrunk(image, READ_SIDE);
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const network = await this.network(checkpoint);
    const { style: most } = this.server.limits;
    const style = (await network.encodeStyle(pixels, direction[2])).map((value) => Math.min(Math.max(value, -most), most));
    return { style, picture: shrunk(image, GUIDE_SIDE).canvas.toDataURL("image/png") };
  }
}
