// Talking: with the server in questions and answers, with the visitor in sentences.

async function loadImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

/** Give the visitor a file: a Blob or a URL. */
function save(file, name) {
  const href = file instanceof Blob ? URL.createObjectURL(file) : file;
  Object.assign(document.createElement("a"), { href, download: name }).click();
  if (href !== file) setTimeout(() => URL.revokeObjectURL(href), 1000);
}

/** Give the visitor a canvas as a PNG file. */
function savePicture(canvas, name) {
  canvas.toBlob((blob) => save(blob, `${name}.png`));
}

class Talk {
  /**
   * @param server  gr.HTML's server functions
   * @param texts   the sentences for a visitor
   * @param toasts  the element in which messages appear
   */
  constructor(server, texts, toasts) {
    Object.assign(this, { server, texts, toasts });
  }

  /** Show a sentence for a while. */
  say(sentence) {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.append(Object.assign(document.createElement("span"), { textContent: sentence }));
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    close.setAttribute("aria-label", this.texts.close);
    close.onclick = () => toast.remove();
    toast.append(close);
    this.toasts.replaceChildren(toast);
    setTimeout(() => toast.remove(), 9000);
  }

  /** Call a server function; its own sentence, or ours if it cannot be reached, becomes an Error. */
  async call(name, payload) {
    let answer;
    try {
      answer = await this.server[name](payload);
    } catch {
      throw new Error(this.texts.offline);
    }
    if (!answer || answer.error) throw new Error(answer?.error ?? this.texts.offline);
    return answer;
  }

  /**
   * Ask about a drawing: by its key once the server has told one, by its pixels before, and again if the
   * server has forgotten it. `image` and `second` are {url, key} as `Desk.image` gives them; the keys are kept there.
   */
  async askAbout(name, payload, image, second = null) {
    const source = ({ url, key }) => (key ? { key } : { image: url });
    const ask = () => this.call(name, { ...payload, ...source(image), ...(second && { second: source(second) }) });
    let answer = await ask();
    if (answer.forgotten) {
      image.key = null;
      if (second) second.key = null;
      answer = await ask();
    }
    image.key = answer.key;
    if (second) second.key = answer.second_key;
    return answer;
  }
}
