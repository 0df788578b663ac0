// The desk: the input side of every tab. Paper and tools, files, pastes and the camera, examples.
// Knows domains by their kind (outline, labels, picture) and models by what their sheets say, never by name.

const TOOLS = { outline: ["pen", "erase"], labels: ["rect", "brush", "erase"], picture: [] };
const WIDTHS = { outline: [1, 6, 0.5, 2.5], labels: [2, 40, 1, 10] }; // from, to, step, first; at 128 px

class Desk {
  /**
   * @param root      the element that holds desk.html
   * @param sheets    by "checkpoint direction", as `desk_parts` of ui/canvas/__init__.py puts them into props.models
   * @param limits    {bytes}: of a visitor's file
   * @param talk      a Talk with the server functions `open_picture` and `examples`
   * @param onchange  called whenever the drawing is another one, during a stroke too
   */
  constructor(root, { sheets, limits, talk, onchange }) {
    Object.assign(this, { root, sheets, limits, talk, texts: talk.texts, onchange });
    this.view = this.$(".paper");
    this.frame = this.$(".sheet");
    this.papers = {};
    this.loaded = {}; // examples by sheet, fetched when first shown
    this.key = this.sheet = this.paper = this.tool = this.colour = this.pointer = this.stream = this.still = this.turn = null;
    this.listenToPaper();
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

  act(name) {
    return this.$(`[data-do="${name}"]`);
  }

  /** Lay out the paper of a checkpoint and a direction; what was drawn for the like before is there again. */
  use(checkpoint, direction) {
    const key = `${checkpoint} ${direction}`;
    if (key === this.key) return;
    this.closeCamera();
    this.endStroke();
    Object.assign(this, { checkpoint, direction, key, sheet: this.sheets[key], paper: this.paperOf(key) });
    this.paper.show();
    this.showSheet();
    this.showState();
  }

  paperOf(key) {
    const { kind, size, paper: colour, drawing } = this.sheets[key];
    return (this.papers[drawing] ??= new Paper({ kind, size, colour }, this.view));
  }

  get empty() {
    return this.paper.empty;
  }

  /** The drawing for the server, at the network's size: {url: PNG data URL, key: null or what the server told}. */
  get image() {
    return (this.still ??= { url: this.paper.wire.canvas.toDataURL("image/png"), key: null });
  }

  /** A copy of what the visitor sees now, a canvas. */
  picture() {
    return this.paper.copy(this.paper.view);
  }

  changed() {
    this.showState();
    this.onchange();
  }

  showState() {
    const { paper } = this;
    this.still = null;
    this.part("ghost").hidden = !paper.empty;
    this.act("undo").disabled = !paper.ops.length;
    this.act("redo").disabled = !paper.undone.length;
    this.act("clear").disabled = !paper.current.length;
    const laid = paper.picture;
    this.part("variant").hidden = !laid?.variants.outline;
    for (const button of this.part("variant").children) {
      button.setAttribute("aria-pressed", button.dataset.variant === laid?.variant);
    }
  }

  // ---- drawing

  listenToPaper() {
    const { view } = this;
    view.addEventListener("pointerdown", (event) => {
      if (!this.tool || this.pointer !== null || event.button > 0) return;
      event.preventDefault();
      document.activeElement?.blur(); // keys belong to the drawing now, not to the field typed in last
      this.pointer = event.pointerId;
      view.setPointerCapture(this.pointer);
      this.paper.begin(this.newOperation(), this.at(event));
      this.changed();
    });
    // A quick stroke must not count as a fling, which would swallow the tap on the next button.
    view.addEventListener("touchstart", (event) => this.tool && event.preventDefault(), { passive: false });
    view.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.paper.extend((events.length ? events : [event]).map((e) => this.at(e)));
      this.changed();
    });
    view.addEventListener("pointerup", (event) => event.pointerId === this.pointer && this.endStroke());
    view.addEventListener("pointercancel", (event) => event.pointerId === this.pointer && this.endStroke(false));
  }

  at(event) {
    const box = this.view.getBoundingClientRect();
    const { size } = this.paper;
    return [((event.clientX - box.left) / box.width) * size, ((event.clientY - box.top) / box.height) * size];
  }

  newOperation() {
    const { tool, colour, paper } = this;
    if (tool === "rect") return { type: "rect", colour };
    const erases = tool === "erase";
    const width = ((this.part("width").valueAsNumber * paper.size) / 128) * (erases && !paper.exact ? 4 : 1);
    return { type: "stroke", colour: erases ? paper.colour : colour, width, erases };
  }

  /** The pointer is gone; keep what it drew, or drop it (a second finger, a lost pointer). */
  endStroke(keep = true) {
    if (this.pointer === null) return;
    this.pointer = null;
    if (keep) this.paper.finish();
    else this.paper.cancel();
    this.changed();
  }

  chooseTool(name) {
    this.tool = name;
    for (const button of this.root.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", button.dataset.tool === name);
    }
  }

  chooseColour(value) {
    this.colour = value;
    if (this.tool === "erase") this.chooseTool(TOOLS[this.sheet.kind][0]);
    for (const button of this.part("palette").children) button.setAttribute("aria-pressed", button.value === value);
  }

  undo() {
    if (this.paper.undo()) this.changed();
  }

  redo() {
    if (this.paper.redo()) this.changed();
  }

  clear() {
    this.paper.clear();
    this.changed();
  }

  // ---- pictures: examples, files, the clipboard, the camera

  /** Lay a picture on the paper (of another sheet by its `key`); `urls` holds it as it is and maybe its outline. */
  async place(urls, variant, key = this.key) {
    const variants = {};
    for (const [name, url] of Object.entries(urls)) variants[name] = await loadImage(url);
    const operation = { type: "picture", variants, variant };
    const paper = this.paperOf(key);
    if (paper !== this.paper) return paper.keep(operation); // or another model was chosen in the meantime
    this.endStroke();
    this.paper.add(operation);
    this.changed();
  }

  chooseVariant(name) {
    this.paper.picture.variant = name;
    this.paper.redraw();
    this.changed();
  }

  /** A visitor's file as {pictures, variant}; null, with a sentence said, if it is none that can be used. */
  async openFile(file) {
    if (file.size > this.limits.bytes) {
      const mega = (bytes) => Math.round(bytes / 1e6);
      const sentence = this.texts.too_large.replace("{size}", mega(file.size));
      this.talk.say(sentence.replace("{limit}", mega(this.limits.bytes)));
      return null;
    }
    const { checkpoint, direction } = this;
    try {
      return await this.talk.call("open_picture", { binary: true, data: { file, checkpoint, direction } });
    } catch (error) {
      this.talk.say(error.message);
      return null;
    }
  }

  async takeFile(file) {
    const { key } = this;
    this.frame.setAttribute("aria-busy", "true");
    const answer = await this.openFile(file);
    if (answer) await this.place(answer.pictures, answer.variant, key);
    this.frame.removeAttribute("aria-busy");
  }

  takeTransfer(transfer) {
    const file = transfer?.files[0];
    if (file) this.takeFile(file);
    return Boolean(file);
  }

  async openCamera() {
    try {
      const video = { width: 1280, height: 720, facingMode: "environment" };
      this.stream = await navigator.mediaDevices.getUserMedia({ video });
    } catch {
      return this.talk.say(this.texts.no_camera);
    }
    const video = this.$(".camera");
    video.srcObject = this.stream;
    await video.play();
    video.hidden = this.part("shutter").hidden = false;
    this.act("shoot").focus({ preventScroll: true });
  }

  closeCamera() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.$(".camera").hidden = this.part("shutter").hidden = true;
  }

  /** The middle square of what the camera sees, as the visitor saw it on the paper. */
  shoot() {
    const video = this.$(".camera");
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    const ctx = squareContext(side);
    ctx.drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, side, side);
    this.closeCamera();
    ctx.canvas.toBlob((blob) => this.takeFile(new File([blob], "camera.png", { type: "image/png" })));
  }

  /** The sheet's example pictures as data URLs; asked for once a sheet. */
  examples() {
    const { checkpoint, direction } = this;
    return (this.loaded[this.key] ??= this.talk
      .call("examples", { checkpoint, direction })
      .then((answer) => answer.examples));
  }

  /** Fill an element with a button for each example; a click calls `choose(url)`, or lays it on the paper. */
  async showExamples(container, choose = (url) => this.place({ as_is: url }, "as_is")) {
    const { key } = this;
    const buttons = Array.from({ length: this.sheet.examples }, (_, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "thumb" });
      button.setAttribute("aria-label", this.texts.example.replace("{n}", i + 1));
      button.disabled = true;
      return button;
    });
    container.replaceChildren(...buttons); // at once, in their place: the pictures come later
    if (!buttons.length) return;
    const urls = await this.examples().catch(() => {
      delete this.loaded[key]; // asked for again when the sheet is shown the next time
      return [];
    });
    urls.forEach((url, i) => {
      buttons[i]?.append(Object.assign(new Image(), { src: url, alt: "" }));
      if (buttons[i]) Object.assign(buttons[i], { disabled: false, onclick: () => choose(url) });
    });
  }

  /** Lay the example after the one that came last on the paper. */
  async nextExample() {
    const { key } = this;
    const urls = await this.examples().catch(() => []);
    if (!urls.length || key !== this.key) return;
    this.turn = { key, n: this.turn?.key === key ? (this.turn.n + 1) % urls.length : 0 };
    await this.place({ as_is: urls[this.turn.n] }, "as_is");
  }

  // ---- what the sheet offers

  showPalette() {
    const swatches = Object.entries(this.sheet.palette).map(([name, value]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", value });
      const dot = document.createElement("i");
      dot.style.background = value;
      button.append(dot, name);
      button.onclick = () => this.chooseColour(value);
      return button;
    });
    this.part("palette").replaceChildren(...swatches);
    this.part("palette").hidden = !swatches.length;
  }

  showSheet() {
    const { kind, pen } = this.sheet;
    const draws = TOOLS[kind];
    this.root.dataset.kind = kind;
    this.part("drawing").hidden = !draws.length;
    for (const button of this.root.querySelectorAll("[data-tool]")) button.hidden = !draws.includes(button.dataset.tool);
    if (draws.length) {
      const [min, max, step, value] = WIDTHS[kind];
      Object.assign(this.part("width"), { min, max, step });
      this.part("width").value = value;
    }
    this.part("ghost").textContent = this.texts[`ghost_${kind}`];
    this.showPalette();
    this.chooseTool(draws[0] ?? null);
    this.chooseColour(pen);
  }

  // ---- wiring

  listenToButtons() {
    const actions = {
      undo: () => this.undo(),
      redo: () => this.redo(),
      clear: () => this.clear(),
      upload: () => this.part("file").click(),
      camera: () => this.openCamera(),
      shoot: () => this.shoot(),
      cancel: () => this.closeCamera(),
    };
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.do) actions[button.dataset.do]();
      else if (button?.dataset.tool) this.chooseTool(button.dataset.tool);
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
      if (!this.takeTransfer(event.dataTransfer)) this.talk.say(this.texts.not_a_picture);
    });
  }

  /** Pastes and keys anywhere on the page go to the desk in sight. */
  listenToPage() {
    const page = new AbortController();
    const listen = (type, handler) => document.addEventListener(type, (event) => {
      if (!this.root.isConnected) page.abort(); // the component was taken off the page
      else if (this.isMeant(event)) handler(event);
    }, { signal: page.signal });

    for (const type of ["pointerdown", "focusin"]) {
      this.root.addEventListener(type, () => {
        document.querySelectorAll(".desk.active").forEach((desk) => desk.classList.remove("active"));
        this.root.classList.add("active");
      });
    }
    listen("paste", (event) => this.takeTransfer(event.clipboardData) && event.preventDefault());
    listen("keydown", (event) => {
      if (event.key === "Escape" && this.stream) this.closeCamera();
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

  /** Whether a key or a paste is for this desk: none typed into a field, and of several in sight for the last used. */
  isMeant(event) {
    const field = "input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, [contenteditable=true]";
    if (event.target.closest?.(field)) return false;
    const seen = [...document.querySelectorAll(".desk")].filter((desk) => desk.offsetParent !== null);
    return this.root === (seen.find((desk) => desk.classList.contains("active")) ?? seen[0]);
  }
}
