// Servers whose clocks disagree: one is an hour behind, one slept for days.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './until.ts'

const hourMs = 3600 * 1000
const password = 'correct horse'

/** Moves the wall clock, and what is counted from the start, before anything of a server runs. */
const moved = `
  const { WALL, COUNTED } = process.env
  const wall = Date.now
  Date.now = () => wall() + Number(WALL)
  const timeOrigin = performance.timeOrigin + Number(COUNTED)
  Object.defineProperty(performance, 'timeOrigin', { value: timeOrigin })`

const clocks: { [id: string]: { wall: number; counted: number } } = {
  a: { wall: 0, counted: 0 },
  b: { wall: -hourMs, counted: -hourMs },
  // The wall clock was put right when the machine woke.
  c: { wall: 0, counted: -72 * hourMs },
}

test('G11 clocks that are an hour apart, and a machine that slept, part no servers', async (t) => {
  const fleet = await Fleet.create({
    ids: Object.keys(clocks),
    configuration: { diskFreeBytesMin: 0, auth: { password } },
    nodeFlags: ['--import', `data:text/javascript,${encodeURIComponent(moved)}`],
    within: (id) => {
      const { wall, counted } = clocks[id]!
      return ['/usr/bin/env', `WALL=${wall}`, `COUNTED=${counted}`]
    },
  })
  t.after(() => fleet.end())
  await fleet.startAll()
  await fleet.well()
  const call = async (id: string, method: string, message: object, token?: string) => {
    const response = await fetch(`${fleet.address(id)}/fourfold.v1.${method}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(message),
    })
    const answer: unknown = await response.json()
    return { status: response.status, answer }
  }
  for (const id of fleet.ids) {
    const { answer } = await call(id, 'FolderService/SignIn', { name: `Ana of ${id}`, password })
    const { token } = answer as { token: string }
    for (const other of fleet.ids) {
      const { status } = await call(other, 'AdminService/GetStatus', {}, token)
      assert.equal(status, 200, `a token of ${id} at ${other}`)
      const get = await call(other, 'FolderService/ListFiles', {}, token)
      assert.equal(get.status, 200, `a token of ${id} at the files of ${other}`)
      const dav = await fetch(`${fleet.address(other)}/dav/`, {
        method: 'PROPFIND',
        headers: { authorization: `Bearer ${token}`, depth: '0' },
      })
      await dav.text()
      assert.equal(dav.status, 207, `a token of ${id} at the WebDAV of ${other}`)
    }
    await until(async () => {
      const file = { file: `${id}.md`, text: 'text' }
      const { answer } = await call(id, 'FolderService/SaveFile', file, token)
      return (answer as { servers?: string[] }).servers?.length === 3
    })
  }
})
