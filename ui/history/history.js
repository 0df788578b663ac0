// The results of this visit, in this browser tab alone (sessionStorage): they survive a reload, not the tab's closing,
// and no server or other visitor sees them.

const MOST_RESULTS = 24;
const MOST_CHARS = 1_500_000; // of one page tab; browsers give all of them together about five million
const RESULT_REST = 1200; // milliseconds after which a result that nothing replaced is worth keeping

/** The PNG file of a picture's URL, as bytes. */
async function pngBytes(url) {
  const image = await loadImage(url);
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  return new Uint8Array(await blob.arrayBuffer());
}

class History {
  /**
   * @param root    the element that holds history.html
   * @param tab     the page tab's name: each has a history of its own
   * @param desk    on which an input is laid that a visitor wants back
   * @param recall  called before with its settings, to take them
   */
  constructor(root, { tab, desk, recall }) {
    Object.assign(this, { root, desk, texts: desk.texts, recall });
    this.store = `i2i-history-${tab}`;
    this.entries = this.read();
    this.clock = null;
    this.button("zip").onclick = () => this.download();
    this.button("forget").onclick = () => this.forget();
    this.show();
  }

  button(name) {
    return this.root.querySelector(`[data-history="${name}"]`);
  }

  /** What the browser kept; whatever in it is no entry is left out. */
  read() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(this.store) ?? "[]");
      const picture = (url) => typeof url === "string" && url.startsWith("data:image/");
      const good = (entry) => picture(entry?.input) && picture(entry.result) && typeof entry.settings?.checkpoint === "string";
      return stored.filter(good).slice(0, MOST_RESULTS);
    } catch {
      return []; // no storage allowed, or not ours
    }
  }

  write() {
    const size = () => this.entries.reduce((sum, entry) => sum + entry.input.length + entry.result.length, 0);
    while (this.entries.length > 1 && size() > MOST_CHARS) this.entries.pop();
    try {
      sessionStorage.setItem(this.store, JSON.stringify(this.entries));
    } catch {
      // full or forbidden: they last as long as the page
    }
  }

  /** A result is shown; it is kept if none replaces it for a while. */
  note(entry) {
    clearTimeout(this.clock);
    this.clock = setTimeout(() => this.keep(entry), RESULT_REST);
  }

  /** What was on its way into the history is not wanted any more: the drawing goes on or is gone. */
  cancel() {
    clearTimeout(this.clock);
  }

  keep(entry) {
    const same = (other) =>
      other.input === entry.input && JSON.stringify(other.settings) === JSON.stringify(entry.settings);
    if (this.entries.some(same)) return;
    this.entries = [entry, ...this.entries].slice(0, MOST_RESULTS);
    this.write();
    this.show();
  }

  forget() {
    this.cancel();
    this.entries = [];
    this.write();
    this.show();
  }

  async restore({ settings, input }) {
    const key = `${settings.checkpoint} ${settings.direction}`;
    if (!(key in this.desk.sheets)) return this.desk.talk.say(this.texts.history_gone);
    this.recall(settings);
    await this.desk.place({ as_is: input }, "as_is", key);
  }

  show() {
    const thumbs = this.entries.map((entry, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "thumb" });
      button.title = `${entry.settings.checkpoint} ${entry.settings.direction}`;
      button.setAttribute("aria-label", this.texts.history_restore.replace("{n}", this.entries.length - i));
      button.append(Object.assign(new Image(), { src: entry.result, alt: "" }));
      button.onclick = () => this.restore(entry);
      return button;
    });
    this.root.querySelector('[data-part="kept"]').replaceChildren(...thumbs);
    this.root.dataset.count = thumbs.length;
    for (const name of ["zip", "forget"]) this.button(name).disabled = !thumbs.length;
  }

  /** All results, oldest first, with their inputs and a JSON file of their settings. */
  async download() {
    const files = [];
    const settings = [];
    for (const [i, entry] of [...this.entries].reverse().entries()) {
      const names = { input: null, result: null };
      for (const kind of ["input", "result"]) {
        names[kind] = `${String(i + 1).padStart(2, "0")}-${kind}.png`;
        files.push({ name: names[kind], data: await pngBytes(entry[kind]) });
      }
      settings.push({ ...names, ...entry.settings });
    }
    const json = new TextEncoder().encode(`${JSON.stringify(settings, null, 2)}\n`);
    files.push({ name: "settings.json", data: json });
    save(zip(files), "results.zip");
  }
}
