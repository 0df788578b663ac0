// The present style on many inputs: pairs of input and result, and a contact sheet of them to download.

const MOST_INPUTS = 24;

class ManyInputsPanel extends Panel {
  setUp() {
    this.pairs = [];
    this.button("all-examples").onclick = () => this.addExamples();
    this.button("choose-inputs").onclick = () => this.part("input-files").click();
    this.button("cancel-job").onclick = () => this.stop();
    this.button("contact-sheet").onclick = () => this.download();
    this.part("input-files").addEventListener("change", (event) => {
      const files = [...event.target.files];
      event.target.value = "";
      this.addFiles(files);
    });
  }

  reset() {
    this.stop();
    this.pairs = [];
    this.tiles.replaceChildren();
    this.button("contact-sheet").disabled = true;
    this.part("no-inputs").hidden = false;
    this.button("all-examples").hidden = !this.app.editor.inputSpec.examples;
  }

  /** Cancel or end the job under way, if there is one; what is done stays. */
  stop() {
    this.job = {};
    this.part("progress").hidden = this.button("cancel-job").hidden = true;
  }

  /** Begin a job of `count` steps whose progress is shown and which can be cancelled: {done(), cancelled(), end()}. */
  start(count) {
    const job = (this.job = {});
    const progress = this.part("progress");
    Object.assign(progress, { max: count, value: 0, hidden: false });
    this.button("cancel-job").hidden = false;
    return {
      done: () => this.job === job && ++progress.value,
      cancelled: () => this.job !== job,
      end: () => this.job === job && this.stop(),
    };
  }

  async addExamples() {
    try {
      await this.add((await this.app.editor.examples()).map((url) => async () => url));
    } catch (error) {
      this.app.toasts.show(error.message);
    }
  }

  /** Add files, one after the other. The editor shows a message for one that is no picture; the others are added. */
  addFiles(files) {
    const { editor } = this.app;
    return this.add(files.map((file) => async () => {
      const answer = await editor.openFile(file);
      return answer && answer.pictures[answer.variant];
    }));
  }

  async add(readers) {
    const room = MOST_INPUTS - this.pairs.length;
    if (readers.length > room) this.app.toasts.show(this.app.texts.too_many.replace("{limit}", MOST_INPUTS));
    const job = this.start(Math.min(readers.length, Math.max(room, 0)));
    const { settings } = this.app;
    for (const read of readers.slice(0, room)) {
      const url = await read();
      if (job.cancelled() || settings !== this.app.settings) return;
      if (url) await this.addPair(url);
      job.done();
    }
    job.end();
    this.shown = null;
    this.app.refreshWhenIdle(0);
  }

  /** Add an input, drawn at the network's size as the editor would draw it. */
  async addPair(url) {
    const { size, background, kind } = this.app.editor.inputSpec;
    const ctx = squareContext(size);
    ctx.fillStyle = background;
    ctx.fillRect(0, 0, size, size);
    drawContained(ctx, await loadImage(url), kind !== "labels");
    const figure = Object.assign(document.createElement("div"), { className: "pair" });
    const result = squareContext(size);
    ctx.canvas.setAttribute("aria-hidden", "true");
    result.canvas.setAttribute("role", "img");
    result.canvas.setAttribute("aria-label", this.app.texts.result_of.replace("{n}", this.pairs.length + 1));
    figure.append(ctx.canvas, result.canvas);
    this.tiles.append(figure);
    this.pairs.push({ input: ctx.canvas, result, image: { url: ctx.canvas.toDataURL("image/png"), key: null } });
    this.part("no-inputs").hidden = true;
  }

  async refresh(isCurrent) {
    const { app } = this;
    const shown = JSON.stringify([app.style, this.pairs.length]);
    if (!this.pairs.length || shown === this.shown || !this.button("cancel-job").hidden) return;
    const job = this.start(this.pairs.length);
    const style = [...app.style];
    for (const pair of this.pairs) {
      const answer = await app.client.callWithImage("draw", { ...app.settings, style }, pair.image);
      const picture = await loadImage(answer.image);
      if (job.cancelled() || !isCurrent()) return job.end();
      pair.result.drawImage(picture, 0, 0, pair.result.canvas.width, pair.result.canvas.height);
      job.done();
    }
    job.end();
    this.shown = shown;
    this.button("contact-sheet").disabled = false;
  }

  /** Download a contact sheet: all pairs, input beside result. */
  download() {
    const { size } = this.app.editor.inputSpec;
    const columns = Math.min(this.pairs.length, 4);
    const gap = Math.round(size / 16);
    const canvas = document.createElement("canvas");
    canvas.width = gap + columns * (2 * size + gap);
    canvas.height = gap + Math.ceil(this.pairs.length / columns) * (size + gap);
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = "#fff";
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    this.pairs.forEach(({ input, result }, i) => {
      const x = gap + (i % columns) * (2 * size + gap);
      const y = gap + Math.floor(i / columns) * (size + gap);
      ctx.drawImage(input, x, y);
      ctx.drawImage(result.canvas, x + size, y);
    });
    downloadCanvas(canvas, `${this.app.settings.checkpoint}-sheet`);
  }
}
