// A style that wanders slowly from one random style to the next until the visitor touches the page: the first thing
// that the tab shows.

const SEEDS = [1, 2, 3, 4, 5]; // the same at each visit, so the server knows the pictures
const STEPS = 40; // from one style to the next
const STEP_MS = 125;
const ROUNDS = 2; // then the page is calm

class Wandering {
  constructor(app) {
    Object.assign(this, { app, over: false });
  }

  async begin() {
    const { app } = this;
    const { settings } = app;
    const sample = ({ seed }) => app.client.call("sample", { ...settings, seed, count: 1 });
    try {
      const answers = await Promise.all(SEEDS.map((seed) => sample({ seed })));
      const styles = answers.map((answer) => answer.styles[0]);
      if (this.over || app.settings !== settings) return;
      const filled = new Promise((done) => (app.onIdle = done));
      app.setStyle(styles[0], { seed: SEEDS[0] });
      if (asksForStillness()) return;
      await filled; // the small pictures come first
      for (let leg = 0; leg < ROUNDS * SEEDS.length; leg++) {
        const [start, end] = [0, 1].map((next) => styles[(leg + next) % SEEDS.length]);
        for (let step = 1; step <= STEPS; step++) {
          if (this.over || app.settings !== settings) return;
          app.interpolate({ start, end, share: step / STEPS }, true);
          await this.rest(STEP_MS);
        }
      }
      this.settle();
    } catch {
      this.over = true; // the page says what is wrong when the visitor asks for something
    }
  }

  rest(ms) {
    return restWhileSeen(this.app.editor.frame, ms, () => this.over);
  }

  /** Rest at the present style: the full picture, and the small ones around it. */
  settle() {
    if (this.app.style) this.app.setStyle(this.app.style);
  }

  end() {
    if (this.over) return;
    this.over = true;
    this.settle();
  }
}
