// The caret's line stays in sight when the text gets another size: a pane beside it opens, the window
// shrinks, letters grow. CodeMirror keeps the first line where it is, and lines that wrap anew push the
// caret below the window.

import { EditorView, ViewPlugin } from '@codemirror/view'

/** So much is left between the caret and the edge. */
const marginPx = 20

export const caretInSight = ViewPlugin.define((view) => {
  const { scrollDOM } = view
  let isInSight = false
  /** When CodeMirror will have scrolled there; 0: it has. It looks more than once before. */
  let frame = 0
  let size = sizeOf(scrollDOM)
  const look = {
    read() {
      // In its new size it may be out of sight, which is what is asked of the old one.
      if (frame !== 0 || sizeOf(scrollDOM) !== size) return
      const caret = view.coordsAtPos(view.state.selection.main.head)
      const { top, bottom } = scrollDOM.getBoundingClientRect()
      isInSight = caret !== null && caret.top < bottom && caret.bottom > top
    },
  }
  const note = () => view.requestMeasure(look)
  const observer = new ResizeObserver(() => {
    // Covered, it has no size, and gets its old one back.
    if (scrollDOM.clientHeight === 0 || sizeOf(scrollDOM) === size) return
    size = sizeOf(scrollDOM)
    if (!isInSight) return
    const { head } = view.state.selection.main
    view.dispatch({
      effects: EditorView.scrollIntoView(head, { y: 'nearest', yMargin: marginPx }),
    })
    cancelAnimationFrame(frame)
    frame = requestAnimationFrame(() => {
      frame = 0
      note()
    })
  })
  observer.observe(scrollDOM)
  scrollDOM.addEventListener('scroll', note)
  note()
  return {
    update: note,
    destroy() {
      observer.disconnect()
      cancelAnimationFrame(frame)
      scrollDOM.removeEventListener('scroll', note)
    },
  }
})

function sizeOf({ clientWidth, clientHeight }: Element): string {
  return `${clientWidth} ${clientHeight}`
}
