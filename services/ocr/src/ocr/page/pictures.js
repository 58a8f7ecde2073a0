/** Pictures of the pages of one file, held only for the page that is looked at and the next one. */

/** The picture of a file or an answer; throws a DOMException named EncodingError where the browser cannot show it. */
export async function imageOf(blob) {
  const address = URL.createObjectURL(blob);
  const image = new Image();
  image.draggable = false;
  image.src = address;
  try {
    await image.decode();
  } finally {
    URL.revokeObjectURL(address); // the image has its data, or never will
  }
  return image;
}

export class Pictures {
  /** `source` has `ownPicture(number)`, a file or null, and `draw(number, signal)`, the service's Response. */
  constructor(source) {
    this.source = source;
    this.held = new Map();
  }

  /** The image of a page, which is begun to be fetched where it is not there; rejects with why there is none. */
  of(number) {
    if (!this.held.has(number)) this.held.set(number, this.begin(number));
    return this.held.get(number).image;
  }

  /** Lets go of all pages but these; what of them is still on its way rejects with an AbortError. */
  keep(numbers) {
    for (const [number, { stop }] of this.held) {
      if (numbers.includes(number)) continue;
      this.held.delete(number);
      stop.abort();
    }
  }

  begin(number) {
    const stop = new AbortController();
    const image = this.load(number, stop.signal);
    image.catch(() => {}); // is told to who asks for it; nobody may, of a page that is fetched ahead of time
    return { stop, image };
  }

  async load(number, signal) {
    const own = this.source.ownPicture(number);
    if (own) {
      try {
        return await imageOf(own);
      } catch (error) {
        if (error.name !== "EncodingError") throw error;
      }
    }
    const response = await this.source.draw(number, signal);
    const blob = await response.blob();
    signal.throwIfAborted();
    return imageOf(blob);
  }
}
