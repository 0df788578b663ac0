// The paper: a drawing as a list of operations, so that it can be undone, redone and
// rendered at two sizes at once: large and smooth for the eye, exact for the network.
// All coordinates and widths are in the network's pixels.

/** A canvas context of `side` × `side` pixels; `canvas` is made if none is given. */
function squareContext(side, canvas = document.createElement("canvas")) {
  canvas.width = canvas.height = side;
  return canvas.getContext("2d", { willReadFrequently: true });
}

/** Draw `image` as large as it fits on the square, centred, never squashed. */
function drawContained(ctx, image, smooth) {
  const side = ctx.canvas.width;
  const scale = side / Math.max(image.width, image.height);
  const w = Math.round(image.width * scale);
  const h = Math.round(image.height * scale);
  ctx.imageSmoothingEnabled = smooth;
  ctx.imageSmoothingQuality = "high";
  ctx.drawImage(image, Math.round((side - w) / 2), Math.round((side - h) / 2), w, h);
}

/** Fill a disc of whole pixels: on label maps a blended edge would be a label that does not exist. */
function stampDisc(ctx, x, y, width) {
  const r = Math.max(width, 1) / 2;
  for (let row = Math.ceil(y - r - 0.5); row + 0.5 <= y + r; row++) {
    const half = Math.sqrt(Math.max(r * r - (row + 0.5 - y) ** 2, 0));
    const left = Math.round(x - half);
    ctx.fillRect(left, row, Math.max(Math.round(x + half) - left, 1), 1);
  }
}

class Paper {
  /**
   * @param sheet {kind, size, colour}: the domain's kind, the network's side, the colour of blank paper.
   * @param view the canvas that the visitor sees.
   */
  constructor(sheet, view) {
    Object.assign(this, sheet);
    this.exact = this.kind === "labels";
    this.viewElement = view;
    this.ops = [];
    this.undone = [];
    this.open = null;
  }

  /** Take over the visible canvas, which several papers share, and render everything. */
  show() {
    this.view = squareContext(this.exact ? this.size : Math.max(512, this.size), this.viewElement);
    this.wire = squareContext(this.size);
    this.redraw();
  }

  get contexts() {
    return [this.view, this.wire];
  }

  /** Operations that count: those after the last clearing. */
  get current() {
    return this.ops.slice(this.ops.findLastIndex((op) => op.type === "clear") + 1);
  }

  get empty() {
    return !this.open && this.current.every((op) => op.erases);
  }

  /** The newest picture under the strokes, or undefined. */
  get picture() {
    return this.current.findLast((op) => op.type === "picture");
  }

  redraw() {
    for (const ctx of this.contexts) {
      ctx.fillStyle = this.colour;
      ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
      for (const op of this.current) this.paint(ctx, op, 0);
    }
  }

  /** Keep an operation without painting it: for a paper that is not in sight. */
  keep(op) {
    this.ops.push(op);
    this.undone = [];
  }

  add(op) {
    this.keep(op);
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
    this.keep({ type: "clear" });
    this.redraw();
  }

  /** Begin a stroke or rectangle at `point`; `extend` makes it grow, `finish` keeps it. */
  begin(op, point) {
    this.open = op.type === "rect" ? { ...op, points: [point, point] } : { ...op, points: [point] };
    if (op.type === "rect") this.under = this.contexts.map((ctx) => this.copy(ctx));
    for (const ctx of this.contexts) this.paint(ctx, this.open, 0);
  }

  extend(points) {
    const op = this.open;
    const from = op.points.length;
    if (op.type === "rect") {
      op.points[1] = points[points.length - 1];
      this.contexts.forEach((ctx, i) => ctx.drawImage(this.under[i], 0, 0));
    } else {
      op.points.push(...points);
    }
    for (const ctx of this.contexts) this.paint(ctx, op, from);
  }

  finish() {
    const op = this.open;
    this.open = null;
    this.under = null;
    op.done = true;
    this.keep(op);
    this.redraw(); // the pieces of a growing stroke overlap at their ends; undo and redo must give the same pixels
  }

  /** Drop the open stroke as if it had never begun (a second finger, a lost pointer). */
  cancel() {
    this.open = null;
    this.under = null;
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
      ctx.fillStyle = this.colour;
      ctx.fillRect(0, 0, ctx.canvas.width, ctx.canvas.height);
      drawContained(ctx, op.variants[op.variant], !this.exact);
    } else if (op.type === "rect") {
      this.paintRect(ctx, op);
    } else if (this.exact) {
      this.paintDiscs(ctx, op, from);
    } else {
      this.paintLine(ctx, op, from);
    }
  }

  paintRect(ctx, op) {
    const [[x0, y0], [x1, y1]] = op.points;
    const left = Math.floor(Math.min(x0, x1));
    const top = Math.floor(Math.min(y0, y1));
    ctx.fillStyle = op.colour;
    ctx.fillRect(left, top, Math.ceil(Math.max(x0, x1)) - left, Math.ceil(Math.max(y0, y1)) - top);
  }

  paintDiscs(ctx, op, from) {
    ctx.fillStyle = op.colour;
    for (let i = from; i < op.points.length; i++) {
      const [x1, y1] = op.points[i];
      const [x0, y0] = op.points[Math.max(i - 1, 0)];
      const steps = Math.max(Math.ceil(Math.hypot(x1 - x0, y1 - y0)), 1);
      for (let s = 1; s <= steps; s++) {
        stampDisc(ctx, x0 + ((x1 - x0) * s) / steps, y0 + ((y1 - y0) * s) / steps, op.width);
      }
    }
  }

  /** Curves through the midpoints of the pointer's points: round, and each piece can be drawn alone. */
  paintLine(ctx, op, from) {
    const scale = ctx.canvas.width / this.size;
    const points = op.points.map(([x, y]) => [x * scale, y * scale]);
    const middle = (i) => [(points[i - 1][0] + points[i][0]) / 2, (points[i - 1][1] + points[i][1]) / 2];
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
}
