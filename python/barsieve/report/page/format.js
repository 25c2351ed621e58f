// Numbers and times as text; a dash where there is none.

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const minus = (text) => text.replace("-", "−");

function number(value, decimals = 0, isSigned = false) {
  if (!isNumber(value)) return "–";
  const text = value.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const isZero = !/[1-9]/.test(text);
  return (
    (isSigned && value > 0 && !isZero ? "+" : "") +
    (isZero ? text.replace("-", "") : minus(text))
  );
}

const share = (value, decimals = 1, isSigned = false) =>
  isNumber(value) ? `${number(value * 100, decimals, isSigned)}%` : "–";

const money = (value, isSigned = true) => number(value, 2, isSigned);

// A price with six significant digits and at least two decimals, as barsieve/prices.py.
function price(value) {
  if (!isNumber(value) || value === 0) return number(value, 2);
  const decimals = Math.max(2, 5 - Math.floor(Math.log10(Math.abs(value))));
  if (decimals > 20) return minus(value.toPrecision(6));
  return number(value, decimals).replace(/(\.\d\d\d*?)0+$/, "$1");
}

const moment = (seconds) =>
  isNumber(seconds)
    ? new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")
    : "–";

const day = (seconds) => moment(seconds).slice(0, 10);

const dayAt = (milliseconds) => day(milliseconds / 1000);

const words = (name) => String(name).replaceAll("_", " ");

function hours(count) {
  if (!isNumber(count)) return "–";
  return count < 72
    ? `${number(count, count % 1 ? 1 : 0)} h`
    : `${number(count / 24, 1)} d`;
}
