// Interpolation between the codes of two inputs, the drawing and a second image.

class Interpolation {
  /**
   * @param root      the element of class "interpolation"
   * @param editor    its drawing is the start
   * @param onchange  called when the end or the place between both changes
   */
  constructor(root, editor, onchange) {
    Object.assign(this, { root, editor, onchange });
    this.slider = this.part("share");
    this.ends = {}; // {url, key} by spec key
    this.slider.addEventListener("input", () => this.onchange());
    this.part("end-file").addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.takeFile(file);
      event.target.value = "";
    });
    root.addEventListener("click", (event) => {
      const action = event.target.closest("button")?.dataset.action;
      if (action === "end-file") this.part("end-file").click();
      if (action === "end-drawing") this.setEnd(editor.image.url);
    });
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  get isOpen() {
    return !this.root.hidden;
  }

  /** The second image as `ServerClient.callWithImage` takes it; null where none is chosen. */
  get second() {
    return (this.isOpen && this.ends[this.editor.specKey]) || null;
  }

  /** The place between both images: 0 is the drawing, 1 the second image. */
  get share() {
    return this.slider.valueAsNumber;
  }

  open(isOpen) {
    this.root.hidden = !isOpen;
    if (isOpen) this.show();
    this.onchange();
  }

  /** Show the examples and the end of the editor's input spec. */
  show() {
    this.editor.showExamples(this.part("end-examples"), (url) => this.setEnd(url));
    this.showEnd();
  }

  showStart() {
    const ctx = squareContext(128, this.root.querySelector(".start"));
    ctx.drawImage(this.editor.canvas, 0, 0, 128, 128);
  }

  async showEnd() {
    const end = this.ends[this.editor.specKey];
    const canvas = this.root.querySelector(".end");
    canvas.classList.toggle("none", !end);
    this.slider.disabled = !end;
    const ctx = squareContext(128, canvas);
    if (end) ctx.drawImage(await loadImage(end.url), 0, 0, 128, 128);
    else this.slider.value = 0;
  }

  async takeFile(file) {
    const answer = await this.editor.openFile(file);
    if (answer) await this.setEnd(answer.pictures[answer.variant]);
  }

  /** Interpolate to this image, drawn as the editor would draw it. */
  async setEnd(url) {
    const { specKey, inputSpec } = this.editor;
    const drawing = new Drawing(inputSpec, document.createElement("canvas"));
    drawing.show();
    drawing.add({ type: "picture", variants: { as_is: await loadImage(url) }, variant: "as_is" });
    this.ends[specKey] = { url: drawing.input.canvas.toDataURL("image/png"), key: null };
    await this.showEnd();
    this.onchange();
  }
}
