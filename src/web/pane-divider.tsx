// The edge between the left pane and the text: dragged, or moved with the arrow keys.

import { useState } from 'react'
import { mergeProps } from 'react-aria/mergeProps'
import { useMove } from 'react-aria/useMove'
import { isNumber, remembered } from './remembered.ts'

const narrowest = 200
const widest = 420
const kept = remembered('device', 'leftPaneWidth', 260, isNumber)

const clamp = (width: number) => Math.min(widest, Math.max(narrowest, width))

/** The width of the left pane in pixels, remembered on this device. */
export function usePaneWidth(): [number, (change: (width: number) => number) => void] {
  const [width, setWidth] = useState(() => clamp(kept.read()))
  return [
    width,
    (change) =>
      setWidth((before) => {
        const next = clamp(change(before))
        kept.write(next)
        return next
      }),
  ]
}

interface PaneDividerProps {
  width: number
  setWidth: (change: (width: number) => number) => void
}

const keyStep = 16

export function PaneDivider({ width, setWidth }: PaneDividerProps) {
  const { moveProps } = useMove({
    onMove: ({ deltaX, pointerType }) =>
      setWidth((before) => before + (pointerType === 'keyboard' ? deltaX * keyStep : deltaX)),
  })
  return (
    <div
      {...mergeProps(moveProps, { className: 'divider' })}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the files"
      aria-valuemin={narrowest}
      aria-valuemax={widest}
      aria-valuenow={Math.round(width)}
      tabIndex={0}
    />
  )
}
