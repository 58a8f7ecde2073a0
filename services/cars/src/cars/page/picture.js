/** The service's pictures: by their address, or, where a key has to go along, fetched with it. */

import { ProblemError, api, apiKey, h, resolve } from "../ui/script.js";

const EARLY = "400px"; // how far below the screen pictures are fetched

const waiting = new WeakMap();
const observer = new IntersectionObserver(
  (changes) => {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      fetchInto(target, waiting.get(target));
    }
  },
  { rootMargin: EARLY },
);

/** An image of a file that is loaded when it comes into view; `kind` is "thumbnail" or "image". */
export function pictureOf(file, kind, alt) {
  const path = `files/${file.id}/${kind}`;
  const image = h("img", { alt, width: file.width, height: file.height, draggable: "false", loading: "lazy" });
  image.addEventListener("error", () => image.classList.add("broken"));
  if (apiKey()) {
    waiting.set(image, path);
    observer.observe(image);
  } else image.src = resolve(path);
  return image;
}

/** A file's picture as it is kept. Throws ProblemError. */
export async function loadPicture(file) {
  return (await api(`files/${file.id}/image`, { raw: true, headers: { Accept: "image/*" }, cache: "default" })).blob();
}

async function fetchInto(image, path) {
  try {
    const response = await api(path, { raw: true, headers: { Accept: "image/*" }, cache: "default" });
    const address = URL.createObjectURL(await response.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true }); // what is shown stays
    image.loading = "eager";
    image.src = address;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    image.classList.add("broken");
    image.title = error.message;
  }
}
