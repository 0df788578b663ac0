// The camera: a preview over the drawing, mirrored where one sees oneself, a picture that is not, and a live mode in
// which the camera's picture is the input, as often as answers come.

const FRAME_MS = 66; // between two frames of the live mode
const LOST_FRAMES = 3; // without an answer, one after the other, end the live mode; a crowded server loses one at times
const LOST_MS = 500; // longer to wait after each of them
const SENT_SIDE = 512; // of a frame that the server makes a drawing of

class Camera {
  /** @param editor  the Editor whose elements it uses */
  constructor(editor) {
    Object.assign(this, { editor, stream: null, live: null });
    this.video = editor.$(".camera");
  }

  get isOpen() {
    return Boolean(this.stream);
  }

  async open() {
    const { editor, video } = this;
    try {
      const wanted = { width: 1280, height: 720, facingMode: "environment" };
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    } catch {
      return editor.toasts.show(editor.texts.no_camera);
    }
    video.srcObject = this.stream;
    await video.play();
    const { facingMode } = this.stream.getVideoTracks()[0].getSettings();
    this.mirror(facingMode !== "environment");
    editor.button("live").setAttribute("aria-pressed", false);
    video.hidden = editor.part("shutter").hidden = false;
    editor.button("shoot").focus({ preventScroll: true });
  }

  close() {
    this.stopLive();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.hidden = this.editor.part("shutter").hidden = true;
  }

  /** Show the preview as a mirror does, or as others see it. */
  mirror(on = !this.video.classList.contains("mirrored")) {
    this.video.classList.toggle("mirrored", on);
    this.editor.button("mirror").setAttribute("aria-pressed", on);
  }

  /** The central square of the camera's picture, which is what the visitor sees, never mirrored. */
  frame(most = Infinity) {
    const { videoWidth: width, videoHeight: height } = this.video;
    const side = Math.min(width, height);
    const ctx = squareContext(Math.min(side, most));
    const { canvas } = ctx;
    ctx.drawImage(this.video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
    return canvas;
  }

  /** Take a picture and close the camera; of the live mode, the last frame. */
  async shoot() {
    if (this.live) return this.close();
    const canvas = this.frame();
    this.close();
    this.editor.takeFile(await fileOf(canvas, "image/png"));
  }

  toggleLive() {
    if (this.live) this.stopLive();
    else this.startLive();
  }

  /** From now on, frames are the input; they stand behind nothing and replace each other. */
  async startLive() {
    const { editor } = this;
    const live = (this.live = { drawing: editor.drawing, ops: [...editor.drawing.ops] });
    editor.button("live").setAttribute("aria-pressed", true);
    this.video.classList.add("corner");
    for (let lost = 0; this.live === live; ) {
      const started = performance.now();
      const variants = await this.liveVariants();
      if (this.live !== live) return;
      if (variants) this.showFrame(live, variants);
      lost = variants ? 0 : lost + 1;
      if (lost === LOST_FRAMES) return this.stopLive();
      const pause = lost ? lost * LOST_MS : FRAME_MS - (performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, Math.max(pause, 0)));
    }
  }

  stopLive() {
    if (!this.live) return;
    this.live = null;
    this.video.classList.remove("corner");
    this.editor.button("live").setAttribute("aria-pressed", false);
  }

  /**
   * A frame as the input: as it is where pictures are translated; elsewhere the server makes a drawing of it. Null if
   * it gave no answer.
   */
  async liveVariants() {
    if (this.editor.inputSpec.kind === "picture") return { chosen: "as_is", images: { as_is: this.frame() } };
    const answer = await this.editor.openFile(await fileOf(this.frame(SENT_SIDE), "image/jpeg"));
    if (!answer) return null;
    return { chosen: answer.variant, images: { [answer.variant]: await loadImage(answer.pictures[answer.variant]) } };
  }

  showFrame({ drawing, ops }, { chosen, images }) {
    drawing.ops = [...ops, { type: "picture", variants: images, variant: chosen }];
    drawing.undone = [];
    drawing.redraw();
    this.editor.changed();
  }
}

/** A canvas as a file. */
async function fileOf(canvas, type) {
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, 0.9));
  return new File([blob], `camera.${type.split("/")[1]}`, { type });
}
