/** What the service answers, as pages: {number, width, height, lines, seconds, source, reason, answer}. */

/** The pages of a whole answer, of either upload call or of a job. */
export function pagesOf(answer) {
  if (!answer.image_size) return answer.results.map(pageOf);
  if (Array.isArray(answer.pages)) return answer.pages.map((page) => frameOf(page, answer));
  return [pageOf({ page: 1, result: answer.results, ...sizeAndTime(answer) })];
}

/** One page of a document, as a line of the stream or an item of the answer tells it. */
export function pageOf(answer) {
  return {
    number: answer.page,
    width: answer.image_size.width,
    height: answer.image_size.height,
    lines: answer.result,
    seconds: answer.processing_time,
    source: answer.source ?? "ocr",
    reason: answer.reason ?? null,
  };
}

/** One frame of a TIFF: its lines are those of the answer that name it. */
function frameOf(frame, answer) {
  const result = answer.results.filter((item) => item.page === frame.page);
  return pageOf({ image_size: answer.image_size, processing_time: null, ...frame, result });
}

const sizeAndTime = ({ image_size, processing_time }) => ({ image_size, processing_time });

/** Everything in reading order: a line of text for each, an empty one between pages. */
export const textOf = (pages) => pages.map(({ lines }) => lines.map((line) => line.text).join("\n")).join("\n\n");
