// Where the styles of real images lie: converts a style to its distances from the mean along the principal directions,
// in standard deviations, and back.

const REACH = 3; // standard deviations to which pad and sliders reach
const MOST_SLIDERS = 4; // at most so many directions have a slider …
const LEAST_VARIATION = 0.25; // … and only those in which styles vary this much, compared with the first

class StyleSpace {
  /**
   * @param mean        numbers
   * @param directions  orthonormal rows of numbers: those with names, then the one in which styles vary most first
   * @param deviations  the standard deviation along each direction
   * @param names       what each direction changes, "" where it has no name; or none at all
   */
  constructor({ mean, directions, deviations, names }) {
    Object.assign(this, { mean, directions, deviations, names });
  }

  /** How many directions have a slider: those with names and, where there are none, the pad's two at least. */
  get sliders() {
    const named = this.names.filter(Boolean).length;
    if (named > 1) return this.names.findLastIndex(Boolean) + 1;
    const least = LEAST_VARIATION * Math.max(...this.deviations);
    const varied = this.deviations.filter((deviation) => deviation >= least).length;
    return Math.min(Math.max(varied, 2), MOST_SLIDERS, this.deviations.length);
  }

  /** The distance of a style along each direction. */
  distances(style) {
    return this.directions.map((direction, k) => {
      const along = direction.reduce((sum, value, i) => sum + value * (style[i] - this.mean[i]), 0);
      return along / this.deviations[k];
    });
  }

  /** The style at these distances along the directions. */
  style(distances) {
    return this.mean.map((mean, i) =>
      distances.reduce((sum, z, k) => sum + z * this.deviations[k] * this.directions[k][i], mean));
  }

  /** The style with some distances changed; `changes` is {number of a direction: distance}. */
  moved(style, changes) {
    return this.style(Object.assign(this.distances(style), changes));
  }
}
