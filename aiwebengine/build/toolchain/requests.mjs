/*
 * Takes requests out of a stream: each is a line of JSON, and behind it the files whose sizes it has under `files`.
 */
const NEWLINE = 10;

export class Requests {
  /**
   * @param {function(object): void} take - Is given each request, with the text of its files in place of their sizes.
   */
  constructor(take) {
    this.take = take;
    this.parts = [];
    this.length = 0;
    this.request = null; // whose files are not here yet
    this.wanted = 0;
  }

  /**
   * @param {Buffer} chunk - What came.
   */
  feed(chunk) {
    this.parts.push(chunk);
    this.length += chunk.length;
    if (this.request === null ? !chunk.includes(NEWLINE) : this.length < this.wanted) return;
    let rest = Buffer.concat(this.parts);
    for (let used = this.used(rest); used !== null; used = this.used(rest)) rest = rest.subarray(used);
    this.parts = [rest];
    this.length = rest.length;
  }

  /* How many bytes were taken; null if not all of what comes next is here. */
  used(rest) {
    if (this.request !== null) return rest.length < this.wanted ? null : this.files(rest);
    const end = rest.indexOf(NEWLINE);
    return end < 0 ? null : this.line(rest.toString('utf8', 0, end), end + 1);
  }

  line(text, length) {
    const request = JSON.parse(text);
    if (request.files === undefined) {
      this.take(request);
    } else {
      this.request = request;
      this.wanted = request.files.reduce((sum, [, size]) => sum + size, 0);
    }
    return length;
  }

  files(rest) {
    const { request, wanted } = this;
    let at = 0;
    const files = Object.fromEntries(request.files.map(([path, size]) => {
      at += size;
      return [path, rest.toString('utf8', at - size, at)];
    }));
    this.request = null;
    this.wanted = 0;
    this.take({ ...request, files });
    return wanted;
  }
}
