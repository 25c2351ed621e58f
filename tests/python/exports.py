"""Small made-up files in the manner of the vendors, all of the same hours."""

import gzip
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from sources import DAY, HOUR, START, kline

N = 30
KLINES = [kline(START + i * HOUR) for i in range(N)]
HOURS = [datetime.fromtimestamp(k[0] / 1000, UTC) for k in KLINES]
VALUES = [[float(cell) for cell in k[1:6]] for k in KLINES]
BARS = [(hour, *values) for hour, values in zip(HOURS, VALUES, strict=True)]
DAYS = [datetime.fromtimestamp((START + i * DAY) / 1000, UTC) for i in range(N)]
OHLCV = [0, 1, 2, 3, 4]


def delimited(
    header: str,
    form: str,
    order: list[int] = OHLCV,
    more: str = "",
    delimiter: str = ",",
    stamps: list[datetime] = HOURS,
) -> str:
    """Return lines of a time in a format of strftime, values in an order, and more."""
    lines = [header] if header else []
    for stamp, values in zip(stamps, VALUES, strict=True):
        time = f"{stamp.timestamp():.0f}" if form == "%s" else f"{stamp:{form}}"
        cells = [time, *(repr(values[i]) for i in order)]
        lines.append(delimiter.join(cells) + more)
    return "\n".join(lines) + "\n"


def backwards(text: str, n_above: int = 1) -> str:
    """Return a text with its rows in reverse below the lines above them."""
    lines = text.splitlines()
    return "\n".join(lines[:n_above] + lines[n_above:][::-1]) + "\n"


def klines(scale: int = 1, header: str = "") -> str:
    """Return klines of Binance Vision in ms, or in µs for a scale of 1,000."""
    lines = [header] if header else []
    for k in KLINES:
        cells = [k[0] * scale, *k[1:6], (k[6] + 1) * scale - 1, *k[7:]]
        lines.append(",".join(map(str, cells)))
    return "\n".join(lines) + "\n"


MT5 = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
STOOQ = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
CDD = "https://www.CryptoDataDownload.com\n"
# name: format, file name, content, options, rows that may have been forming
HOURLY = {
    "binance µs": ("binance-vision", "BTCUSDT-1h-2025-01.csv", klines(1000), [], 0),
    "kraken": (
        "kraken", "XBTUSD_60.csv", delimited("", "%s", more=",17"), [], 0,
    ),
    "coinbase": (
        "coinbase", "BTC-USD.csv",
        backwards(delimited("time,low,high,open,close,volume", "%s", [2, 1, 0, 3, 4])),
        [], 1,
    ),
    "yahoo": (
        "yahoo", "BTC-USD.csv",
        delimited("Datetime,Open,High,Low,Close,Volume", "%Y-%m-%d %H:%M:%S+00:00"),
        [], 1,
    ),
    "stooq": (
        "stooq", "btcusd_h.csv",
        delimited("Date,Time,Open,High,Low,Close,Volume", "%Y-%m-%d,%H:%M:%S"),
        ["--timezone", "UTC"], 1,
    ),
    "stooq bulk": (
        "stooq", "btcusd.txt",
        delimited(STOOQ, "BTCUSD,60,%Y%m%d,%H%M%S", more=",0"),
        ["--timezone", "UTC"], 1,
    ),
    "metatrader 5": (
        "metatrader", "BTCUSD_H1_202301010000_202301020500.csv",
        delimited(MT5, "%Y.%m.%d\t%H:%M:%S", more="\t0\t5", delimiter="\t"),
        ["--timezone", "UTC", "--column", "volume=<TICKVOL>"], 1,
    ),
    "metatrader 4": (
        "metatrader", "BTCUSD60.csv", delimited("", "%Y.%m.%d,%H:%M"),
        ["--timezone", "UTC"], 1,
    ),
    "european spreadsheet": (
        "freqtrade", "BTC_USDT-1h.csv",
        delimited("date;open;high;low;close;volume", "%Y-%m-%dT%H:%M:%SZ",
                  delimiter=";").replace(".", ","),
        [], 0,
    ),
    "by hand": (
        "csv", "Coinbase_BTCUSD_1h.csv",
        delimited("When|O|H|L|C|Amount", "%d/%m/%Y %H:%M", delimiter="|"),
        ["--format", "csv", "--date-format", "%d/%m/%Y %H:%M", "--timezone", "UTC",
         *(part for role, name in zip(
             ("ts", "open", "high", "low", "close", "volume"),
             ("When", "O", "H", "L", "C", "Amount"), strict=True)
           for part in ("--column", f"{role}={name}"))],
        1,
    ),
}  # fmt: skip


def _unix_and_date() -> str:
    """Return lines that begin with ms and a date, as the second header has them."""
    lines = ["Unix Timestamp,Date,Symbol,Open,High,Low,Close,Volume"]
    for stamp, values in zip(HOURS, VALUES, strict=True):
        start = f"{stamp.timestamp() * 1000:.0f},{stamp:%Y-%m-%d %H:%M:%S},BTCUSD"
        lines.append(",".join([start, *map(repr, values)]))
    return CDD + backwards("\n".join(lines))


HOURLY["cryptodatadownload second header"] = (
    "cryptodatadownload", "Gemini_BTCUSD_1h.csv", _unix_and_date(), [], 0,
)  # fmt: skip


def packed(folder: Path, name: str, content: str, kind: str) -> Path:
    """Return a file of a content: as it is, encoded, compressed, or in an archive."""
    encodings = {"utf-16": "utf-16", "utf-16 without mark": "utf-16-le",
                 "mark": "utf-8-sig"}  # fmt: skip
    data = content.encode(encodings.get(kind, "utf-8"))
    path = folder / name
    if kind == "gz":
        path = path.with_name(f"{name}.gz")
        path.write_bytes(gzip.compress(data))
    elif kind.startswith("zip"):
        path = path.with_suffix(".zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, data)
            if kind == "zip of macOS":
                archive.writestr(f"__MACOSX/._{name}", b"\0\5\x16\7")
                archive.writestr(".DS_Store", b"\0\0\0\1Bud1")
    else:
        path.write_bytes(data.replace(b"\n", b"\r\n") if kind == "crlf" else data)
    return path
