// Reads the columns that barsieve/report/pack.py wrote.

let bytes = new Uint8Array();
const unpacked = new WeakMap();

async function inflate(text) {
  const raw = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  bytes = new Uint8Array(await new Response(stream).arrayBuffer());
}

function exactColumn({ at, n }) {
  const interleaved = new Uint8Array(n * 8);
  for (let plane = 0; plane < 8; plane++) {
    for (let k = 0; k < n; k++) interleaved[k * 8 + plane] = bytes[at + plane * n + k];
  }
  return new Float64Array(interleaved.buffer);
}

function roundedColumn({ at, n, width, decimals, missing }) {
  const values = new Float64Array(n);
  const unit = 10 ** decimals;
  let whole = 0;
  for (let k = 0; k < n; k++) {
    let difference = 0;
    for (let plane = width - 1; plane >= 0; plane--) {
      difference = difference * 256 + bytes[at + plane * n + k];
    }
    whole += difference % 2 ? -(difference + 1) / 2 : difference / 2;
    values[k] = whole === missing ? NaN : whole / unit;
  }
  return values;
}

function textColumn({ names, codes }) {
  return Array.from(roundedColumn(codes), (code) =>
    Number.isNaN(code) ? null : names[code],
  );
}

const decoded = ({ at, n }) => new TextDecoder().decode(bytes.subarray(at, at + n));

const lineColumn = (reference) => decoded(reference).split("\n");

const documentColumn = (reference) => JSON.parse(decoded(reference));

const momentColumn = ({ seconds }) => column(seconds).map((one) => one * 1000);

function column(reference) {
  if (!unpacked.has(reference)) {
    const read = {
      exact: exactColumn,
      rounded: roundedColumn,
      texts: textColumn,
      lines: lineColumn,
      document: documentColumn,
      moments: momentColumn,
    }[reference.kind];
    unpacked.set(reference, read(reference));
  }
  return unpacked.get(reference);
}
