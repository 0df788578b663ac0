// The panels below the picture: other ways to a style, and things to do with one. Each shows itself anew when
// `refresh(wanted)` is called, which happens at rest while it is open; `wanted()` tells whether that still holds.
// `app` is the page's state: {talk, texts, settings, space, image, style, kept, take, ...}, see multimodal.js.

const TILE = 128; // pixels of a small picture

/** A button that is a small picture with a caption; the picture's place is kept from the beginning. */
function tile(caption, label, choose) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tile" });
  const picture = Object.assign(new Image(), { alt: "", hidden: true });
  button.append(picture);
  if (caption) button.append(Object.assign(document.createElement("small"), { textContent: caption }));
  button.setAttribute("aria-label", label);
  button.onclick = choose;
  return button;
}

function paint(button, url) {
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

  act(name) {
    return this.root.querySelector(`[data-act="${name}"]`);
  }

  setUp() {}

  /** The checkpoint or the direction is another one. */
  reset() {}

  async refresh() {}
}

class RandomPanel extends Panel {
  setUp() {
    this.seedField = this.part("first-seed");
    this.buttons = Array.from({ length: 12 }, () => tile(" ", "", null));
    this.tiles.replaceChildren(...this.buttons);
    this.seedField.addEventListener("change", () => this.app.rest(0));
    this.act("others").onclick = () => {
      this.seedField.value = this.seed + this.buttons.length;
      this.app.rest(0);
    };
  }

  get seed() {
    return Math.min(Math.max(Math.trunc(this.seedField.valueAsNumber) || 0, 0), 2147480000);
  }

  async refresh(wanted) {
    const { app, seed } = this;
    const { styles } = await app.talk.call("sample", { ...app.settings, seed, count: this.buttons.length });
    if (!wanted()) return;
    this.buttons.forEach((button, i) => {
      const caption = app.texts.seed.replace("{n}", seed + i);
      button.lastChild.textContent = caption;
      button.setAttribute("aria-label", caption);
      button.onclick = () => app.take(styles[i], { seed: seed + i });
    });
    await app.fill(this.buttons, { styles }, wanted);
  }
}

class PicturePanel extends Panel {
  setUp() {
    this.own = [];
    this.act("guide").onclick = () => this.part("guide-file").click();
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
      const answer = await app.talk.call("read_guide", { binary: true, data: { file, ...settings } });
      if (settings !== app.settings) return; // another model was chosen in the meantime
      this.own.unshift({ ...answer, name: file.name });
      this.show();
      app.take(answer.style);
    } catch (error) {
      app.talk.say(error.message);
    } finally {
      this.root.removeAttribute("aria-busy");
    }
  }

  reset() {
    this.own = [];
    this.examples = [];
    this.part("guide-hint").textContent = this.app.texts.guide_hint.replace("{domain}", this.app.target);
    this.show();
  }

  show() {
    const { app } = this;
    const all = [...this.own, ...this.examples];
    this.tiles.replaceChildren(...all.map((example, i) => {
      const label = example.name ?? app.texts.example.replace("{n}", i + 1 - this.own.length);
      const button = tile("", label, () => app.take(example.style));
      paint(button, example.picture);
      return button;
    }));
    this.tiles.hidden = !all.length;
  }

  async refresh(wanted) {
    const { app } = this;
    if (this.examples.length) return;
    const { examples } = await app.talk.call("gallery", app.settings);
    if (!wanted()) return;
    this.examples = examples;
    this.show();
  }
}

class KeptPanel extends Panel {
  setUp() {
    const { app } = this;
    this.act("copy").onclick = () => this.copy();
    this.part("paste").addEventListener("submit", (event) => {
      event.preventDefault();
      this.paste(event.target.elements.text);
    });
    app.onText = (text) => {
      this.part("text").textContent = text;
      this.act("copy").disabled = !text;
    };
  }

  reset() {
    const { app } = this;
    const items = app.keptHere;
    this.part("none-kept").hidden = items.length > 0;
    this.tiles.replaceChildren(...items.map((item) => this.entry(item)));
    app.onKept(items);
  }

  entry(item) {
    const { app } = this;
    const entry = Object.assign(document.createElement("div"), { className: "entry" });
    const button = tile("", app.texts.use_kept.replace("{name}", item.name), () => app.take(item.style));
    paint(button, item.picture);
    const name = Object.assign(document.createElement("input"), { type: "text", value: item.name, maxLength: 40 });
    name.setAttribute("aria-label", app.texts.kept_name);
    name.onchange = () => {
      app.kept.rename(item, name.value.trim() || item.name);
      this.reset();
    };
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "remove", textContent: "×" });
    remove.setAttribute("aria-label", app.texts.remove.replace("{name}", item.name));
    remove.onclick = () => {
      app.kept.remove(item);
      this.reset();
    };
    entry.append(button, name, remove);
    return entry;
  }

  async copy() {
    const { app } = this;
    try {
      await navigator.clipboard.writeText(this.part("text").textContent);
      app.talk.say(app.texts.copied);
    } catch {
      getSelection().selectAllChildren(this.part("text"));
      app.talk.say(app.texts.copy_yourself);
    }
  }

  async paste(field) {
    const { app } = this;
    try {
      const { style } = await app.talk.call("paste", { ...app.settings, text: field.value });
      field.value = "";
      app.take(style);
    } catch (error) {
      app.talk.say(error.message);
    }
  }
}

class BetweenPanel extends Panel {
  setUp() {
    const { app } = this;
    this.share = this.part("share");
    onDrag(this.share, (draft) => this.go(draft));
    for (const end of ["start", "end"]) {
      this.part(end).addEventListener("change", (event) => {
        this.choose(end, event.target.value);
        event.target.value = ""; // the strip shows what was chosen; the same choice can be made again
      });
    }
    this.part("steps").addEventListener("change", () => this.show());
    this.part("formats").append(...app.formats.map((format) => this.formatButton(format)));
  }

  formatButton(format) {
    const { app } = this;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "wide", disabled: true });
    button.textContent = app.texts.save_as.replace("{format}", app.texts[`format_${format}`]);
    button.onclick = async () => {
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      try {
        const { file } = await app.talk.askAbout("animate", { ...app.settings, ...this.way, format }, app.image);
        save(file, `${app.settings.checkpoint}.${format}`);
      } catch (error) {
        app.talk.say(error.message);
      }
      button.removeAttribute("aria-busy");
      button.disabled = app.empty;
    };
    return button;
  }

  get way() {
    return { start: this.start, end: this.end };
  }

  reset() {
    this.start = this.end = null;
    this.share.value = 0;
    this.root.querySelectorAll(".strip .tile").forEach((button) => paint(button, null));
    this.showChoices();
  }

  /** What may stand at the ends: the present style, a random one, kept ones. */
  showChoices() {
    const { app } = this;
    const kept = app.keptHere;
    for (const end of ["start", "end"]) {
      const option = (value, label) => Object.assign(document.createElement("option"), { value, textContent: label });
      const title = option("", app.texts[`choose_${end}`]);
      title.disabled = title.selected = true;
      const choices = kept.map((item, i) => option(String(i), item.name));
      this.part(end).replaceChildren(title, option("now", app.texts.style_now), option("random", app.texts.style_random), ...choices);
    }
  }

  async choose(end, choice) {
    const { app } = this;
    try {
      if (choice === "now") this[end] = [...app.style];
      else if (choice === "random") this[end] = await this.random();
      else this[end] = app.keptHere[Number(choice)].style;
    } catch (error) {
      return app.talk.say(error.message);
    }
    this.share.value = end === "start" ? 0 : 1;
    this.go(false);
  }

  async random() {
    const { app } = this;
    const { styles } = await app.talk.call("sample", { ...app.settings, seed: app.randomSeed(), count: 1 });
    return styles[0];
  }

  /** Show the style that the slider points at. */
  go(draft) {
    this.app.follow({ ...this.way, share: this.share.valueAsNumber }, draft);
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
      this.drawn = null;
    }
    this.app.rest(0);
  }

  async refresh(wanted) {
    const { app } = this;
    if (!this.start) {
      this.start = [...app.style];
      this.end = await this.random();
      if (!wanted()) return;
    }
    if (!this.tiles.children.length) this.show();
    for (const button of this.part("formats").children) button.disabled = app.empty;
    const count = this.tiles.children.length;
    const drawn = JSON.stringify([this.way, count, app.drawing]);
    if (drawn === this.drawn) return; // moving along the way changes nothing of it
    await app.fill([...this.tiles.children], { ...this.way, count }, wanted);
    if (wanted()) this.drawn = drawn;
  }
}
