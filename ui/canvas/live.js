// Live answers: at most one question under way and the newest one waiting, so that a slow
// server is never flooded; a number on each question, so that an old answer never replaces a newer one.

const PATIENCE = 20000; // milliseconds after which a question counts as lost

class Live {
  /**
   * @param ask   async payload → answer
   * @param show  (answer, question) for the newest answer
   * @param fail  (error) when the newest question got none
   * @param rest  (busy) when questions begin and when the last one is answered
   */
  constructor(ask, show, fail, rest) {
    Object.assign(this, { ask, show, fail, rest });
    this.asked = 0;
    this.oldest = 0; // answers to questions up to this number are unwelcome
    this.busy = false;
    this.waiting = null;
  }

  /** Ask `make()` (called only when its turn comes, so it sends the newest drawing). */
  request(make) {
    this.waiting = make;
    if (!this.busy) this.next();
  }

  /** Forget the waiting question and the answers under way: the drawing that they are about is gone. */
  forget() {
    this.waiting = null;
    this.oldest = this.asked;
  }

  async next() {
    const question = { number: ++this.asked, ...this.waiting() };
    this.waiting = null;
    this.busy = true;
    this.rest(true);
    let lost;
    const patience = new Promise((_, reject) => {
      lost = setTimeout(() => reject(new Error("lost")), PATIENCE);
    });
    try {
      const answer = await Promise.race([this.ask(question.payload), patience]);
      if (question.number > this.oldest) {
        await this.show(answer, question, () => question.number > this.oldest);
      }
    } catch (error) {
      if (question.number > this.oldest) this.fail(error);
    } finally {
      clearTimeout(lost);
      this.busy = false;
      if (this.waiting) this.next();
      else this.rest(false);
    }
  }
}
