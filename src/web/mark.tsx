// The product's mark: four squares, one filled.

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect className="mark-full" x="3.5" y="3.5" width="11" height="11" rx="3" />
      <rect x="17.5" y="3.5" width="11" height="11" rx="3" />
      <rect x="3.5" y="17.5" width="11" height="11" rx="3" />
      <rect x="17.5" y="17.5" width="11" height="11" rx="3" />
    </svg>
  )
}
