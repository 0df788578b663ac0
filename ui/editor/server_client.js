// Calls of the server's functions.

class ServerClient {
  /**
   * @param server  gr.HTML's server functions
   * @param texts   by key, in the visitor's language
   */
  constructor(server, texts) {
    Object.assign(this, { server, texts });
  }

  /** Call a server function. Throws an Error with the server's sentence, or with ours if it cannot be reached. */
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
   * Call a server function about an image, and maybe a `second` one. Each is {url, key} as `Editor.image` gives it.
   * The server answers with a key for the image, which is noted in `image.key` and sent instead of the pixels from
   * then on; if the server has forgotten the key, the pixels are sent again.
   */
  async callWithImage(name, payload, image, second = null) {
    const source = ({ url, key }) => (key ? { key } : { image: url });
    const call = () => this.call(name, { ...payload, ...source(image), ...(second && { second: source(second) }) });
    let answer = await call();
    if (answer.forgotten) {
      image.key = null;
      if (second) second.key = null;
      answer = await call();
    }
    image.key = answer.key;
    if (second) second.key = answer.second_key;
    return answer;
  }
}
