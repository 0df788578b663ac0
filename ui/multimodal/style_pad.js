// The style pad: the two main directions of a style at once. And how drags on it and on sliders are followed.

/** A value within -limit … limit. */
const clamp = (value, limit = REACH) => Math.min(Math.max(value, -limit), limit);

/**
 * Call `moved(draft)` while a slider is dragged, and at the end once more with draft false. Browsers send `change` only
 * if the value differs from the one before, so letting go of the slider is an end, too.
 */
function onDrag(input, moved) {
  let going = false;
  input.addEventListener("input", () => {
    going = true;
    moved(true);
  });
  for (const type of ["change", "pointerup", "pointercancel", "blur"]) {
    input.addEventListener(type, () => {
      if (!going) return;
      going = false;
      moved(false);
    });
  }
}

/** Moves a dot in two directions at once, by pointer or arrow keys. */
class StylePad {
  /**
   * @param root    the pad's element, which has four corner pictures and the dot
   * @param texts   by key, in the visitor's language
   * @param onmove  ([x, y], done): the dot was moved; done at the end of a movement
   */
  constructor(root, texts, onmove) {
    Object.assign(this, { root, texts, onmove, x: 0, y: 0, pointer: null });
    this.dot = root.querySelector(".dot");
    this.corners = [...root.querySelectorAll(".corner")];
    root.addEventListener("pointerdown", (event) => {
      if (this.pointer !== null || event.button > 0) return;
      event.preventDefault();
      this.pointer = event.pointerId;
      root.setPointerCapture(event.pointerId);
      this.dot.focus({ preventScroll: true });
      this.go(...this.at(event), false);
    });
    root.addEventListener("pointermove", (event) => {
      if (event.pointerId === this.pointer) this.go(...this.at(event), false);
    });
    for (const type of ["pointerup", "pointercancel"]) {
      root.addEventListener(type, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.pointer = null;
        this.onmove([this.x, this.y], true);
      });
    }
    this.dot.addEventListener("keydown", (event) => this.key(event));
    this.dot.addEventListener("keyup", (event) => event.key.startsWith("Arrow") && this.onmove([this.x, this.y], true));
  }

  at(event) {
    const box = this.root.getBoundingClientRect();
    const part = (value, from, length) => ((value - from) / length) * 2 * REACH - REACH;
    return [part(event.clientX, box.left, box.width), -part(event.clientY, box.top, box.height)];
  }

  key(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = event.shiftKey ? 0.5 : 0.1;
    if (event.key === "Home") this.go(0, 0, true);
    else if (ways[event.key]) this.go(this.x + ways[event.key][0] * step, this.y + ways[event.key][1] * step, false);
    else return;
    event.preventDefault();
  }

  go(x, y, done) {
    this.show(x, y);
    this.onmove([this.x, this.y], done);
  }

  /** Put the dot somewhere without a call of `onmove`. */
  show(x, y) {
    [this.x, this.y] = [clamp(x), clamp(y)];
    const percent = (value) => `${((value + REACH) / (2 * REACH)) * 100}%`;
    this.dot.style.left = percent(this.x);
    this.dot.style.top = percent(-this.y);
    const [a, b] = [this.x.toFixed(1), this.y.toFixed(1)];
    this.dot.setAttribute("aria-valuenow", a);
    this.dot.setAttribute("aria-valuetext", this.texts.pad_value.replace("{x}", a).replace("{y}", b));
  }
}
