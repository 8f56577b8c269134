// A client's channel whose frames leave only when what they rest on is on the disk.

import type { Engine } from '../core/ports.ts'
import type { FrameChannel } from './client-link.ts'

/** What is sent, and the end, wait for all that the engine told before; what comes does not. */
export function withheld(channel: FrameChannel, engine: Pick<Engine, 'whenStored'>): FrameChannel {
  let heldBytes = 0
  return {
    send(frame) {
      heldBytes += frame.length
      engine.whenStored(() => {
        heldBytes -= frame.length
        channel.send(frame)
      })
    },
    sendNow: (frame) => channel.send(frame),
    queuedBytes: () => heldBytes + channel.queuedBytes(),
    close: (why) => engine.whenStored(() => channel.close(why)),
    listen: (listener) => channel.listen(listener),
    ...(channel.ping && { ping: (alive: () => void) => channel.ping!(alive) }),
  }
}
