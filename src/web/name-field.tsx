// A name that is changed where it stands: Enter and leaving keep the new one, Escape the old one.

import { useEffect, useRef } from 'react'
import { Input, TextField } from 'react-aria-components'
import { stemLength } from '../core/model/names.ts'

interface NameFieldProps {
  label: string
  name: string
  /** Called once. `undefined`: the name stays as it is. */
  finish: (wanted: string | undefined) => void
}

export function NameField({ label, name, finish }: NameFieldProps) {
  const input = useRef<HTMLInputElement>(null)
  const isLeft = useRef(false)
  const isSettled = useRef(false)
  useEffect(() => {
    const begin = () => {
      if (document.activeElement === input.current) return
      input.current?.focus()
      input.current?.setSelectionRange(0, stemLength(name))
    }
    // At once: the letters that are typed after the key are meant for it.
    begin()
    // A menu that this was chosen in gives the focus back, to somewhere else, before the next frame.
    const frame = requestAnimationFrame(() => {
      isSettled.current = true
      begin()
    })
    return () => cancelAnimationFrame(frame)
  }, [name])

  const leave = (isKept: boolean) => {
    if (isLeft.current) return
    isLeft.current = true
    const wanted = input.current?.value.trim() ?? ''
    finish(isKept && wanted !== '' && wanted !== name ? wanted : undefined)
  }
  return (
    <TextField className="name-field" aria-label={label} defaultValue={name}>
      <Input
        ref={input}
        spellCheck="false"
        onBlur={() => {
          if (isSettled.current) leave(true)
        }}
        onKeyDown={(event) => {
          // Its keys are its own: rows under it have others.
          event.stopPropagation()
          const isEnter = event.key === 'Enter' && !event.nativeEvent.isComposing
          if (!isEnter && event.key !== 'Escape') return
          // Where the focus goes now, in the text perhaps, the key would be typed.
          event.preventDefault()
          leave(isEnter)
        }}
      />
    </TextField>
  )
}
