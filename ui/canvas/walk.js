// A walk from the drawing to a second picture through the code that both share: which picture, and how far.

class Walk {
  /**
   * @param root      the element with class "walk"
   * @param desk      the desk whose drawing is the start
   * @param onchange  called when the end or the place between is another one
   */
  constructor(root, desk, onchange) {
    Object.assign(this, { root, desk, onchange });
    this.slider = this.part("share");
    this.ends = {}; // by the desk's sheet
    this.slider.addEventListener("input", () => this.onchange());
    this.part("end_file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.takeFile(file);
      event.target.value = "";
    });
    root.addEventListener("click", (event) => {
      const action = event.target.closest("button")?.dataset.do;
      if (action === "end_file") this.part("end_file").click();
      if (action === "end_drawing") this.take(desk.image.url);
    });
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  get on() {
    return !this.root.hidden;
  }

  /** The second picture as `Talk.askAbout` wants it; null where nobody walks. */
  get second() {
    return (this.on && this.ends[this.desk.key]) || null;
  }

  get share() {
    return this.slider.valueAsNumber;
  }

  /** Begin or end walking. */
  open(on) {
    this.root.hidden = !on;
    if (on) this.show();
    this.onchange();
  }

  /** Another sheet lies on the desk: its examples, its end. */
  show() {
    this.desk.showExamples(this.part("ends"), (url) => this.take(url));
    this.showEnd();
  }

  /** Show where the walk begins. */
  showStart() {
    const ctx = squareContext(128, this.root.querySelector(".from"));
    ctx.drawImage(this.desk.view, 0, 0, 128, 128);
  }

  async showEnd() {
    const end = this.ends[this.desk.key];
    const canvas = this.root.querySelector(".to");
    canvas.classList.toggle("none", !end);
    this.slider.disabled = !end;
    const ctx = squareContext(128, canvas);
    if (end) ctx.drawImage(await loadImage(end.url), 0, 0, 128, 128);
    else this.slider.value = 0;
  }

  async takeFile(file) {
    const answer = await this.desk.openFile(file);
    if (answer) await this.take(answer.pictures[answer.variant]);
  }

  /** Walk to this picture: laid on a sheet of its own, as it would lie on the desk. */
  async take(url) {
    const { key, sheet } = this.desk;
    const paper = new Paper({ kind: sheet.kind, size: sheet.size, colour: sheet.paper }, document.createElement("canvas"));
    paper.show();
    paper.add({ type: "picture", variants: { as_is: await loadImage(url) }, variant: "as_is" });
    this.ends[key] = { url: paper.wire.canvas.toDataURL("image/png"), key: null };
    await this.showEnd();
    this.onchange();
  }
}
