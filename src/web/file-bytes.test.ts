// How many bytes, in words; which names are pictures.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageTypeOf, sizeWords } from './file-bytes.ts'

test('a size is said in the unit that fits it', () => {
  const sizes: [number, string][] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [12_595, '12.3 KiB'],
    [150 * 1024, '150 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [16 * 1024 ** 3, '16.0 GiB'],
    [2000 * 1024 ** 3, '2000 GiB'],
  ]
  for (const [bytes, words] of sizes) assert.equal(sizeWords(bytes), words)
})

test('pictures are known by the end of their names, whatever the case', () => {
  assert.equal(imageTypeOf('logo.png'), 'image/png')
  assert.equal(imageTypeOf('PHOTO.JPG'), 'image/jpeg')
  for (const name of ['logo.svg', 'png', 'logo.png.zip', 'page.html', '']) {
    assert.equal(imageTypeOf(name), undefined)
  }
})
