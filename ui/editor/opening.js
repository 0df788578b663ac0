// The first seconds of a visit: nobody meets two empty squares. An example is drawn as a hand would draw it, the result
// follows, and the next example comes, until the visitor touches anything. Where less motion is asked for, the first
// example is simply there.

const TICK_MS = 60;
const TICKS = 96; // for one example
const TICKS_PER_INPUT = 4; // the network sees the same few states of a drawing at each visit, so the server knows them
const REST_MS = 4000; // before the next example
const EXAMPLES = 3; // so many, then the page is calm

const asksForStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Wait, and go on waiting while nobody sees `element`, unless `isOver()`. */
async function restWhileSeen(element, ms, isOver) {
  do await new Promise((done) => setTimeout(done, ms));
  while ((document.hidden || !element.offsetParent) && !isOver());
}

class Opening {
  /**
   * @param editor   shows the examples; its `opening` is this from the first frame until the visitor touches the page
   * @param draws    whether examples are drawn; else the first one is placed at once
   * @param onPlaced  called when an example is whole
   * @param onEnd    called when the visitor touches the page
   */
  constructor(editor, { draws = true, onPlaced = () => {}, onEnd = () => {} } = {}) {
    Object.assign(this, { editor, draws: draws && !asksForStillness(), onPlaced, onEnd, over: false, unfinished: null });
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      if (editor.empty) this.play();
    });
    seen.observe(editor.frame);
  }

  async play() {
    this.listen();
    for (let n = 0; n < EXAMPLES && !this.over; n++) {
      const placed = await this.playExample(n);
      if (!placed || !this.draws) return;
      await this.rest(REST_MS);
    }
  }

  /** Draw or place an example; false if there is none. */
  async playExample(n) {
    const { editor } = this;
    const { specKey } = editor;
    const urls = await editor.examples().catch(() => []);
    if (!urls.length || this.over) return false;
    const image = await loadImage(urls[n % urls.length]);
    if (this.over) return false;
    const { kind } = editor.inputSpec;
    editor.opening = this;
    editor.part("opening").hidden = false;
    if (this.draws && kind !== "picture") await this.draw(image, kind);
    if (this.over) return false;
    if (specKey !== editor.specKey) return this.playExample(0); // another model came meanwhile, with a link
    editor.showFrame(image, true);
    this.unfinished = null;
    this.onPlaced();
    return true;
  }

  async draw(image, kind) {
    const { editor } = this;
    const { specKey } = editor;
    const ctx = squareContext(image.width);
    ctx.drawImage(image, 0, 0);
    const picture = ctx.getImageData(0, 0, image.width, image.height);
    const order = kind === "outline" ? penOrder(picture) : areaOrder(picture);
    ctx.fillStyle = editor.inputSpec.background;
    ctx.fillRect(0, 0, image.width, image.height);
    const frame = ctx.getImageData(0, 0, image.width, image.height);
    const [from, to] = [new Uint32Array(picture.data.buffer), new Uint32Array(frame.data.buffer)];
    this.unfinished = image;
    for (let tick = 1; tick < TICKS; tick++) {
      const until = Math.floor((order.length * tick) / TICKS);
      for (let i = Math.floor((order.length * (tick - 1)) / TICKS); i < until; i++) to[order[i]] = from[order[i]];
      ctx.putImageData(frame, 0, 0);
      editor.showFrame(ctx.canvas, tick % TICKS_PER_INPUT === 0);
      await this.rest(TICK_MS);
      if (this.over || specKey !== editor.specKey) return;
    }
  }

  rest(ms) {
    return restWhileSeen(this.editor.frame, ms, () => this.over);
  }

  listen() {
    const controller = new AbortController();
    const end = () => {
      controller.abort();
      this.end();
    };
    for (const type of ["pointerdown", "keydown", "paste", "drop"]) {
      addEventListener(type, end, { capture: true, signal: controller.signal });
    }
  }

  /** From now on the drawing is the visitor's, an example that was begun included. */
  end() {
    this.over = true;
    const { editor, unfinished } = this;
    editor.part("opening").hidden = true;
    if (editor.opening !== this) return;
    if (unfinished) editor.showFrame(unfinished, true);
    editor.opening = null;
    this.onEnd();
  }
}
