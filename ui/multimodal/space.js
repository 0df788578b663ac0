// Where the styles of real images lie: a style as its distances from the mean along the main
// directions, in standard deviations, and back.

const REACH = 3; // standard deviations to which pad and sliders reach
const MAIN = 4; // directions that have a slider, at most …
const WORTH = 0.25; // … and only those in which styles vary this much, compared with the first

class StyleSpace {
  /** @param known {mean, directions, deviations}: numbers, orthonormal rows, numbers */
  constructor(known) {
    Object.assign(this, known);
  }

  /** How many directions are worth a slider; the pad's two always are. */
  get main() {
    const worth = this.deviations.filter((deviation) => deviation >= WORTH * this.deviations[0]).length;
    return Math.min(Math.max(worth, 2), MAIN, this.deviations.length);
  }

  /** Style → its distance along each direction. */
  distances(style) {
    return this.directions.map((direction, k) => {
      const along = direction.reduce((sum, value, i) => sum + value * (style[i] - this.mean[i]), 0);
      return along / this.deviations[k];
    });
  }

  /** Distances along the directions → style. */
  style(distances) {
    return this.mean.map((mean, i) =>
      distances.reduce((sum, z, k) => sum + z * this.deviations[k] * this.directions[k][i], mean));
  }

  /** The style with some distances changed: {direction: distance}. */
  moved(style, changes) {
    return this.style(Object.assign(this.distances(style), changes));
  }
}

/** Styles are taken by the server up to a limit; what is far outside is drawn at the rim. */
const clamp = (value, limit = REACH) => Math.min(Math.max(value, -limit), limit);

/**
 * Call `moved(draft)` while a slider is dragged, and at the end once more with draft false. A browser sends
 * `change` only if the value is another one than before, so letting go counts as the end, too.
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

/** The pad: two directions at once, by pointer or arrow keys. */
class Pad {
  /**
   * @param root   the pad's element, holding four corner pictures and the dot
   * @param texts  of the page
   * @param move   ([x, y], done) when the dot was moved; done when it rests
   */
  constructor(root, texts, move) {
    Object.assign(this, { root, texts, move, x: 0, y: 0, pointer: null });
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
        this.move([this.x, this.y], true);
      });
    }
    this.dot.addEventListener("keydown", (event) => this.key(event));
    this.dot.addEventListener("keyup", (event) => event.key.startsWith("Arrow") && this.move([this.x, this.y], true));
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
    this.move([this.x, this.y], done);
  }

  /** Put the dot somewhere without telling anybody. */
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
