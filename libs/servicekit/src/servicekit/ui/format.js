/** Numbers and times as text: the same digits on every page, whatever the browser's language. */

/** Four significant digits; exponents only where plain digits would be unreadable; "–" for no value. */
export function formatNumber(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(size >= 1000 ? Math.max(digits, 5) : digits)));
}

/** A share as percent with enough digits for small rates: 0.0005 is "0.05 %". */
export function formatPercent(share) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const percent = share * 100;
  if (percent === 0) return "0 %";
  return `${percent >= 10 ? percent.toFixed(0) : formatNumber(percent, 2)} %`;
}

/** A part of a whole: nobody reads digits below a tenth of a percent. */
export function formatShare(share) {
  return share > 0 && share < 0.001 ? "< 0.1 %" : formatPercent(share);
}

export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return "–";
  const units = ["B", "KiB", "MiB", "GiB"];
  let step = 0;
  while (bytes >= 1024 && step < units.length - 1) {
    bytes /= 1024;
    step += 1;
  }
  return `${step ? bytes.toFixed(1) : bytes} ${units[step]}`;
}

const two = (number) => String(number).padStart(2, "0");

export function formatClock(date) {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function formatDay(date) {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Local time of an ISO 8601 text; the day is left out where it is today. */
export function formatTime(iso) {
  const date = new Date(iso);
  if (!iso || Number.isNaN(date.getTime())) return "–";
  const day = formatDay(date);
  return day === formatDay(new Date()) ? formatClock(date) : `${day} ${formatClock(date)}`;
}

/** "12 s", "4 min", "3 h", "2 d": the age or length of something, in its largest unit. */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const size = Math.max(0, seconds);
  if (size < 90) return `${Math.round(size)} s`;
  if (size < 5400) return `${Math.round(size / 60)} min`;
  if (size < 129600) return `${Math.round(size / 3600)} h`;
  return `${Math.round(size / 86400)} d`;
}

/** "1 row", "2 rows". */
export function plural(count, noun, many = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : many}`;
}
