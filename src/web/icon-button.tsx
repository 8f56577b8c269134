// A button that shows an icon: its name for those who do not see it, and as a tooltip.

import type { ReactNode } from 'react'
import { Button, Tooltip, TooltipTrigger } from 'react-aria-components'
import { keysShown } from './commands.ts'

interface IconButtonProps {
  label: string
  /** Shown beside the label in the tooltip, as this keyboard has them: "Ctrl+S". */
  keys?: string
  icon: ReactNode
  /** Shown beside the icon where there is room. */
  word?: string
  isDisabled?: boolean
  isPressed?: boolean
  onPress?: () => void
  className?: string
}

export function IconButton(props: IconButtonProps) {
  const { label, keys, icon, word, isDisabled = false, isPressed, onPress, className = '' } = props
  return (
    <TooltipTrigger delay={600} closeDelay={100}>
      <Button
        className={`icon-button ${className}`}
        aria-label={label}
        {...(isPressed !== undefined && { 'aria-pressed': isPressed })}
        {...(onPress && { onPress })}
        isDisabled={isDisabled}
      >
        {icon}
        {word !== undefined && <span className="word">{word}</span>}
      </Button>
      <Tooltip className="tooltip" offset={6}>
        {/* It describes the button, which has this name: only the keys are left to say. */}
        <span aria-hidden>{label}</span>
        {keys !== undefined && <kbd>{keysShown(keys)}</kbd>}
      </Tooltip>
    </TooltipTrigger>
  )
}
