// A drawing as a list of operations, which can be undone and redone. It is rendered twice: `shown`, large and smooth,
// for the visitor, and `input`, at the network's size. All coordinates and widths are in the network's pixels. A point is
// [x, y]; on the strokes of a pen [x, y, share of the stroke's width there].

const PIECE = 4; // canvas pixels of a pen's stroke that have one width

/** Fill a disc of whole pixels: on label maps, a blended edge would have the colour of no label. */
function stampDisc(ctx, x, y, width) {
  const r = Math.max(width, 1) / 2;
  for (let row = Math.ceil(y - r - 0.5); row + 0.5 <= y + r; row++) {
    const half = Math.sqrt(Math.max(r * r - (row + 0.5 - y) ** 2, 0));
    const left = Math.round(x - half);
    ctx.fillRect(left, row, Math.max(Math.round(x + half) - left, 1), 1);
  }
}

/** The width of a stroke on the way from the point before number `i` to this one. */
function between({ width, points }, i, way) {
  const [before, here] = [points[Math.max(i - 1, 0)][2] ?? 1, points[i][2] ?? 1];
  return width * (before + (here - before) * way);
}

/** Whether an operation spans two corners. */
function isShape(op) {
  return op.type === "rect" || op.type === "ellipse";
}

function middleOf([x0, y0], [x1, y1]) {
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

class Drawing {
  /**
   * @param spec    {kind, size, background, rough} of an input spec
   * @param canvas  the canvas that the visitor sees
   */
  constructor({ kind, size, background, rough }, canvas) {
    Object.assign(this, { kind, size, background, canvas });
    this.exact = this.kind === "labels";
    this.rough = rough ? new RoughEdges(size) : null;
    this.ops = [];
    this.undone = [];
    this.open = null;
  }

  /** Render everything on the visible canvas, which several drawings share. */
  show() {
    const enlarged = this.size * Math.ceil(512 / this.size);
    this.shown = squareContext(this.exact ? this.size : enlarged, this.canvas);
    this.input = squareContext(this.size);
    this.redraw();
  }

  get contexts() {
    return [this.shown, this.input];
  }

  /** The operations after the last clearing. */
  get current() {
    return this.ops.slice(this.ops.findLastIndex((op) => op.type === "clear") + 1);
  }

  /** Whether there is nothing to translate; of free colours it takes two. */
  get empty() {
    if (this.kind === "paint") return this.plain;
    return !this.open && this.current.every((op) => op.erases);
  }

  /** Whether all pixels have one colour. */
  get plain() {
    const { data } = this.input.getImageData(0, 0, this.size, this.size);
    const pixels = new Uint32Array(data.buffer);
    return pixels.every((pixel) => pixel === pixels[0]);
  }

  /** The newest picture behind the strokes, or undefined. */
  get picture() {
    return this.current.findLast((op) => op.type === "picture");
  }

  redraw() {
    for (const ctx of this.contexts) {
      ctx.fillStyle = this.background;
      ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
      for (const op of this.current) this.paint(ctx, op, 0);
    }
  }

  /** Add an operation without painting it, to a drawing that is not visible. */
  record(op) {
    this.ops.push(op);
    this.undone = [];
  }

  add(op) {
    this.record(op);
    for (const ctx of this.contexts) this.paint(ctx, op, 0);
  }

  undo() {
    if (this.open || !this.ops.length) return false;
    this.undone.push(this.ops.pop());
    this.redraw();
    return true;
  }

  redo() {
    if (this.open || !this.undone.length) return false;
    this.ops.push(this.undone.pop());
    this.redraw();
    return true;
  }

  clear() {
    if (!this.current.length) return;
    this.record({ type: "clear" });
    this.redraw();
  }

  /** Show another variant of the picture behind the strokes; what was filled on it is filled anew. */
  chooseVariant(name) {
    this.picture.variant = name;
    for (const op of [...this.ops, ...this.undone]) delete op.patches;
    this.redraw();
  }

  /** Fill the region of one colour around `point`; false if it has the new colour already. */
  fill(colour, point) {
    if (this.colourAt(point) === colour) return false;
    this.add({ type: "fill", colour, point });
    return true;
  }

  /** The colour that the visitor sees at `point`, `#rrggbb`. */
  colourAt(point) {
    const { data } = this.shown.getImageData(...this.shownPixel(point), 1, 1);
    return `#${[...data.subarray(0, 3)].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
  }

  /** The pixel [x, y] of the visible canvas at `point`. */
  shownPixel(point) {
    const side = this.shown.canvas.width;
    return point.map((value) => Math.min(Math.max(Math.floor((value * side) / this.size), 0), side - 1));
  }

  /** Begin a stroke or a shape at `point`; `extend` makes it grow, `finish` adds it to the operations. */
  begin(op, point) {
    this.open = isShape(op) ? { ...op, points: [point, point] } : { ...op, points: [point] };
    if (isShape(op)) this.behind = this.contexts.map((ctx) => this.copy(ctx));
    for (const ctx of this.contexts) this.paint(ctx, this.open, 0);
  }

  extend(points) {
    const op = this.open;
    const from = op.points.length;
    if (isShape(op)) {
      op.points[1] = points[points.length - 1];
      this.contexts.forEach((ctx, i) => ctx.drawImage(this.behind[i], 0, 0));
    } else {
      op.points.push(...points);
    }
    for (const ctx of this.contexts) this.paint(ctx, op, from);
  }

  /** Add the open stroke to the operations; `touchedAt` is when a finger began it. */
  finish(touchedAt) {
    const op = this.open;
    op.touchedAt = touchedAt;
    this.open = null;
    this.behind = null;
    op.done = true;
    this.record(op);
    this.redraw(); // the pieces of a growing stroke overlap at their ends, and undo and redo must give the same pixels
  }

  /** Drop the open stroke (a second finger, a lost pointer). */
  cancel() {
    this.open = null;
    this.behind = null;
    this.redraw();
  }

  copy(ctx) {
    const copy = squareContext(ctx.canvas.width);
    copy.drawImage(ctx.canvas, 0, 0);
    return copy.canvas;
  }

  /** Paint one operation; of a stroke only what came from point number `from` on. */
  paint(ctx, op, from) {
    if (op.type === "picture") {
      ctx.fillStyle = this.background;
      ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
      drawContained(ctx, op.variants[op.variant], !this.exact);
    } else if (op.type === "fill") {
      this.paintFill(ctx, op);
    } else if (isShape(op)) {
      this.paintShape(ctx, op);
    } else if (this.exact) {
      this.paintDiscs(ctx, op, from);
    } else if (op.points[0].length > 2) {
      this.paintPressed(ctx, op, from);
    } else {
      this.paintLine(ctx, op, from);
    }
  }

  /** Paint what a filling changed. It was found on the visible canvas, which is painted first. */
  paintFill(ctx, op) {
    op.patches ??= this.fillPatches(op);
    const { canvas, x, y } = op.patches[this.contexts.indexOf(ctx)];
    ctx.drawImage(canvas, x, y);
  }

  /** What a filling changes on each canvas. At the network's size, regions and edges are those of the visible one. */
  fillPatches({ colour, point }) {
    const { shown, size } = this;
    const side = shown.canvas.width;
    const image = shown.getImageData(0, 0, side, side);
    const [x, y] = this.shownPixel(point);
    const changed = floodFill(image, y * side + x, colour);
    const filled = squareContext(side);
    filled.putImageData(image, 0, 0);
    const small = squareContext(size);
    drawScaled(small, filled.canvas);
    const step = side / size;
    const smaller = new Set(changed.map((i) => Math.floor(i / side / step) * size + Math.floor((i % side) / step)));
    return [cutOut(image, changed), cutOut(small.getImageData(0, 0, size, size), smaller)];
  }

  /** Paint a rectangle or an ellipse, at least a pixel of the network wide and high. */
  paintShape(ctx, op) {
    const scale = ctx.canvas.width / this.size;
    const [[x0, y0], [x1, y1]] = op.points;
    let [left, top, right, bottom] = [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];
    if (this.exact) {
      [left, top, right, bottom] = [Math.floor(left), Math.floor(top), Math.ceil(right), Math.ceil(bottom)];
    }
    const box = [left, top, Math.max(right - left, 1), Math.max(bottom - top, 1)].map((value) => value * scale);
    ctx.fillStyle = op.colour;
    if (op.type === "rect") return ctx.fillRect(...box);
    const [x, y, width, height] = box;
    if (this.rough) {
      const inside = (px, py) => Math.hypot((2 * (px - x)) / width - 1, (2 * (py - y)) / height - 1) <= 1;
      return this.rough.fill(ctx, [x, y, x + width, y + height], inside);
    }
    ctx.beginPath();
    ctx.ellipse(x + width / 2, y + height / 2, width / 2, height / 2, 0, 0, 2 * Math.PI);
    ctx.fill();
  }

  paintDiscs(ctx, op, from) {
    ctx.fillStyle = op.colour;
    for (let i = from; i < op.points.length; i++) {
      const [x1, y1] = op.points[i];
      const [x0, y0] = op.points[Math.max(i - 1, 0)];
      const steps = Math.max(Math.ceil(Math.hypot(x1 - x0, y1 - y0)), 1);
      for (let s = 1; s <= steps; s++) {
        const [x, y] = [x0 + ((x1 - x0) * s) / steps, y0 + ((y1 - y0) * s) / steps];
        this.stamp(ctx, x, y, between(op, i, s / steps));
      }
    }
  }

  stamp(ctx, x, y, width) {
    if (!this.rough) return stampDisc(ctx, x, y, width);
    const r = Math.max(width, 1) / 2;
    this.rough.fill(ctx, [x - r, y - r, x + r, y + r], (px, py) => Math.hypot(px - x, py - y) <= r);
  }

  /** Quadratic curves through the midpoints of the pointer's points: smooth, and each piece can be drawn by itself. */
  paintLine(ctx, op, from) {
    const scale = ctx.canvas.width / this.size;
    const points = op.points.map(([x, y]) => [x * scale, y * scale]);
    const middle = (i) => middleOf(points[i - 1], points[i]);
    ctx.strokeStyle = op.colour;
    ctx.lineWidth = op.width * scale;
    ctx.lineCap = ctx.lineJoin = "round";
    ctx.beginPath();
    if (from === 0) {
      ctx.moveTo(...points[0]);
      ctx.lineTo(points[0][0] + 0.01, points[0][1]); // a line of no length would be no dot
    }
    for (let i = Math.max(from, 1); i < points.length; i++) {
      ctx.moveTo(...(i === 1 ? points[0] : middle(i - 1)));
      ctx.quadraticCurveTo(...points[i - 1], ...middle(i));
    }
    if (op.done && points.length > 1) {
      ctx.moveTo(...middle(points.length - 1));
      ctx.lineTo(...points[points.length - 1]);
    }
    ctx.stroke();
  }

  /** The same curves in short pieces, each as wide as the pen was pressed there. */
  paintPressed(ctx, op, from) {
    const scale = ctx.canvas.width / this.size;
    const points = op.points.map(([x, y]) => [x * scale, y * scale]);
    const last = points.length - 1;
    ctx.strokeStyle = op.colour;
    ctx.lineCap = "round";
    const piece = (start, end, width) => {
      ctx.lineWidth = Math.max(width, 1) * scale;
      ctx.beginPath();
      ctx.moveTo(...start);
      ctx.lineTo(end[0] + 0.01, end[1]); // a line of no length would be no dot
      ctx.stroke();
    };
    if (from === 0) piece(points[0], points[0], between(op, 0, 0));
    for (let i = Math.max(from, 1); i <= last; i++) {
      const [before, control, here] = [points[Math.max(i - 2, 0)], points[i - 1], points[i]];
      const start = middleOf(before, control);
      const end = middleOf(control, here);
      const steps = Math.max(Math.ceil(Math.hypot(end[0] - start[0], end[1] - start[1]) / PIECE), 2);
      const at = (t) => [0, 1].map((k) => (1 - t) ** 2 * start[k] + 2 * t * (1 - t) * control[k] + t * t * end[k]);
      for (let s = 1; s <= steps; s++) {
        const t = s / steps;
        const width = t < 0.5 ? between(op, i - 1, 0.5 + t) : between(op, i, t - 0.5);
        piece(at((s - 1) / steps), at(t), width);
      }
    }
    if (op.done && last) piece(middleOf(points[last - 1], points[last]), points[last], between(op, last, 1));
  }
}
