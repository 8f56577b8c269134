// Short notices at the edge of the page, some with one thing to do about them.

import { X } from 'lucide-react'
import { type RefObject, useEffect, useSyncExternalStore } from 'react'
import {
  Button,
  ProgressBar,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
  Text,
} from 'react-aria-components'
import { useNow } from './client-context.tsx'

export interface Notice {
  text: string
  action?: { label: string; run: () => void }
  progress?: Progress
}

/** How far something is that is done to many; it counts while the notice is shown. */
export interface Progress {
  done: number
  readonly total: number
}

/** How often it is looked how far it is. */
const lookEveryMs = 250

const queue = new ToastQueue<Notice>({ maxVisibleToasts: 3 })

/** Long enough to read it and to reach the button. */
const shownMs = 8000

interface NoticeOptions {
  /** Until the person closes it: for what takes reading, and for what has not come to its end. */
  stays?: boolean
  progress?: Progress | undefined
  /** It is not there any more, for whatever reason. */
  closed?: () => void
}

/** Shows a notice; returns the function that takes it back. */
export function notify(
  text: string,
  action?: Notice['action'],
  { stays = false, progress, closed }: NoticeOptions = {},
): () => void {
  const notice: Notice = { text, ...(action && { action }), ...(progress && { progress }) }
  const key = queue.add(notice, {
    ...(!stays && { timeout: shownMs }),
    ...(closed && { onClose: closed }),
  })
  return () => queue.close(key)
}

/** Keeps notices above what is at the foot of the window, and not over it, while it is there. */
export function useNoticesAbove(foot: RefObject<HTMLElement | null>, isNeeded: boolean): void {
  useEffect(() => {
    const element = foot.current
    if (!isNeeded || !element) return
    const { style } = document.documentElement
    const watch = new ResizeObserver(() => {
      style.setProperty('--notices-above', `${element.offsetHeight}px`)
    })
    watch.observe(element)
    return () => {
      watch.disconnect()
      style.removeProperty('--notices-above')
    }
  }, [foot, isNeeded])
}

export function Toasts() {
  const count = useSyncExternalStore(
    (listener) => queue.subscribe(listener),
    () => queue.visibleToasts.length,
  )
  // F6 finds only regions that are there from their first drawing on.
  if (count === 0) return null
  return (
    <ToastRegion queue={queue} className="toasts" aria-label="Notices">
      {({ toast }) => (
        <Toast toast={toast} className="toast">
          <ToastContent>
            <Text slot="title">{toast.content.text}</Text>
            {toast.content.progress && <HowFar progress={toast.content.progress} />}
          </ToastContent>
          {toast.content.action && (
            <Button
              className="toast-action"
              onPress={() => {
                queue.close(toast.key)
                toast.content.action?.run()
              }}
            >
              {toast.content.action.label}
            </Button>
          )}
          <Button slot="close" className="icon-button" aria-label="Close this notice">
            <X size={16} aria-hidden />
          </Button>
        </Toast>
      )}
    </ToastRegion>
  )
}

function HowFar({ progress }: { progress: Progress }) {
  useNow(lookEveryMs, true)
  const { done, total } = progress
  const words = `${done.toLocaleString('en')} of ${total.toLocaleString('en')}`
  return (
    <ProgressBar
      className="toast-progress"
      aria-label="Done"
      value={done}
      maxValue={total}
      valueLabel={words}
    >
      {words}
    </ProgressBar>
  )
}
