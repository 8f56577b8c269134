// A client's channel whose frames leave only when what they rest on is on the disk.

import { WithheldMessages } from '../adapters/engine/withheld-messages.ts'
import type { Engine } from '../core/ports.ts'
import type { FrameChannel } from './client-link.ts'

/** What is sent, and the end, wait for all that the engine told before; what comes does not. */
export function withheld(channel: FrameChannel, engine: Pick<Engine, 'whenStored'>): FrameChannel {
  const frames = new WithheldMessages<Uint8Array>({
    whenStored: (release) => engine.whenStored(release),
    send: (frame) => channel.send(frame),
    bytesOf: ({ length }) => length,
  })
  return {
    send: (frame) => frames.add(frame),
    sendNow: (frame) => channel.send(frame),
    queuedBytes: () => frames.bytes + channel.queuedBytes(),
    close: (why) => engine.whenStored(() => channel.close(why)),
    listen({ received, ended, closed }) {
      channel.listen({
        received,
        ...(ended && { ended }),
        closed(why) {
          frames.drop()
          closed(why)
        },
      })
    },
    ...(channel.ping && { ping: (alive: () => void) => channel.ping!(alive) }),
  }
}
