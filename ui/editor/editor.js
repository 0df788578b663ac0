// The editor: everything with which a visitor makes an input. Drawing, files, the clipboard, the camera, examples. It knows a model by its input spec alone, never by its name.

/** A canvas that nobody draws on any more as {canvas, url, key}. */
function withUrl(canvas) {
  let url = null;
  return { canvas, key: null, get url() { return (url ??= canvas.toDataURL("image/png")); } };
}

class Editor {
  /**
   * @param root        the element of editor.html
   * @param inputSpecs  by key "checkpoint direction", as `InputSpec` of ui/editor/__init__.py describes them
   * @param limits      {bytes}: of a visitor's file
   * @param texts       by key, in the visitor's language
   * @param client      a ServerClient with the server functions `open_picture` and `examples`
   * @param toasts      a Toasts, for messages to the visitor
   * @param onchange    called whenever the drawing changes, also during a stroke
   */
  constructor(root, { inputSpecs, limits, texts, client, toasts, onchange }) {
    Object.assign(this, { root, inputSpecs, limits, texts, client, toasts, onchange });
    this.canvas = this.$(".drawing");
    this.frame = this.$(".frame");
    this.drawings = {}; // by the drawing keys of the input specs
    this.exampleUrls = {}; // by spec key, fetched when first shown
    this.specKey = this.inputSpec = this.drawing = null;
    this.tools = new Tools(root, texts);
    this.pen = new Pen();
    this.camera = new Camera(this);
    this.pointer = this.cachedImage = this.lastExample = null;
    this.opening = null; // an Opening while the drawing is its own and not the visitor's
    this.listenToDrawing();
    this.listenToButtons();
    this.listenToFiles();
    this.listenToPage();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  part(name) {
    return this.$(`[data-part="${name}"]`);
  }

  button(name) {
    return this.$(`[data-action="${name}"]`);
  }

  /** Switch to the input of a checkpoint and a direction: its drawing, which is kept meanwhile, and its tools. */
  use(checkpoint, direction) {
    const specKey = `${checkpoint} ${direction}`;
    if (specKey === this.specKey) return;
    this.camera.close();
    this.endStroke();
    const [inputSpec, drawing] = [this.inputSpecs[specKey], this.drawingOf(specKey)];
    Object.assign(this, { checkpoint, direction, specKey, inputSpec, drawing });
    this.drawing.show();
    this.showInputSpec();
    this.showState();
  }

  drawingOf(specKey) {
    const spec = this.inputSpecs[specKey];
    return (this.drawings[spec.drawing_key] ??= new Drawing(spec, this.canvas));
  }

  get empty() {
    return this.drawing.empty;
  }

  /**
   * The drawing for a network, at its size: {canvas, url: PNG data URL, key: the server's for it, null at first}. The URL
   * is made when it is first asked for: a network in the browser takes the canvas.
   */
  get image() {
    return (this.cachedImage ??= withUrl(this.drawing.copy(this.drawing.input)));
  }

  /** A copy of what the visitor sees now, a canvas. */
  snapshot() {
    return this.drawing.copy(this.drawing.shown);
  }

  changed() {
    this.showState();
    this.onchange();
  }

  showState() {
    const { drawing } = this;
    this.cachedImage = null;
    this.part("placeholder").hidden = !drawing.empty;
    this.button("undo").disabled = !drawing.ops.length;
    this.button("redo").disabled = !drawing.undone.length;
    this.button("clear").disabled = !drawing.current.length;
    const { picture } = drawing;
    const variants = Object.keys(picture?.variants ?? {});
    this.part("variant").hidden = variants.length < 2;
    for (const button of this.part("variant").children) {
      button.hidden = !variants.includes(button.dataset.variant);
      button.setAttribute("aria-pressed", button.dataset.variant === picture?.variant);
    }
  }

  // ---- drawing

  listenToDrawing() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      const { pen } = this;
      if (!this.tools.name || !pen.draws(event) || pen.isPalm(event)) return;
      pen.note(event);
      if (event.pointerType === "pen") {
        if (this.pointerType === "touch") this.endStroke(false);
        pen.takeBackTouches(event, this.drawing);
      }
      if (this.pointer !== null) return;
      event.preventDefault();
      document.activeElement?.blur(); // from now on, keys are for the drawing and not for the last text field
      this.press(event);
    });
    // A quick stroke must not count as a fling, which would swallow the tap on the next button.
    canvas.addEventListener("touchstart", (event) => this.tools.name && event.preventDefault(), { passive: false });
    canvas.addEventListener("pointermove", (event) => {
      this.pen.note(event);
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.drawing.extend((events.length ? events : [event]).map((e) => this.strokeAt(e)));
      this.changed();
    });
    canvas.addEventListener("pointerup", (event) => event.pointerId === this.pointer && this.endStroke());
    canvas.addEventListener("pointercancel", (event) => event.pointerId === this.pointer && this.endStroke(false));
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const { size } = this.drawing;
    return [((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size];
  }

  /** A point of a stroke; of a pen that draws, with the share of the width that its pressure gives. */
  strokeAt(event) {
    const point = this.at(event);
    return event.pointerType === "pen" && !this.drawing.open?.erases ? [...point, this.pen.share(event)] : point;
  }

  press(event) {
    const { tools, drawing } = this;
    const point = this.at(event);
    const erases = this.pen.erases(event);
    if (!erases && tools.picks(event)) return tools.chooseColour(drawing.colourAt(point));
    if (!erases && tools.name === "fill") return drawing.fill(tools.colour, point) && this.changed();
    this.pointer = event.pointerId;
    this.pointerType = event.pointerType;
    this.pressedAt = event.timeStamp;
    this.canvas.setPointerCapture(this.pointer);
    const operation = tools.operation(drawing, erases);
    drawing.begin(operation, operation.erases ? point : this.strokeAt(event));
    this.changed();
  }

  /** The pointer is gone: keep what it drew, or drop it (a second finger, a lost pointer). */
  endStroke(keep = true) {
    if (this.pointer === null) return;
    this.pointer = null;
    if (keep) this.drawing.finish(this.pointerType === "touch" ? this.pressedAt : undefined);
    else this.drawing.cancel();
    this.changed();
  }

  undo() {
    if (this.drawing.undo()) this.changed();
  }

  redo() {
    if (this.drawing.redo()) this.changed();
  }

  clear() {
    this.drawing.clear();
    this.changed();
  }

  // ---- pictures: examples, files, the clipboard, the camera

  /** Place a picture on the drawing of a spec key; `urls` has its variants by name, first `as_is`. */
  async place(urls, variant, specKey = this.specKey) {
    const variants = {};
    for (const [name, url] of Object.entries(urls)) variants[name] = await loadImage(url);
    const operation = { type: "picture", variants, variant };
    const drawing = this.drawingOf(specKey);
    if (drawing !== this.drawing) return drawing.record(operation); // not the visible one, maybe not any more
    this.endStroke();
    drawing.add(operation);
    this.changed();
  }

  /** Show a frame of the opening in place of everything: to the visitor alone, or as the input, too. */
  showFrame(image, asInput) {
    const operation = { type: "picture", variants: { as_is: image }, variant: "as_is" };
    const { drawing } = this;
    if (!asInput) return drawing.paint(drawing.shown, operation, 0);
    Object.assign(drawing, { ops: [operation], undone: [] });
    drawing.redraw();
    this.changed();
  }

  chooseVariant(name) {
    this.drawing.chooseVariant(name);
    this.changed();
  }

  /** A visitor's file as {pictures, variant}; null, and a message to the visitor, if it cannot be used. */
  async openFile(file) {
    if (file.size > this.limits.bytes) {
      const mega = (bytes) => Math.round(bytes / 1e6);
      const sentence = this.texts.too_large.replace("{size}", mega(file.size));
      this.toasts.show(sentence.replace("{limit}", mega(this.limits.bytes)));
      return null;
    }
    const { checkpoint, direction } = this;
    try {
      return await this.client.call("open_picture", { binary: true, data: { file, checkpoint, direction } });
    } catch (error) {
      this.toasts.show(error.message);
      return null;
    }
  }

  async takeFile(file) {
    const { specKey } = this;
    this.frame.setAttribute("aria-busy", "true");
    const answer = await this.openFile(file);
    if (answer) await this.place(answer.pictures, answer.variant, specKey);
    this.frame.removeAttribute("aria-busy");
  }

  takeTransfer(transfer) {
    const file = transfer?.files[0];
    if (file) this.takeFile(file);
    return Boolean(file);
  }

  /** The example pictures of the present input spec as data URLs, fetched once. */
  examples() {
    const { checkpoint, direction } = this;
    return (this.exampleUrls[this.specKey] ??= this.client
      .call("examples", { checkpoint, direction })
      .then((answer) => answer.examples));
  }

  /** Fill an element with a button for each example; a click calls `choose(url)`, by default to place it. */
  async showExamples(container, choose = (url) => this.place({ as_is: url }, "as_is")) {
    const { specKey } = this;
    const buttons = Array.from({ length: this.inputSpec.examples }, (_, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "thumb" });
      button.setAttribute("aria-label", this.texts.example.replace("{n}", i + 1));
      button.disabled = true;
      return button;
    });
    container.replaceChildren(...buttons); // before the pictures come, so that nothing moves when they do
    if (!buttons.length) return;
    const urls = await this.examples().catch(() => {
      delete this.exampleUrls[specKey]; // fetched again when they are shown the next time
      return [];
    });
    urls.forEach((url, i) => {
      buttons[i]?.append(Object.assign(new Image(), { src: url, alt: "" }));
      if (buttons[i]) Object.assign(buttons[i], { disabled: false, onclick: () => choose(url) });
    });
  }

  /** Place the example after the last one. */
  async nextExample() {
    const { specKey } = this;
    const urls = await this.examples().catch(() => []);
    if (!urls.length || specKey !== this.specKey) return;
    const n = this.lastExample?.specKey === specKey ? (this.lastExample.n + 1) % urls.length : 0;
    this.lastExample = { specKey, n };
    await this.place({ as_is: urls[n] }, "as_is");
  }

  showInputSpec() {
    const { kind } = this.inputSpec;
    this.root.dataset.kind = kind;
    this.root.dataset.model = this.specKey;
    this.part("placeholder").textContent = this.texts[`placeholder_${kind}`];
    this.tools.use(this.inputSpec);
  }

  // ---- events

  listenToButtons() {
    const actions = {
      undo: () => this.undo(),
      redo: () => this.redo(),
      clear: () => this.clear(),
      upload: () => this.part("file").click(),
      camera: () => this.camera.open(),
      shoot: () => this.camera.shoot(),
      mirror: () => this.camera.mirror(),
      live: () => this.camera.toggleLive(),
      cancel: () => this.camera.close(),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.action) actions[button.dataset.action]();
      else if (button?.dataset.variant) this.chooseVariant(button.dataset.variant);
    });
  }

  listenToFiles() {
    const { frame } = this;
    this.part("file").addEventListener("change", (event) => {
      this.takeTransfer(event.target);
      event.target.value = ""; // the same file can be chosen again
    });
    frame.addEventListener("dragover", (event) => {
      event.preventDefault();
      frame.classList.add("over");
    });
    frame.addEventListener("dragleave", () => frame.classList.remove("over"));
    frame.addEventListener("drop", (event) => {
      event.preventDefault();
      frame.classList.remove("over");
      if (!this.takeTransfer(event.dataTransfer)) this.toasts.show(this.texts.not_a_picture);
    });
  }

  /** Pastes and keys anywhere on the page go to the visible editor. */
  listenToPage() {
    const page = new AbortController();
    const listen = (type, handler) => document.addEventListener(type, (event) => {
      if (!this.root.isConnected) page.abort(); // the component was removed from the page
      else if (this.isMeant(event)) handler(event);
    }, { signal: page.signal });

    for (const type of ["pointerdown", "focusin"]) {
      this.root.addEventListener(type, () => {
        document.querySelectorAll(".editor.active").forEach((editor) => editor.classList.remove("active"));
        this.root.classList.add("active");
      });
    }
    listen("paste", (event) => this.takeTransfer(event.clipboardData) && event.preventDefault());
    listen("keydown", (event) => {
      if (event.key === "Escape" && this.camera.isOpen) this.camera.close();
      if (event.altKey && event.code === "KeyN") return event.preventDefault(), this.nextExample();
      if (event.key === "Delete") return this.clear();
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const action = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
      if (!action) return;
      event.preventDefault();
      this[action]();
    });
  }

  /** Whether a key or paste is for this editor: not typed into a field, and for the last used of the visible editors. */
  isMeant(event) {
    const field = "input:not([type=range], [type=radio], [type=checkbox], [type=color]), textarea, [contenteditable=true]";
    if (event.target.closest?.(field)) return false;
    const seen = [...document.querySelectorAll(".editor")].filter((editor) => editor.offsetParent !== null);
    return this.root === (seen.find((editor) => editor.classList.contains("active")) ?? seen[0]);
  }
}
