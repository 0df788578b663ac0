// ZIP files without compression, which suffices for pictures that are compressed already. Written here, so that neither
// a server nor a library is needed for what a visitor made.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte;
});

function crc32(data) {
  let crc = ~0;
  for (const byte of data) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Numbers as little-endian bytes, from [bytes, value] pairs. */
function littleEndian(...fields) {
  return Uint8Array.from(fields.flatMap(([bytes, value]) => Array.from({ length: bytes }, (_, i) => value / 256 ** i)));
}

/** A ZIP archive of `files`: [{name, data: Uint8Array}]; a Blob. */
function zip(files) {
  const now = new Date();
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, data } of files) {
    const label = new TextEncoder().encode(name);
    // version 2.0, names in UTF-8 (bit 11), stored (method 0)
    const common = [[2, 20], [2, 0x800], [2, 0], [2, time], [2, date], [4, crc32(data)],
      [4, data.length], [4, data.length], [2, label.length], [2, 0]];
    const header = littleEndian([4, 0x04034b50], ...common);
    parts.push(header, label, data);
    directory.push(littleEndian([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), label);
    offset += header.length + label.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = files.length;
  const end = littleEndian([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
