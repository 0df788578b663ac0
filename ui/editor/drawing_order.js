// In which order a finished picture is drawn: what turns an example into something that is being drawn.

const NEIGHBOURS = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]]; // clockwise

/** The strokes of an outline as a pen follows them: the indices of all pixels that are no paper. */
function penOrder({ width, height, data }) {
  const isInk = (i) => Math.min(data[4 * i], data[4 * i + 1], data[4 * i + 2]) < 245;
  const seen = new Uint8Array(width * height);
  const strokes = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !isInk(start)) continue;
    const stroke = [];
    const path = [[start, 0]]; // with the way that the pen came
    seen[start] = 1;
    stroke.push(start);
    while (path.length) {
      const [i, way] = path[path.length - 1];
      const [x, y] = [i % width, Math.floor(i / width)];
      // straight on, then a little to each side, and so on: a pen turns as little as it can
      const turn = [0, 1, -1, 2, -2, 3, -3, 4].map((by) => (way + by + 8) % 8).find((next) => {
        const [column, row] = [x + NEIGHBOURS[next][0], y + NEIGHBOURS[next][1]];
        const inside = column >= 0 && column < width && row >= 0 && row < height;
        return inside && !seen[row * width + column] && isInk(row * width + column);
      });
      if (turn === undefined) {
        path.pop();
        continue;
      }
      const next = i + NEIGHBOURS[turn][1] * width + NEIGHBOURS[turn][0];
      seen[next] = 1;
      stroke.push(next);
      path.push([next, turn]);
    }
    strokes.push(stroke);
  }
  return strokes.sort((a, b) => b.length - a.length).flat(); // the long ones first
}

/** The areas of one colour, the largest first, each filled from its top: the indices of all pixels. */
function areaOrder({ width, height, data }) {
  // a few steps a channel: a gradient or the soft edge of an area is no area of its own
  const colour = (i) => ((data[4 * i] >> 5) << 6) | ((data[4 * i + 1] >> 5) << 3) | (data[4 * i + 2] >> 5);
  const area = new Int32Array(width * height).fill(-1);
  const areas = [];
  const spread = (queue, number, belongs) => {
    for (const i of queue) {
      const x = i % width;
      for (const next of [x > 0 && i - 1, x < width - 1 && i + 1, i - width, i + width]) {
        if (next === false || next < 0 || next >= area.length || area[next] >= 0 || !belongs(next)) continue;
        area[next] = number ?? area[i];
        queue.push(next);
      }
    }
    return queue;
  };
  for (let start = 0; start < area.length; start++) {
    if (area[start] >= 0) continue;
    area[start] = areas.length;
    areas.push(spread([start], areas.length, (i) => colour(i) === colour(start)));
  }
  const large = areas.filter((pixels) => pixels.length >= area.length / 500).sort((a, b) => b.length - a.length);
  // The specks between large areas go to the areas beside them.
  area.fill(-1);
  large.forEach((pixels, number) => pixels.forEach((i) => (area[i] = number)));
  spread(large.flat(), null, () => true);
  const order = Array.from({ length: large.length }, () => []);
  area.forEach((number, i) => order[number].push(i));
  return order.flat();
}
