// The panels below the result: more ways to choose a style, and uses of one. `refresh(isCurrent)` updates the open panel
// when nothing has changed for a while; `isCurrent()` tells whether that is still so.
// `app` is the state of the tab and what can be done with it, see multimodal.js.

const TILE = 128; // pixels of a small picture

/** A button with a small picture, whose place is kept while there is none, and a caption. */
function tile(caption, label, choose) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
  const picture = Object.assign(new Image(), { alt: "", hidden: true });
  button.append(picture);
  if (caption) button.append(Object.assign(document.createElement("small"), { textContent: caption }));
  button.setAttribute("aria-label", label);
  button.onclick = choose;
  return button;
}

/** Show the picture of a URL in a tile, or none. */
function showPicture(button, url) {
  const picture = button.querySelector("img");
  if (url) picture.src = url;
  picture.hidden = !url;
}

class Panel {
  constructor(root, app) {
    Object.assign(this, { root, app });
    this.tiles = this.part("tiles");
    this.setUp();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  button(name) {
    return this.root.querySelector(`[data-action="${name}"]`);
  }

  setUp() {}

  /** The checkpoint, the direction, or what the panel lists has changed. */
  reset() {}

  async refresh() {}
}

class RandomStylesPanel extends Panel {
  setUp() {
    this.seedField = this.part("first-seed");
    this.buttons = Array.from({ length: 12 }, () => tile(" ", "", null));
    this.tiles.replaceChildren(...this.buttons);
    this.seedField.addEventListener("change", () => this.app.refreshWhenIdle(0));
    this.button("others").onclick = () => {
      this.seedField.value = this.seed + this.buttons.length;
      this.app.refreshWhenIdle(0);
    };
  }

  get seed() {
    return Math.min(Math.max(Math.trunc(this.seedField.valueAsNumber) || 0, 0), 2147480000);
  }

  async refresh(isCurrent) {
    const { app, seed } = this;
    const { styles } = await app.client.call("sample", { ...app.settings, seed, count: this.buttons.length });
    if (!isCurrent()) return;
    this.buttons.forEach((button, i) => {
      const caption = app.texts.seed.replace("{n}", seed + i);
      button.lastChild.textContent = caption;
      button.setAttribute("aria-label", caption);
      button.onclick = () => app.setStyle(styles[i], { seed: seed + i });
    });
    await app.fill(this.buttons, { styles }, isCurrent);
  }
}

class GuidePanel extends Panel {
  setUp() {
    this.uploaded = [];
    this.button("guide").onclick = () => this.part("guide-file").click();
    this.part("guide-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.read(file);
    });
  }

  async read(file) {
    const { app } = this;
    if (!app.fits(file)) return;
    const { settings } = app;
    this.root.setAttribute("aria-busy", "true");
    try {
      const answer = await app.client.call("read_guide", { binary: true, data: { file, ...settings } });
      if (settings !== app.settings) return; // another model was chosen meanwhile
      this.uploaded.unshift({ ...answer, name: file.name });
      this.show();
      app.setStyle(answer.style);
    } catch (error) {
      app.toasts.show(error.message);
    } finally {
      this.root.removeAttribute("aria-busy");
    }
  }

  reset() {
    this.uploaded = [];
    this.examples = [];
    this.part("guide-hint").textContent = this.app.texts.guide_hint.replace("{domain}", this.app.target);
    this.show();
  }

  show() {
    const { app } = this;
    const all = [...this.uploaded, ...this.examples];
    this.tiles.replaceChildren(...all.map((example, i) => {
      const label = example.name ?? app.texts.example.replace("{n}", i + 1 - this.uploaded.length);
      const button = tile("", label, () => app.setStyle(example.style));
      showPicture(button, example.picture);
      return button;
    }));
    this.tiles.hidden = !all.length;
  }

  async refresh(isCurrent) {
    const { app } = this;
    if (this.examples.length) return;
    const { examples } = await app.client.call("gallery", app.settings);
    if (!isCurrent()) return;
    this.examples = examples;
    this.show();
  }
}

class SavedStylesPanel extends Panel {
  setUp() {
    const { app } = this;
    this.button("copy").onclick = () => this.copy();
    this.part("paste").addEventListener("submit", (event) => {
      event.preventDefault();
      this.paste(event.target.elements.text);
    });
    app.onText = (text) => {
      this.part("text").textContent = text;
      this.button("copy").disabled = !text;
    };
  }

  reset() {
    const { app } = this;
    const items = app.savedHere;
    this.part("none-saved").hidden = items.length > 0;
    this.tiles.replaceChildren(...items.map((item) => this.entry(item)));
    app.onSaved(items);
  }

  entry(item) {
    const { app } = this;
    const entry = Object.assign(document.createElement("div"), { className: "entry" });
    const button = tile("", app.texts.use_saved.replace("{name}", item.name), () => app.setStyle(item.style));
    showPicture(button, item.picture);
    const name = Object.assign(document.createElement("input"), { type: "text", value: item.name, maxLength: 40 });
    name.setAttribute("aria-label", app.texts.style_name);
    name.onchange = () => {
      app.saved.rename(item, name.value.trim() || item.name);
      this.reset();
    };
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "remove", textContent: "×" });
    remove.setAttribute("aria-label", app.texts.remove.replace("{name}", item.name));
    remove.onclick = () => {
      app.saved.remove(item);
      this.reset();
    };
    entry.append(button, name, remove);
    return entry;
  }

  async copy() {
    const { app } = this;
    try {
      await navigator.clipboard.writeText(this.part("text").textContent);
      app.toasts.show(app.texts.copied);
    } catch {
      getSelection().selectAllChildren(this.part("text"));
      app.toasts.show(app.texts.copy_yourself);
    }
  }

  async paste(field) {
    const { app } = this;
    try {
      const { style } = await app.client.call("paste", { ...app.settings, text: field.value });
      field.value = "";
      app.setStyle(style);
    } catch (error) {
      app.toasts.show(error.message);
    }
  }
}

class StyleInterpolationPanel extends Panel {
  setUp() {
    const { app } = this;
    this.share = this.part("share");
    onDrag(this.share, (draft) => this.go(draft));
    for (const end of ["start", "end"]) {
      this.part(end).addEventListener("change", (event) => {
        this.choose(end, event.target.value);
        event.target.value = ""; // the same choice can be made again
      });
    }
    this.part("steps").addEventListener("change", () => this.show());
    this.part("formats").append(...app.formats.map((format) => this.formatButton(format)));
  }

  formatButton(format) {
    const { app } = this;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "wide", disabled: true });
    button.textContent = app.texts.download_format.replace("{format}", app.texts[`format_${format}`]);
    button.onclick = async () => {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      try {
        const { file } = await app.client.callWithImage("animate", { ...app.settings, ...this.ends, format }, app.image);
        downloadFile(file, `${app.settings.checkpoint}.${format}`);
      } catch (error) {
        app.toasts.show(error.message);
      }
      button.removeAttribute("aria-busy");
      button.disabled = app.empty;
    };
    return button;
  }

  get ends() {
    return { start: this.start, end: this.end };
  }

  reset() {
    this.start = this.end = null;
    this.share.value = 0;
    this.root.querySelectorAll(".strip .tile").forEach((button) => showPicture(button, null));
    this.showChoices();
  }

  /** What can be chosen as the ends: the present style, a random one, and the saved ones. */
  showChoices() {
    const { app } = this;
    const saved = app.savedHere;
    for (const end of ["start", "end"]) {
      const option = (value, label) => Object.assign(document.createElement("option"), { value, textContent: label });
      const title = option("", app.texts[`choose_${end}`]);
      title.disabled = title.selected = true;
      const choices = saved.map((item, i) => option(String(i), item.name));
      this.part(end).replaceChildren(title, option("now", app.texts.style_now), option("random", app.texts.style_random), ...choices);
    }
  }

  async choose(end, choice) {
    const { app } = this;
    try {
      if (choice === "now") this[end] = [...app.style];
      else if (choice === "random") this[end] = await this.random();
      else this[end] = app.savedHere[Number(choice)].style;
    } catch (error) {
      return app.toasts.show(error.message);
    }
    this.share.value = end === "start" ? 0 : 1;
    this.go(false);
  }

  async random() {
    const { app } = this;
    const { styles } = await app.client.call("sample", { ...app.settings, seed: app.randomSeed(), count: 1 });
    return styles[0];
  }

  /** Take the style at the slider's place. */
  go(draft) {
    this.app.interpolate({ ...this.ends, share: this.share.valueAsNumber }, draft);
  }

  show() {
    const count = Number(this.part("steps").value);
    if (this.tiles.children.length !== count) {
      const step = (i) => this.app.texts.step.replace("{n}", i + 1).replace("{count}", count);
      const choose = (i) => () => {
        this.share.value = i / (count - 1);
        this.go(false);
      };
      this.tiles.replaceChildren(...Array.from({ length: count }, (_, i) => tile("", step(i), choose(i))));
      this.tiles.style.setProperty("--count", count);
      this.shown = null;
    }
    this.app.refreshWhenIdle(0);
  }

  async refresh(isCurrent) {
    const { app } = this;
    if (!this.start) {
      this.start = [...app.style];
      this.end = await this.random();
      if (!isCurrent()) return;
    }
    if (!this.tiles.children.length) this.show();
    for (const button of this.part("formats").children) button.disabled = app.empty;
    const count = this.tiles.children.length;
    const shown = JSON.stringify([this.ends, count, app.drawingNumber]);
    if (shown === this.shown) return; // moving the slider alone changes none of the steps
    await app.fill([...this.tiles.children], { ...this.ends, count }, isCurrent);
    if (isCurrent()) this.shown = shown;
  }
}
