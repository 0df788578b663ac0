// One style on many pictures at once: pairs of input and result, and a contact sheet of them to download.

const MOST_INPUTS = 24;

class ManyPanel extends Panel {
  setUp() {
    this.pairs = [];
    this.act("all-examples").onclick = () => this.addExamples();
    this.act("many-files").onclick = () => this.part("many-file").click();
    this.act("cancel-many").onclick = () => this.stop();
    this.act("sheet").onclick = () => this.download();
    this.part("many-file").addEventListener("change", (event) => {
      const files = [...event.target.files];
      event.target.value = "";
      this.addFiles(files);
    });
  }

  reset() {
    this.stop();
    this.pairs = [];
    this.tiles.replaceChildren();
    this.act("sheet").disabled = true;
    this.part("none-many").hidden = false;
    this.act("all-examples").hidden = !this.app.desk.sheet.examples;
  }

  /** End the job under way, if any; what is done stays. */
  stop() {
    this.job = {};
    this.part("progress").hidden = this.act("cancel-many").hidden = true;
  }

  /** Begin a job of `count` pieces that the visitor can watch and cancel: {done(), cancelled()}. */
  start(count) {
    const job = (this.job = {});
    const progress = this.part("progress");
    Object.assign(progress, { max: count, value: 0, hidden: false });
    this.act("cancel-many").hidden = false;
    return {
      done: () => this.job === job && ++progress.value,
      cancelled: () => this.job !== job,
      end: () => this.job === job && this.stop(),
    };
  }

  async addExamples() {
    try {
      await this.add((await this.app.desk.examples()).map((url) => async () => url));
    } catch (error) {
      this.app.talk.say(error.message);
    }
  }

  /** Files are read one after the other; the desk says which of them is no picture, the others go on. */
  addFiles(files) {
    const { desk } = this.app;
    return this.add(files.map((file) => async () => {
      const answer = await desk.openFile(file);
      return answer && answer.pictures[answer.variant];
    }));
  }

  async add(readers) {
    const room = MOST_INPUTS - this.pairs.length;
    if (readers.length > room) this.app.talk.say(this.app.texts.too_many.replace("{limit}", MOST_INPUTS));
    const job = this.start(Math.min(readers.length, Math.max(room, 0)));
    const { settings } = this.app;
    for (const read of readers.slice(0, room)) {
      const url = await read();
      if (job.cancelled() || settings !== this.app.settings) return;
      if (url) await this.addPair(url);
      job.done();
    }
    job.end();
    this.drawn = null;
    this.app.rest(0);
  }

  /** The input as the network gets it: laid on paper of its size. */
  async addPair(url) {
    const { size, paper: colour, kind } = this.app.desk.sheet;
    const ctx = squareContext(size);
    ctx.fillStyle = colour;
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
    this.part("none-many").hidden = true;
  }

  async refresh(wanted) {
    const { app } = this;
    const drawn = JSON.stringify([app.style, this.pairs.length]);
    if (!this.pairs.length || drawn === this.drawn || !this.act("cancel-many").hidden) return;
    const job = this.start(this.pairs.length);
    const style = [...app.style];
    for (const pair of this.pairs) {
      const answer = await app.talk.askAbout("draw", { ...app.settings, style }, pair.image);
      const picture = await loadImage(answer.image);
      if (job.cancelled() || !wanted()) return job.end();
      pair.result.drawImage(picture, 0, 0, pair.result.canvas.width, pair.result.canvas.height);
      job.done();
    }
    job.end();
    this.drawn = drawn;
    this.act("sheet").disabled = false;
  }

  /** All pairs on one picture, input beside result. */
  download() {
    const { size } = this.app.desk.sheet;
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
    savePicture(canvas, `${this.app.settings.checkpoint}-sheet`);
  }
}
