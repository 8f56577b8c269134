// Short notices at the edge of the page, some with one thing to do about them.

import { X } from 'lucide-react'
import {
  Button,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
  Text,
} from 'react-aria-components'

export interface Notice {
  text: string
  action?: { label: string; run: () => void }
}

const queue = new ToastQueue<Notice>({ maxVisibleToasts: 3 })

/** Long enough to read it and to reach the button. */
const shownMs = 8000

/**
 * Shows a notice; returns the function that takes it back. `stays`: until the person closes it, for
 * what takes reading.
 */
export function notify(
  text: string,
  action?: Notice['action'],
  { stays = false }: { stays?: boolean } = {},
): () => void {
  const notice: Notice = action === undefined ? { text } : { text, action }
  const key = queue.add(notice, stays ? {} : { timeout: shownMs })
  return () => queue.close(key)
}

export function Toasts() {
  return (
    <ToastRegion queue={queue} className="toasts" aria-label="Notices">
      {({ toast }) => (
        <Toast toast={toast} className="toast">
          <ToastContent>
            <Text slot="title">{toast.content.text}</Text>
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
