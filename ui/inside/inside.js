// Look inside: requests one view after the other, but only while the switch is on and no result is awaited.

const COLOURS = [[166, 54, 3], [241, 163, 64], [245, 243, 240], [116, 173, 209], [5, 72, 130]]; // made … real
const LEAST_RANGE = 0.1; // of the scores over which the colours are stretched: less is noise

class Inside {
  /**
   * @param root      the element of inside.html
   * @param client    a ServerClient with the server function `look`
   * @param toasts    a Toasts
   * @param texts     by key, in the visitor's language
   * @param result    the canvas that shows the result
   * @param question  () => {payload, image, second} about the shown result, null while there is none
   */
  constructor(root, { client, toasts, texts, result, question }) {
    Object.assign(this, { root, texts, result, question });
    this.heatmaps = null; // what the canvases of the patches show: {maps, figures, scores, picture}
    this.requests = new LiveRequests({
      send: ({ payload, image, second }) => client.callWithImage("look", payload, image, second),
      onAnswer: (answer, { view }) => this.show(answer, view),
      onError: (error) => toasts.show(error.message),
      onBusy: (busy) => this.part("views").setAttribute("aria-busy", busy),
      offline: texts.offline,
    });
    this.part("switch").onclick = () => this.open(!this.isOpen);
    this.part("strength").oninput = () => this.paint();
    this.part("stretch").onclick = (event) => {
      event.currentTarget.setAttribute("aria-pressed", !this.stretched);
      this.paint();
    };
  }

  part(name, root = this.root) {
    return root.querySelector(`[data-inside="${name}"]`);
  }

  get isOpen() {
    return !this.part("views").hidden;
  }

  get stretched() {
    return this.part("stretch").getAttribute("aria-pressed") === "true";
  }

  open(isOpen) {
    this.part("switch").setAttribute("aria-checked", isOpen);
    this.part("views").hidden = !isOpen;
    this.pause();
    this.refresh();
  }

  /** Drop the requests about the result: a new one is awaited. */
  pause() {
    this.requests.drop();
  }

  /** Request all views of the shown result, or show that there is none. */
  refresh() {
    if (!this.isOpen) return;
    const empty = this.question() === null;
    this.part("empty").hidden = !empty;
    if (empty) for (const section of this.root.querySelectorAll("section")) section.hidden = true;
    else this.request(0);
  }

  request(view) {
    this.requests.request(() => {
      const question = this.question();
      return { view, payload: { ...question, payload: { ...question.payload, view } } };
    });
  }

  async show(answer, view) {
    const section = this.part(answer.kind);
    await this[answer.kind](answer, section);
    section.hidden = false;
    for (const other of this.root.querySelectorAll("section")) other.hidden ||= !answer.kinds.includes(other.dataset.inside);
    if (view + 1 < answer.count) this.request(view + 1);
    else this.root.dataset.shown = (Number(this.root.dataset.shown) || 0) + 1;
  }

  explain(section, { about, paper, missing }) {
    const link = Object.assign(document.createElement("a"), { href: paper, target: "_blank", rel: "noopener" });
    link.textContent = this.texts[`${about}_paper`];
    this.part("about", section).replaceChildren(...(missing ? [missing] : [this.texts[about], " (", link, ")"]));
  }

  // ---- the discriminator's scores

  patches(answer, section) {
    const maps = answer.maps ?? [];
    this.explain(section, answer);
    for (const name of ["legend", "cover", "stretch", "mean"]) this.part(name).hidden = !maps.length;
    const figures = this.figures(section, maps.length, () => squareContext(512).canvas);
    const picture = squareContext(512);
    picture.drawImage(this.result, 0, 0, 512, 512);
    picture.globalCompositeOperation = "saturation"; // grey, so that all colour is that of the scores
    picture.fillRect(0, 0, 512, 512);
    const allScores = maps.flatMap((map) => map.scores.flat());
    this.heatmaps = maps.length ? { maps, figures, scores: allScores, picture: picture.canvas } : null;
    if (!maps.length) return;
    const mean = (values) => (values.reduce((a, b) => a + b, 0) / values.length).toFixed(2);
    for (const [i, { patch, scores }] of maps.entries()) {
      const [canvas, caption] = figures[i].children;
      const fill = (text) => text.replaceAll("{patch}", patch).replace("{mean}", mean(scores.flat()));
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", fill(this.texts.heat_picture));
      caption.textContent = fill(this.texts.heat_patch);
    }
    this.part("mean").textContent = this.texts.heat_mean.replace("{mean}", mean(allScores));
    this.paint();
  }

  /** Paint the scores over the result, and the legend: the colours span 0 … 1, or the range of these scores. */
  paint() {
    if (!this.heatmaps) return;
    const { maps, figures, scores: allScores, picture } = this.heatmaps;
    let [low, high] = [0, 1];
    if (this.stretched) {
      [low, high] = [Math.min(...allScores), Math.max(...allScores)];
      low = Math.max(0, Math.min(low, (low + high - LEAST_RANGE) / 2));
      high = Math.max(high, low + LEAST_RANGE);
    }
    for (const end of ["made", "real"]) this.part(end).textContent = this.texts[`heat_${end}${this.stretched ? "_here" : ""}`];
    this.part("low").textContent = low.toFixed(2);
    this.part("high").textContent = high.toFixed(2);
    const strength = Number(this.part("strength").value);
    for (const [i, { scores, place }] of maps.entries()) {
      const ctx = figures[i].firstChild.getContext("2d");
      ctx.globalAlpha = 1;
      ctx.drawImage(picture, 0, 0);
      ctx.globalAlpha = strength;
      const [x, y, width, height] = place.map((share) => share * 512);
      const [w, h] = [width / scores[0].length, height / scores.length];
      scores.forEach((row, j) => row.forEach((score, k) => {
        ctx.fillStyle = colour((score - low) / (high - low));
        const [left, top] = [Math.round(x + k * w), Math.round(y + j * h)]; // whole pixels: no seams
        ctx.fillRect(left, top, Math.round(x + (k + 1) * w) - left, Math.round(y + (j + 1) * h) - top);
      }));
    }
    const bar = this.part("legend").querySelector("canvas").getContext("2d");
    for (let i = 0; i < 256; i++) {
      bar.fillStyle = colour(i / 255);
      bar.fillRect(i, 0, 1, 1);
    }
  }

  // ---- the code and the skip connections

  async code(answer, section) {
    const image = await loadImage(answer.image);
    this.explain(section, answer);
    this.part("image", section).src = image.src;
  }

  async cut(answer, section) {
    const image = await loadImage(answer.image);
    this.explain(section, answer);
    const figure = this.figures(section, answer.of, () => new Image())[answer.number];
    const { side } = answer;
    const name = side ? this.texts.cut_side.replaceAll("{side}", side) : this.texts.cut_all;
    Object.assign(figure.firstChild, { src: image.src, alt: name });
    figure.lastChild.textContent = name;
  }

  /** Make `count` figures in a section, each of a picture from `make()` and a caption, and keep those that are there. */
  figures(section, count, make) {
    const place = this.part("pictures", section);
    while (place.children.length > count) place.lastChild.remove();
    while (place.children.length < count) {
      const figure = document.createElement("figure");
      figure.append(make(), document.createElement("figcaption"));
      place.append(figure);
    }
    return [...place.children];
  }
}

/** The colour of a score from 0 (made) to 1 (real). */
function colour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
  const i = Math.min(Math.floor(at), COLOURS.length - 2);
  const mixed = COLOURS[i].map((low, c) => Math.round(low + (at - i) * (COLOURS[i + 1][c] - low)));
  return `rgb(${mixed})`;
}
