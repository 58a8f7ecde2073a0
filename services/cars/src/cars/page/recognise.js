/** Recognising many stored pictures: short batches are answered at once, long ones are jobs that are followed. */

import { ProblemError, api } from "../ui/script.js";

const ASK_MS = 700;

/** Recognises them, at most `most` in a call; `progressed(share)` hears 0 to 1. Resolves to failures as [id, error]. */
export async function recogniseAll(ids, most, progressed) {
  const failures = [];
  for (let start = 0; start < ids.length; start += most) {
    const some = ids.slice(start, start + most);
    const said = (share) => progressed((start + share * some.length) / ids.length);
    said(0);
    failures.push(...(await recognise(some, said)));
  }
  return failures;
}

async function recognise(ids, progressed) {
  try {
    const answer = await api("inference/batch", { method: "POST", json: { image_ids: ids } });
    const items = answer.items ?? (await follow(answer, progressed));
    return items.filter(({ error }) => error).map(({ id, status, error }) => [id, new ProblemError(status, error)]);
  } catch (error) {
    return ids.map((id) => [id, error]);
  }
}

/** Asks for a job until it has ended; its items. Throws ProblemError for one that failed or was cancelled. */
async function follow(job, progressed) {
  while (job.status === "queued" || job.status === "running") {
    progressed(job.progress);
    await new Promise((done) => setTimeout(done, ASK_MS));
    job = await api(`jobs/${job.id}`);
  }
  if (job.status === "succeeded") return job.result.items;
  throw new ProblemError(job.error?.status ?? 409, job.error ?? { title: "The job was cancelled" });
}
