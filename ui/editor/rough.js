// Rough edges, for labels of which nature draws the borders, such as coasts. What is painted is looked up a little beside
// each pixel, by a random displacement that is smooth and always the same at a place: a stroke can be painted piece by
// piece and again, and neighbours fit.

const WAVES = [
  [14, 3],
  [5, 1.6],
]; // the length and the greatest displacement of each, in the pixels of a sheet of 128

/** A random number in [-1, 1) for whole numbers. */
function chanceAt(x, y, seed) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(seed, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
}

/** A smooth random number in [-1, 1): those of whole numbers, blended. */
function smoothChance(x, y, seed) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const blend = (a, b, t) => a + (b - a) * t * t * (3 - 2 * t);
  const row = (y) => blend(chanceAt(left, y, seed), chanceAt(left + 1, y, seed), x - left);
  return blend(row(top), row(top + 1), y - top);
}

/** The displacement at each pixel of a sheet of `size`², as [x, y]; at most `FARTHEST` × size / 128 each way. */
function displacements(size) {
  const scale = size / 128;
  return Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    return [0, 1].map((axis) =>
      WAVES.reduce((sum, [length, most], wave) => {
        const at = (value) => value / (length * scale);
        return sum + most * scale * smoothChance(at(x), at(y), 2 * wave + axis);
      }, 0),
    );
  });
}

const FARTHEST = WAVES.reduce((sum, [, most]) => sum + most, 0);

/** What paints shapes with rough edges on one sheet. */
class RoughEdges {
  constructor(size) {
    this.size = size;
    this.reach = Math.ceil((FARTHEST * size) / 128);
  }

  /** Fill the pixels of a box [left, top, right, bottom] and around it for whose displaced middle `inside(x, y)` holds. */
  fill(ctx, [left, top, right, bottom], inside) {
    const { size, reach } = this;
    const field = (this.field ??= displacements(size)); // with the first stroke, not with the page
    const clip = (value) => Math.min(Math.max(value, 0), size);
    const [x0, x1] = [clip(Math.floor(left) - reach), clip(Math.ceil(right) + reach)];
    for (let y = clip(Math.floor(top) - reach); y < clip(Math.ceil(bottom) + reach); y++) {
      let start = null;
      for (let x = x0; x <= x1; x++) {
        const [dx, dy] = x < x1 ? field[y * size + x] : [];
        if (x < x1 && inside(x + 0.5 + dx, y + 0.5 + dy)) start ??= x;
        else if (start !== null) {
          ctx.fillRect(start, y, x - start, 1);
          start = null;
        }
      }
    }
  }
}
