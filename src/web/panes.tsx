// The panes beside the middle: files on the left, history on the right. On a narrow page they are
// drawers over it.

import { type ReactNode, useCallback, useState } from 'react'
import { Drawer } from './drawer.tsx'
import { PaneDivider, usePaneWidth } from './pane-divider.tsx'
import { isBoolean, remembered } from './remembered.ts'

const leftPaneOpen = remembered('device', 'leftPane', true, isBoolean)

interface Pane {
  isOpen: boolean
  setOpen: (isOpen: boolean) => void
}

interface LeftPane extends Pane {
  /** It is open and takes its place from the middle. */
  isBeside: boolean
  /** A pane beside the middle stays. The same function. */
  closeDrawer: () => void
}

/** Beside the middle it is as this person left it on this device; a drawer begins closed. */
export function useLeftPane(isNarrow: boolean): LeftPane {
  const [isPaneOpen, setPaneOpen] = useState(() => leftPaneOpen.read())
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const closeDrawer = useCallback(() => setDrawerOpen(false), [])
  return {
    isOpen: isNarrow ? isDrawerOpen : isPaneOpen,
    isBeside: !isNarrow && isPaneOpen,
    closeDrawer,
    setOpen(isOpen) {
      if (isNarrow) return setDrawerOpen(isOpen)
      leftPaneOpen.write(isOpen)
      setPaneOpen(isOpen)
    },
  }
}

interface PanesProps {
  isNarrow: boolean
  left: Pane
  files: ReactNode
  right: Pane
  history: ReactNode
  /** The middle. */
  children: ReactNode
}

export function Panes({ isNarrow, left, files, right, history, children }: PanesProps) {
  const [width, setWidth] = usePaneWidth()
  return (
    <>
      <div className="panes">
        {!isNarrow && left.isOpen && (
          <>
            <div className="left" style={{ width }}>
              {files}
            </div>
            <PaneDivider {...{ width, setWidth }} />
          </>
        )}
        {children}
        {!isNarrow && right.isOpen && <div className="right">{history}</div>}
      </div>
      {isNarrow && (
        <>
          <Drawer side="left" label="Files" isOpen={left.isOpen} setOpen={left.setOpen}>
            {files}
          </Drawer>
          <Drawer side="bottom" label="History" isOpen={right.isOpen} setOpen={right.setOpen}>
            {history}
          </Drawer>
        </>
      )}
    </>
  )
}
