// CRC-32 (IEEE 802.3, reflected, as in gzip and PNG): finds every single flipped bit of a record.

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The checksum of these byte strings joined, as an unsigned 32-bit number. */
export function checksum(...parts: Uint8Array[]): number {
  let value = 0xffffffff
  for (const part of parts) {
    for (let index = 0; index < part.length; index++) {
      value = (value >>> 8) ^ table[(value ^ part[index]!) & 255]!
    }
  }
  return (value ^ 0xffffffff) >>> 0
}
