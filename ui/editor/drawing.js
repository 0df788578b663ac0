// A drawing as a list of operations, which can be undone and redone. It is rendered twice: `shown`, large and smooth,
// for the visitor, and `input`, at the network's size. All coordinates and widths are in the network's pixels.

/** Fill a disc of whole pixels: on label maps, a blended edge would have the colour of no label. */
function stampDisc(ctx, x, y, width) {
  const r = Math.max(width, 1) / 2;
  for (let row = Math.ceil(y - r - 0.5); row + 0.5 <= y + r; row++) {
    const half = Math.sqrt(Math.max(r * r - (row + 0.5 - y) ** 2, 0));
    const left = Math.round(x - half);
    ctx.fillRect(left, row, Math.max(Math.round(x + half) - left, 1), 1);
  }
}

class Drawing {
  /**
   * @param spec    {kind, size, background} of an input spec
   * @param canvas  the canvas that the visitor sees
   */
  constructor({ kind, size, background }, canvas) {
    Object.assign(this, { kind, size, background, canvas });
    this.exact = this.kind === "labels";
    this.ops = [];
    this.undone = [];
    this.open = null;
  }

  /** Render everything on the visible canvas, which several drawings share. */
  show() {
    this.shown = squareContext(this.exact ? this.size : Math.max(512, this.size), this.canvas);
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

  get empty() {
    return !this.open && this.current.every((op) => op.erases);
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

  /** Begin a stroke or rectangle at `point`; `extend` makes it grow, `finish` adds it to the operations. */
  begin(op, point) {
    this.open = op.type === "rect" ? { ...op, points: [point, point] } : { ...op, points: [point] };
    if (op.type === "rect") this.behind = this.contexts.map((ctx) => this.copy(ctx));
    for (const ctx of this.contexts) this.paint(ctx, this.open, 0);
  }

  extend(points) {
    const op = this.open;
    const from = op.points.length;
    if (op.type === "rect") {
      op.points[1] = points[points.length - 1];
      this.contexts.forEach((ctx, i) => ctx.drawImage(this.behind[i], 0, 0));
    } else {
      op.points.push(...points);
    }
    for (const ctx of this.contexts) this.paint(ctx, op, from);
  }

  finish() {
    const op = this.open;
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

  /** Quadratic curves through the midpoints of the pointer's points: smooth, and each piece can be drawn by itself. */
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
