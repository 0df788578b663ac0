// The results of this visit. They are kept in the browser tab alone (sessionStorage), so they survive a reload but not
// the closing of the tab, and neither the server nor other visitors see them.

const MOST_RESULTS = 24;
const MOST_CHARS = 1_500_000; // of one page tab; browsers give all of them together about five million
const ADD_AFTER_MS = 1200; // a result that is replaced sooner is not added

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
   * @param root    the element of history.html
   * @param tab     the page tab's name: each has a history of its own
   * @param editor  in which the input of a restored result is placed
   * @param recall  called before that with the result's settings
   */
  constructor(root, { tab, editor, recall }) {
    Object.assign(this, { root, editor, texts: editor.texts, recall });
    this.storageKey = `i2i-history-${tab}`;
    this.entries = this.read();
    this.timer = null;
    this.button("zip").onclick = () => this.download();
    this.button("clear").onclick = () => this.clear();
    this.show();
  }

  button(name) {
    return this.root.querySelector(`[data-history="${name}"]`);
  }

  /** The entries that the browser stores; anything else in there is left out. */
  read() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(this.storageKey) ?? "[]");
      const picture = (url) => typeof url === "string" && url.startsWith("data:image/");
      const good = (entry) => picture(entry?.input) && picture(entry.result) && typeof entry.settings?.checkpoint === "string";
      return stored.filter(good).slice(0, MOST_RESULTS);
    } catch {
      return []; // storage is not allowed, or its content is not ours
    }
  }

  write() {
    const size = () => this.entries.reduce((sum, entry) => sum + entry.input.length + entry.result.length, 0);
    while (this.entries.length > 1 && size() > MOST_CHARS) this.entries.pop();
    try {
      sessionStorage.setItem(this.storageKey, JSON.stringify(this.entries));
    } catch {
      // storage is full or not allowed: the entries last as long as the page
    }
  }

  /** Add a result unless another one comes soon. */
  schedule(entry) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.add(entry), ADD_AFTER_MS);
  }

  /** Do not add the scheduled result: the drawing has changed. */
  cancel() {
    clearTimeout(this.timer);
  }

  add(scheduled) {
    const entry = { ...scheduled, input: urlOf(scheduled.input), result: urlOf(scheduled.result) };
    const same = (other) =>
      other.input === entry.input && JSON.stringify(other.settings) === JSON.stringify(entry.settings);
    if (this.entries.some(same)) return;
    this.entries = [entry, ...this.entries].slice(0, MOST_RESULTS);
    this.write();
    this.show();
  }

  clear() {
    this.cancel();
    this.entries = [];
    this.write();
    this.show();
  }

  async restore({ settings, input }) {
    const specKey = `${settings.checkpoint} ${settings.direction}`;
    if (!(specKey in this.editor.inputSpecs)) return this.editor.toasts.show(this.texts.history_gone);
    this.recall(settings);
    await this.editor.place({ as_is: input }, "as_is", specKey);
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
    this.root.querySelector('[data-part="results"]').replaceChildren(...thumbs);
    this.root.dataset.count = thumbs.length;
    for (const name of ["zip", "clear"]) this.button(name).disabled = !thumbs.length;
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
    downloadFile(zip(files), "results.zip");
  }
}
